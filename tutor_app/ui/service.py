"""What the screens need from the rest of the program: one facade, synchronous and typed.

The screens do no I/O of their own. `tutor_app.session.service.TutorService` is the real thing;
`tests/ui/fake_service.py` plays it from a script.

Threads. Methods marked *slow* read disk or parse lessons: the screens call them from a thread worker, so every
method must be callable from any thread (not concurrently with itself). Nothing but `load_model` may wait for
the language model. Any method may raise `TutorError`, whose message is shown to the learner as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from tutor_app.llm.protocol import EngineStats
from tutor_app.progress.records import Learner, SavedTurn
from tutor_app.session.events import Event, ModelState, Summary, TurnIn
from tutor_app.session.overview import LessonOverview, ModelOverview, SetOverview, SettingValue, WordEntry

if TYPE_CHECKING:
    from tutor_app.session.insight import Insight

__all__ = [
    "LessonOverview",
    "LessonSession",
    "ModelOverview",
    "Service",
    "SetOverview",
    "SettingValue",
    "WordEntry",
]


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

    def notice(self) -> str:
        """What the open learner should know about their file, such as that it was repaired; mostly empty."""

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

    def insight(self) -> Insight:
        """What the open learner did, knows and told: read, corrected and deleted through it. *Slow*, as its methods."""

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
