"""The rows of a learner's file as plain data. Times are UTC seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["partial", "final", "stopped"]


@dataclass(frozen=True)
class Learner:
    id: str
    """Folder name: lower-case letters, digits, hyphens."""
    name: str
    """As the learner wrote it."""
    created_at: float
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SavedReply:
    id: int
    turn_id: int
    move: str
    text: str
    status: Status
    signals: tuple[str, ...]
    source: str
    hint_level: int
    recast: str | None
    uptake: bool | None
    repair: bool | None


@dataclass(frozen=True)
class SavedTurn:
    """One turn of the learner's and, when there is one, the reply to it."""

    id: int
    text: str
    command: str | None
    elapsed_s: float | None
    at: float
    item_id: str | None
    reply: SavedReply | None


@dataclass(frozen=True)
class SavedSession:
    """A session that was not ended: where it stood and what was said."""

    id: int
    set_id: str
    set_version: str
    lesson_id: str | None
    seed: int
    position: dict[str, Any]
    """The session's own JSON: which item, hint level, attempts, counts."""
    turns: tuple[SavedTurn, ...]


@dataclass(frozen=True)
class LessonProgress:
    lesson_id: str
    items_seen: int
    items_correct: int
    finished: bool
    last_at: float
    open_session: bool
