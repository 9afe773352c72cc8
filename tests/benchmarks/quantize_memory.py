"""Peak memory and wall time of merging two adapters into a Qwen3-sized model and quantising it.

    python -m tests.benchmarks quantize_memory

Random weights of the real shapes are written shard by shard; then every step runs in a process of its own, whose peak
resident memory the system reports (it counts mapped files too). The peer path is what most people do: load with
transformers, merge with PEFT, save, convert with llama.cpp's script, quantise with its defaults.

QUANTIZE_BENCH_SIZES (default `8b`), QUANTIZE_BENCH_PEER (default `1.7b`; empty: none) and QUANTIZE_BENCH_DIR choose the
models and the scratch folder, which needs about 5 bytes a parameter. LLAMA_CPP_SOURCE names a llama.cpp source folder
for the peer's converter; without it the peer's time has no conversion in it.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.benchmarks.quantize_vocabulary import write_tokenizer

RANK, ALPHA = 32, 64
BLOCK_VALUES = 16 * 1024 * 1024
BYTES_A_PARAMETER = 5
"""16-bit base, 16-bit export, Q4_K_M and two adapters."""


@dataclass(frozen=True)
class Shape:
    """A Qwen3 model."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    tied: bool
    kv_heads: int = 8
    head_dim: int = 128
    vocabulary: int = 151_936

    def linear(self) -> Iterator[tuple[str, int, int]]:
        """(module, rows, columns) of every linear layer that gets a LoRA."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}."
            yield f"{prefix}self_attn.q_proj", query, self.hidden
            yield f"{prefix}self_attn.k_proj", key, self.hidden
            yield f"{prefix}self_attn.v_proj", key, self.hidden
            yield f"{prefix}self_attn.o_proj", self.hidden, query
            yield f"{prefix}mlp.gate_proj", self.intermediate, self.hidden
            yield f"{prefix}mlp.up_proj", self.intermediate, self.hidden
            yield f"{prefix}mlp.down_proj", self.hidden, self.intermediate

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every tensor of a checkpoint."""
        yield "model.embed_tokens.weight", (self.vocabulary, self.hidden)
        for module, rows, columns in self.linear():
            yield f"{module}.weight", (rows, columns)
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}."
            yield f"{prefix}input_layernorm.weight", (self.hidden,)
            yield f"{prefix}post_attention_layernorm.weight", (self.hidden,)
            yield f"{prefix}self_attn.q_norm.weight", (self.head_dim,)
            yield f"{prefix}self_attn.k_norm.weight", (self.head_dim,)
        yield "model.norm.weight", (self.hidden,)
        if not self.tied:
            yield "lm_head.weight", (self.vocabulary, self.hidden)

    @property
    def parameters(self) -> int:
        """Weights in all."""
        return sum(int(np.prod(shape)) for _, shape in self.tensors())


SHAPES = {
    "0.6b": Shape(1024, 3072, 28, 16, True),
    "1.7b": Shape(2048, 6144, 28, 16, True),
    "4b": Shape(2560, 9728, 36, 32, True),
    "8b": Shape(4096, 12288, 36, 32, False),
}
SHARDS = 4


def random_block(seed: int) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Normal values of spread 0.02 as bfloat16; every tensor is a stretch of it, which costs no time to make."""
    values = np.random.default_rng(seed).standard_normal(BLOCK_VALUES, dtype=np.float32) * np.float32(0.02)
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def write_safetensors(
    path: Path, tensors: list[tuple[str, tuple[int, ...]]], dtype: str, block: np.ndarray[Any, Any]
) -> None:
    """One file, streamed."""
    header: dict[str, Any] = {}
    at = 0
    for name, shape in tensors:
        size = int(np.prod(shape)) * block.itemsize
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(encoded)) + encoded)
        for number, (_, shape) in enumerate(tensors):
            left, start = int(np.prod(shape)), number * 1009 % 4096
            while left:
                part = block[start : start + min(left, len(block) - start)]
                stream.write(part.data)
                left, start = left - len(part), 0


def write_base(folder: Path, shape: Shape) -> None:
    """A Qwen3 model folder with random weights in bfloat16 and a real vocabulary."""
    folder.mkdir()
    config = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000,
        "tie_word_embeddings": shape.tied,
        "hidden_act": "silu",
        "attention_bias": False,
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_tokenizer(folder)
    tensors, block = list(shape.tensors()), random_block(0)
    weight_map = {}
    for shard in range(SHARDS):
        name = f"model-{shard + 1:05d}-of-{SHARDS:05d}.safetensors"
        part = tensors[shard::SHARDS]
        write_safetensors(folder / name, part, "BF16", block)
        weight_map |= {tensor: name for tensor, _ in part}
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map}), encoding="utf-8"
    )


def write_adapter(folder: Path, shape: Shape, seed: int) -> None:
    """A LoRA of rank 32 on all linear layers, in float32 as PEFT saves what was trained so."""
    folder.mkdir()
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": ALPHA,
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        "bias": "none",
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    tensors: list[tuple[str, tuple[int, ...]]] = []
    for module, rows, columns in shape.linear():
        tensors.append((f"base_model.model.{module}.lora_A.weight", (RANK, columns)))
        tensors.append((f"base_model.model.{module}.lora_B.weight", (rows, RANK)))
    block = np.random.default_rng(seed).standard_normal(BLOCK_VALUES, dtype=np.float32) * np.float32(0.01)
    write_safetensors(folder / "adapter_model.safetensors", tensors, "F32", block)


def measured(command: list[str]) -> dict[str, float]:
    """Wall seconds and peak resident memory in GB of a command, that must succeed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | {"HF_HUB_OFFLINE": "1"}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    scale = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_gb": round(usage.ru_maxrss * scale / 1e9, 3),
    }


