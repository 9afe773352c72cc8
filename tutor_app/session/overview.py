"""Sets, lessons and models as a learner meets them: plain data for screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SettingValue = str | int | bool

REVIEW = "(review)"
"""Lesson id of a review, in the learner's file and for `start_lesson`; the brackets keep it from being any lesson's own."""
REVIEW_NAME = "Review"
FORMER_REVIEW = "review"
"""The same in files of before, when a lesson of that id could not be studied."""


@dataclass(frozen=True)
class WordEntry:
    """A word of the lesson, for the words panel."""

    word: str
    gloss: str
    reading: str = ""
    """Pinyin or transliteration; shown when the learner wants it."""


@dataclass(frozen=True)
class LessonOverview:
    """One line of the home screen, and what is shown beside it."""

    id: str
    title: str
    level: str
    minutes: int
    objectives: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Titles of the prerequisites that are not finished yet: advice, never a lock."""
    items_total: int = 0
    items_seen: int = 0
    items_correct: int = 0
    finished: bool = False
    open_session: bool = False
    """The learner left in the middle: "continue"."""
    last_at: float | None = None
    """UTC seconds since the epoch; None when never opened."""
    words: tuple[WordEntry, ...] = ()
    due: int = 0
    """Reviews due that belong to this lesson."""
    mastered: bool = False
    """Learnt: enough items right, or every form of it known by now. Opens nothing and closes nothing."""
    check: str = ""
    """`pre` or `post` when it is one of the set's two checks."""


@dataclass(frozen=True)
class SetOverview:
    """A lesson set as the learner meets it."""

    id: str
    title: str
    description: str
    language: str
    """BCP 47: es, zh, ar, fr."""
    language_name: str
    """In English: "Spanish"."""
    track: Literal["heritage", "l2"]
    levels: tuple[str, ...]
    lessons: tuple[LessonOverview, ...]
    due: int = 0
    """Reviews due in the whole set."""
    forms: Mapping[str, str] = field(default_factory=dict)
    """Form id → its name as the learner reads it, for the summary."""
    level: str = ""
    """The learner's level in this set."""
    start_level: str = ""
    """Where the placement or the learner said to begin; empty when that was never asked."""
    level_reached: bool = False
    """They have come to this level since they last looked."""
    next_lesson: str = ""
    """Id of the lesson to go on with; empty when everything is learnt."""
    next_why: str = ""
    """Why that one, for the learner."""
    review_items: int = 0
    """How many things a review of this set would ask now."""
    waiting: int = 0
    """Due too, but beyond today's amount: they come another day, and nobody counts them against the learner."""


@dataclass(frozen=True)
class ModelOverview:
    """A language model the learner could use."""

    id: str
    size_bytes: int
    note: str
    """One plain line: what it is good at, what it needs ("Good Spanish, weak Arabic; needs 2 GB")."""
    present: bool
    """On this machine and complete."""
    active: bool
    refused: str = ""
    """Why it cannot run here, when it cannot ("needs ~6 GB of memory, 3.1 free")."""
