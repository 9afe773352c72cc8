"""One learner's file: everything that happened, and what follows from it.

    with Store.open(data_dir, learner_id) as store:
        turn = store.add_turn(...)   # on the disk when it returns

A store may be called from several threads, one at a time; a second store of the same file, in this process or
another window, sees what was committed.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tutor_app.errors import TutorError
from tutor_app.progress import health, schema, suspicion
from tutor_app.progress import learners as people
from tutor_app.progress.backups import back_up, back_up_if_due
from tutor_app.progress.database import Database
from tutor_app.progress.errors import NoLearner, plain_errors
from tutor_app.progress.memory import Memories
from tutor_app.progress.records import Learner
from tutor_app.progress.recovery import recover

learners = people.learners

READ_WHOLE_BYTES = 2 << 20
"""Files up to this size (two months of daily use) are read through at every start, which takes some 60 ms."""


def create_learner(
    data_dir: Path, name: str, settings: Mapping[str, Any] | None = None, *, now: float | None = None
) -> Learner:
    """A new learner with an empty file; the id is made from the name and is unique here."""
    folder = people.make_folder(data_dir, name)
    database = Database(folder / people.DATABASE)
    try:
        with database.transaction() as connection:
            schema.migrate(connection)
            created_at = time.time() if now is None else now
            people.write_learner(connection, name, settings or {}, created_at)
        with plain_errors(database.path):
            return people.read_learner(database.connection, folder.name)
    finally:
        database.close()


class Store(Memories):
    """Sessions, turns, attempts, replies, forms, cards and settings of one learner."""

    def __init__(self, database: Database, learner_id: str, *, notice: str = "") -> None:
        super().__init__(database)
        self.notice = notice
        """What the learner should be told about opening: recovered, or read-only. Empty when all is well."""
        self._learner_id = learner_id
        self._closed = False

    @classmethod
    def open(cls, data_dir: Path, learner_id: str, *, network: bool | None = None) -> Self:
        """The store of a learner.

        A damaged file is recovered, a file of a newer program opens for reading only; `notice` says so.
        `network` overrides what the mount table says about the folder. Raises NoLearner.
        """
        path = people.database_of(data_dir, learner_id)
        if not path.exists():
            raise NoLearner(f"There is no learner {learner_id!r} in {data_dir}.")
        notice = _made_sound(path, time.time(), network)
        database = Database(path, network=network)
        if _bring_up_to_date(database):
            database.close()
            database = Database(path, read_only=True, network=network)
            notice = (
                "A newer version of the tutor wrote this learner's file. It can be read here, but nothing is "
                "saved: please update the tutor."
            )
        store = cls(database, learner_id, notice=notice)
        if path.stat().st_size <= READ_WHOLE_BYTES:
            store._back_up_quietly()
        return store

    @property
    def read_only(self) -> bool:
        return self.database.read_only

    @property
    def folder(self) -> Path:
        """The learner's folder, where backups and recordings lie too."""
        return self.database.path.parent

    @property
    def learner(self) -> Learner:
        with plain_errors(self.database.path):
            return people.read_learner(self.database.connection, self._learner_id)

    def rename(self, name: str) -> None:
        """Another name for the learner; the folder keeps its own."""
        with self.transaction() as connection:
            people.write_learner(connection, name, {}, self.learner.created_at)

    def settings(self) -> dict[str, Any]:
        """The learner's settings as they stand."""
        rows = self.database.rows("SELECT key, value FROM settings ORDER BY key")
        return {row["key"]: self.database.json(row["value"]) for row in rows}

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a setting (anything JSON can hold); None removes it."""
        with self.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM settings WHERE key = ?", (key,))
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)",
                    (key, json.dumps(value, ensure_ascii=False)),
                )

    def back_up_if_due(self, now: float) -> bool:
        """True when a backup was made: once a day. For a quiet moment, such as the end of a session."""
        return not self.read_only and back_up_if_due(self.database, now) is not None

    def _back_up_quietly(self) -> None:
        """The daily backup of those who never call `maintain`; a full disk is no reason not to learn."""
        if not self.read_only:
            with contextlib.suppress(TutorError):
                back_up_if_due(self.database, time.time(), read_first=False)

    def close(self) -> None:
        """Close the file, after its daily backup; more than once is fine."""
        if not self._closed:
            self._closed = True
            self._back_up_quietly()
            self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _made_sound(path: Path, now: float, network: bool | None) -> str:
    """Check a file before it is trusted, all of it when that is quick or it failed before; recover if need be."""
    with plain_errors(path):
        all_of_it = suspicion.is_suspect(path) or path.stat().st_size <= READ_WHOLE_BYTES
        sound = (
            not health.file_damage(path, network=network)
            if all_of_it
            else health.is_file_readable(path, network=network)
        )
        if not sound:
            return recover(path, now, network=network)
        suspicion.clear_suspicion(path)
        return ""


def _bring_up_to_date(database: Database) -> bool:
    """Migrate an older file, after a backup. True when a newer program wrote it, which is then left alone."""
    known = schema.known()
    with plain_errors(database.path):
        had = schema.applied(database.connection)
        if set(had) - set(known):
            return True
        if had == known:
            return False
    if had:
        back_up(database, time.time())
    with database.transaction() as connection:
        schema.migrate(connection)
    return False
