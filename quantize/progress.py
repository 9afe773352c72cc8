"""One line on stderr that says how far a long step has come, and only to a terminal."""

from __future__ import annotations

import sys
from typing import TextIO


class Progress:
    """A counter over `total` things; silent unless `stream` is a terminal.

    Each step rewrites the line, so nothing is left in a log or in a pipe.
    """

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.stream = stream if stream is not None else sys.stderr
        self.visible = self.stream.isatty()

    def step(self, what: str, done: int | None = None) -> None:
        """One more thing (or `done` of them) is finished; `what` names the one at hand."""
        self.done = self.done + 1 if done is None else done
        if self.visible:
            self.stream.write(f"\r\033[K{self.label} {self.done}/{self.total} {what[:60]}")
            self.stream.flush()

    def close(self) -> None:
        """Leave the line empty for whatever is printed next."""
        if self.visible and self.done:
            self.stream.write("\r\033[K")
            self.stream.flush()
