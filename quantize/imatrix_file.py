"""Importance matrices on disk: llama.cpp's GGUF format, and its older `.dat`."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf.constants import GGMLQuantizationType, GGUFValueType, Keys

from quantize.errors import Unreadable
from quantize.export import Planned, write_gguf
from quantize.files import part_of, publish, reading
from quantize.gguf_file import Field, GgufFile
from quantize.mapped import Float32, row_layout

SUM_SUFFIX, COUNT_SUFFIX = ".in_sum2", ".counts"


@dataclass(frozen=True)
class Imatrix:
    """How strongly each input column of each matrix is used."""

    importance: Mapping[str, Float32]
    """GGUF tensor → mean square of each input column."""
    tokens: Mapping[str, int]
    """Language → tokens it was measured on; empty when the file does not say."""
    chunk_tokens: int
    """Length of the windows."""


@dataclass(frozen=True)
class _InMemory:
    name: str
    values: Float32

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def rows(self, start: int, stop: int) -> Float32:
        return self.values.reshape(-1, row_layout(self.shape)[1])[start:stop]


def write_imatrix(path: Path, matrix: Imatrix) -> None:
    """Write it as llama.cpp's own `llama-imatrix` does, so its tools read it too."""
    total = sum(matrix.tokens.values())
    tensors: list[_InMemory] = []
    for name, values in sorted(matrix.importance.items()):
        tensors.append(_InMemory(name + SUM_SUFFIX, (values * np.float32(total)).reshape(1, -1)))
        tensors.append(_InMemory(name + COUNT_SUFFIX, np.full((1, 1), total, dtype=np.float32)))
    chunks = total // max(1, matrix.chunk_tokens)
    languages = sorted(matrix.tokens)
    fields = {
        Keys.General.TYPE: Field("imatrix", GGUFValueType.STRING),
        Keys.IMatrix.DATASETS: Field(languages, GGUFValueType.ARRAY, GGUFValueType.STRING),
        Keys.IMatrix.CHUNK_COUNT: Field(chunks, GGUFValueType.UINT32),
        Keys.IMatrix.CHUNK_SIZE: Field(matrix.chunk_tokens, GGUFValueType.UINT32),
        "tutor.imatrix.languages": Field(languages, GGUFValueType.ARRAY, GGUFValueType.STRING),
        "tutor.imatrix.tokens": Field(
            [matrix.tokens[language] for language in languages], GGUFValueType.ARRAY, GGUFValueType.UINT32
        ),
    }
    part = part_of(path)
    planned = [Planned(tensor, GGMLQuantizationType.F32) for tensor in tensors]
    write_gguf(part, "imatrix", fields, planned, file_type=None, step=lambda _name: None)
    publish(part, path)


def read_imatrix(path: Path) -> Imatrix:
    """The matrix in `path`, in either format. Raises `Unreadable`."""
    with reading(path), path.open("rb") as stream:
        magic = stream.read(4)
    matrix = _read_gguf(path) if magic == b"GGUF" else _read_dat(path)
    if not matrix.importance:
        raise Unreadable(f"{path} holds no importance matrix")
    for name, values in matrix.importance.items():
        if not np.isfinite(values).all():
            raise Unreadable(f"{path}: {name} holds NaN or infinity; compute the matrix again")
    return matrix


def _read_gguf(path: Path) -> Imatrix:
    file = GgufFile(path)
    if file.get(Keys.General.TYPE) != "imatrix":
        raise Unreadable(f"{path} is a GGUF, but no importance matrix")
    importance = {}
    for key, tensor in file.tensors.items():
        if key.endswith(SUM_SUFFIX):
            name = key.removesuffix(SUM_SUFFIX)
            if name + COUNT_SUFFIX not in file.tensors:
                raise Unreadable(f"{path}: {name} has no counts; compute the matrix again")
            counts = file.tensors[name + COUNT_SUFFIX].all().reshape(-1, 1)
            sums = tensor.all().reshape(counts.shape[0], -1)
            # A column that was never used counts as 1, as in llama.cpp's reader.
            importance[name] = (
                np.where(counts > 0, sums / np.maximum(counts, 1), 1.0).astype(np.float32).reshape(-1)
            )
    languages, tokens = file.texts("tutor.imatrix.languages"), file.get("tutor.imatrix.tokens", [])
    return Imatrix(
        importance, dict(zip(languages, tokens, strict=True)), int(file.get(Keys.IMatrix.CHUNK_SIZE, 0))
    )


def _read_dat(path: Path) -> Imatrix:
    """`int n; n × (int length, name, int calls, int values, floats)`: the floats are means times calls."""
    with reading(path):
        data = path.read_bytes()
    importance: dict[str, Float32] = {}
    try:
        (count,) = struct.unpack_from("<i", data, 0)
        at = 4
        for _ in range(count):
            (length,) = struct.unpack_from("<i", data, at)
            name = data[at + 4 : at + 4 + length].decode("utf-8")
            at += 4 + length
            calls, size = struct.unpack_from("<ii", data, at)
            values = np.frombuffer(data, dtype="<f4", count=size, offset=at + 8)
            importance[name] = (values / max(calls, 1)).astype(np.float32)
            at += 8 + 4 * size
    except (struct.error, ValueError) as error:
        raise Unreadable(f"{path} is truncated or no importance matrix") from error
    return Imatrix(importance, {}, 0)
