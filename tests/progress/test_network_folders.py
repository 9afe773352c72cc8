"""On a network folder: no WAL, and a lock file around every transaction that a crash cannot leave for ever."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import psutil
import pytest

from tests.progress.making import NOON, begin, new_store, turn
from tutor_app.progress.database import Database
from tutor_app.progress.errors import StoreBusy
from tutor_app.progress.filesystem import network_in_mounts, on_network
from tutor_app.progress.lock import NAMELESS_S, STALE_S, FileLock, is_running_elsewhere, name_of, whoami
from tutor_app.progress.store import Store, create_learner

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
//nas/lab /mnt/the\\040lab cifs rw 0 0
me@host: /home/ana/far fuse.sshfs rw 0 0
tmpfs /home/ana/near tmpfs rw 0 0
server:/kurs /srv/курс nfs4 rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "network"),
    [
        ("/var/lib", False),
        ("/home/ana", True),
        ("/homes", False),
        ("/mnt/the lab/x", True),
        ("/home/ana/far", True),
        ("/home/ana/near/x", False),
        ("/srv/курс/ana", True),
    ],
)
def test_the_innermost_mount_decides_whether_a_folder_is_on_the_network(folder: str, network: bool) -> None:
    assert network_in_mounts(MOUNTS, Path(folder)) is network


def test_a_home_that_hides_what_it_is_can_be_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not on_network(tmp_path)
    monkeypatch.setenv("TUTOR_NETWORK_HOME", "1")
    assert on_network(tmp_path)


def test_a_network_file_uses_a_rollback_journal_and_leaves_no_lock(tmp_path: Path) -> None:
    with new_store(tmp_path, network=True) as store, Store.open(tmp_path, "ana", network=True) as other:
        assert store.database.journal_mode == "delete"
        session = begin(store)
        turn(store, session, "one")
        turn(other, session, "two")
        assert [one.text for one in store.turns(session)] == ["one", "two"]
        assert sorted(path.name for path in store.folder.iterdir()) == ["backups", "learner.db"]


def test_a_reader_on_a_network_folder_takes_the_lock_too(tmp_path: Path) -> None:
    with new_store(tmp_path, network=True) as store:
        session = begin(store)
        reader = Database(store.database.path, read_only=True, network=True)
        with store.transaction():
            turn(store, session, "one")
            assert (store.folder / "learner.db.lock").exists()
        assert [row["text"] for row in reader.rows("SELECT text FROM turns")] == ["one"]
        assert not (store.folder / "learner.db.lock").exists()
        reader.close()


def test_a_wal_file_that_moves_to_a_network_folder_changes_its_journal(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
    with Store.open(tmp_path, "ana", network=True) as store:
        assert store.database.journal_mode == "delete"
        turn(store, session)
        assert not list(store.folder.glob("*-wal"))


def test_a_lock_that_is_held_makes_others_wait_and_then_say_so(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "learner.db")
    lock.acquire()
    with pytest.raises(StoreBusy, match="is held by"):
        FileLock(tmp_path / "learner.db").acquire(wait_s=0.05)
    lock.release()
    FileLock(tmp_path / "learner.db").acquire(wait_s=0.05)


def test_the_lock_of_a_process_that_is_gone_is_taken_over_at_once(tmp_path: Path) -> None:
    lock = tmp_path / "learner.db.lock"
    lock.write_text(json.dumps(f"{socket.gethostname()}:{os.getpid()}:1"), encoding="utf-8")
    FileLock(tmp_path / "learner.db").acquire(wait_s=0.5)
    assert json.loads(lock.read_text(encoding="utf-8")) == whoami()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["learner.db.lock"]


def test_a_process_killed_while_it_judged_a_lock_blocks_nobody(tmp_path: Path) -> None:
    gone = json.dumps(f"{socket.gethostname()}:{os.getpid()}:1")
    for name in ("learner.db.lock", "learner.db.lock.takeover"):
        (tmp_path / name).write_text(gone, encoding="utf-8")
    FileLock(tmp_path / "learner.db").acquire(wait_s=0.5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["learner.db.lock"]


@pytest.mark.parametrize(
    ("owner", "stale_s"), [('"another-machine:1:1"', STALE_S), ("", NAMELESS_S), ("{half", NAMELESS_S)]
)
def test_the_lock_of_another_machine_is_taken_over_only_when_it_is_old(
    tmp_path: Path, owner: str, stale_s: float
) -> None:
    lock = tmp_path / "learner.db.lock"
    lock.write_text(owner, encoding="utf-8")
    with pytest.raises(StoreBusy):
        FileLock(tmp_path / "learner.db").acquire(wait_s=0.05)
    old = lock.stat().st_mtime - stale_s - 1
    os.utime(lock, (old, old))
    FileLock(tmp_path / "learner.db").acquire(wait_s=0.5)
    assert json.loads(lock.read_text(encoding="utf-8")) == whoami()


def test_a_process_number_that_was_used_again_is_not_taken_for_its_owner() -> None:
    assert not is_running_elsewhere(whoami())
    assert not is_running_elsewhere(f"{socket.gethostname()}:{os.getpid()}:1")
    assert not is_running_elsewhere("another-machine:1:1")
    assert not is_running_elsewhere("nonsense")


@pytest.mark.skipif(
    sys.platform != "linux", reason="only there the start is reckoned from the time of booting"
)
def test_a_window_lives_on_when_the_clock_is_set_right(monkeypatch: pytest.MonkeyPatch) -> None:
    other = name_of(os.getppid())
    assert is_running_elsewhere(other)
    started = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: started(self) + 3600)
    assert is_running_elsewhere(other)


def test_a_lock_that_somebody_is_reading_is_released_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = FileLock(tmp_path / "learner.db")
    lock.acquire()
    unlink, tries = Path.unlink, []

    def read_meanwhile(path: Path, missing_ok: bool = False) -> None:
        tries.append(path)
        if len(tries) < 3:
            raise PermissionError(13, "The process cannot access the file")  # as Windows says it
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", read_meanwhile)
    lock.release()
    assert not list(tmp_path.iterdir())


def test_whoever_waits_for_the_lock_does_not_keep_another_from_leaving_wal_mode(tmp_path: Path) -> None:
    create_learner(tmp_path, "Ana", now=NOON)  # on a local disk: WAL
    path = next(tmp_path.rglob("learner.db"))
    with ThreadPoolExecutor(1) as pool:
        with FileLock(path).held():
            waiting = pool.submit(Database, path, network=True)
            assert not wait([waiting], timeout=0.5).done, "it has to wait"
            first = sqlite3.connect(path)
            assert first.execute("PRAGMA journal_mode = delete").fetchone() == ("delete",)
            first.close()
        second = waiting.result(timeout=30)
    assert second.journal_mode == "delete"
    second.close()
