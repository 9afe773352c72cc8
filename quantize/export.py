"""Tensors into a GGUF file, a few megabytes at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gguf import GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, GGML_QUANT_VERSION, GGMLQuantizationType, LlamaFileType
from gguf.quants import quantize
from numpy.typing import NDArray

from quantize.errors import Unsupported
from quantize.files import writing
from quantize.gguf_file import Field
from quantize.mapped import Float32, Rows, row_layout

DirectType = Literal["F32", "F16", "BF16", "Q8_0"]
DIRECT_TYPES: dict[str, tuple[GGMLQuantizationType, LlamaFileType]] = {
    "F32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "F16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "BF16": (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
    "Q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
}
"""Types that are written without llama.cpp."""
CHUNK_VALUES = 2 * 1024 * 1024
"""Values at a time: 8 MiB of float32, which a core's cache hierarchy still likes (512-row chunks measured best)."""
MOST_THREADS = 4
"""The disk is the limit from here on, and each thread holds its own chunk."""


@dataclass(frozen=True)
class Planned:
    """A tensor with the type it is written in."""

    tensor: Rows
    type: GGMLQuantizationType

    @property
    def n_bytes(self) -> int:
        """Size on disk."""
        block, size = GGML_QUANT_SIZES[self.type]
        return int(np.prod(self.tensor.shape)) // block * size


class Streamed:
    """Quacks like the array that `GGUFWriter.write_tensor_data` writes, but is made while it is written.

    Chunks are made by `pool`, a few ahead of the one being written: reading, merging and rounding release Python's
    lock, so they go on at once. Order and bytes do not depend on the number of threads.
    """

    def __init__(self, planned: Planned, pool: ThreadPoolExecutor, ahead: int) -> None:
        self.planned = planned
        self.nbytes = planned.n_bytes
        self.pool = pool
        self.ahead = ahead

    def tofile(self, stream: BufferedWriter) -> None:
        """Write every chunk to `stream`."""
        count, length = row_layout(self.planned.tensor.shape)
        step = max(1, CHUNK_VALUES // length)
        waiting: deque[Future[NDArray[np.uint8]]] = deque()
        try:
            for start in range(0, count, step):
                waiting.append(self.pool.submit(self._chunk, start, min(start + step, count)))
                if len(waiting) > self.ahead:
                    stream.write(waiting.popleft().result().data)
            while waiting:
                stream.write(waiting.popleft().result().data)
        finally:
            for future in waiting:
                future.cancel()

    def _chunk(self, start: int, stop: int) -> NDArray[np.uint8]:
        rows = self.planned.tensor.rows(start, stop)
        return encode(rows, self.planned.type, self.planned.tensor.name).reshape(-1).view(np.uint8)


def encode(rows: Float32, kind: GGMLQuantizationType, name: str) -> NDArray[Any]:
    """The bytes of these rows in the type `kind`. Raises `Unsupported` when a value cannot be stored in it."""
    # One pass: NaN and infinity both survive a sum. A finite sum proves that every value is finite.
    if not np.isfinite(rows.sum(dtype=np.float64)) and not np.isfinite(rows).all():
        raise Unsupported(f"{name} holds NaN or infinity; the base or an adapter is damaged")
    if kind is GGMLQuantizationType.F32:
        return rows
    if kind is GGMLQuantizationType.F16:
        with np.errstate(over="ignore"):
            half = rows.astype(np.float16)
        if ((half.view(np.uint16) & 0x7C00) == 0x7C00).any():
            raise Unsupported(
                f"{name} holds values over 65,504, which F16 cannot store; use --type BF16 or Q8_0"
            )
        return half
    return np.ascontiguousarray(quantize(rows, kind))


def plan_types(tensors: Iterable[Rows], kind: DirectType) -> list[Planned]:
    """The type of each tensor: vectors and norms stay F32; rows that do not fill a block of Q8_0 stay F16."""
    return [Planned(tensor, _type(tensor, DIRECT_TYPES[kind][0])) for tensor in tensors]


def _type(tensor: Rows, wanted: GGMLQuantizationType) -> GGMLQuantizationType:
    if len(tensor.shape) == 1 or tensor.name.endswith("_norm.weight"):
        return GGMLQuantizationType.F32
    if tensor.shape[-1] % GGML_QUANT_SIZES[wanted][0]:
        return GGMLQuantizationType.F16
    return wanted


def add_fields(writer: GGUFWriter, fields: Mapping[str, Field]) -> None:
    """Write keys with the types they are given."""
    for key, field in fields.items():
        writer.add_key_value(key, field.value, field.type, sub_type=field.item_type)


def write_gguf(
    path: Path,
    architecture: str,
    fields: Mapping[str, Field],
    planned: Sequence[Planned],
    *,
    file_type: LlamaFileType | None,
    step: Callable[[str], None],
) -> None:
    """Write a whole file to `path`; `step` is told each tensor's name when it is on disk.

    Nothing is left at `path` when it fails. Raises `NoRoom` on a full disk.
    """
    with writing(path):
        writer = GGUFWriter(path, architecture)
        try:
            add_fields(writer, fields)
            if file_type is not None:
                writer.add_file_type(file_type)
                writer.add_quantization_version(GGML_QUANT_VERSION)
            for item in planned:
                writer.add_tensor_info(
                    item.tensor.name,
                    item.tensor.shape,
                    np.dtype(np.float32),
                    item.n_bytes,
                    raw_dtype=item.type,
                )
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            threads = min(os.cpu_count() or 1, MOST_THREADS)
            with ThreadPoolExecutor(threads) as pool:
                for item in planned:
                    streamed: Any = Streamed(item, pool, threads)
                    writer.write_tensor_data(streamed)
                    step(item.tensor.name)
            for stream in writer.fout or []:
                stream.flush()
                os.fsync(stream.fileno())
        except Unsupported:
            path.unlink(missing_ok=True)
            raise
        finally:
            writer.close()
