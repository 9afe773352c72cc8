"""What a GGUF file says about itself, read without trusting it.

The `gguf` package's reader maps the file and believes its counts, so that a damaged file ends in a numpy
error or in all memory; this one checks each length against the file before it reads. Layout: ggml's docs/gguf.md.
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, MODEL_ARCH_NAMES, GGMLQuantizationType

from tutor_app.llm.protocol import ModelRefused

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_KEYS = 10_000
MOST_TENSORS = 100_000
MOST_DIMENSIONS = 4
MOST_ITEMS = 4_000_000
"""Of a list; the longest real one is a vocabulary's merges, about 600,000."""
LONGEST_NAME_BYTES = 65_536
DEFAULT_ALIGNMENT = 32
CONTROL = 3
"""gguf's token type of tokens that are not text."""
SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
STRING, ARRAY = 8, 9
ARCHITECTURES = frozenset(MODEL_ARCH_NAMES.values())


@dataclass(frozen=True)
class Header:
    """Keys, and what the tensors add up to."""

    path: Path
    file_bytes: int
    keys: dict[str, Any]
    """Scalars, strings and lists, as they stand in the file."""
    tensors: int
    parameters: int

    @property
    def architecture(self) -> str:
        """As in `qwen3`."""
        return self.text("general.architecture") or ""

    def text(self, key: str) -> str | None:
        """The string under `key`, or None."""
        value = self.keys.get(key)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """A whole number of the architecture, as in `block_count`; the first of a list."""
        value = self.keys.get(f"{self.architecture}.{name}")
        if isinstance(value, list) and value:
            value = max(value) if all(isinstance(item, int) for item in value) else None
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def control_tokens(self) -> frozenset[str]:
        """Texts of the vocabulary's control tokens."""
        tokens, kinds = self.keys.get("tokenizer.ggml.tokens"), self.keys.get("tokenizer.ggml.token_type")
        if not isinstance(tokens, list) or not isinstance(kinds, list):
            return frozenset()
        return frozenset(text for text, kind in zip(tokens, kinds, strict=False) if kind == CONTROL)

    def kv_bytes(self, n_ctx: int) -> int:
        """Size of the KV cache in float16, for `n_ctx` tokens; 0 when the header does not say."""
        layers, heads = self.number("block_count"), self.number("attention.head_count")
        width = self.number("embedding_length")
        if not layers or not heads or not width:
            return 0
        heads_kv = self.number("attention.head_count_kv") or heads
        key = self.number("attention.key_length") or width // heads
        value = self.number("attention.value_length") or width // heads
        return layers * heads_kv * (key + value) * 2 * n_ctx

    def memory_bytes(self, n_ctx: int = 4096) -> int:
        """Free memory to have: the weights, the cache, and what computing takes."""
        return self.file_bytes + self.kv_bytes(n_ctx) + max(200 * 10**6, self.file_bytes // 20)


class _Cursor:
    """Reads forward; every length is checked against what is left of the file."""

    def __init__(self, file: BufferedReader, size: int, name: str) -> None:
        self._file = file
        self._size = size
        self._name = name

    def bytes(self, count: int) -> bytes:
        if count > self._size - self._file.tell():
            raise ModelRefused(f"{self._name} is cut off: it ends inside its header. Get the file again.")
        return self._file.read(count)

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.bytes(struct.calcsize(form)))[0]

    def string(self, most: int | None = None) -> str:
        length = self.number("<Q")
        if most is not None and length > most:
            raise self.damaged()
        return self.bytes(length).decode("utf-8", errors="replace")

    def value(self, kind: int, *, nested: bool = False) -> Any:
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == STRING:
            return self.string()
        if kind != ARRAY or nested:
            raise self.damaged()
        item, count = self.number("<I"), self.number("<Q")
        if count > MOST_ITEMS:
            raise self.damaged()
        if item in SCALARS:
            form = SCALARS[item]
            data = self.bytes(count * struct.calcsize(form))
            return list(struct.unpack(f"<{count}{form[1:]}", data))
        if item != STRING:
            raise self.damaged()
        return [self.string() for _ in range(count)]

    def tell(self) -> int:
        return self._file.tell()

    def damaged(self) -> ModelRefused:
        return ModelRefused(f"{self._name} is damaged: its header makes no sense. Get the file again.")


def read_header(path: Path) -> Header:
    """The header of a whole GGUF file. Raises ModelRefused, with one line that says what is wrong."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(path, size, _Cursor(file, size, path.name))
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {os.strerror(error.errno or 0)}.") from error


def _read(path: Path, size: int, cursor: _Cursor) -> Header:
    if size < len(MAGIC) or cursor.bytes(len(MAGIC)) != MAGIC:
        raise ModelRefused(f"{path.name} is not a GGUF file.")
    version = cursor.number("<I")
    if version not in VERSIONS:
        raise ModelRefused(f"{path.name} is GGUF version {version}, which this program cannot read.")
    tensors, count = cursor.number("<Q"), cursor.number("<Q")
    if tensors > MOST_TENSORS or count > MOST_KEYS:
        raise cursor.damaged()
    keys: dict[str, Any] = {}
    for _ in range(count):
        name = cursor.string(LONGEST_NAME_BYTES)
        keys[name] = cursor.value(cursor.number("<I"))
    end, parameters = 0, 0
    for _ in range(tensors):
        elements, tensor_end = _tensor(cursor)
        parameters += elements
        end = max(end, tensor_end)
    alignment = keys.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1:
        raise cursor.damaged()
    start = -(-cursor.tell() // alignment) * alignment
    if tensors and start + end > size:
        lacking = (start + end - size) / 1e6
        raise ModelRefused(f"{path.name} is cut off: {lacking:,.1f} MB are missing. Get the file again.")
    return Header(path, size, keys, tensors, parameters)


def _tensor(cursor: _Cursor) -> tuple[int, int]:
    """Elements of the next tensor, and where its data ends (from the beginning of all data)."""
    cursor.string(LONGEST_NAME_BYTES)
    dimensions = cursor.number("<I")
    if dimensions > MOST_DIMENSIONS:
        raise cursor.damaged()
    shape = [cursor.number("<Q") for _ in range(dimensions)]
    kind, offset = cursor.number("<I"), cursor.number("<Q")
    elements = math.prod(shape)
    try:
        block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError) as error:
        raise cursor.damaged() from error
    if elements % block:
        raise cursor.damaged()
    return elements, offset + elements // block * block_bytes
