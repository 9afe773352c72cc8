"""Our export against llama.cpp's own converter, tensor by tensor and key by key.

    LLAMA_CPP_SOURCE=path/to/llama.cpp python -m tests.benchmarks quantize_exactness

The converter is the one in llama-cpp-python's source archive (vendor/llama.cpp), which needs torch, transformers and
sentencepiece. It knows a pre-tokeniser only by a hash of the ids that a real vocabulary gives, so it is told which one the
tiny vocabularies have. Tiny models of every family are written in bfloat16, as real ones are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from quantize.build import Recipe, build
from quantize.gguf_file import GgufFile
from tests.quantize.tiny import FAMILIES, random_model, save_model

CONVERT = """
import runpy, sys
source, pre, folder, kind, out = sys.argv[1:]
sys.path.insert(0, source)
import conversion.base
conversion.base.TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
sys.argv = ["convert_hf_to_gguf.py", folder, "--outtype", kind, "--outfile", out]
runpy.run_path(source + "/convert_hf_to_gguf.py", run_name="__main__")
"""
KINDS = ("F16", "BF16", "Q8_0")
EXPLAINED = {
    "general.name": "ours is the name given to the model",
    "general.size_label": "not written by us; it is computed from the tensors",
    "tokenizer.ggml.eot_token_id": "the converter does not look for the end of a turn in the template",
}
"""Keys that may differ, and why. Ours under `tutor.` are left out."""


def compare(reference: Path, ours: Path) -> dict[str, Any]:
    """Tensors whose bytes differ (with the largest difference), and keys that do."""
    left, right = GgufFile(reference), GgufFile(ours)
    differing = {}
    for name in sorted(set(left.tensors) | set(right.tensors)):
        a, b = left.tensors.get(name), right.tensors.get(name)
        if a is None or b is None or (a.type, a.shape) != (b.type, b.shape):
            differing[name] = "missing, or of another type or shape"
            continue
        rows = a.n_bytes // a.row_bytes
        if a.raw_rows(0, rows).tobytes() != b.raw_rows(0, rows).tobytes():
            differing[name] = f"largest difference {abs(a.all() - b.all()).max():.2g}"
    keys = sorted(
        key
        for key in set(left.fields) | set(right.fields)
        if not key.startswith("tutor.") and left.fields.get(key) != right.fields.get(key)
    )
    return {
        "tensors": len(left.tensors),
        "differing": differing,
        "keys_explained": {key: EXPLAINED[key] for key in keys if key in EXPLAINED},
        "keys_unexplained": [key for key in keys if key not in EXPLAINED],
    }


def main() -> dict[str, Any]:
    """Family → type → what differs."""
    source = os.environ.get("LLAMA_CPP_SOURCE")
    if not source:
        return {"skipped": "set LLAMA_CPP_SOURCE to a llama.cpp source folder"}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="quantize-exactness-") as scratch:
        for family in FAMILIES:
            work = Path(scratch) / family
            folder = save_model(random_model(family).to(torch.bfloat16), work / "base", family)
            pre = "smollm" if family.startswith("llama") else "qwen2"
            for kind in KINDS:
                reference, ours = work / f"reference-{kind}.gguf", work / f"ours-{kind}.gguf"
                arguments = [source, pre, str(folder), kind.lower(), str(reference)]
                subprocess.run([sys.executable, "-c", CONVERT, *arguments], check=True, capture_output=True)
                build(Recipe(folder, (), ours, type=kind))
                found.setdefault(family, {})[kind] = compare(reference, ours)
    return found


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
