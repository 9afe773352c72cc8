"""A check: each item once, no hints, nothing said about right or wrong, so that before and after can be compared."""

from __future__ import annotations

from lessons.schema import Lesson
from tutor_app.pedagogy import author
from tutor_app.pedagogy.assess import Presented, assess
from tutor_app.pedagogy.policy import Decision
from tutor_app.session.drafts import authored
from tutor_app.session.events import Attempt
from tutor_app.session.plan import Position, Unit
from tutor_app.session.turns import Outcome, Setting, Turn


def is_check(lesson: Lesson | None) -> bool:
    """Whether the lesson is one of a set's two checks."""
    return lesson is not None and lesson.check is not None


def answer_check(turn: Turn | None, shown: Presented, unit: Unit, position: Position, at: Setting) -> Outcome:
    """The one answer to an item; None when the learner passed it over, which counts as not known."""
    said = turn.text if turn is not None else ""
    judged = assess(shown, said, at.tag, at.info.track) if said else None
    correct = judged is not None and judged.correct
    tags = judged.tags if judged is not None and not correct else ()
    attempt = Attempt(unit.id, correct, tags, said, judged.near_miss if judged is not None else None)
    line = author.Line(author.in_turn(at.tag, "noted", position.replies))
    return Outcome(authored(line), Decision("ask", signals=("ok",)), attempt, over=True, solved=correct)


def no_help(position: Position, at: Setting) -> Outcome:
    """What is said when a hint or an explanation is asked for."""
    line = author.Line(author.phrase(at.tag, "check", at.seed + position.replies))
    return Outcome(authored(line), Decision("ask", signals=("ok",)))
