"""Whole-file writes and checksums."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tutor_app.errors import TutorError

BLOCK_BYTES = 4 * 2**20
SPARE_BYTES = 200 * 10**6
"""Room left on a disk that a model is written to."""
BEGUN = re.compile(r".*\.\d+(\.import)?\.part")
"""Names of files that are being written, with the process that does it. (A download, `NAME.part` without one, stays: it
goes on where it stopped.)"""
ABANDONED_S = 3600.0
"""Nobody writes any more to what has not grown for so long. The process cannot be asked: it may be another machine's."""


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` so that a reader sees the old file or the new one, never half. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def remove_begun(folder: Path) -> None:
    """Delete what was begun in `folder`, or below it, by programs that were ended in the middle of it.

    Who quits while a model is put together leaves as much as was written, up to all of it: a thread's `finally` does
    not run then.
    """
    with contextlib.suppress(OSError):  # another process was quicker, or it is not ours to delete: next time
        for path in sorted(folder.rglob("*.part")):
            if BEGUN.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED_S:
                path.unlink()


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a few megabytes at a time."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def sha256_file(path: Path, on_progress: Callable[[float], None] | None = None) -> str:
    """Checksum of a file; `on_progress` gets 0 to 1. Raises OSError."""
    total = max(1, path.stat().st_size)
    digest, done = hashlib.sha256(), 0
    for block in blocks(path):
        digest.update(block)
        done += len(block)
        if on_progress:
            on_progress(done / total)
    return digest.hexdigest()


def copy_checked(
    sources: Iterable[Path], part: Path, total: int, on_progress: Callable[[float], None] | None = None
) -> str:
    """Write the files one after another into `part`; gives the checksum of the whole. Raises OSError."""
    digest, done = hashlib.sha256(), 0
    with part.open("wb") as out:
        for source in sources:
            for block in blocks(source):
                out.write(block)
                digest.update(block)
                done += len(block)
                if on_progress:
                    on_progress(min(1.0, done / max(1, total)))
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def need_room(folder: Path, size_bytes: int, free_bytes: int) -> None:
    """Raise TutorError when `size_bytes` more do not fit beside some spare room."""
    if free_bytes < size_bytes + SPARE_BYTES:
        raise TutorError(
            f"{folder} has {free_bytes / 1e9:.1f} GB free and the model needs "
            f"{(size_bytes + SPARE_BYTES) / 1e9:.1f} GB. Free some space, or choose another folder with --data-dir."
        )
