"""The lesson that is suggested next has a reason, respects what builds on what, and locks nobody out."""

from __future__ import annotations

from dataclasses import replace

from lessons.schema import LessonSet
from tests.progress.test_placement import SET
from tutor_app.progress.recommend import is_mastered, level_now, recommend
from tutor_app.progress.records import FormKnowledge, LessonProgress

DONE = LessonProgress("l0", items_seen=8, items_correct=8, finished=True, last_at=1.0, open_session=False)
FORM = FormKnowledge("es-l2", "f", 9, 10, 0.7, (0, 0), (0, 0), 1.0)


def done(*ids: str) -> dict[str, LessonProgress]:
    return {one: replace(DONE, lesson_id=one) for one in ids}


def needing(lesson_id: str, *needed: str) -> LessonSet:
    lessons = [
        lesson.model_copy(update={"prerequisites": list(needed)}) if lesson.id == lesson_id else lesson
        for lesson in SET.lessons
    ]
    return SET.model_copy(update={"lessons": lessons})


def test_mastery_is_the_lessons_own_measure() -> None:
    lesson = SET.lessons[0]
    assert is_mastered(lesson, DONE, {})
    assert not is_mastered(lesson, replace(DONE, items_correct=6), {})
    assert not is_mastered(lesson, replace(DONE, items_seen=7, items_correct=7), {})
    assert not is_mastered(lesson, None, {})
    assert is_mastered(lesson, None, {"f": replace(FORM, probability=0.9)}), "known from elsewhere"


def test_a_newcomer_begins_at_the_first_lesson_or_where_they_were_placed() -> None:
    first = recommend(SET, {}, {})
    assert first is not None
    assert (first.lesson_id, first.why) == ("l0", "A good place to begin.")
    placed = recommend(SET, {}, {}, start="A2")
    assert placed is not None
    assert placed.lesson_id == "l3"


def test_what_was_left_open_comes_first_then_what_faded_then_the_next() -> None:
    open_lesson = {**done("l0"), "l2": replace(DONE, lesson_id="l2", finished=False, open_session=True)}
    left = recommend(SET, open_lesson, {})
    assert left is not None
    assert left.lesson_id == "l2"
    faded = recommend(SET, done("l0", "l1"), {"f": replace(FORM, probability=0.4)})
    assert faded is not None
    assert (faded.lesson_id, faded.why) == ("l0", "A good moment to come back to f.")
    next_one = recommend(SET, done("l0", "l1"), {"f": FORM})
    assert next_one is not None
    assert next_one.lesson_id == "l2"
    assert recommend(SET, done(*(lesson.id for lesson in SET.lessons)), {"f": FORM}) is None


def test_a_prerequisite_goes_before_what_builds_on_it() -> None:
    there = needing("l1", "l2")
    found = recommend(there, done("l0"), {})
    assert found is not None
    assert (found.lesson_id, found.why) == ("l2", "“Lesson 1” builds on it.")
    assert recommend(there, done("l0", "l2"), {}) is not None
    after_placement = recommend(needing("l3", "l0"), {}, {}, start="A2")
    assert after_placement is not None
    assert after_placement.lesson_id == "l3", "what lies below the placement is taken as known"


def test_a_level_is_done_when_all_its_lessons_are() -> None:
    assert level_now(SET, {}, {}, "A1") == "A1"
    assert level_now(SET, done("l0", "l1", "l2"), {}, "A1") == "A2"
    assert level_now(SET, {}, {}, "B1") == "B1"
    assert level_now(SET, done(*(lesson.id for lesson in SET.lessons)), {}, "A1") == "B1"
