"""What the screens need from the rest of the program: one facade, synchronous and typed.

The screens do no I/O of their own. `tutor_app.session.service.TutorService` is the real thing;
`tests/ui/fake_service.py` plays it from a script.

Threads. Methods marked *slow* read disk or parse lessons: the screens call them from a thread worker, so every
method must be callable from any thread (not concurrently with itself). Nothing but `load_model` may wait for
the language model. Any method may raise `TutorError`, whose message is shown to the learner as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tutor_app.llm.protocol import EngineStats
from tutor_app.progress.records import Learner, SavedTurn
from tutor_app.session.events import Event, ModelState, Summary, TurnIn

SettingValue = str | int | bool


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
    talk_open: bool = False
    """A free talk was left in the middle."""


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


class LessonSession(Protocol):
    """A lesson or a talk. `start` and `submit` run in one worker thread, never at the same time.

    `stop` and `close` may come from any thread at any moment, also while an iterator is being consumed.
    """

    @property
    def earlier(self) -> Sequence[SavedTurn]:
        """What was said before, when this session was resumed; read after the `SessionStarted` event."""

    def start(self) -> Iterator[Event]:
        """SessionStarted first, then the first StepShown. May yield ModelState while the lesson is read in."""

    def submit(self, turn: TurnIn) -> Iterator[Event]:
        """Everything that follows from one turn: Attempt, Reply…, then StepShown or Summary.

        When the model is still loading and this turn needs it, yields ModelState until it is ready.
        """

    def stop(self) -> None:
        """Cut the reply short: within 0.5 s `submit` yields Reply(stopped=True) and goes on as usual.

        While `submit` waits for the model, stop ends the waiting and the lesson's own words are the reply.
        """

    def save_word(self, word: str, sentence: str) -> None:
        """Keep a word, with the line it was met in, among the learner's reviews."""

    def close(self) -> Summary | None:
        """End and save, in under a second, whatever is going on. The summary, when something was done."""


class Service(Protocol):
    """Everything behind the screens."""

    def learners(self) -> Sequence[Learner]:
        """Everybody with a file on this machine, latest first. Fast (a folder listing)."""

    def create_learner(self, name: str, settings: Mapping[str, SettingValue]) -> Learner:
        """Make a learner's file and open it. `settings` has `language` and `track`, and may have more."""

    def open_learner(self, learner_id: str) -> Learner:
        """From here on, everything is about this learner. *Slow.*"""

    def learner(self) -> Learner | None:
        """Who is open."""

    def sets(self) -> Sequence[SetOverview]:
        """Installed lesson sets with this learner's progress; what fits language and track first. *Slow.*"""

    def start_lesson(self, set_id: str, lesson_id: str | None) -> LessonSession:
        """A session on this lesson, or a free talk when None; resumes one that was left in the middle. *Slow.*

        Does not wait for the model.
        """

    def settings(self) -> Mapping[str, SettingValue]:
        """What this learner chose; a key that is absent has its default (`tutor_app.ui.preferences`)."""

    def set_setting(self, key: str, value: SettingValue) -> None:
        """Remember a choice; it counts from the next turn on."""

    def models(self) -> Sequence[ModelOverview]:
        """What the catalogue has, usable ones first. *Slow.*"""

    def use_model(self, model_id: str) -> None:
        """Make this the active model; `load_model` then loads it."""

    def load_model(self, on_state: Callable[[ModelState], None]) -> None:
        """Begin loading the active model in a thread of the service's own; returns at once.

        `on_state` is called from that thread with every change, also later (`lost`, loading again).
        """

    def engine_stats(self) -> EngineStats | None:
        """For the gauge; None when nothing is loaded. Never waits."""

    def active_model(self) -> str | None:
        """Id of the model that is or will be loaded; None when there is none."""

    def close(self) -> None:
        """End the engine and close files; idempotent, under a second."""
