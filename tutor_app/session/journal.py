"""What is written down after every reply, and how the position moves on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lessons.schema import MatchItem
from tutor_app.pedagogy import policy
from tutor_app.pedagogy.assess import answers
from tutor_app.pedagogy.language import language
from tutor_app.pedagogy.policy import Decision
from tutor_app.pedagogy.repetition import freshest
from tutor_app.pedagogy.uptake import practised
from tutor_app.pedagogy.validator import Situation, validate
from tutor_app.progress.store import Store
from tutor_app.session import turns
from tutor_app.session.checking import is_check
from tutor_app.session.drafts import Draft
from tutor_app.session.plan import Position, Unit, forms_at
from tutor_app.session.reviewing import known_as
from tutor_app.session.turns import Outcome, Setting


def presentable(
    draft: Draft, unit: Unit | None, decision: Decision, at: Setting, previous: tuple[str, ...]
) -> Draft:
    """The reply if it is valid; else (a line of a lesson that was never linted) a plain one of the bank.

    Of those, one that does not ask what was asked in `previous`, the tutor's last replies.
    """
    hidden: tuple[str, ...] = ()
    # What is said in a check is the same after every answer, so a word it shares with one tells nothing.
    closed = decision.move == "affirm" or decision.hint_level >= policy.MAX_HINT or is_check(at.lesson)
    if unit is not None and unit.item is not None and not isinstance(unit.item, MatchItem) and not closed:
        hidden = () if decision.move in ("recast", "question", "explore") else answers(unit.item)
    situation = Situation(
        at.tag, at.info.track, at.level, hidden=hidden, allowed_words=at.own_words,
        support=at.info.support_language,
    )  # fmt: skip
    if draft.source != "authored" or draft.stopped or not validate(draft.text, situation):
        return draft
    # In a talk there is nothing to try again.
    bank = language(at.tag).phrases["ask" if unit is None or unit.item is None else "again"]
    fit = [line for line in bank if not validate(line, situation)] or bank
    return replace(draft, text=freshest(fit, previous, at.tag)[0], recast=None)


def record(
    store: Store, session_id: int, outcome: Outcome, unit: Unit | None, position: Position, at: Setting, turn_id: int,
    said: str, now: float,
) -> None:  # fmt: skip
    """The attempt, and in free talk every form that the learner used."""
    attempt = outcome.attempt
    shared: dict[str, Any] = {
        "session_id": session_id, "set_id": at.info.id,
        "lesson_id": (unit.lesson.id if unit and unit.lesson else at.lesson.id) if at.lesson else None, "step_id": unit.step.id if unit else "talk",
        "now": now,
    }  # fmt: skip
    if attempt is not None and unit is not None and unit.item is not None:
        store.add_attempt(
            turn_id, item_id=unit.id, kind=unit.step.kind, forms=forms_at(at.lesson, unit),
            words=tuple(unit.item.words), correct=attempt.correct, near_miss=attempt.near_miss,
            error_tags=attempt.error_tags, given=attempt.given, hint_level=position.hint_level,
            attempt_number=position.attempts + 1, dialect=attempt.dialect, **shared,
        )  # fmt: skip
        for form in forms_at(at.lesson, unit):
            tally = position.forms.setdefault(form, [0, 0])
            tally[0] += attempt.correct
            tally[1] += 1
    elif said and at.lesson is not None and unit is not None and unit.item is None:
        used = tuple(f.id for f in at.lesson.forms if practised(said, f.surface, at.tag))
        if used and not any(signal == "confused" for signal in outcome.decision.signals):
            tags = tuple(s.removeprefix("error:") for s in outcome.decision.signals if s.startswith("error:"))
            store.add_attempt(
                turn_id, item_id=None, kind=unit.step.kind, forms=used, words=(), correct=not tags,
                near_miss=None, error_tags=tags, given=said, hint_level=0, attempt_number=1, dialect=None, **shared,
            )  # fmt: skip


def advance(
    position: Position, outcome: Outcome, unit: Unit | None, said: str, reply_id: int, *, command: bool
) -> None:
    """Move `position` to where the lesson stands after this reply."""
    decision, attempt = outcome.decision, outcome.attempt
    position.replies += 1
    position.said = said or position.said
    if outcome.brought is not None:
        position.brought.append(outcome.brought)
    position.moves.append(decision.move)
    position.tags += [
        s.removeprefix("error:") for s in decision.signals if s.startswith("error:") and s != "error:other"
    ]
    position.hint_level = max(position.hint_level, decision.hint_level)
    if decision.move == "culture" and unit is not None and unit.step.culture:
        position.told.append(unit.step.culture)
    if attempt is not None:
        position.attempts += 1
        position.run = position.run + 1 if attempt.correct else 0
        if unit is not None and known_as(unit) not in position.seen:
            position.seen.append(known_as(unit))
        if attempt.correct and unit is not None:
            position.solved.append(known_as(unit))
            if position.attempts == 1 or (position.attempts == 2 and position.hint_level <= 1):
                position.correct.append(known_as(unit))
    asked = turns.asked_for(outcome, said)
    if not command or decision.move == "hint":
        position.asked = None
        if asked.target and not outcome.over:
            position.asked = {
                "move": asked.move,
                "target": list(asked.target),
                "learner_before": said,
                "reply": reply_id,
            }
    if outcome.over and unit is not None:
        if unit.item is not None:
            position.over = known_as(unit)
            if known_as(unit) not in position.seen:
                position.seen.append(known_as(unit))
        position.next_unit()
