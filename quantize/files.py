"""Hashes, whole-file replacement, and errors of the file system in the trainer's words."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from quantize.errors import NoRoom, QuantizeError, Unreadable
from quantize.progress import Progress

HASH_BLOCK_BYTES = 4 * 1024 * 1024
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def sha256_bytes(data: bytes) -> str:
    """The sha256 of `data`, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal. Raises `Unreadable`."""
    digest = hashlib.sha256()
    with reading(path), path.open("rb", buffering=0) as stream:
        progress = Progress(f"reading {path.name}, megabytes", path.stat().st_size // 1_000_000)
        done = 0
        while block := stream.read(HASH_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            progress.step("", done // 1_000_000)
        progress.close()
    return digest.hexdigest()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the system says while `path` is read into `Unreadable`."""
    try:
        yield
    except OSError as error:
        raise Unreadable(f"cannot read {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the system says while `path` is written into one line, and removes what was half written."""
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        if error.errno in NO_SPACE:
            raise NoRoom(
                f"the disk is full: {path.name} could not be written to {path.parent}; free some space"
            ) from error
        raise QuantizeError(
            f"cannot write {path}: {error.strerror or error}; choose another place with -o"
        ) from error


def read_text(path: Path) -> str:
    """A UTF-8 text file exactly as it is: no newline translation, so that its hash is the file's hash."""
    with reading(path):
        data = path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is not UTF-8 text (byte {error.start})") from error


def part_of(path: Path) -> Path:
    """The name under which `path` is written before it is complete."""
    return path.with_name(path.name + ".part")


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse an output that is there already, or that is not named as what it is."""
    if path.suffix != ".gguf":
        raise QuantizeError(f"{path.name} must end in .gguf")
    try:
        exists = path.exists()
    except OSError as error:
        raise QuantizeError(
            f"cannot write {path}: {error.strerror or error}; choose another place with -o"
        ) from error
    if exists and not overwrite:
        raise QuantizeError(f"{path} exists already; pass --overwrite to replace it")


def publish(part: Path, final: Path) -> None:
    """Give a complete file its final name: a reader sees the old file or the new one, never half."""
    with writing(part):
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(part, final)


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` whole."""
    part = part_of(path)
    with writing(part):
        part.write_bytes(data)
    publish(part, path)
