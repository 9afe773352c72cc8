"""A GGUF file: its keys, and its tensors as rows of float32 whatever their type.

The reader of the `gguf` package makes two numpy views for every token and merge, which costs seconds and hundreds
of megabytes with a vocabulary of 150,000; this one unpacks plain Python values.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGUF_MAGIC, GGMLQuantizationType, GGUFValueType
from gguf.quants import dequantize

from quantize.errors import Unreadable, Unsupported
from quantize.mapped import Float32, MappedFile, row_layout

SCALARS: dict[GGUFValueType, str] = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True)
class Field:
    """A key's value with the type it has in the file. Strings in arrays stay bytes: tokens need not be UTF-8."""

    value: Any
    type: GGUFValueType
    item_type: GGUFValueType | None = None


@dataclass(frozen=True)
class GgufTensor:
    """A tensor in a GGUF file, dequantised as it is read. `shape` is in numpy's order: rows first."""

    name: str
    type: GGMLQuantizationType
    shape: tuple[int, ...]
    file: MappedFile
    offset: int

    @property
    def row_bytes(self) -> int:
        """Size of one row on disk (a vector is rows of one value)."""
        block, size = GGML_QUANT_SIZES[self.type]
        return row_layout(self.shape)[1] * size // block

    @property
    def n_bytes(self) -> int:
        """Size on disk."""
        return row_layout(self.shape)[0] * self.row_bytes

    def raw_rows(self, start: int, stop: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The stored bytes of these rows [stop - start, bytes a row], without a copy."""
        count = (stop - start) * self.row_bytes
        data = self.file.array(np.dtype(np.uint8), count, self.offset + start * self.row_bytes)
        return data.reshape(stop - start, self.row_bytes)

    def rows(self, start: int, stop: int) -> Float32:
        """See `mapped.Rows.rows`."""
        raw = self.raw_rows(start, stop)
        try:
            values = dequantize(raw, self.type)
        except NotImplementedError as error:
            raise Unsupported(
                f"{self.name} is stored as {self.type.name}, which cannot be read here"
            ) from error
        fresh = np.array(values, dtype=np.float32).reshape(stop - start, row_layout(self.shape)[1])
        self.file.release(self.offset + start * self.row_bytes, raw.nbytes)
        return fresh

    def all(self) -> Float32:
        """The whole tensor as float32 in its own shape. For the small ones."""
        return self.rows(0, row_layout(self.shape)[0]).reshape(self.shape)


class GgufFile:
    """The keys and tensors of `path`. Raises `Unreadable` when it is truncated or something else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = MappedFile(path)
        self.fields: dict[str, Field] = {}
        self.tensors: dict[str, GgufTensor] = {}
        try:
            self._read()
        except (struct.error, ValueError, KeyError, OverflowError) as error:
            raise Unreadable(f"{path} is truncated or not a GGUF file; copy or download it again") from error
        for tensor in self.tensors.values():
            if tensor.offset + tensor.n_bytes > self.file.size:
                raise Unreadable(
                    f"{path} is truncated: {tensor.name} ends past its end; copy or download it again"
                )

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or `default`."""
        field = self.fields.get(key)
        return default if field is None else field.value

    def require(self, key: str) -> Any:
        """The value of a key that this file cannot do without."""
        if key not in self.fields:
            raise Unreadable(f"{self.path} lacks the key {key}; it is not a model that llama.cpp could run")
        return self.fields[key].value

    def texts(self, key: str) -> list[str]:
        """An array of strings as text; empty when the key is missing. Undecodable bytes are replaced."""
        return [item.decode("utf-8", "replace") for item in self.get(key, [])]

    def _read(self) -> None:
        data, self._at = self.file.data, 0
        magic, version, n_tensors, n_keys = struct.unpack_from("<IIQQ", data, 0)
        if magic != GGUF_MAGIC or version not in VERSIONS:
            raise ValueError("magic")
        self._at = 24
        for _ in range(n_keys):
            key = self._string().decode("utf-8")
            self.fields[key] = self._field()
        infos = [self._tensor_info() for _ in range(n_tensors)]
        alignment = int(self.get("general.alignment", DEFAULT_ALIGNMENT))
        data_start = self._at + (-self._at) % alignment
        for name, shape, kind, offset in infos:
            self.tensors[name] = GgufTensor(name, kind, shape, self.file, data_start + offset)

    def _scalar(self, code: str) -> Any:
        (value,) = struct.unpack_from(code, self.file.data, self._at)
        self._at += struct.calcsize(code)
        return value

    def _string(self) -> bytes:
        length = self._scalar("<Q")
        if self._at + length > self.file.size:
            raise ValueError("string")
        value = self.file.data[self._at : self._at + length]
        self._at += length
        return value

    def _field(self) -> Field:
        kind = GGUFValueType(self._scalar("<I"))
        if kind is GGUFValueType.STRING:
            return Field(self._string().decode("utf-8", "replace"), kind)
        if kind is not GGUFValueType.ARRAY:
            return Field(self._scalar(SCALARS[kind]), kind)
        item, count = GGUFValueType(self._scalar("<I")), self._scalar("<Q")
        if item is GGUFValueType.STRING:
            return Field([self._string() for _ in range(count)], kind, item)
        code = SCALARS[item]
        end = self._at + count * struct.calcsize(code)
        if end > self.file.size:
            raise ValueError("array")
        values = list(struct.unpack_from(f"<{count}{code[1]}", self.file.data, self._at))
        self._at = end
        return Field(values, kind, item)

    def _tensor_info(self) -> tuple[str, tuple[int, ...], GGMLQuantizationType, int]:
        name = self._string().decode("utf-8")
        n_dims = self._scalar("<I")
        dims = [int(self._scalar("<Q")) for _ in range(n_dims)]
        kind = GGMLQuantizationType(self._scalar("<I"))
        return name, tuple(reversed(dims)), kind, int(self._scalar("<Q"))
