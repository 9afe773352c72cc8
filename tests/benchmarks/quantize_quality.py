"""What each type of quantisation costs, by language, with and without our importance matrix.

    python -m tests.benchmarks quantize_quality

The source is QUANTIZE_BENCH_MODEL (default `qwen2.5-1.5b`) in F16 with an adapter merged in: the PEFT folder of a
variant in QUANTIZE_BENCH_ADAPTER, else a random LoRA of 1 % of each weight. Mind that the installed bases are Q4_K_M
files already: their weights lie on that type's grid, so Q4_K_M loses less than it would from the original weights, and
the table answers which type to make from *these* files. Texts are our lesson sets: even lessons make the matrix, odd
lessons are measured.

QUANTIZE_BENCH_TYPES, QUANTIZE_BENCH_TOKENS (of each language) and QUANTIZE_BENCH_DIR (8 GB of scratch) may be set. With
QUANTIZE_BENCH_PLOT=FILE.svg the table is also drawn.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from quantize.build import Recipe, build
from quantize.gguf_file import GgufFile
from quantize.imatrix_file import write_imatrix
from quantize.importance import measure_importance
from quantize.limits import Limits
from quantize.verify import verify
from tests.benchmarks.quantize_plot import draw
from tests.quantize.real import real_model

SETS = Path(__file__).resolve().parents[2] / "lessons" / "sets"
TEMPLATES = Path(__file__).resolve().parents[2] / "assets" / "templates"
RANK = 16
DELTA = 0.01
"""Size of the random adapter's delta, relative to the weight: what a LoRA of this rank typically learns."""
MATRIX_TOKENS = 8192
"""Of each language, for the matrix."""


def strings(value: Any) -> Iterator[str]:
    """Every text in a lesson, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("id", "kind", "level", "media", "pattern"):
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def lesson_texts() -> tuple[dict[str, str], dict[str, str]]:
    """(for the matrix, to measure on): language → text of its lesson sets."""
    halves: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for folder in sorted(SETS.iterdir()):
        if not (folder / "set.yaml").is_file():
            continue
        settings = yaml.safe_load((folder / "set.yaml").read_text(encoding="utf-8"))
        language = str(settings["language"]).split("-")[0]
        for number, path in enumerate(sorted((folder / "lessons").glob("*.yaml"))):
            lesson = yaml.safe_load(path.read_text(encoding="utf-8"))
            half = halves[number % 2]
            half[language] = half.get(language, "") + "\n".join(strings(lesson)) + "\n"
    return halves


def random_adapter(folder: Path, base: Path) -> Path:
    """A LoRA whose delta has `DELTA` times the spread of each weight of a GGUF."""
    from safetensors.numpy import save_file

    names = {
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    rng = np.random.default_rng(0)
    tensors = {}
    for name, tensor in GgufFile(base).tensors.items():
        kind = name.split(".")[2] if name.startswith("blk.") and name.endswith(".weight") else ""
        if kind in names:
            rows, columns = tensor.shape
            spread = float(tensor.rows(0, min(rows, 256)).std())
            module = f"base_model.model.model.layers.{name.split('.')[1]}.{names[kind]}"
            a = rng.standard_normal((RANK, columns), dtype=np.float32)
            b = rng.standard_normal((rows, RANK), dtype=np.float32) * np.float32(DELTA * spread / RANK**0.5)
            tensors |= {f"{module}.lora_A.weight": a, f"{module}.lora_B.weight": b}
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": RANK, "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def main() -> dict[str, Any]:
    """A row a type: size, and figures by language."""
    kinds = os.environ.get("QUANTIZE_BENCH_TYPES", "Q8_0 Q6_K Q5_K_M Q4_K_M").split()
    tokens = int(os.environ.get("QUANTIZE_BENCH_TOKENS", "2048"))
    model = os.environ.get("QUANTIZE_BENCH_MODEL", "qwen2.5-1.5b")
    template = TEMPLATES / ("gemma.jinja" if model.startswith("gemma") else "chatml.jinja")
    limits = Limits(stop_rate_min=None, max_tokens=tokens)
    for_matrix, to_measure = lesson_texts()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(
        dir=os.environ.get("QUANTIZE_BENCH_DIR"), prefix="quantize-quality-"
    ) as scratch:
        work = Path(scratch)
        base = real_model(model)
        given = os.environ.get("QUANTIZE_BENCH_ADAPTER")
        adapter = Path(given) if given else random_adapter(work / "adapter", base)

        def make(kind: str, matrix: Path | None) -> Path:
            path = work / f"{kind}.gguf"
            recipe = Recipe(
                base,
                (adapter,),
                path,
                kind,
                matrix,
                template,
                "bench",
                allow_unknown_base=True,
                overwrite=True,
            )
            return build(recipe).path

        source = make("F16", None)
        began = time.perf_counter()
        matrix = work / "matrix.gguf"
        measured = measure_importance(source, for_matrix, max_tokens=MATRIX_TOKENS)
        write_imatrix(matrix, measured)
        matrix_seconds = time.perf_counter() - began
        for kind in kinds:
            # Q8_0 takes no matrix, and at six bits none is worth its while.
            for chosen in (None, matrix) if kind.startswith(("Q5", "Q4", "Q3", "IQ")) else (None,):
                path = make(kind, chosen)
                verification = verify(path, source, to_measure, limits=limits)
                row = {"type": kind, "imatrix": chosen is not None, "gb": round(path.stat().st_size / 1e9, 3)}
                rows.append(row | {"languages": {k: asdict(v) for k, v in verification.languages.items()}})
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)  # an hour's work is worth its rows
                path.unlink()
    if plot := os.environ.get("QUANTIZE_BENCH_PLOT"):
        Path(plot).write_text(draw(rows), encoding="utf-8")
    return {
        "base": model,
        "adapter": Path(given).name if given else f"random, {DELTA:.0%} of each weight",
        "matrix": {"tokens": dict(measured.tokens), "seconds": round(matrix_seconds)},
        "rows": rows,
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
