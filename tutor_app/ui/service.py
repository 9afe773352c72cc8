"""What the screens need from the rest of the program: one facade, synchronous and typed.

The screens do no I/O of their own. `tutor_app.session.service.TutorService` is the real thing;
`tests/ui/fake_service.py` plays it from a script.

Threads. Methods marked *slow* read disk or parse lessons: the screens call them from a thread worker, so every
method must be callable from any thread (not concurrently with itself). Nothing but `load_model` may wait for
the language model. Any method may raise `TutorError`, whose message is shown to the learner as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tutor_app.llm.protocol import EngineStats
from tutor_app.progress.records import Learner, SavedTurn
from tutor_app.session.events import Event, ModelState, Said, StepShown, Summary, TurnIn
from tutor_app.session.overview import (
    REVIEW,
    LessonOverview,
    ModelOverview,
    SetOverview,
    SettingValue,
    WordEntry,
)

if TYPE_CHECKING:
    from tutor_app.progress.placement import Placed
    from tutor_app.progress.sharing import Share
    from tutor_app.session.insight import Insight
    from tutor_app.speech.listening import Ear
    from tutor_app.speech.reader import Reader

__all__ = [
    "REVIEW",
    "LessonOverview",
    "LessonSession",
    "ModelOverview",
    "Placement",
    "Service",
    "SetOverview",
    "SettingValue",
    "WordEntry",
]


class LessonSession(Protocol):
    """A lesson or a talk. `start` and `submit` run in one worker thread, never at the same time.

    `stop`, `stop_reading` and `close` come from any thread at any moment, also while an iterator is being consumed.
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

    def read_along(self, draft: Said, *, whole: bool, wanted: Callable[[], bool]) -> None:
        """Do ahead what `draft` will need when it is sent; in a thread of its own, begun between two turns.

        `whole`: the learner seems to be done with it. An empty draft: they have been answered, and write nothing yet.
        `wanted()` False: leave off.
        """

    def stop_reading(self) -> None:
        """Make `read_along` come back soon."""

    def stop(self) -> None:
        """Cut the reply short: within 0.5 s `submit` yields Reply(stopped=True) and goes on as usual.

        While `submit` waits for the model, stop ends the waiting and the lesson's own words are the reply.
        """

    def save_word(self, word: str, sentence: str) -> None:
        """Keep a word, with the line it was met in, among the learner's reviews."""

    def close(self) -> Summary | None:
        """End and save, in under a second, whatever is going on. The summary, when something was done."""


class Placement(Protocol):
    """A short check of what the learner knows: nothing is marked, and it can end at any moment."""

    @property
    def answered(self) -> int:
        """Answers so far."""

    def step(self) -> StepShown | None:
        """What is asked now; None when enough is known."""

    def answer(self, text: str, elapsed_s: float | None) -> None:
        """The answer to the present step; empty for "I don't know"."""

    def result(self) -> Placed:
        """Where to begin, as far as is known."""


class Service(Protocol):
    """Everything behind the screens."""

    def learners(self) -> Sequence[Learner]:
        """Everybody with a file on this machine, latest first. Fast (a folder listing)."""

    def create_learner(self, name: str, settings: Mapping[str, SettingValue]) -> Learner:
        """Make a learner's file and open it. `settings` has `language` and `track`, and may have more."""

    wanted: str
    """Id of a learner who was named at the start and is not open yet; empty when nobody is waited for."""

    def open_learner(self, learner_id: str, pin_given: str = "") -> Learner:
        """From here on, everything is about this learner. *Slow.* Raises PinNeeded or WrongPin (of `progress.pin`)."""

    def set_pin(self, new: str, old: str = "") -> None:
        """Ask the open learner for `new` from now on, for nothing when it is empty; `old` is the PIN so far. *Slow.*"""

    def has_pin(self) -> bool:
        """Whether the open learner has a PIN."""

    def care(self) -> None:
        """What is done for the open learner's file when nobody waits. *Slow*: a second or two now and then."""

    def learner(self) -> Learner | None:
        """Who is open."""

    def notice(self) -> str:
        """What the open learner should know about their file, such as that it was repaired; mostly empty."""

    def sets(self) -> Sequence[SetOverview]:
        """Installed lesson sets with this learner's progress; what fits language and track first. *Slow.*"""

    def start_lesson(self, set_id: str, lesson_id: str | None) -> LessonSession:
        """A session on this lesson, a free talk when None, a review when `REVIEW`; resumes one that was left in the middle. *Slow.*

        Does not wait for the model.
        """

    def settings(self) -> Mapping[str, SettingValue]:
        """What this learner chose; a key that is absent has its default (`tutor_app.ui.preferences`)."""

    def set_setting(self, key: str, value: SettingValue) -> None:
        """Remember a choice; it counts from the next turn on."""

    def place(self, set_id: str) -> Placement:
        """A placement with the items of this set. *Slow.*"""

    def practised(self) -> Mapping[str, str]:
        """Set id → title of every set with something to hand in. *Slow.*"""

    def hand_in(
        self, target: Path, set_ids: Sequence[str], share: Share, name: str = "", key: Path | None = None
    ) -> None:
        """Write a signed hand-in of these sets, sealed for the public key in the file `key`. *Slow.*"""

    def insight(self) -> Insight:
        """What the open learner did, knows and told: read, corrected and deleted through it. *Slow*, as its methods."""

    def ear(self) -> Ear | None:
        """Microphone and recogniser; None where speech is not installed. Fast: starts nothing."""

    def reader(self, set_id: str) -> Reader | None:
        """What reads a set's lines aloud; None where nothing can. Fast: starts nothing."""

    def keep_recording(self, pcm: bytes) -> None:
        """Put a recording of the open learner, who asked for that, into their folder. *Slow.*"""

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
