"""A file shaped like Qwen3-8B in Q4_0 with random weights and a real vocabulary: right for memory and speed only."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from tutor_app.llm.gguf_header import Header, read_header

LAYERS, WIDTH, HIDDEN, HEADS, HEADS_KV, HEAD = 36, 4096, 12288, 32, 8, 128
ROPE_BASE, EPSILON, TRAINED_FOR = 1e6, 1e-6, 32768
BLOCK, BLOCK_BYTES = 32, 18
"""Q4_0: a float16 scale and 32 numbers of four bits, from -8 to 7."""
SCALE = 0.02 / 4.6
"""Uniform four-bit numbers have a deviation of 4.6; 0.02 is what trained weights have."""
POOL_BLOCKS = 2**22
"""Blocks that are made once and used again and again: 75 MB."""


def build(path: Path, vocabulary: Path, *, layers: int = LAYERS) -> None:
    """Write the file, block by block; `vocabulary` is a GGUF with Qwen's 151,936 tokens."""
    header = read_header(vocabulary)
    part = path.with_name(path.name + ".part")
    writer = gguf.GGUFWriter(part, "qwen3")
    writer.add_type("model")
    writer.add_name("random Qwen3-8B shape")
    writer.add_block_count(layers)
    writer.add_context_length(TRAINED_FOR)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS_KV)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    vocabulary_size = _add_vocabulary(writer, header)
    shapes = _shapes(layers, vocabulary_size)
    for name, shape in shapes:
        if len(shape) == 1:
            writer.add_tensor_info(name, shape, np.dtype(np.float32), shape[0] * 4)
        else:
            row = shape[1] // BLOCK * BLOCK_BYTES
            kind = gguf.GGMLQuantizationType.Q4_0
            writer.add_tensor_info(name, (shape[0], row), np.dtype(np.uint8), shape[0] * row, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    pool = _pool()
    for index, (_, shape) in enumerate(shapes):
        if len(shape) == 1:
            writer.write_tensor_data(np.ones(shape, dtype=np.float32))
        else:
            writer.write_tensor_data(_quantised(pool, shape[0] * shape[1] // BLOCK, index))
    writer.close()
    part.rename(path)


def _add_vocabulary(writer: gguf.GGUFWriter, header: Header) -> int:
    tokens: list[str] = header.keys["tokenizer.ggml.tokens"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(header.keys["tokenizer.ggml.token_type"])
    writer.add_token_merges(header.keys["tokenizer.ggml.merges"])
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    return len(tokens)


def _shapes(layers: int, vocabulary_size: int) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes, rows first, as numpy has them."""
    block: list[tuple[str, tuple[int, ...]]] = [
        ("attn_norm", (WIDTH,)),
        ("attn_q", (HEADS * HEAD, WIDTH)),
        ("attn_k", (HEADS_KV * HEAD, WIDTH)),
        ("attn_v", (HEADS_KV * HEAD, WIDTH)),
        ("attn_q_norm", (HEAD,)),
        ("attn_k_norm", (HEAD,)),
        ("attn_output", (WIDTH, HEADS * HEAD)),
        ("ffn_norm", (WIDTH,)),
        ("ffn_gate", (HIDDEN, WIDTH)),
        ("ffn_up", (HIDDEN, WIDTH)),
        ("ffn_down", (WIDTH, HIDDEN)),
    ]
    shapes: list[tuple[str, tuple[int, ...]]] = [("token_embd.weight", (vocabulary_size, WIDTH))]
    for layer in range(layers):
        shapes += [(f"blk.{layer}.{name}.weight", shape) for name, shape in block]
    return [*shapes, ("output_norm.weight", (WIDTH,)), ("output.weight", (vocabulary_size, WIDTH))]


def _pool() -> NDArray[np.uint8]:
    pool = np.random.default_rng(0).integers(0, 256, (POOL_BLOCKS, BLOCK_BYTES), dtype=np.uint8)
    pool[:, :2] = np.frombuffer(np.float16(SCALE).tobytes(), dtype=np.uint8)
    return pool


def _quantised(pool: NDArray[np.uint8], blocks: int, index: int) -> NDArray[np.uint8]:
    """`blocks` blocks of the pool, from another place for each tensor."""
    out = np.empty((blocks, BLOCK_BYTES), dtype=np.uint8)
    at = index * 7919 % POOL_BLOCKS
    done = 0
    while done < blocks:
        count = min(blocks - done, POOL_BLOCKS - at)
        out[done : done + count] = pool[at : at + count]
        done, at = done + count, 0
    return out
