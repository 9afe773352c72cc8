"""A damaged file made whole: the newest good backup, and what the damaged file still gives."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tutor_app.progress import health, learners, schema
from tutor_app.progress.backups import Backup, backups, flush
from tutor_app.progress.errors import READ_ERRORS
from tutor_app.progress.lock import FileLock
from tutor_app.progress.salvage import Salvaged, salvage
from tutor_app.progress.suspicion import clear_suspicion

FOLDER = "damaged"
_SCRATCH = ".recovery-"
_COMPANIONS = ("", "-wal", "-journal")
"""The file and its journals; `-shm` is only an index of the first journal and is made anew."""


def recover(path: Path, now: float, *, network: bool | None = None) -> str:
    """Put a damaged file together again and return a sentence for the learner.

    The damaged file is kept in the folder `damaged`. Another window that still has it open is told by SQLite, at
    its next write, that its file was replaced. A crash in here leaves the damaged file in place, to be recovered
    at the next start; so does an error (a full disk), after which nothing is left of the attempt.

    Raises OSError and sqlite3.DatabaseError.
    """
    with FileLock(path.with_name(path.name + ".recovery")).held():
        if not health.file_damage(path, network=network):
            clear_suspicion(path)
            return ""  # another window has done it meanwhile
        for abandoned in path.parent.glob(_SCRATCH + "*"):
            shutil.rmtree(abandoned)
        kept = _kept_name(path, now)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=_SCRATCH) as scratch:
            good = Path(scratch) / "good.db"
            try:
                _keep(path, kept)
                backup = _newest_good(path.parent, good)
                salvaged = _fill(good, _copy_to(kept, Path(scratch)), path.parent.name, now)
                os.chmod(good, 0o600)
                flush(good)
            except BaseException:
                # The damaged file is still in its place: with each try another copy of it would fill the disk.
                for companion in _COMPANIONS:
                    kept.with_name(kept.name + companion).unlink(missing_ok=True)
                raise
            # The old journals go first: beside the new file they would be played into it.
            for companion in ("-wal", "-journal", "-shm"):
                path.with_name(path.name + companion).unlink(missing_ok=True)
            os.replace(good, path)
        clear_suspicion(path)
        return _sentence(backup, salvaged, kept)


def _kept_name(path: Path, now: float) -> Path:
    """A free name for the copy of the damaged file."""
    folder = path.parent / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    number = 1
    while (kept := folder / f"learner-{stamp}-{number}.db").exists():
        number += 1
    return kept


def _keep(path: Path, kept: Path) -> None:
    """A copy of the damaged file and its journals, for whoever wants to look into it."""
    for companion in _COMPANIONS:
        source = path.with_name(path.name + companion)
        if source.exists():
            shutil.copyfile(source, kept.with_name(kept.name + companion))
            os.chmod(kept.with_name(kept.name + companion), 0o600)


def _copy_to(kept: Path, scratch: Path) -> Path:
    """A copy to read from: opening a database plays its journal back, and the kept one stays as it was."""
    for companion in _COMPANIONS:
        source = kept.with_name(kept.name + companion)
        if source.exists():
            shutil.copyfile(source, scratch / ("bad.db" + companion))
    return scratch / "bad.db"


def _newest_good(learner_folder: Path, target: Path) -> Backup | None:
    for backup in backups(learner_folder):
        if not health.file_damage(backup.path):
            shutil.copyfile(backup.path, target)
            return backup
    return None


def _fill(good: Path, damaged: Path, learner_id: str, now: float) -> Salvaged:
    with closing(sqlite3.connect(good, isolation_level=None)) as sound:
        if schema.applied(sound) != schema.known():
            sound.execute("BEGIN IMMEDIATE")
            schema.migrate(sound)
            sound.execute("COMMIT")
        try:
            with closing(sqlite3.connect(damaged, isolation_level=None)) as bad:
                salvaged = salvage(bad, sound)
        except READ_ERRORS:
            if sound.in_transaction:
                raise  # not the damaged file: writing failed
            salvaged = Salvaged(0, 0)
        if not sound.execute("SELECT 1 FROM meta WHERE key = 'name'").fetchone():
            learners.write_learner(sound, learner_id, {}, now)
        return salvaged


def _sentence(backup: Backup | None, salvaged: Salvaged, kept: Path) -> str:
    if backup is not None:
        day = datetime.fromtimestamp(backup.at, UTC).strftime("%d %B, %H:%M UTC")
        source = f"the backup of {day} and {salvaged.rows} newer rows that could still be read"
    else:
        source = f"{salvaged.rows} rows that could still be read; there was no good backup"
    lost = f" About {salvaged.turns_missing} of your turns are lost." if salvaged.turns_missing > 0 else ""
    return (
        f"This learner's file was damaged and has been put together again from {source}.{lost} "
        f"The damaged file is kept as {kept}."
    )