def ours(work: Path) -> dict[str, Any]:
    """F16 export of the merged model, then Q4_K_M from that very file."""
    command = [sys.executable, "-c", "from quantize.cli import main; main()", "build", str(work / "base")]
    command += [str(work / "stage1"), str(work / "stage2"), "--name", "bench", "--allow-unknown-base"]
    merge = measured([*command, "--type", "F16", "-o", str(work / "bench.F16.gguf")])
    quantise = measured([*command, "--type", "Q4_K_M", "--keep-f16", "-o", str(work / "bench.gguf")])
    sizes = {name: round((work / name).stat().st_size / 1e9, 2) for name in ("bench.F16.gguf", "bench.gguf")}
    return {"merge_and_export": merge, "to_q4_k_m": quantise, "files_gb": sizes}


PEER_MERGE = """
import sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base, first, second, out = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
for adapter in (first, second):
    model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
model.save_pretrained(out)
"""
PEER_QUANTISE = """
import ctypes, sys, llama_cpp
params = llama_cpp.llama_model_quantize_default_params()
params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
sys.exit(llama_cpp.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), ctypes.byref(params)))
"""


def peer(work: Path) -> dict[str, Any]:
    """What PEFT, transformers and llama.cpp do with the same files."""
    base, merged = work / "base", work / "merged"
    steps: dict[str, Any] = {
        "merge_and_save": measured(
            [
                sys.executable,
                "-c",
                PEER_MERGE,
                str(base),
                str(work / "stage1"),
                str(work / "stage2"),
                str(merged),
            ]
        )
    }
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / name, merged / name)
    source = os.environ.get("LLAMA_CPP_SOURCE")
    f16 = work / "bench.F16.gguf"
    if source:
        script = str(Path(source) / "convert_hf_to_gguf.py")
        f16 = work / "peer.F16.gguf"
        steps["convert"] = measured(
            [sys.executable, script, str(merged), "--outtype", "f16", "--outfile", str(f16)]
        )
    shutil.rmtree(merged)
    steps["quantise"] = measured([sys.executable, "-c", PEER_QUANTISE, str(f16), str(work / "peer.gguf")])
    return steps


def run(size: str, with_peer: bool) -> dict[str, Any]:
    """One size, in a scratch folder that is removed."""
    shape = SHAPES[size]
    root = os.environ.get("QUANTIZE_BENCH_DIR")
    with tempfile.TemporaryDirectory(dir=root, prefix="quantize-memory-") as scratch:
        work = Path(scratch)
        needed = shape.parameters * BYTES_A_PARAMETER * (1.8 if with_peer else 1.0)
        if shutil.disk_usage(work).free < needed:
            return {"skipped": f"{needed / 1e9:.0f} GB of disk needed"}
        write_base(work / "base", shape)
        for seed, name in enumerate(("stage1", "stage2"), start=1):
            write_adapter(work / name, shape, seed)
        found: dict[str, Any] = {"parameters": shape.parameters, "ours": ours(work)}
        if with_peer:
            found["peer"] = peer(work)
        return found


def main() -> dict[str, Any]:
    """Figures by size, with the machine named."""
    sizes = os.environ.get("QUANTIZE_BENCH_SIZES", "8b").split()
    peers = os.environ.get("QUANTIZE_BENCH_PEER", "1.7b").split()
    machine = {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_before": [round(value, 1) for value in os.getloadavg()],
        "platform": sys.platform,
    }
    found = {size: run(size, size in peers) for size in dict.fromkeys([*sizes, *peers])}
    return {
        "machine": machine,
        "adapters": {"count": 2, "rank": RANK, "modules": "all linear"},
        "sizes": found,
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
