"""A zip with one way to write it: the same files give the same bytes, whatever wrote them.

Python's own zipfile depends on its version, the zlib it was built with and the clock. Here nothing is
compressed (sound and pictures already are, and a set's text is half a megabyte), every field is fixed, and
so a pack can be checked to the last byte by writing it again.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1 << 20
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCATOR = b"PK\x06\x07"
_LOCATOR_SIZE = 20
"""Of a ZIP64 end, which stands before the usual one and overrides it. No pack has one."""
TAIL_SIZE = _LOCATOR_SIZE + _END.size
MAX_NAME = 1000
"""Bytes of a file's name: more than any path in a set."""
_VERSION = 20
_UNIX = 3 << 8
_DATE = (1 << 5) | 1
"""1980-01-01, the first day a zip can name."""
_MODE = 0o100644 << 16


@dataclass(frozen=True)
class Entry:
    """One file of the zip; `open` is called twice, for the checksum and for the content."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


def zip_bytes(entries: Sequence[Entry]) -> Iterator[bytes]:
    """The zip of `entries`, in this order, piece by piece. Names must be ASCII."""
    central: list[bytes] = []
    offset = 0
    for entry in entries:
        name = entry.name.encode("ascii")
        checksum = 0
        for piece in pieces(entry):
            checksum = zlib.crc32(piece, checksum)
        local = _LOCAL.pack(
            b"PK\x03\x04", _VERSION, 0, 0, 0, _DATE, checksum, entry.size, entry.size, len(name), 0
        )
        central.append(
            _CENTRAL.pack(
                b"PK\x01\x02", _UNIX | _VERSION, _VERSION, 0, 0, 0, _DATE, checksum, entry.size, entry.size,
                len(name), 0, 0, 0, 0, _MODE, offset,
            )
            + name
        )  # fmt: skip
        yield local + name
        yield from pieces(entry)
        offset += len(local) + len(name) + entry.size
    directory = b"".join(central)
    yield directory
    yield _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), offset, 0)


def pieces(entry: Entry) -> Iterator[bytes]:
    """The content of one entry; it is an error when it is not as long as it says."""
    left = entry.size
    with entry.open() as file:
        while piece := file.read(CHUNK):
            left -= len(piece)
            if left < 0:
                break
            yield piece
    if left:
        raise ValueError(f"{entry.name} changed its size while it was read")


def entries_promised(tail: bytes, size: int) -> int | None:
    """How many files a zip of `size` bytes says it has, from its last `TAIL_SIZE`; None when this is no such end.

    Asked before the directory is read, so that one of millions of entries never fills the memory: Python's zipfile goes by
    the directory's size, which therefore has to fit the number of files and end where the end begins.
    """
    if len(tail) != TAIL_SIZE or tail.startswith(_LOCATOR):
        return None
    magic, disk, first_disk, here, total, directory, offset, comment = _END.unpack(tail[_LOCATOR_SIZE:])
    if magic != b"PK\x05\x06" or disk or first_disk or here != total or comment:
        return None
    if offset + directory + _END.size != size or directory > total * (_CENTRAL.size + MAX_NAME):
        return None
    return int(total)
