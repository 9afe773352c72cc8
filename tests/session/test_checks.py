"""The checks before and after a set: asked once, without help, and compared with their uncertainty."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lessons.schema import LessonSet, MatchItem, items_of
from tutor_app.progress.outcomes import learner_gain
from tutor_app.progress.placement import candidates
from tutor_app.progress.recommend import recommend
from tutor_app.progress.store import Store
from tutor_app.session.events import Asked, Attempt, ItemOver, Reply, Said, StepShown, Summary
from tutor_app.session.session import Session


def answered(lessons: LessonSet, store: Store, which: str, right: int) -> Summary:
    """Go through a check with so many right answers, and the rest passed over."""
    lesson = lessons.lesson(which)
    assert lesson is not None
    answers = {
        item.id: item.accept[0].text
        for step in lesson.steps
        for item in items_of(step)
        if not isinstance(item, MatchItem)
    }
    session = Session(lessons, which, store, None, seed=2)
    step = list(session.start())[-1]
    for number in range(len(answers)):
        assert isinstance(step, StepShown)
        events = list(session.submit(Said(answers[step.id], 4.0) if number < right else Asked("skip")))
        step = events[-1]
    assert isinstance(step, Summary)
    return step


def test_an_item_of_a_check_is_asked_once_and_nothing_is_said_about_it(
    spanish: LessonSet, store: Store
) -> None:
    session = Session(spanish, "pre-check", store, None, seed=2)
    first = list(session.start())[-1]
    assert isinstance(first, StepShown)
    assert first.check
    events = list(session.submit(Said("son", 4.0)))
    assert [type(event) for event in events] == [Attempt, Reply, ItemOver, StepShown]
    attempt, reply, over, following = events
    assert isinstance(attempt, Attempt)
    assert isinstance(reply, Reply)
    assert isinstance(over, ItemOver)
    assert isinstance(following, StepShown)
    assert not attempt.correct
    assert attempt.expected == ()
    assert over.answers == ()
    assert reply.recast is None
    assert following.id != first.id


@pytest.mark.parametrize("command", ["hint", "explain"])
def test_help_is_kindly_refused_and_the_item_stays(spanish: LessonSet, store: Store, command: str) -> None:
    session = Session(spanish, "pre-check", store, None, seed=2)
    list(session.start())
    events = list(session.submit(Asked(command)))  # type: ignore[arg-type]
    assert [type(event) for event in events] == [Reply]
    assert isinstance(events[0], Reply)
    assert events[0].hint_level == 0
    answered_now = list(session.submit(Said("es", 4.0)))
    assert isinstance(answered_now[0], Attempt)
    assert answered_now[0].correct
    row = store.database.row("SELECT hint_level FROM attempts")
    assert row is not None
    assert row["hint_level"] == 0


def said_between(lessons: LessonSet, store: Store, answer: str | None) -> list[str]:
    """What the tutor says in a check in which every item gets this answer, or none."""
    session = Session(lessons, "pre-check", store, None, seed=2, fresh=True)
    list(session.start())
    said = []
    while not session.over:
        turn = Asked("skip") if answer is None else Said(answer, 4.0)
        said += [event.text for event in session.submit(turn) if isinstance(event, Reply)]
    return said


def test_what_is_said_between_the_items_tells_nothing_and_is_never_a_second_try(
    spanish: LessonSet, store: Store
) -> None:
    passed_over = said_between(spanish, store, None)
    assert len(passed_over) == 10
    assert said_between(spanish, store, "es") == passed_over  # right for some, another form for others
    assert not any("otra vez" in line for line in passed_over)
    assert all(one != other for one, other in pairwise(passed_over))


def test_what_is_passed_over_counts_as_not_known(spanish: LessonSet, store: Store) -> None:
    summary = answered(spanish, store, "pre-check", 4)
    assert (summary.items_correct, summary.items_seen) == (4, 10)
    assert summary.finished


def test_the_gain_is_told_with_its_uncertainty(spanish: LessonSet, store: Store) -> None:
    before = answered(spanish, store, "pre-check", 3)
    after = answered(spanish, store, "post-check", 9)
    gain = learner_gain(store.database, "es-l2")
    assert gain is not None
    assert before.gain is None
    assert after.gain == gain
    assert (gain.pre, gain.post) == ((3, 10), (9, 10))
    assert gain.value == pytest.approx(0.6)
    assert 0 < gain.low < gain.value < gain.high < 1


def test_checks_come_first_and_last_and_are_never_used_for_anything_else(
    spanish: LessonSet, store: Store
) -> None:
    advice = recommend(spanish, {}, {})
    assert advice is not None
    assert advice.lesson_id == "pre-check"
    answered(spanish, store, "pre-check", 3)
    progress = store.lesson_progress("es-l2")
    advice = recommend(spanish, progress, {})
    assert advice is not None
    assert advice.lesson_id == "hola"
    assert {one.lesson_id for one in candidates(spanish)}.isdisjoint({"pre-check", "post-check"})
