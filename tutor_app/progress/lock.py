"""A lock that holds on network folders: a file made with O_EXCL that names its owner.

SQLite's own locks are byte ranges, which some network file systems only pretend to take. Exclusive creation
of a file is honoured by all of them. The lock is held for one transaction, milliseconds, so that several
windows and machines can take turns, and a lock left behind by a crash is recognised: on the same machine
because its process is gone, from another machine because it is far older than any transaction.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tutor_app.progress.errors import StoreBusy

WAIT_S = 30.0
"""How long to wait for another window before saying so."""
STALE_S = 60.0
"""Age by the file server's clock at which a lock of another machine is certainly abandoned."""
NAMELESS_S = 2.0
"""The same for a lock without a name in it: its owner died between making it and writing that."""
POLL_S = 0.02
READING_S = 2.0
"""Longer than reading the name in a lock ever takes."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def whoami() -> str:
    """This process as `host:pid:start`, unique even when process numbers are used again."""
    return name_of(os.getpid())


def name_of(pid: int) -> str:
    """The same for any process of this machine; without a start when there is none such."""
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def is_running_elsewhere(owner: str) -> bool:
    """True when `owner` is another process of this machine that still runs."""
    host, _, pid = owner.rpartition(":")[0].rpartition(":")
    if owner == whoami() or host != socket.gethostname() or not pid.isdigit() or owner.endswith(":"):
        return False
    return owner == name_of(int(pid))


def _started(pid: int) -> str:
    """When a process started; empty when there is none such.

    On Linux: clock ticks since a boot. psutil's seconds there are counted from the time of booting by the present
    clock, so they move when that is set right, and a window that lives would be taken for dead.
    """
    try:
        # The 22nd field; the second is a name in parentheses that may hold anything.
        ticks = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
        return f"{ticks}@{_BOOT_ID.read_text().strip()}"
    except OSError:  # another system, or no such process
        import psutil

        try:
            return str(int(psutil.Process(pid).create_time() * 1000))
        except psutil.Error:
            return ""


class FileLock:
    """Exclusive creation of `<file>.lock`; not re-entrant, one transaction at a time."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._guard = database.with_name(database.name + ".lock.takeover")

    def acquire(self, wait_s: float = WAIT_S) -> None:
        """Take the lock, waiting for its holder. Raises StoreBusy when it is held longer than `wait_s`."""
        deadline = time.monotonic() + wait_s
        while not _create(self._path, whoami()):
            self._remove_if_abandoned()
            if time.monotonic() > deadline:
                raise StoreBusy(
                    f"{self._path.with_suffix('')} is held by {_owner(self._path) or 'another program'}. "
                    f"Close the other window; if there is none, delete {self._path}."
                )
            time.sleep(POLL_S)

    def release(self) -> None:
        _remove(self._path)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The lock, for the length of a block."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def _remove_if_abandoned(self) -> None:
        """Only one process at a time may judge a lock, or two could each remove the other's new one."""
        if not _is_abandoned(self._path):
            return
        if not _create(self._guard, whoami()):
            if _is_abandoned(self._guard):  # its owner was killed while it judged
                _remove(self._guard)
            return
        try:
            if _is_abandoned(self._path):
                _remove(self._path)
        finally:
            _remove(self._guard)


def _owner(lock: Path) -> str:
    try:
        return str(json.loads(lock.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return ""  # gone, or its owner has not finished writing its name


def _is_abandoned(lock: Path) -> bool:
    owner = _owner(lock)
    if owner and owner != whoami() and owner.startswith(socket.gethostname() + ":"):
        return not is_running_elsewhere(owner)
    age_s = _age_s(lock, _server_time(lock.parent))
    return age_s > (STALE_S if owner else NAMELESS_S)


def _create(path: Path, owner: str) -> bool:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(owner, file)
    return True


def _remove(path: Path) -> None:
    """Windows deletes no file while somebody who waits is reading it, which takes them a moment."""
    deadline = time.monotonic() + READING_S
    while True:
        try:
            path.unlink(missing_ok=True)
            return
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


def _age_s(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0.0  # released meanwhile


def _server_time(folder: Path) -> float:
    """The clock that stamps files there, which on a network folder is not ours."""
    probe = folder / f".clock-{os.getpid()}"
    try:
        probe.write_bytes(b"")
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        probe.unlink(missing_ok=True)
