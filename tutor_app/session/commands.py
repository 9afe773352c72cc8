"""What the tutor does when the learner presses a key: hint, skip, explain."""

from __future__ import annotations

from collections.abc import Sequence

from lessons.schema import TalkStep, WriteStep
from tutor_app.pedagogy import author
from tutor_app.pedagogy.assess import present
from tutor_app.pedagogy.policy import Decision
from tutor_app.session import checking, items, talk, turns
from tutor_app.session.drafts import authored
from tutor_app.session.events import Command
from tutor_app.session.plan import Position, Unit
from tutor_app.session.reviewing import known_as


def answer_command(
    command: Command,
    unit: Unit | None,
    units: Sequence[Unit],
    position: Position,
    at: turns.Setting,
    previous: tuple[str, ...],
) -> turns.Outcome:
    """The outcome of a hint, a skip or an explanation at `unit` (None: free talk).

    `previous`: the tutor's last replies, oldest first.
    """
    if checking.is_check(at.lesson) and command != "skip":
        return checking.no_help(position, at)
    if command == "explain":
        return _explained(unit, units, position, at, previous)
    if command == "hint":
        if unit is not None and unit.item is not None:
            return items.hint_for(unit.item, unit, position, at)
        step = unit.step if unit is not None and isinstance(unit.step, TalkStep | WriteStep) else None
        return talk.hint_in_talk(step, position, at, previous)
    if unit is not None and unit.item is not None:
        if checking.is_check(at.lesson):
            return checking.answer_check(None, present(unit.item, at.seed), unit, position, at)
        return items.skip_item(unit.item, position, at)
    line = author.Line(author.phrase(at.tag, "onward", at.seed + position.replies, previous=previous))
    return turns.Outcome(authored(line), Decision("affirm"), over=unit is not None)


def _explained(
    unit: Unit | None,
    units: Sequence[Unit],
    position: Position,
    at: turns.Setting,
    previous: tuple[str, ...],
) -> turns.Outcome:
    """About the item that ended last; before one did, the present one said more simply."""
    past = next((one for one in units if known_as(one) == position.over), None)
    if past is not None:
        return items.explain(past, position, at, previous)
    if unit is not None and unit.item is not None:
        line = author.simplified(unit.item, at.tag, at.seed + position.replies, gloss=at.gloss)
        return turns.Outcome(authored(line), Decision("simplify"))
    return items.explain(None, position, at, previous)
