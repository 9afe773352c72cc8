"""Model weights that were installed as Python packages: found through their metadata, never imported."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.llm.catalogue import Entry, PackageSource
from tutor_app.llm.files import copy_checked, need_room
from tutor_app.llm.machine import free_bytes
from tutor_app.llm.protocol import Progress


def missing(source: PackageSource) -> list[str]:
    """Distributions that are not installed in the version of the catalogue, or lack their file."""
    return [name for name, file in source.files if _locate(name, file, source.version) is None]


def locate(source: PackageSource) -> list[Path]:
    """The files, in the order in which they are joined. Raises TutorError naming what is not installed."""
    found = [_locate(name, file, source.version) for name, file in source.files]
    absent = [name for (name, _), path in zip(source.files, found, strict=True) if path is None]
    if absent:
        shown = ", ".join(absent[:3]) + (f" and {len(absent) - 3} more" if len(absent) > 3 else "")
        raise TutorError(f"The packages {shown} are not installed. Run: {source.install}")
    return [path for path in found if path is not None]


def _locate(name: str, file: str, version: str) -> Path | None:
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if distribution.version != version:
        return None
    # The record says which files belong to it; a path from it is data, and is opened, never imported.
    if file not in {str(entry).replace("\\", "/") for entry in distribution.files or ()}:
        return None
    path = Path(str(distribution.locate_file(file)))
    return path if path.is_file() else None


def join(entry: Entry, target: Path, on_progress: Progress | None = None) -> str:
    """Join the parts of `entry` into `target`, whole or not at all; gives the checksum.

    Raises TutorError when a part is missing, the disk is full, or the result is not the pinned one.
    """
    assert isinstance(entry.source, PackageSource)
    assert entry.sha256 is not None
    join_source(entry.source, entry.id, entry.sha256, target, on_progress)
    return entry.sha256


def join_source(
    source: PackageSource, name: str, sha256: str, target: Path, on_progress: Progress | None = None
) -> None:
    """Join the files of `source` into `target`, whole or not at all; `name` is what messages call them.

    Raises TutorError when a part is missing, the disk is full, or the result has another checksum.
    """
    sources = locate(source)
    total = sum(path.stat().st_size for path in sources)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        need_room(target.parent, total, free_bytes(target.parent))
        if copy_checked(sources, part, total, on_progress) != sha256:
            raise TutorError(
                f"The installed parts of {name} are damaged (the checksum differs). "
                f"Install them again: {source.install} --force-reinstall"
            )
        os.replace(part, target)
    except OSError as error:
        raise TutorError(f"{target} could not be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
