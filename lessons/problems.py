"""What can be said against a file of a lesson set, in words an instructor can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that keeps a file from being read, where it is, and what to do about it."""

    file: Path
    line: int
    """Counted from 1; 0 when the whole file is meant."""
    message: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.message}" + (f" — {self.fix}" if self.fix else "")


class LessonError(Exception):
    """A lesson, set or pack that cannot be used; `str()` is fit for the user, one line a problem."""


class ReadError(LessonError):
    """Files that could not be read as lessons, with every problem found in them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
