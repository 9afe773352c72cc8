"""What is common to all units: the setting of a lesson, what a turn tells, and what it led to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lessons.schema import Lesson, Level, SetInfo
from tutor_app.pedagogy import policy, signals
from tutor_app.pedagogy.policy import Decision, History
from tutor_app.pedagogy.repetition import LAST_REPLIES
from tutor_app.pedagogy.uptake import Asked as AskedFor
from tutor_app.progress.records import SavedTurn
from tutor_app.session.bring_up import Reminder
from tutor_app.session.choices import Choices
from tutor_app.session.drafts import Draft
from tutor_app.session.events import Attempt
from tutor_app.session.plan import Position, Unit


@dataclass(frozen=True)
class Setting:
    """What does not change during a lesson, but for `choices`."""

    info: SetInfo
    lesson: Lesson | None
    level: Level
    find_own_words: Callable[[], frozenset[str]]
    """Every word of the lesson, which is within its level; may wait while they are still being counted."""
    seed: int
    choices: Choices = field(default_factory=Choices)
    reminders: tuple[Reminder, ...] = ()
    """What is due and may come up in talk."""

    @property
    def own_words(self) -> frozenset[str]:
        return self.find_own_words()

    @property
    def tag(self) -> str:
        return self.info.language

    @property
    def gloss(self) -> bool:
        """Whether the tutor may fall back on the support language."""
        if self.choices.support != "auto":
            return self.choices.support == "always"
        return self.level == "A1" or self.info.track == "heritage"


@dataclass(frozen=True)
class Outcome:
    """What a turn led to."""

    draft: Draft
    decision: Decision
    attempt: Attempt | None = None
    target: tuple[str, ...] = ()
    """The form the reply offers or asks for."""
    over: bool = False
    solved: bool = False
    explanation: str = ""
    brought: int | None = None
    """The card of what was due and is asked for by this reply."""


@dataclass(frozen=True)
class Turn:
    """What the learner did, and what can be told from it alone."""

    text: str
    elapsed_s: float | None
    confused: bool
    slow: bool
    off_task: bool
    code_switched: bool
    repeated: bool = False
    """Said once more what was just said."""


def read(
    text: str, elapsed_s: float | None, pace: list[tuple[int, float]], tag: str, said_before: str = ""
) -> Turn:
    """The signals of the turn itself; `said_before` is the learner's turn before it at the same place."""
    return Turn(
        text,
        elapsed_s,
        signals.confused(text, tag),
        signals.slow(text, elapsed_s, pace),
        signals.off_task(text, tag),
        signals.code_switched(text, tag),
        bool(said_before) and signals.repeats(text, [said_before], tag),
    )


def last_replies(opening: str, saved: Iterable[SavedTurn], unit: Unit | None) -> tuple[str, ...]:
    """What the tutor last said in the talk of `unit` (None: free talk), from its opening on, oldest first."""
    return (opening, *(reply for _, reply in _answered(saved, unit)))[-LAST_REPLIES:]


def talked(saved: Iterable[SavedTurn], unit: Unit | None) -> list[tuple[str, str]]:
    """What the learner said in the talk of `unit` (None: free talk), and the tutor's reply."""
    return [(turn.text, reply) for turn, reply in _answered(saved, unit) if turn.command is None]


def _answered(saved: Iterable[SavedTurn], unit: Unit | None) -> Iterator[tuple[SavedTurn, str]]:
    place = unit.id if unit is not None else None
    for turn in saved:
        # What a crash cut off is half a sentence.
        if (
            turn.item_id == place
            and turn.reply is not None
            and turn.reply.text
            and turn.reply.status != "partial"
        ):
            yield turn, turn.reply.text


def count_turn(position: Position, turn: Turn) -> None:
    """A turn in an open step. Being lost costs no turn, except every second time, so that every step ends."""
    if turn.confused:
        position.simplified += 1
    if not turn.confused or position.simplified % 2 == 0:
        position.turn += 1


def history(
    position: Position, *, run: int | None = None, attempts: int | None = None, culture: bool = False
) -> History:
    return History(
        hint_level=position.hint_level,
        attempts=position.attempts if attempts is None else attempts,
        run=position.run if run is None else run,
        tags=tuple(position.tags),
        moves=tuple(position.moves),  # type: ignore[arg-type]  # only ever filled with moves
        turns=position.turn,
        culture_due=culture,
    )


def signal_list(turn: Turn, tags: tuple[str, ...], past: History) -> tuple[str, ...]:
    return policy.signal_list(
        confused=turn.confused, slow=turn.slow, off_task=turn.off_task, code_switched=turn.code_switched,
        tags=tags, history=past, repeated=turn.repeated,
    )  # fmt: skip


def asked_for(outcome: Outcome, said: str) -> AskedFor:
    """What the learner's next turn can take up."""
    return AskedFor(outcome.decision.move, outcome.target, said)
