"""The real program on a real terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
from pathlib import Path

import pytest

from tutor_app.progress.store import create_learner

PATIENCE_S = 30.0
"""Longer than any screen takes; only a screen that hangs reaches it."""


class Terminal:
    """The app in a pseudo-terminal of 80×24."""

    def __init__(self, home: Path, *args: str, **environ: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"} | environ)
            code = "from tutor_app.cli.main import main; main()"
            os.execv(sys.executable, [sys.executable, "-c", code, "--data-dir", str(home), *args])

    def read(self) -> str:
        """What comes next; empty when nothing does."""
        ready, _, _ = select.select([self.fd], [], [], PATIENCE_S)
        if not ready:
            return ""
        try:
            return os.read(self.fd, 65536).decode("utf-8", "replace")
        except OSError:
            return ""

    def until(self, words: str) -> str:
        seen = ""
        while words not in seen:
            part = self.read()
            assert part, f"{words!r} did not come; last: {seen[-400:]!r}"
            seen += part
        return seen

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.mark.model
@pytest.mark.slow
def test_the_screen_answers_keys_while_the_model_loads(tmp_path: Path) -> None:
    learner = create_learner(tmp_path, "Ana", {"language": "es", "track": "l2"})
    terminal = Terminal(tmp_path, "--learner", learner.id)
    try:
        terminal.until("Ana")
        for _ in range(10):
            terminal.press("\x1b[B")
            assert terminal.read(), "a key was pressed and nothing was painted"
    finally:
        terminal.close()


def test_a_terminal_that_is_not_utf8_gets_the_plain_lessons_without_a_crash(tmp_path: Path) -> None:
    create_learner(tmp_path, "Ana", {"language": "es", "track": "l2"})
    terminal = Terminal(tmp_path, "--plain", PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    try:
        terminal.until("Who is learning?")
        terminal.press("1\n")
        terminal.until("0 to leave")
        terminal.press("0\n")
        assert os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == 0
    finally:
        os.close(terminal.fd)
