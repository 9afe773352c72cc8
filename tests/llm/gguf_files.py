"""Small GGUF files written for a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np

from tutor_app.llm.gguf_header import read_header

CHATML_CONTROL = ("<|im_start|>", "<|im_end|>")


def write_model(
    path: Path,
    *,
    architecture: str = "qwen2",
    control: Sequence[str] = CHATML_CONTROL,
    template_sha256: str | None = None,
    kind: str = "model",
    layers: int = 1,
    stages: Sequence[str] = (),
) -> Path:
    """A file with all that a header check looks at, and one tensor; no model that could run."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(kind)
    writer.add_block_count(layers)
    writer.add_embedding_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_token_list(["a", "b", *control])
    writer.add_token_types([gguf.TokenType.NORMAL] * 2 + [gguf.TokenType.CONTROL] * len(control))
    if template_sha256:
        writer.add_string("tutor.template_sha256", template_sha256)
    if stages:
        writer.add_array("tutor.stages", list(stages))
        writer.add_array("tutor.stages_sha256", [stage[0] * 64 for stage in stages])
        writer.add_array("tutor.languages", ["es"])
    writer.add_tensor("token_embd.weight", np.zeros((4, 64), dtype=np.float32))
    _finish(writer)
    return path


def write_lora(path: Path, base: Path, *, rank: int = 4, seed: int = 0, size: float = 0.05) -> Path:
    """A random adapter on two matrices of the first and last layer of `base`, a Gemma 3."""
    header = read_header(base)
    width, hidden = (
        int(header.keys["gemma3.embedding_length"]),
        int(header.keys["gemma3.feed_forward_length"]),
    )
    heads, key = (
        int(header.keys["gemma3.attention.head_count"]),
        int(header.keys["gemma3.attention.key_length"]),
    )
    layers = int(header.keys["gemma3.block_count"])
    shapes = {"attn_q": (heads * key, width), "ffn_down": (width, hidden)}
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, header.architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    for layer in (0, layers - 1):
        for name, (rows, columns) in shapes.items():
            tensor = f"blk.{layer}.{name}.weight"
            writer.add_tensor(f"{tensor}.lora_a", _noise(random, (rank, columns), size))
            writer.add_tensor(f"{tensor}.lora_b", _noise(random, (rows, rank), size))
    _finish(writer)
    return path


def _noise(random: np.random.Generator, shape: tuple[int, int], size: float) -> np.ndarray:
    return random.normal(0.0, size, shape).astype(np.float32)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
