"""The rows of a learner's file as plain data. Times are UTC seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["partial", "final", "stopped"]
CardKind = Literal["word", "form", "recast"]


@dataclass(frozen=True)
class Learner:
    id: str
    """Folder name: lower-case letters, digits, hyphens."""
    name: str
    """As the learner wrote it."""
    created_at: float
    settings: dict[str, Any] = field(default_factory=dict)
    readable: bool = True
    """False: neither the file nor a backup could be read, and `name` is only the id. Opening it repairs it."""


@dataclass(frozen=True)
class SavedReply:
    id: int
    turn_id: int
    move: str
    text: str
    status: Status
    """`partial` in a file that is opened means: the program ended before the reply did."""
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
    """Items that, when last met, were right at the first try or after one hint."""
    finished: bool
    last_at: float
    open_session: bool


@dataclass(frozen=True)
class ItemResult:
    """How an item went, all sessions together."""

    item_id: str
    lesson_id: str | None
    attempts: int
    correct: bool
    """Right in the session that met it last, with whatever help."""
    clean: bool
    """Right there at the first try or after one hint."""
    last_at: float


@dataclass(frozen=True)
class DueItem:
    """Something to bring up again: a word, a form, or a form that the tutor once recast."""

    card_id: int
    kind: CardKind
    key: str
    """The word, the id of the form, or the recast words."""
    language: str
    set_id: str | None
    gloss: str
    sentence: str
    """Where it was met, in the learner's or the tutor's own words."""
    due_at: float
    retrievability: float
    """Probability, by FSRS, that it is still known now."""


@dataclass(frozen=True)
class FormKnowledge:
    """What is known about one form of a set."""

    set_id: str
    form_id: str
    right: int
    tried: int
    probability: float
    """That the learner gets it right next time; see `knowledge.py`."""
    uptake: tuple[int, int]
    """(moves taken up, moves that could be)."""
    repair: tuple[int, int]
    last_at: float


@dataclass(frozen=True)
class Memory:
    """A sentence that the tutor remembers about the learner."""

    id: int
    text: str
    language: str
    turn_id: int | None
    """Where the learner told it; None when they wrote it themselves, or that session was deleted."""
    at: float


@dataclass(frozen=True)
class SavedCard:
    """A word, a form or a recast that reviews keep, as the learner may read and correct it."""

    id: int
    kind: CardKind
    key: str
    language: str
    set_id: str | None
    gloss: str
    sentence: str
    due_at: float
    last_at: float | None
    """None when it never came up yet."""
    suspended: bool
    """The learner does not want it brought up."""
    retrievability: float
