"""One training conversation, whatever it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tutor_app.pedagogy.templates import Message


@dataclass(frozen=True)
class Example:
    """A conversation whose tutor turns are trained on."""

    id: str
    """Unique in its source: what a report or a deletion request names."""
    source: str
    """Its reader; once mixed, the name that the config gives it."""
    messages: tuple[Message, ...]
    untrained: frozenset[int] = frozenset()
    """Indices of tutor messages on which no loss counts."""

    @property
    def text(self) -> str:
        return "\n".join(message.content for message in self.messages)


@dataclass
class Tally:
    """What a source gave and what it left out, by reason."""

    read: int = 0
    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str, count: int = 1) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + count


Examples = Iterator[Example]
