"""The adapters that the quantising benchmarks work on: those given, else a random one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from quantize.gguf_adapter import open_adapter
from quantize.gguf_file import GgufFile
from quantize.lora_gguf import AdapterType, build_adapter

RANK = 16
DELTA = 0.01
"""Size of a random adapter's delta, relative to the weight: what a LoRA of this rank typically learns."""
MODULES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def stack_for(base: Path, work: Path) -> tuple[Path, ...]:
    """PEFT folders or GGUF files in QUANTIZE_BENCH_ADAPTER, in stack order with ':' between them; without it a random one in `work`."""
    given = os.environ.get("QUANTIZE_BENCH_ADAPTER")
    if given:
        return tuple(Path(folder) for folder in given.split(os.pathsep))
    return (random_adapter(work / "random", base),)


def described(stack: tuple[Path, ...]) -> str:
    """The stack in words."""
    if os.environ.get("QUANTIZE_BENCH_ADAPTER"):
        return " + ".join(folder.name for folder in stack)
    return f"random, rank {RANK}, {DELTA:.0%} of each weight"


def main_language(stack: tuple[Path, ...]) -> str | None:
    """The first language of the last stage; None when nothing names one."""
    manifest = open_adapter(stack[-1]).manifest
    languages = manifest.languages if manifest is not None else []
    return languages[0].split("-")[0] if languages else None


def run_time_files(base: Path, stack: tuple[Path, ...], work: Path, kind: AdapterType) -> tuple[Path, ...]:
    """A GGUF LoRA for each stage of the stack, as the app loads them."""
    made = []
    for number, folder in enumerate(stack):
        path = work / f"stage{number + 1}-{kind}.gguf"
        build_adapter(
            base, (folder,), path, kind=kind, below=stack[:number], allow_unknown_base=True, overwrite=True
        )
        made.append(path)
    return tuple(made)


def random_adapter(folder: Path, base: Path, delta: float = DELTA, seed: int = 0) -> Path:
    """A LoRA whose delta has `delta` times the spread of each weight of a GGUF."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)
    tensors = {}
    for name, tensor in GgufFile(base).tensors.items():
        kind = name.split(".")[2] if name.startswith("blk.") and name.endswith(".weight") else ""
        if kind in MODULES:
            rows, columns = tensor.shape
            spread = float(tensor.rows(0, min(rows, 256)).std())
            module = f"base_model.model.model.layers.{name.split('.')[1]}.{MODULES[kind]}"
            a = rng.standard_normal((RANK, columns), dtype=np.float32)
            b = rng.standard_normal((rows, RANK), dtype=np.float32) * np.float32(delta * spread / RANK**0.5)
            tensors |= {f"{module}.lora_A.weight": a, f"{module}.lora_B.weight": b}
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": RANK, "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
