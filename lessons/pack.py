"""A set as one file: `<id>-<version>.lessons`, a zip that the same folder always gives byte for byte.

    make_pack(folder, target_dir, key=None)  -> Path    write the pack (the set is checked first)
    sign_pack(path, key)                     -> None    sign a pack that is already written

Inside: `pack.json` (the sha256 of each file), the set's own files in order of name, and `signature.json` when
the author has a key. `lessons.unpack` reads it again and refuses whatever this file would not have written.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lessons.files import replace_file
from lessons.load import LESSONS_DIR, MEDIA_DIR, SET_FILE, load_set
from lessons.problems import LessonError
from lessons.schema import SetInfo
from lessons.signing import Key
from lessons.zip_bytes import Entry, pieces, zip_bytes

PACK_FORMAT = 1
"""Raised when an older tutor could no longer read a pack."""
SUFFIX = ".lessons"
MANIFEST = "pack.json"
SIGNATURE = "signature.json"

MAX_FILES = 10_000
MAX_BYTES = 512 * 1024 * 1024

MEDIA_KINDS = frozenset(["flac", "m4a", "mp3", "ogg", "opus", "wav", "jpg", "jpeg", "png", "webp"])
TEXT_KINDS = frozenset(("md", "txt"))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)
"""Names that mean a device on Windows, whatever their ending."""


class PackError(LessonError):
    """A pack that cannot be made, or must not be used."""


def make_pack(folder: Path, target_dir: Path, key: Key | None = None) -> Path:
    """The path of the pack written from the set in `folder`, signed when there is a key.

    Raises ReadError when the set cannot be read, and PackError when it holds what a pack may not.
    """
    info = load_set(folder).info
    target = target_dir / f"{info.id}-{info.version}{SUFFIX}"
    target_dir.mkdir(parents=True, exist_ok=True)
    entries = pack_entries(info, set_files(folder), key.sign if key else None)
    replace_file(target, zip_bytes(entries))
    return target


def sign_pack(path: Path, key: Key) -> None:
    """Sign the pack at `path`, in place of any signature it had. It is verified first."""
    from lessons.unpack import unpack

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pack = unpack(path, folder)
        replace_file(path, zip_bytes(pack_entries(pack.set.info, set_files(folder), key.sign)))


def portable_problem(name: str) -> str:
    """Why a file of this name cannot be in a set, or an empty string."""
    parts = name.split("/")
    if not all(_NAME.fullmatch(part) and not part.endswith(".") for part in parts):
        return "use letters a-z, digits, dots, hyphens and underscores, so that every system can hold it"
    if any(part.split(".")[0].lower() in _DEVICES for part in parts):
        return "Windows keeps this name for a device"
    kind = parts[-1].rpartition(".")[2].lower()
    if name in (SET_FILE, MANIFEST, SIGNATURE):
        return ""
    if len(parts) == 1 and (kind in TEXT_KINDS or name == "LICENSE"):
        return ""
    if len(parts) == 2 and parts[0] == LESSONS_DIR and kind == "yaml":
        return ""
    if 2 <= len(parts) <= 5 and parts[0] == MEDIA_DIR and kind in MEDIA_KINDS:
        return ""
    return f"a set holds {SET_FILE}, {LESSONS_DIR}/*.yaml, and sound and pictures in {MEDIA_DIR}/"


def set_files(folder: Path) -> list[tuple[str, Path]]:
    """The files of a set with their names in the pack, sorted. Hidden files (.git, .DS_Store) stay at home.

    Raises PackError for links and for what does not belong in a set.
    """
    found: list[tuple[str, Path]] = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in name.split("/")) or name in (MANIFEST, SIGNATURE):
            continue
        if path.is_symlink():
            raise PackError(f"{path} is a link. Put the file itself into the set.")
        if path.is_dir():
            continue
        if not path.is_file():
            raise PackError(f"{path} is not an ordinary file. Take it out of the set.")
        if reason := portable_problem(name):
            raise PackError(f"{path} cannot be packed: {reason}.")
        found.append((name, path))
    check_limits([name for name, _ in found], sum(path.stat().st_size for _, path in found))
    return sorted(found)


def check_limits(names: Sequence[str], total: int) -> None:
    """Refuses too many files, too many bytes, and names that are one file on Windows and macOS."""
    if len(names) > MAX_FILES:
        raise PackError(f"The set has more than {MAX_FILES:,} files. Split it into several sets.")
    if total > MAX_BYTES:
        raise PackError(f"The set has more than {MAX_BYTES >> 20} MiB. Use shorter or smaller recordings.")
    seen: dict[str, str] = {}
    for name in names:
        if other := seen.get(name.lower()):
            raise PackError(f"{other} and {name} are the same file on some systems. Rename one.")
        seen[name.lower()] = name


def pack_entries(
    info: SetInfo, files: Sequence[tuple[str, Path]], sign: Callable[[bytes], bytes] | None
) -> list[Entry]:
    """What a pack consists of, in order: manifest, files, and what `sign` gives for the manifest."""
    contents = [_from_path(name, path) for name, path in files]
    manifest = _manifest(info, contents)
    entries = [_from_bytes(MANIFEST, manifest), *contents]
    if sign is not None:
        entries.append(_from_bytes(SIGNATURE, sign(manifest)))
    return entries


def _manifest(info: SetInfo, contents: Sequence[Entry]) -> bytes:
    """`pack.json`: which set, and the sha256 and size of each file."""
    files = {entry.name: {"sha256": _sha256(entry), "size": entry.size} for entry in contents}
    value = {"format": PACK_FORMAT, "id": info.id, "version": info.version, "files": files}
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode("ascii")


def _sha256(entry: Entry) -> str:
    digest = hashlib.sha256()
    for piece in pieces(entry):
        digest.update(piece)
    return digest.hexdigest()


def _from_path(name: str, path: Path) -> Entry:
    return Entry(name, path.stat().st_size, lambda: path.open("rb"))


def _from_bytes(name: str, data: bytes) -> Entry:
    return Entry(name, len(data), lambda: io.BytesIO(data))
