"""Whether disk and memory will last, asked before hours of work instead of after."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from quantize.errors import NoRoom, QuantizeError
from quantize.export import CHUNK_VALUES, MOST_THREADS, Planned
from quantize.llama_quantise import ROW_BUFFER_BYTES
from quantize.mapped import Rows

MARGIN_BYTES = 64 * 1024 * 1024
"""For keys, manifest and whatever else is written meanwhile."""
LIBRARIES_BYTES = 200 * 1024 * 1024
"""Python, numpy and a vocabulary of 150,000 tokens (measured: 130 to 180 MiB)."""
CHUNK_COPIES = 6
"""Copies of a chunk that exist at once at the worst point: the base's rows, the delta, the encoded rows, temporaries."""
BITS_AT_MOST = 8.6
"""A weight in the largest type that llama.cpp makes here (Q8_0 has 8.5)."""


def gib(size: float) -> str:
    """A size for people."""
    return f"{size / 2**30:.1f} GiB"


def output_bytes(planned: Sequence[Planned]) -> int:
    """Size of a file with these tensors, without keys."""
    return sum(item.n_bytes for item in planned)


def quantised_bytes(tensors: Sequence[Rows]) -> int:
    """An upper bound for the file that llama.cpp makes."""
    return int(sum(int(np.prod(tensor.shape)) for tensor in tensors) * BITS_AT_MOST / 8)


def check_disk(folder: Path, needed: int, what: str) -> None:
    """Raises `NoRoom` when `folder` has not `needed` bytes free, `QuantizeError` when there is no such folder."""
    if not folder.is_dir():
        raise QuantizeError(f"there is no folder {folder}; make it, or choose another place with -o")
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN_BYTES:
        raise NoRoom(
            f"{what} needs {gib(needed + MARGIN_BYTES)} in {folder} but {gib(free)} is free; free some space, "
            "or choose another place with -o"
        )


def merge_memory() -> int:
    """What merging and exporting takes at the most, whatever the size of the model."""
    return LIBRARIES_BYTES + 2 * MOST_THREADS * CHUNK_COPIES * CHUNK_VALUES * 4


def quantise_memory(planned: Sequence[Planned]) -> int:
    """What llama.cpp's quantiser takes at the most: its buffer, and the largest tensor, which it maps."""
    return LIBRARIES_BYTES + 2 * ROW_BUFFER_BYTES + max(item.n_bytes for item in planned)


def check_memory(needed: int, what: str) -> None:
    """Raises `NoRoom` when less than `needed` bytes of memory are free."""
    free = psutil.virtual_memory().available
    if free < needed:
        raise NoRoom(
            f"{what} needs {gib(needed)} of memory but {gib(free)} is free; close other programs and try again"
        )
