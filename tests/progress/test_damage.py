"""A damaged file never crashes the program: it is recovered, what is lost is said, and the damaged copy is kept."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.progress.making import DAY, NOON, attempt, begin, new_store, reply, turn
from tutor_app.progress import health
from tutor_app.progress import store as store_module
from tutor_app.progress.backups import KEPT, back_up, back_up_if_due, backups
from tutor_app.progress.errors import DiskFull, StoreDamaged
from tutor_app.progress.store import Store
from tutor_app.progress.suspicion import is_suspect

TURNS = 60
BACKED_UP = 40


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a file of 60 turns, of which the first 40 are in a backup."""
    data_dir = tmp_path_factory.mktemp("made-once")
    with new_store(data_dir) as store:
        session = begin(store)
        for number in range(TURNS):
            at = NOON + number
            turn_id = turn(store, session, f"turn {number} " + "palabra " * 40, now=at)
            tags = ("ser-estar",) if number % 3 == 0 else ()
            attempt(store, turn_id, session, correct=number % 3 != 0, error_tags=tags, given="soy", now=at)
            answer = reply(store, turn_id, f"reply {number} " + "claro " * 40, recast="estoy", now=at)
            store.set_uptake(answer, uptake=True, repair=number % 2 == 0, now=at)
            if number == BACKED_UP - 1:
                back_up(store.database, at)
        store.save_position(session, {"item": "i9"})
        store.set_setting("theme", "dark")
    keep = next(backup for backup in backups(store.folder) if backup.at == NOON + BACKED_UP - 1)
    for backup in backups(store.folder):
        if backup != keep:
            backup.path.unlink()
    return data_dir


@pytest.fixture
def learner_file(made_once: Path, tmp_path: Path) -> Path:
    """A copy of that file; nothing has it open."""
    shutil.copytree(made_once, tmp_path / "data")
    return tmp_path / "data" / "learners" / "ana" / "learner.db"


def use_everything(data_dir: Path) -> tuple[list[str], str]:
    """What a start of the app does: read all there is, then write. Returns the turns and the notice."""
    with Store.open(data_dir, "ana") as store:
        session = store.open_session("es-l2", "l1")
        said = [one.text.partition(" palabra")[0] for one in session.turns] if session else []
        store.settings(), store.learner, store.item_results("es-l2", "l1"), store.lesson_progress("es-l2")
        store.due("es", NOON + 90 * DAY), store.form_knowledge("es-l2", NOON), store.pace("es")
        session_id = begin(store, "l2", now=NOON + DAY)
        attempt(store, turn(store, session_id), session_id, now=NOON + DAY)
        return said, store.notice


