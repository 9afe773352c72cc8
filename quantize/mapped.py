"""Files mapped into memory, and tensors in them read as rows of float32 without keeping what was read."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from quantize.errors import Unreadable
from quantize.files import reading

Float32 = NDArray[np.float32]

NUMPY_TYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}
"""How each safetensors type lies in memory; bfloat16 is the upper half of a float32."""


class Rows(Protocol):
    """A tensor that is read a few rows at a time. A vector of n values counts as n rows of one."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def rows(self, start: int, stop: int) -> Float32:
        """Rows start to stop (exclusive), as a fresh float32 array [stop - start, row length]."""
        ...


class MappedFile:
    """A read-only file in memory. Pages that were read can be handed back, so they do not count as ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path), path.open("rb") as stream:
            self.size = stream.seek(0, 2)
            if self.size == 0:
                raise Unreadable(f"{path} is empty; copy or download it again")
            self.data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def array(self, dtype: np.dtype[Any], count: int, offset: int) -> NDArray[Any]:
        """`count` values at `offset`, without a copy."""
        return np.frombuffer(self.data, dtype=dtype, count=count, offset=offset)

    def release(self, offset: int, length: int) -> None:
        """Tell the system that these bytes are not needed now; they stay in its page cache.

        Only where `madvise` exists (not on Windows, which trims mapped pages itself).
        """
        if hasattr(self.data, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            start = offset - offset % mmap.PAGESIZE
            self.data.madvise(mmap.MADV_DONTNEED, start, offset + length - start)


def row_layout(shape: tuple[int, ...]) -> tuple[int, int]:
    """(number of rows, values in a row). A vector is n rows of one value, so that it can be reordered like rows."""
    if len(shape) == 1:
        return shape[0], 1
    return int(np.prod(shape[:-1])), shape[-1]


def to_float32(raw: NDArray[Any], dtype: str) -> Float32:
    """Stored values as float32; exact for all three types."""
    if dtype == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return np.ascontiguousarray(raw, dtype=np.float32)


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as it lies in a safetensors file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: MappedFile
    offset: int

    @property
    def n_bytes(self) -> int:
        """Size on disk."""
        return int(np.prod(self.shape)) * NUMPY_TYPES[self.dtype].itemsize

    def rows(self, start: int, stop: int) -> Float32:
        """See `Rows.rows`."""
        _, length = row_layout(self.shape)
        itemsize = NUMPY_TYPES[self.dtype].itemsize
        offset = self.offset + start * length * itemsize
        raw = self.file.array(NUMPY_TYPES[self.dtype], (stop - start) * length, offset)
        values = to_float32(raw, self.dtype).reshape(stop - start, length)
        if values.base is not None and not values.flags.writeable:
            values = values.copy()
        self.file.release(offset, (stop - start) * length * itemsize)
        return values

    def rows_at(self, order: NDArray[np.int64]) -> Float32:
        """The rows with these numbers, in this order."""
        low, high = int(order.min()), int(order.max()) + 1
        return self.rows(low, high)[order - low]

    def all(self) -> Float32:
        """The whole tensor as float32 in its own shape. For the small ones."""
        count, _ = row_layout(self.shape)
        return self.rows(0, count).reshape(self.shape)
