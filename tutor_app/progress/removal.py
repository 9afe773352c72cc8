"""Deleting a learner: nothing they wrote stays in the data folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.progress.learners import folder_of

_BLOCK = 1 << 20


def delete_learner(data_dir: Path, learner_id: str) -> None:
    """Remove a learner's folder: file, journals, backups, damaged copies, recordings.

    Files are overwritten first. That helps on magnetic disks; a solid-state disk, a snapshot or a system backup
    may still hold old blocks, which only disk encryption protects against. Raises NoLearner, or TutorError with
    what could not be removed.
    """
    folder = folder_of(data_dir, learner_id)
    if not folder.is_dir() or folder.is_symlink():
        raise TutorError(f"There is no learner {learner_id!r} in {data_dir}.")
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                overwrite(path)
        shutil.rmtree(folder)
    except OSError as error:
        raise TutorError(
            f"{error.filename or folder} could not be deleted ({error.strerror}). Close other windows of this "
            "learner and try again."
        ) from error


def overwrite(path: Path) -> None:
    """Zeros in place of what a file holds, on the disk when this returns. Raises OSError."""
    left = path.stat().st_size
    with path.open("r+b") as file:
        while left > 0:
            left -= file.write(bytes(min(left, _BLOCK)))
        file.flush()
        os.fsync(file.fileno())
