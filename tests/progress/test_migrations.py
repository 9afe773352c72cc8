"""Files of every released version open, with all that is in them; a backup is made before they change."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.progress.making import NOON, begin, new_store, turn
from tutor_app.progress import health, schema
from tutor_app.progress.backups import backups
from tutor_app.progress.errors import DiskFull, StoreReadOnly
from tutor_app.progress.store import Store

RELEASED = Path(__file__).parent / "schemas"
"""One dump for each migration that was released, with data in every table."""


def test_there_is_a_file_of_every_version() -> None:
    assert {path.stem for path in RELEASED.glob("*.sql")} == set(schema.known())


@pytest.mark.parametrize("version", schema.known())
def test_a_file_of_each_released_version_opens_with_everything_in_it(tmp_path: Path, version: str) -> None:
    folder = tmp_path / "learners" / "ana"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "learner.db")) as connection:
        connection.executescript((RELEASED / f"{version}.sql").read_text(encoding="utf-8"))
    with Store.open(tmp_path, "ana") as store:
        assert store.notice == ""
        assert schema.applied(store.database.connection) == schema.known()
        assert health.problems(store.database.connection) == []
        saved = store.open_session("es-l2", "l1")
        assert saved is not None
        assert [one.text for one in saved.turns] == [f"Soy en casa {number}" for number in range(3)]
        assert saved.position == {"item": "i2"}
        assert store.settings() == {"theme": "dark"}
        assert [one.text for one in store.memories()] == ["has a sister"]
        assert store.form_knowledge("es-l2", NOON)["ser-estar"].tried == 3
        for table in schema.TABLES:
            assert store.database.row(f"SELECT 1 FROM {table}"), f"{table} is empty"


def with_another_step(monkeypatch: pytest.MonkeyPatch, step: Callable[[Any], None]) -> None:
    monkeypatch.setattr(schema, "_STEPS", (*schema._STEPS, step))


def test_a_file_is_backed_up_before_it_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        turn(store, session, "Hola")

    def m999_mood(db: Any) -> None:
        db["turns"].add_column("mood", str)

    with_another_step(monkeypatch, m999_mood)
    with Store.open(tmp_path, "ana") as store:
        assert store.notice == ""
        assert store.database.row("SELECT mood FROM turns") is not None
        assert [one.text for one in store.turns(session)] == ["Hola"]
        backup = backups(store.folder)[0].path
    with closing(sqlite3.connect(backup)) as connection:
        assert "m999_mood" not in schema.applied(connection)
        assert connection.execute("SELECT text FROM turns").fetchall() == [("Hola",)]
    monkeypatch.undo()
    with Store.open(tmp_path, "ana") as store:
        assert "newer version" in store.notice
        with pytest.raises(StoreReadOnly):
            turn(store, session)


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        turn(store, session, "Hola")

    def m999_breaks(db: Any) -> None:
        db["turns"].add_column("mood", str)
        raise ZeroDivisionError

    with_another_step(monkeypatch, m999_breaks)
    with pytest.raises(ZeroDivisionError):
        Store.open(tmp_path, "ana")
    monkeypatch.undo()
    with Store.open(tmp_path, "ana") as store:
        assert store.notice == ""
        assert not store.read_only
        assert [one.text for one in store.turns(session)] == ["Hola"]


def test_a_backup_on_a_full_disk_says_so_and_keeps_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_store(tmp_path) as store:
        assert store.back_up_if_due(NOON)
        assert not store.back_up_if_due(NOON + 60)

        def no_space(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("tutor_app.progress.backups.os.replace", no_space)
        with pytest.raises(DiskFull, match="disk is full"):
            store.back_up_if_due(NOON + 90_000)
        assert len(list((store.folder / "backups").iterdir())) == len(backups(store.folder)) == 2
