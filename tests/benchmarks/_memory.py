"""Peak memory: of this process from a moment on, and of all processes under it."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

LOOK_EVERY_S = 0.2
_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def forget_peak() -> None:
    """From now on `own_peak` counts anew, where the system can do that (Linux)."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")  # sets VmHWM to what is resident now: man 5 proc


def own_peak() -> int:
    """The most bytes resident at once in this process."""
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def peak_of_all() -> Iterator[list[int]]:
    """The most bytes resident at once in this process and those under it, filled in by the end.

    Looked at five times a second; pages that processes share count in each.
    """
    peak, over = [0], threading.Event()

    def look() -> None:
        own = psutil.Process()
        while True:
            every = [own, *own.children(recursive=True)]
            peak[0] = max(peak[0], sum(map(_resident, every)))
            if over.wait(LOOK_EVERY_S):
                return

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield peak
    finally:
        over.set()
        looking.join()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended
        return 0
