"""What every converter gives back: what was written, and what could not be carried over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lessons.problems import LessonError

SHOWN = 3
"""Examples named for each kind of loss."""


class ExchangeError(LessonError):
    """A file of another program that cannot be read, or a set that cannot be written for it."""


@dataclass(frozen=True)
class Loss:
    """One kind of thing that the other format has no place for."""

    what: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.examples) else ""
        where = f" ({', '.join(self.examples)}{more})" if self.examples else ""
        return f"{self.count} × {self.what}{where}"


@dataclass
class Losses:
    """Collects what gets lost while a converter is at work."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, where: str) -> None:
        self.found.setdefault(what, []).append(where)

    def all(self) -> tuple[Loss, ...]:
        """Every kind, the most frequent first."""
        losses = [Loss(what, len(where), tuple(where[:SHOWN])) for what, where in self.found.items()]
        return tuple(sorted(losses, key=lambda loss: (-loss.count, loss.what)))


@dataclass(frozen=True)
class Outcome:
    """The result of one conversion."""

    path: Path
    written: int
    """Questions, cards or lessons, whatever the format counts."""
    unit: str
    losses: tuple[Loss, ...]

    def lines(self) -> Iterator[str]:
        """The same for people."""
        yield f"{self.path}: {self.written} {self.unit}"
        if self.losses:
            yield "Not carried over:"
        for loss in self.losses:
            yield f"  {loss}"


MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Of a word list or a file of questions."""


def read_limited(path: Path) -> bytes:
    """The content of a text file of another program. Raises ExchangeError when it is too large or unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise ExchangeError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_TEXT_BYTES:
        raise ExchangeError(f"{path} is larger than {MAX_TEXT_BYTES >> 20} MiB. Split it.")
    return data
