"""What threads tell the screens about the learner. Each says what was asked, so that a late answer is not shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tutor_app.progress.queries import Day, FormHistory, Hit, SessionLine
    from tutor_app.progress.records import FormKnowledge
    from tutor_app.session.insight import Insight, Progress, Remembered, Transcript


@dataclass
class ProgressFound(Message):
    insight: Insight
    progress: Progress
    set_ids: Sequence[str]


@dataclass
class FormsFound(Message):
    insight: Insight
    forms: Sequence[FormKnowledge]


@dataclass
class HistoryFound(Message):
    form: FormKnowledge
    history: FormHistory


@dataclass
class DaysFound(Message):
    insight: Insight
    days: Sequence[Day]
    today: date


@dataclass
class SessionsOfDayFound(Message):
    insight: Insight
    day: date
    sessions: Sequence[SessionLine]


@dataclass
class LinesFound(Message):
    """Hits for `text`; the latest sessions when it is empty."""

    insight: Insight
    text: str
    hits: Sequence[Hit]
    sessions: Sequence[SessionLine]


@dataclass
class TranscriptFound(Message):
    insight: Insight
    transcript: Transcript


@dataclass
class RememberedFound(Message):
    insight: Insight
    remembered: Remembered


class Deleted(Message):
    """What was to be deleted is gone."""


class MemoryChanged(Message):
    """Something remembered was corrected, left alone or deleted, or could not be."""
