"""Who learns here: one folder each, private to the account."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tutor_app.errors import TutorError
from tutor_app.progress.backups import backups
from tutor_app.progress.errors import NoLearner
from tutor_app.progress.records import Learner
from tutor_app.progress.text import slug

DATABASE = "learner.db"
MAX_NAME = 80


def folder_of(data_dir: Path, learner_id: str) -> Path:
    """The learner's folder. Raises NoLearner for an id that could lead elsewhere."""
    if not learner_id or learner_id != slug(learner_id):
        raise NoLearner(f"There is no learner {learner_id!r} here. `tutor progress show` lists them.")
    return data_dir / "learners" / learner_id


def database_of(data_dir: Path, learner_id: str) -> Path:
    return folder_of(data_dir, learner_id) / DATABASE


def learners(data_dir: Path) -> list[Learner]:
    """Everybody with a folder here, by name; where the file cannot be read, by that of a backup, else of the folder."""
    root = data_dir / "learners"
    if not root.is_dir():
        return []
    found = [
        _read(path)
        for path in sorted(root.glob(f"*/{DATABASE}"))
        if path.parent.name == slug(path.parent.name)
    ]
    return sorted(found, key=lambda learner: (learner.name.casefold(), learner.id))


def known(everybody: Sequence[Learner], name: str) -> Learner | None:
    """Whose id or name this is; None: somebody new.

    A file that cannot be read just now does not say its name. If its id could have been made from this one, it may be
    theirs or somebody else's: beginning anew would make all they did seem gone, and opening it might show it to others.
    Raises NoLearner then.
    """
    found = next((one for one in everybody if name in (one.id, one.name)), None)
    if found is None:
        for one in everybody:
            if not one.readable and one.id == slug(name):
                raise NoLearner(
                    f"The file of the learner {one.id!r} cannot be read at the moment, so it does not say whether it is "
                    f"{name}'s. If it is, open it by that id and it will be put in order; else choose another name."
                )
    return found


def find(data_dir: Path, name_or_id: str | None) -> Learner:
    """The learner of this name or id; with None the only one there is. Raises NoLearner with the choices."""
    everybody = learners(data_dir)
    if name_or_id is None:
        if len(everybody) == 1:
            return everybody[0]
        if not everybody:
            raise NoLearner("There is no learner here yet. Start `tutor` to create one.")
        raise NoLearner(f"Say which learner: {', '.join(learner.name for learner in everybody)}.")
    # An id is exact and unique, so it goes first: a name may be shared.
    by_id = [learner for learner in everybody if learner.id == name_or_id]
    named = by_id or [learner for learner in everybody if learner.name.casefold() == name_or_id.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        raise NoLearner(f"{name_or_id!r} is the name of several: use {', '.join(one.id for one in named)}.")
    there = ", ".join(learner.name for learner in everybody) or "nobody yet"
    raise NoLearner(f"There is no learner {name_or_id!r} here; there is {there}.")


def make_folder(data_dir: Path, name: str) -> Path:
    """A new empty folder for a learner of this name, with an empty private file in it.

    Raises TutorError for a name that is empty, too long, or more than one line.
    """
    clean = name.strip()
    if not clean or len(clean) > MAX_NAME or not clean.isprintable():
        raise TutorError(f"A name has 1 to {MAX_NAME} characters, on one line.")
    root = data_dir / "learners"
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _first_free(root, slug(clean))
        os.close(os.open(folder / DATABASE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise TutorError(f"No learner can be added in {root} ({error.strerror}).") from error
    return folder


def _first_free(root: Path, wanted: str) -> Path:
    number = 1
    while True:
        folder = root / (wanted if number == 1 else f"{wanted}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def read_learner(connection: sqlite3.Connection, learner_id: str) -> Learner:
    """The learner that a file says it belongs to. Raises sqlite3.DatabaseError or ValueError when it cannot say."""
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    settings = connection.execute("SELECT key, value FROM settings").fetchall()
    return Learner(
        id=learner_id,
        name=str(json.loads(meta.get("name", f'"{learner_id}"'))),
        created_at=float(json.loads(meta.get("created_at", "0"))),
        settings={key: json.loads(value) for key, value in settings},
    )


def write_learner(connection: sqlite3.Connection, name: str, settings: Mapping[str, Any], now: float) -> None:
    rows = {"name": name.strip(), "created_at": now}
    connection.executemany(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
        [(key, json.dumps(value, ensure_ascii=False)) for key, value in rows.items()],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)",
        [(key, json.dumps(value, ensure_ascii=False)) for key, value in settings.items()],
    )


def _read(path: Path) -> Learner:
    """Read without migrating or locking: twenty learners are listed in milliseconds."""
    learner_id = path.parent.name
    for file in (path, *(backup.path for backup in backups(path.parent))):
        try:
            with closing(
                sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
            ) as connection:
                return read_learner(connection, learner_id)
        except (sqlite3.Error, ValueError):
            continue  # damaged, or to be put in order by whoever opens it
    # An empty file is a learner who was never made: nobody's work is in it.
    return Learner(id=learner_id, name=learner_id, created_at=0.0, readable=not path.stat().st_size)
