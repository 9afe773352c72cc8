"""Which lesson next, and when a level is done. Pure. Everything stays open: this is advice with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lessons.schema import Check, Lesson, LessonSet, Level
from tutor_app.progress.knowledge import MASTERED
from tutor_app.progress.records import FormKnowledge, LessonProgress

FADED = 0.6
"""A form of a mastered lesson that fell below this is worth coming back to."""


@dataclass(frozen=True)
class Recommendation:
    lesson_id: str
    why: str
    """For the learner."""


def is_mastered(lesson: Lesson, progress: LessonProgress | None, forms: Mapping[str, FormKnowledge]) -> bool:
    """Whether a lesson counts as learnt: enough items right, or every one of its forms known by now.

    The second way is for learners who know it from elsewhere; they need not sit through every item.
    """
    if lesson.check is not None:
        return _finished(progress)
    if progress is not None:
        enough = min(lesson.mastery.items, _items_in(lesson))
        share = progress.items_correct / progress.items_seen if progress.items_seen else 0.0
        if (
            progress.items_seen >= enough
            and share >= lesson.mastery.correct
            and (enough or progress.finished)
        ):
            return True
    known = [forms[form.id].probability >= MASTERED for form in lesson.forms if form.id in forms]
    return len(known) == len(lesson.forms) and all(known)


def recommend(
    lesson_set: LessonSet,
    progress: Mapping[str, LessonProgress],
    forms: Mapping[str, FormKnowledge],
    start: Level | None = None,
) -> Recommendation | None:
    """The lesson to go on with: one that was left open, one whose form has faded, else the first not learnt.

    `start` is the level of the placement: earlier lessons are passed over unless a later one builds on them and
    shows that they are missing. None when everything is learnt.
    """
    mastered = {
        lesson.id for lesson in lesson_set.lessons if is_mastered(lesson, progress.get(lesson.id), forms)
    }
    left_open = [lesson for lesson in lesson_set.lessons if _is_open(progress.get(lesson.id))]
    if left_open:
        latest = max(left_open, key=lambda lesson: progress[lesson.id].last_at)
        return Recommendation(latest.id, "You are in the middle of it.")
    before = _check(lesson_set, "pre")
    if before is not None and not progress:
        return Recommendation(before.id, "A few minutes to see what you know already, before anything else.")
    ordinary = [lesson for lesson in lesson_set.lessons if lesson.check is None]
    for lesson in ordinary:
        faded = [
            form.name for form in lesson.forms if form.id in forms and forms[form.id].probability < FADED
        ]
        if lesson.id in mastered and faded:
            return Recommendation(lesson.id, f"A good moment to come back to {faded[0]}.")
    for lesson in ordinary:
        if lesson.id in mastered or (start is not None and lesson.level < start):
            continue
        missing = [
            other
            for other in lesson.prerequisites
            if other not in mastered and not _finished(progress.get(other))
        ]
        below = [other for other in missing if _level(lesson_set, other) >= (start or lesson.level)]
        if below:
            return Recommendation(below[0], f"“{lesson.title}” builds on it.")
        return Recommendation(lesson.id, "It is the next one." if progress else "A good place to begin.")
    after = _check(lesson_set, "post")
    if after is not None and before is not None and before.id in mastered and after.id not in mastered:
        return Recommendation(
            after.id, "The same kind of tasks as at the beginning: see how far you have come."
        )
    return None


def level_now(
    lesson_set: LessonSet,
    progress: Mapping[str, LessonProgress],
    forms: Mapping[str, FormKnowledge],
    start: Level,
) -> Level:
    """The learner's level: that of the placement, raised while every lesson of it is learnt. It never falls."""
    levels = sorted({lesson.level for lesson in lesson_set.lessons if lesson.check is None})
    for level in levels:
        if level < start:
            continue
        of_level = [lesson for lesson in lesson_set.lessons if lesson.level == level and lesson.check is None]
        if not all(is_mastered(lesson, progress.get(lesson.id), forms) for lesson in of_level):
            return level
    return levels[-1] if levels else start


def _check(lesson_set: LessonSet, which: Check) -> Lesson | None:
    return next((lesson for lesson in lesson_set.lessons if lesson.check == which), None)


def _items_in(lesson: Lesson) -> int:
    return sum(len(getattr(step, "items", ())) for step in lesson.steps)


def _level(lesson_set: LessonSet, lesson_id: str) -> str:
    lesson = lesson_set.lesson(lesson_id)
    return lesson.level if lesson else ""


def _is_open(progress: LessonProgress | None) -> bool:
    return progress is not None and progress.open_session and not progress.finished


def _finished(progress: LessonProgress | None) -> bool:
    return progress is not None and progress.finished
