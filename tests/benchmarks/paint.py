"""How soon the app paints, and how soon a key is seen while the tutor writes.

The app runs as a learner's does: in its own process on a pseudo-terminal of 100×30, read byte by byte.

    first_paint_ms   from starting the `tutor` command on an empty data folder to the first word on the screen
    home_ms          the same with one learner, to the list of lessons (real lesson sets are read for it)
    key_p50_ms …     from writing a key to the terminal until its character is painted, while a scripted
                     tutor streams 40 fragments a second and the reply grows
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STARTS = 5
KEYS = 300
KEY_GAP_S = 0.037  # not a multiple of the app's 50 ms, so that every phase of its painting is met
LINE = 40  # keys until the line is cleared, as a sentence would be sent
FRAGMENTS_A_SECOND = 40
REPLY_WORDS = 160  # then a new reply begins, as in a long talk
LIMIT_S = 60.0
SIZE = (30, 100)  # rows, columns
CLEAR_LINE = b"\x15"
MEASURED = [chr(code) for code in (*range(0x03B1, 0x03CA), *range(0x0430, 0x0450))]
"""Greek, then Cyrillic letters: each is sent once a line, and never stands in the streamed text."""


def main() -> dict[str, Any]:
    """Medians over a few starts, and percentiles over a few hundred keys; milliseconds."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as lived_in:
        first = [_start_to(empty, b"Linguist") for _ in range(STARTS)]
        _make_learner(lived_in)
        home = [_start_to(lived_in, "○".encode()) for _ in range(STARTS)]
    keys = sorted(_key_times())
    return {
        "terminal": f"{SIZE[1]}x{SIZE[0]}",
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "first_paint_ms": round(statistics.median(first), 1),
        "first_paint_all_ms": [round(value, 1) for value in first],
        "home_ms": round(statistics.median(home), 1),
        "keys": len(keys),
        "key_p50_ms": round(_percentile(keys, 0.50), 1),
        "key_p95_ms": round(_percentile(keys, 0.95), 1),
        "key_p99_ms": round(_percentile(keys, 0.99), 1),
        "key_worst_ms": round(keys[-1], 1),
    }


def streaming_app() -> None:
    """The app with a tutor that never stops writing; run in the child process."""
    from tests.ui import script
    from tests.ui.fake_service import FakeSession
    from tutor_app.session.events import Event, Reply, ReplyFragment, ReplyStarted, TurnIn
    from tutor_app.ui.app import run

    class Endless(FakeSession):
        def submit(self, turn: TurnIn) -> Iterator[Event]:
            while not self._stop.is_set():
                yield ReplyStarted("ask")
                for number in range(REPLY_WORDS):
                    time.sleep(1 / FRAGMENTS_A_SECOND)
                    if self._stop.is_set():
                        break
                    yield ReplyFragment("palabra " if number % 7 else "otra vez, ")
                yield Reply("palabra " * REPLY_WORDS, "ask", ("ok",), "model")

    service = script.service(make_session=lambda: Endless([script.STARTED, script.TALK]))
    sys.exit(run(service))


def _key_times() -> list[float]:
    """Milliseconds from key to paint, one a key, while a reply streams."""
    with _terminal(
        [sys.executable, "-c", "from tests.benchmarks.paint import streaming_app; streaming_app()"]
    ) as fd:
        _read_until(fd, "▸".encode())
        os.write(fd, b"\r")
        _read_until(fd, "Lucía".encode())
        os.write(fd, b"hola")
        _read_until(fd, b"hola")
        os.write(fd, b"\r")
        _read_until(fd, b"palabra")
        return [_one_key(fd, number) for number in range(KEYS)]


def _one_key(fd: int, number: int) -> float:
    if number % LINE == 0:
        os.write(fd, CLEAR_LINE)
    _drain(fd, KEY_GAP_S)
    key = MEASURED[number % LINE].encode()
    begun = time.perf_counter()
    os.write(fd, key)
    _read_until(fd, key)
    return 1000 * (time.perf_counter() - begun)


def _start_to(data_dir: str, words: bytes) -> float:
    """Milliseconds from starting the real command to `words` on the screen."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", "from tutor_app.cli.main import main; main()"]
    with _terminal(command, {"TUTOR_HOME": data_dir}) as fd:
        _read_until(fd, words)
        return 1000 * (time.perf_counter() - begun)


def _make_learner(data_dir: str) -> None:
    from tutor_app.progress.store import create_learner

    create_learner(Path(data_dir), "Ana", {"language": "es", "track": "l2"})


@contextmanager
def _terminal(command: list[str], environment: dict[str, str] | None = None) -> Iterator[int]:
    """A process on a pseudo-terminal of its own; the file descriptor of our end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True, close_fds=True
    )
    os.close(theirs)
    try:
        yield ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(fd: int, words: bytes) -> None:
    """Read the terminal until `words` have been painted."""
    seen = b""
    ends = time.perf_counter() + LIMIT_S
    while words not in seen:
        if not select.select([fd], [], [], max(0.0, ends - time.perf_counter()))[0]:
            raise TimeoutError(f"{words.decode()!r} was not painted within {LIMIT_S:.0f} s")
        seen = seen[-4096:] + os.read(fd, 65536)


def _drain(fd: int, seconds: float) -> None:
    """Read and drop what is painted in the meantime."""
    ends = time.perf_counter() + seconds
    while (left := ends - time.perf_counter()) > 0:
        if select.select([fd], [], [], left)[0]:
            os.read(fd, 65536)


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
