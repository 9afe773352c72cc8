"""Packs from others, hostile until proven otherwise.

    verify_pack(path)     -> VerifiedPack    every check, nothing kept
    unpack(path, folder)  -> VerifiedPack    the same, and its files are in `folder`

Limits are looked at before anything is read, names before anything is written, and at the end the pack is
written again from what was read: it must come out byte for byte the same. So nothing can hide in a pack, and
no byte of it can be changed. Nothing in it is ever run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lessons.load import load_set
from lessons.pack import (
    MANIFEST,
    MAX_FILES,
    PACK_FORMAT,
    SIGNATURE,
    PackError,
    check_limits,
    pack_entries,
    portable_problem,
)
from lessons.problems import Problem, ReadError
from lessons.schema import LessonSet
from lessons.signing import SignatureError, Signer, check
from lessons.zip_bytes import CHUNK, TAIL_SIZE, entries_promised, zip_bytes

MAX_RATIO = 100
"""Unpacked to packed: text reaches 10, a bomb 1,000."""
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
AGAIN = "Get it again from its author."


@dataclass(frozen=True)
class VerifiedPack:
    """What is known about a pack after every check."""

    set: LessonSet
    signer: Signer | None
    """Whose key signed it; not yet whether anybody trusts that key."""
    sha256: str
    """Of the whole pack file."""


def verify_pack(path: Path) -> VerifiedPack:
    """What the pack at `path` holds. Raises PackError when it must not be used."""
    with tempfile.TemporaryDirectory() as scratch:
        return unpack(path, Path(scratch))


def unpack(path: Path, folder: Path) -> VerifiedPack:
    """The verified pack, its files written into the empty `folder`.

    Raises PackError; then `folder` holds a part of it, and the caller throws it away.
    """
    try:
        with path.open("rb") as file:
            return _unpack(file, folder)
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, ValueError) as error:
        raise PackError(f"{path.name} was refused: it is damaged ({error}). {AGAIN}") from error
    except ReadError as error:
        inside = [
            Problem(
                Path(path.name) / problem.file.relative_to(folder), problem.line, problem.message, problem.fix
            )
            for problem in error.problems
        ]
        raise PackError(f"{path.name} was refused: " + "\n".join(map(str, inside))) from error
    except SignatureError as error:
        raise PackError(f"{path.name} was refused: {error} {AGAIN}") from error
    except PackError as error:
        raise PackError(f"{path.name} was refused: {error}") from error


def _unpack(file: BinaryIO, folder: Path) -> VerifiedPack:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - TAIL_SIZE))
    promised = entries_promised(file.read(), size)
    if promised is None:
        raise PackError(f"it is not a pack, or a part of it is missing. {AGAIN}")
    if promised > MAX_FILES + 2:
        raise PackError(f"it holds {promised:,} files; {MAX_FILES:,} are allowed.")
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members)
        manifest = _read_manifest(archive, members)
        for member in members:
            if member.filename != MANIFEST:
                _write(archive, member, folder, manifest)
    lesson_set = load_set(folder)
    signature = folder / SIGNATURE
    signer = check(manifest.raw, signature.read_bytes()) if signature.is_file() else None
    (folder / MANIFEST).write_bytes(manifest.raw)
    names = sorted(name for name in manifest.files)
    entries = pack_entries(
        lesson_set.info,
        [(name, folder / name) for name in names],
        (lambda _: signature.read_bytes()) if signer else None,
    )
    return VerifiedPack(lesson_set, signer, _same_bytes(file, size, zip_bytes(entries)))


def _check_members(members: Sequence[zipfile.ZipInfo]) -> None:
    """Names, kinds and sizes, from the directory of the zip alone."""
    for member in members:
        name = member.filename
        if name.startswith(("/", "\\")) or ":" in name or ".." in name.replace("\\", "/").split("/"):
            raise PackError(f"{_shown(name)} would be written outside the set's folder.")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or member.is_dir():
            raise PackError(f"{_shown(name)} is a link or a folder, not a file.")
        if member.flag_bits & 1:
            raise PackError(f"{_shown(name)} is encrypted.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PackError(f"{_shown(name)} is compressed in a way that packs never are.")
        if reason := portable_problem(name):
            raise PackError(f"{_shown(name)} does not belong in a pack: {reason}.")
        if member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise PackError(f"{name} unpacks to more than {MAX_RATIO} times its size.")
    check_limits(
        [m.filename for m in members if m.filename not in (MANIFEST, SIGNATURE)],
        sum(m.file_size for m in members),
    )
    if len({member.filename for member in members}) < len(members):
        raise PackError("it holds two files of the same name.")


def _shown(name: str) -> str:
    """A name from a stranger, made harmless for a terminal."""
    return ascii(name[:80])


@dataclass(frozen=True)
class _Manifest:
    raw: bytes
    files: dict[str, dict[str, Any]]


def _read_manifest(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> _Manifest:
    member = next((member for member in members if member.filename == MANIFEST), None)
    if member is None:
        raise PackError(f"{MANIFEST} is missing. Make packs with `tutor lessons pack`.")
    if member.file_size > MAX_MANIFEST_BYTES:
        raise PackError(f"{MANIFEST} is larger than {MAX_MANIFEST_BYTES >> 20} MiB.")
    with archive.open(member) as source:
        raw = source.read(MAX_MANIFEST_BYTES + 1)
    try:
        value = json.loads(raw)
        version, files = value["format"], value["files"]
        if not isinstance(version, int) or not isinstance(files, dict):
            raise TypeError("wrong kind of value")
        if version > PACK_FORMAT:
            raise PackError(
                f"it is a pack of format {version}; this tutor reads up to {PACK_FORMAT}. Update the tutor."
            )
        sound = all(isinstance(row, dict) and {"sha256", "size"} == set(row) for row in files.values())
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PackError(f"{MANIFEST} cannot be read. {AGAIN}") from error
    names = {member.filename for member in members} - {MANIFEST, SIGNATURE}
    if not sound or names != set(files):
        raise PackError(f"{MANIFEST} does not list the files that are there. {AGAIN}")
    return _Manifest(raw, files)


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, manifest: _Manifest) -> None:
    """One file, never more of it than the directory promised, and only if its sha256 is the manifest's."""
    target = folder.joinpath(*member.filename.split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), member.file_size
    with archive.open(member) as source, target.open("xb") as out:
        while piece := source.read(CHUNK):
            left -= len(piece)
            if left < 0:
                raise PackError(f"{member.filename} is larger than it says.")
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())  # `current` will name this folder, and must not outlive what is in it
    if member.filename != SIGNATURE and digest.hexdigest() != manifest.files[member.filename]["sha256"]:
        raise PackError(f"{member.filename} is not what its author packed (its sha256 differs). {AGAIN}")


def _same_bytes(file: BinaryIO, size: int, again: Iterable[bytes]) -> str:
    """The sha256 of the pack, if writing it again gives the same bytes."""
    file.seek(0)
    digest, written = hashlib.sha256(), 0
    for piece in again:
        if file.read(len(piece)) != piece:
            raise PackError(f"it was changed after it was packed. {AGAIN}")
        digest.update(piece)
        written += len(piece)
    if written != size:
        raise PackError(f"something was added to it after it was packed. {AGAIN}")
    return digest.hexdigest()
