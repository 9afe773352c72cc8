"""Beside a file that cannot be read just now nobody begins anew, and it is shown to nobody who does not name it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.progress.making import NOON, begin, new_store, turn
from tutor_app.progress.backups import backups
from tutor_app.progress.errors import NoLearner
from tutor_app.progress.learners import DATABASE
from tutor_app.progress.store import learners
from tutor_app.session.people import open_or_create


def without_first_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xff" * 4096)


def with_hot_journal(path: Path) -> None:
    """As a kill in the middle of a transaction leaves a file on a network folder."""
    left = path.with_name("left")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE turns SET text = text || '!'")
        for name in ("", "-journal"):
            shutil.copyfile(f"{path}{name}", f"{left}{name}")
        connection.execute("ROLLBACK")
    for name in ("", "-journal"):
        shutil.move(f"{left}{name}", f"{path}{name}")


@pytest.mark.parametrize("harm", [without_first_page, with_hot_journal])
@pytest.mark.parametrize("name", ["Ana", "ليلى"])
@pytest.mark.parametrize("backed_up", [True, False])
def test_a_file_that_cannot_be_read_is_opened_and_not_begun_anew(
    tmp_path: Path, harm: Callable[[Path], None], name: str, backed_up: bool
) -> None:
    with new_store(tmp_path, name) as store:
        session = begin(store)
        with store.transaction():
            for number in range(300):
                turn(store, session, f"{number} " + "palabra " * 60, now=NOON + number)
    for backup in backups(store.folder) if not backed_up else []:
        backup.path.unlink()
    harm(store.folder / DATABASE)
    found = learners(tmp_path)
    assert [(one.id, one.name, one.readable) for one in found] == [
        (store.folder.name, name if backed_up else store.folder.name, backed_up)
    ]
    if not backed_up:  # it may be theirs or another's: nothing is shown, and nobody begins anew
        with pytest.raises(NoLearner, match=f"{store.folder.name!r} cannot be read at the moment"):
            open_or_create(tmp_path, name)
    with open_or_create(tmp_path, name if backed_up else store.folder.name) as opened:
        assert opened.folder == store.folder
        if harm is with_hot_journal:
            assert [one.text.split()[0] for one in opened.turns(session)] == [str(n) for n in range(300)]
        else:
            assert opened.notice
    assert len(learners(tmp_path)) == 1


def test_somebody_new_beside_a_file_that_cannot_be_read_is_new(tmp_path: Path) -> None:
    with new_store(tmp_path, "Ana") as store:
        pass
    (store.folder / DATABASE).write_bytes(b"gone")
    (tmp_path / "learners" / "cai").mkdir()
    (tmp_path / "learners" / "cai" / DATABASE).write_bytes(b"")  # a beginning that was killed
    with open_or_create(tmp_path, "Cai") as opened:
        assert opened.learner.name == "Cai"
    with open_or_create(tmp_path, "Ben") as opened:
        assert opened.learner.name == "Ben"
