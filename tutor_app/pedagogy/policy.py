"""From what the learner's turn tells to what the tutor does next. Pure; the whole of the tutor's judgement.

The order of rules is the pedagogy: being lost comes before being wrong, meaning before form, and a recast,
which learners take up about a third of the time, is always followed by something that elicits the form
(Lyster & Ranta 1997; Lyster & Saito 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lessons.schema import Move, Track

Situation = Literal["item", "talk", "write", "reflect"]

STRONG_RUN = 3
"""Right answers in a row after which something harder is asked."""
CHECK_EVERY = 5
"""In a talk, every so many turns the tutor makes sure that it is understood."""
MAX_HINT = 4
RETURNING: frozenset[Move] = frozenset({"simplify", "hint", "question", "explore"})
"""Moves that come back to what was asked: more simply, with help, or for a form to be said once more."""


@dataclass(frozen=True)
class History:
    """What came before in this lesson, as far as the policy cares."""

    hint_level: int = 0
    """Of the current item; the ladder only goes up."""
    attempts: int = 0
    """At the current item, this turn included."""
    run: int = 0
    """Right answers in a row, this turn included."""
    tags: tuple[str, ...] = ()
    """Every error tag met earlier in the lesson."""
    moves: tuple[Move, ...] = ()
    """Every move made so far, oldest first."""
    turns: int = 0
    """Learner turns in the current talk, this one included."""
    culture_due: bool = False
    """A culture note belongs to this step and has not been told."""


@dataclass(frozen=True)
class Decision:
    move: Move
    hint_level: int = 0
    """For a hint: which rung, 1 nudge, 2 cue, 3 choice, 4 model."""
    elicit: bool = False
    """The reply also asks for something that needs the form again."""
    harder: bool = False
    """The run was good: the next question may ask for more."""
    signals: tuple[str, ...] = field(default=())


def signal_list(
    *,
    confused: bool,
    slow: bool,
    off_task: bool,
    code_switched: bool,
    tags: Sequence[str],
    history: History,
    repeated: bool = False,
) -> tuple[str, ...]:
    """The closed set of DESIGN section 7, in order of weight.

    `repeated`: the learner said once more what they had just said. Where that holds an error, it is a repeated
    one whatever its tag; where it holds none, the tutor was not understood.
    """
    found: list[str] = []
    confused = confused or (repeated and not tags and not off_task)
    if confused:
        found.append("confused")
    if off_task:
        found.append("off_task")
    if not confused:
        for tag in tags:
            found.append(f"error:{tag}")
            if tag in history.tags or repeated:
                found.append(f"repeat_error:{tag}")
    if slow:
        found.append("slow")
    if code_switched:
        found.append("code_switch")
    if not confused and not off_task and not tags:
        found.append("strong" if history.run >= STRONG_RUN else "ok")
    return tuple(found)


def decide(
    signals: Sequence[str],
    history: History,
    situation: Situation,
    *,
    track: Track,
    may: Sequence[Move],
    correct: bool = False,
    foreseen: bool = False,
    asked_for: Literal["hint", "explain", "skip"] | None = None,
) -> Decision:
    """The tutor's next move.

    `correct`: the item was answered. `foreseen`: there is a form to recast (the instructor's pattern, or a
    reformulation that is believed). `may`: what the item allows; hints, simplifying and going on always are.
    """
    move = _choose(
        signals, history, situation, track, correct=correct, foreseen=foreseen, asked_for=asked_for
    )
    if move.move in may or move.move in ("hint", "simplify", "affirm", "ask"):
        return move
    if move.move == "recast":
        return _rung(history, signals) if situation == "item" else Decision("ask", signals=tuple(signals))
    return Decision("affirm" if correct else "ask", signals=tuple(signals))


def _choose(
    signals: Sequence[str],
    history: History,
    situation: Situation,
    track: Track,
    *,
    correct: bool,
    foreseen: bool,
    asked_for: Literal["hint", "explain", "skip"] | None,
) -> Decision:
    told = tuple(signals)
    last = history.moves[-1] if history.moves else None
    error = any(signal.startswith("error:") for signal in signals)
    again = any(signal.startswith("repeat_error:") for signal in signals)
    if asked_for == "hint":
        return _rung(history, told)
    if "confused" in signals:
        # First the same thing more simply; whoever is still lost gets a step up the ladder.
        return _rung(history, told) if last in ("simplify", "hint") else Decision("simplify", signals=told)
    if "off_task" in signals:
        return _rung(history, told) if situation == "item" else Decision("ask", signals=told)
    if situation == "item":
        if correct:
            return Decision("affirm", harder=history.run >= STRONG_RUN, signals=told)
        if not foreseen:
            return _rung(history, told)
        if history.attempts <= 1 and not again:
            return Decision("recast", elicit=True, signals=told)
        # The same thing again: a recast was not enough. Let them compare first, then climb the ladder.
        if history.attempts <= 2 and last != "question":
            return Decision("question", elicit=True, signals=told)
        return _rung(history, told)
    if error and foreseen:
        if again and last == "recast":
            return Decision("explore" if track == "heritage" else "question", elicit=True, signals=told)
        return Decision("recast", elicit=True, signals=told)
    if "slow" in signals:
        return Decision("hint", hint_level=1, elicit=True, signals=told)
    if situation == "reflect":
        return Decision("reflect", signals=told)
    if history.culture_due and history.turns >= 2:
        return Decision("culture", signals=told)
    if situation == "talk" and history.turns and history.turns % CHECK_EVERY == 0:
        return Decision("check", signals=told)
    return Decision("ask", harder="strong" in signals, signals=told)


def _rung(history: History, signals: Sequence[str]) -> Decision:
    return Decision("hint", hint_level=min(history.hint_level + 1, MAX_HINT), signals=tuple(signals))
