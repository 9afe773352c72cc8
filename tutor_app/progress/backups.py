"""Copies of a learner's file, made daily and before every migration; the newest five are kept."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tutor_app.progress.database import Database
from tutor_app.progress.errors import plain_errors
from tutor_app.progress.reviews import DAY_S

KEPT = 5
FOLDER = "backups"
ABANDONED_S = 3600.0
"""A half-written copy of this age was left by a crash."""
_NAME = re.compile(r"learner-(\d{6,})-(\d{8}T\d{6}Z)\.db")


@dataclass(frozen=True)
class Backup:
    path: Path
    number: int
    """Counts up, so that the newest is known even when the clock went backwards."""
    at: float


def backups(learner_folder: Path) -> list[Backup]:
    """The backups there are, newest first."""
    found = []
    for path in (learner_folder / FOLDER).glob("learner-*.db"):
        if match := _NAME.fullmatch(path.name):
            at = datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            found.append(Backup(path, int(match[1]), at))
    return sorted(found, key=lambda backup: -backup.number)


def back_up(database: Database, now: float) -> Backup:
    """A new backup, whole or not there at all; the oldest beyond `KEPT` go.

    Raises DiskFull or DiskTrouble and leaves the older ones as they are.
    """
    folder = database.path.parent / FOLDER
    with plain_errors(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        older = backups(database.path.parent)
        number = older[0].number + 1 if older else 1
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        path = folder / f"learner-{number:06d}-{stamp}.db"
        write_copy(database, path)
        for backup in older[KEPT - 1 :]:
            backup.path.unlink(missing_ok=True)
        for left in folder.glob("learner-*.part"):
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink(missing_ok=True)
    return Backup(path, number, now)


def back_up_if_due(database: Database, now: float, *, read_first: bool = True) -> Backup | None:
    """A backup when the newest is a day old (or from the future, by a clock that was wrong), else None.

    Reads all of the file first (unless `read_first` is false), so call it where half a second does not matter.
    Raises StoreDamaged.
    """
    newest = next(iter(backups(database.path.parent)), None)
    if newest is not None and abs(now - newest.at) < DAY_S:
        return None
    if read_first:
        database.check()  # five copies of a damaged file would be no backup
    return back_up(database, now)


def write_copy(database: Database, target: Path) -> None:
    """The learner's file as one file at `target`, private, complete when it appears there."""
    # Another window may be at the same: each has its own.
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    # VACUUM writes into an empty file, and so into one that is private from the start.
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        database.vacuum_into(part)
        flush(part)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until the file is on the disk."""
    handle = os.open(path, os.O_RDWR)  # Windows flushes only what it may write
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
