"""Where a learner stands in a set and what to do next, as the home screen shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from lessons.schema import Lesson, LessonSet, Level
from tutor_app.pedagogy.language import language, primary
from tutor_app.progress.recommend import is_mastered, level_now, recommend
from tutor_app.progress.records import FormKnowledge, LessonProgress
from tutor_app.progress.store import Store
from tutor_app.session.choices import START_LEVEL
from tutor_app.session.library import item_count
from tutor_app.session.overview import LessonOverview, SetOverview, WordEntry
from tutor_app.session.reviewing import REVIEW_ITEMS, review_units

LEVEL_TOLD = "level_told."
"""Setting key, with the set's id: the level that the learner was last told of."""


def start_level(lessons: LessonSet, store: Store) -> Level | None:
    """Where the learner begins in a set; None when that was never found out."""
    kept = store.settings().get(START_LEVEL + lessons.info.id)
    return kept if kept in get_args(Level) else None


def level_of(lessons: LessonSet, store: Store, now: float) -> Level:
    """The learner's level in a set, which talk and advice go by."""
    start = start_level(lessons, store)
    progress = store.lesson_progress(lessons.info.id)
    begun = [one.level for one in lessons.lessons if one.id in progress and one.check is None]
    lowest: Level = start or lessons.info.levels[0]
    mastered = level_now(lessons, progress, store.form_knowledge(lessons.info.id, now), lowest)
    return max([mastered, *begun])


def overview(lessons: LessonSet, store: Store, now: float) -> SetOverview:
    """A set as the learner meets it."""
    info = lessons.info
    progress = store.lesson_progress(info.id)
    forms = store.form_knowledge(info.id, now)
    due = store.due(info.language, now)
    start = start_level(lessons, store)
    advice = recommend(lessons, progress, forms, start)
    due_texts = {item.key for item in due}
    return SetOverview(
        id=info.id,
        title=info.title,
        description=info.description,
        language=primary(info.language),
        language_name=language(info.language).name,
        track=info.track,
        levels=tuple(info.levels),
        lessons=tuple(_lesson(one, lessons, progress, forms, due_texts) for one in lessons.lessons),
        due=len(due),
        forms={form.id: form.name for lesson in lessons.lessons for form in lesson.forms},
        level=level_of(lessons, store, now),
        start_level=start or "",
        next_lesson=advice.lesson_id if advice is not None else "",
        next_why=advice.why if advice is not None else "",
        review_items=len(review_units(lessons, due, store, REVIEW_ITEMS)) if due else 0,
        waiting=store.waiting(info.language, now),
    )


def level_reached(seen: SetOverview, store: Store) -> bool:
    """Whether the learner is at a higher level than they were last told; from then on they have been told."""
    key = LEVEL_TOLD + seen.id
    told = store.settings().get(key)
    if told == seen.level or store.read_only:
        return False
    store.set_setting(key, seen.level)
    return isinstance(told, str) and told < seen.level


def _lesson(
    lesson: Lesson,
    lessons: LessonSet,
    progress: Mapping[str, LessonProgress],
    forms: Mapping[str, FormKnowledge],
    due: set[str],
) -> LessonOverview:
    mine = progress.get(lesson.id)
    missing = [
        other.title
        for other in lessons.lessons
        if other.id in lesson.prerequisites
        and not (other.id in progress and progress[other.id].finished)
        and not is_mastered(other, progress.get(other.id), forms)
    ]
    return LessonOverview(
        id=lesson.id,
        title=lesson.title,
        level=lesson.level,
        minutes=lesson.minutes,
        objectives=tuple(lesson.objectives),
        missing=tuple(missing),
        items_total=item_count(lesson),
        items_seen=mine.items_seen if mine else 0,
        items_correct=mine.items_correct if mine else 0,
        finished=mine.finished if mine else False,
        open_session=mine.open_session if mine else False,
        last_at=mine.last_at if mine else None,
        words=tuple(WordEntry(word.word, word.gloss, word.reading) for word in lesson.vocabulary),
        due=sum(word.word in due for word in lesson.vocabulary),
        mastered=is_mastered(lesson, mine, forms),
        check=lesson.check or "",
    )