def checked(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return health.problems(connection)


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def some_bytes(path: Path, chance: random.Random) -> None:
    overwrite(path, chance.randrange(path.stat().st_size), chance.randbytes(chance.choice([1, 4, 64])))


def a_page(path: Path, chance: random.Random) -> None:
    page = chance.randrange(path.stat().st_size // 4096)
    overwrite(path, page * 4096, chance.choice([bytes(4096), chance.randbytes(4096)]))


def the_first_page(path: Path, chance: random.Random) -> None:
    overwrite(path, chance.randrange(100), chance.randbytes(chance.choice([1, 16])))


def the_end(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size))


def another_file(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.choice([b"not a database\n" * 300, b"\0" * 8192, b"%PDF-1.7"]))


def the_journal(path: Path, chance: random.Random) -> None:
    path.with_name(path.name + "-wal").write_bytes(chance.randbytes(9000))
    some_bytes(path, chance)


def many_places(path: Path, chance: random.Random) -> None:
    for _ in range(30):
        some_bytes(path, chance)


DAMAGES: list[Callable[[Path, random.Random], None]] = [
    some_bytes,
    a_page,
    the_first_page,
    the_end,
    another_file,
    the_journal,
    many_places,
]


@pytest.mark.parametrize("whole", [True, False], ids=["read-through-at-start", "too-large-to-read-through"])
@pytest.mark.parametrize("seed", range(100))
def test_each_of_a_hundred_corruptions_is_recovered_or_harmless(
    learner_file: Path, seed: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    DAMAGES[seed % len(DAMAGES)](learner_file, chance)
    if not whole:
        monkeypatch.setattr(store_module, "READ_WHOLE_BYTES", 0)
    data_dir = learner_file.parents[2]
    try:
        said, notice = use_everything(data_dir)
    except StoreDamaged:
        assert not whole, "a small file is read through before it is trusted"
        said, notice = use_everything(data_dir)
        assert notice
    if whole:
        assert checked(learner_file) == []
    if notice:
        assert said[:BACKED_UP] == [f"turn {number}" for number in range(BACKED_UP)]
        assert list((learner_file.parent / "damaged").glob("learner-*.db"))
        assert len(said) == TURNS or "lost" in notice or "could still be read" in notice
    if is_suspect(learner_file):  # only the backup at closing has met the damage
        assert not whole
        assert use_everything(data_dir)[1]
    assert use_everything(data_dir)[1] == "", "recovered once is recovered"


def test_without_a_backup_what_can_be_read_is_kept(learner_file: Path) -> None:
    for backup in backups(learner_file.parent):
        backup.path.unlink()
    with closing(sqlite3.connect(learner_file)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'reviews'").fetchone()[0]
    overwrite(learner_file, (root - 1) * 4096, bytes(4096))
    said, notice = use_everything(learner_file.parents[2])
    assert said == [f"turn {number}" for number in range(TURNS)]
    assert "no good backup" in notice
    assert checked(learner_file) == []


def test_a_file_that_is_nothing_at_all_becomes_a_new_one_and_says_so(learner_file: Path) -> None:
    for backup in backups(learner_file.parent):
        backup.path.write_bytes(b"gone too")
    learner_file.write_bytes(b"gone")
    said, notice = use_everything(learner_file.parents[2])
    assert said == []
    assert "no good backup" in notice
    with Store.open(learner_file.parents[2], "ana") as store:
        assert store.learner.name == "ana"


def test_rows_newer_than_the_backup_are_taken_from_the_damaged_file(learner_file: Path) -> None:
    with closing(sqlite3.connect(learner_file)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'cards_due'").fetchone()[0]
    overwrite(learner_file, (root - 1) * 4096, bytes(4096))
    said, notice = use_everything(learner_file.parents[2])
    assert said == [f"turn {number}" for number in range(TURNS)]
    assert "lost" not in notice
    with Store.open(learner_file.parents[2], "ana") as store:
        saved = store.open_session("es-l2", "l1")
        assert saved is not None
        assert saved.position == {"item": "i9"}
        assert store.settings() == {"theme": "dark"}


@pytest.mark.parametrize("place", ["shutil.copyfile", "flush", "salvage"])
def test_a_recovery_that_a_full_disk_stops_says_so_and_leaves_nothing_behind(
    learner_file: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    the_end(learner_file, random.Random(1))
    damaged = learner_file.read_bytes()

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"tutor_app.progress.recovery.{place}", no_space)
    for _ in range(2):
        with pytest.raises(DiskFull, match="disk is full"):
            Store.open(learner_file.parents[2], "ana")
    assert list((learner_file.parent / "damaged").iterdir()) == []
    assert learner_file.read_bytes() == damaged
    monkeypatch.undo()
    assert use_everything(learner_file.parents[2])[1]


def test_a_window_whose_file_was_replaced_is_told_and_loses_nothing_silently(learner_file: Path) -> None:
    data_dir = learner_file.parents[2]
    with Store.open(data_dir, "ana") as old:
        replacement = learner_file.with_name("other.db")
        back_up(old.database, NOON)
        backups(learner_file.parent)[0].path.rename(replacement)
        replacement.rename(learner_file)
        with pytest.raises(StoreDamaged, match=r"replaced|damaged"):
            begin(old)
    assert use_everything(data_dir)[0]


def test_opening_and_closing_make_the_days_backup_by_themselves(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        assert len(backups(store.folder)) == 1
        turn(store, begin(store))
    assert len(backups(store.folder)) == 1, "one a day"
    for backup in backups(store.folder):
        backup.path.unlink()
    Store.open(tmp_path, "ana").close()
    assert health.file_damage(backups(store.folder)[0].path) == []


def test_a_copy_half_written_by_a_crash_is_cleared_away_later(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        left = store.folder / "backups" / "learner-000009-20260101T000000Z.db.77.part"
        left.write_bytes(b"half")
        back_up(store.database, NOON)
        assert left.exists(), "it may be another window's"
        os.utime(left, (NOON, NOON))
        back_up(store.database, NOON)
        assert not left.exists()


def test_backups_are_daily_numbered_and_the_newest_five_stay(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        for day in range(8):
            assert back_up_if_due(store.database, NOON + day * DAY) is not None
            assert back_up_if_due(store.database, NOON + day * DAY + 3600) is None
        kept = backups(store.folder)
        newest = kept[0].number
        assert [backup.number for backup in kept] == list(range(newest, newest - KEPT, -1))
        assert back_up_if_due(store.database, NOON - 300 * DAY) is not None, "the clock was set back"
        assert backups(store.folder)[0].number == newest + 1, "newest is by number, not by clock"
        assert all(not health.file_damage(backup.path) for backup in backups(store.folder))
        assert {backup.path.stat().st_mode & 0o777 for backup in backups(store.folder)} == {0o600}
