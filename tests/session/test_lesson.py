"""A lesson as a state machine: order of events, memory, and taking up what was left."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.schema import LessonSet
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.events import (
    Asked,
    Attempt,
    Explanation,
    ItemOver,
    Problem,
    Reply,
    Said,
    SessionStarted,
    StepShown,
    Summary,
)  # fmt: skip
from tutor_app.session.session import Session


def begin(spanish: LessonSet, store: Store, lesson: str = "hola") -> tuple[Session, StepShown]:
    session = Session(spanish, lesson, store, None, seed=5)
    events = list(session.start())
    step = events[-1]
    assert isinstance(step, StepShown)
    return session, step


def to_cloze(session: Session) -> StepShown:
    """Skip on to the first cloze."""
    while True:
        step = next(event for event in session.submit(Asked("skip")) if isinstance(event, StepShown))
        if step.kind == "cloze":
            return step


def test_an_attempt_comes_before_the_reply_and_the_next_step_after_it(
    spanish: LessonSet, store: Store
) -> None:
    session, _ = begin(spanish, store)
    step = to_cloze(session)
    events = list(session.submit(Said("soy", 4.0)))
    assert [type(event) for event in events] == [Attempt, Reply, ItemOver, StepShown]
    attempt, reply = events[0], events[1]
    assert isinstance(attempt, Attempt)
    assert isinstance(reply, Reply)
    assert (attempt.item, attempt.correct, reply.move) == (step.id, True, "affirm")


def test_an_error_is_recast_and_its_repair_is_seen(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    recast = next(event for event in session.submit(Said("estoy", 4.0)) if isinstance(event, Reply))
    assert (recast.move, recast.source) == ("recast", "authored")
    assert recast.recast is not None
    repaired = next(event for event in session.submit(Said("soy", 4.0)) if isinstance(event, Reply))
    assert (repaired.uptake, repaired.repair) == (True, True)


def repair_of(store: Store, said: str) -> bool | None:
    """Whether the reply to this turn was repaired, as it is on the disk."""
    (found,) = (turn.reply for turn in store.turns(1) if turn.text == said)
    assert found is not None
    return found.repair


def test_a_repair_belongs_to_the_reply_that_asked_whatever_was_pressed_meanwhile(
    spanish: LessonSet, store: Store
) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    list(session.submit(Said("estoy", 4.0)))
    list(session.submit(Asked("explain")))
    list(session.submit(Said("soy", 4.0)))
    assert [turn.reply.repair for turn in store.turns(1) if turn.reply and turn.reply.repair is not None] == [
        True
    ]
    assert repair_of(store, "estoy")


def test_a_repair_after_a_restart_belongs_to_the_reply_before_it(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    list(session.submit(Said("estoy", 4.0)))
    again, _ = begin(spanish, store)
    list(again.submit(Said("soy", 4.0)))
    assert repair_of(store, "estoy")


def test_a_position_that_does_not_name_the_reply_can_be_gone_on_from(
    spanish: LessonSet, store: Store
) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    list(session.submit(Said("estoy", 4.0)))
    saved = store.open_session("es-l2", "hola")
    assert saved is not None
    del saved.position["asked"]["reply"]
    store.save_position(saved.id, saved.position)
    again, _ = begin(spanish, store)
    reply = next(event for event in again.submit(Said("soy", 4.0)) if isinstance(event, Reply))
    assert (reply.uptake, reply.repair) == (True, True)


def test_an_explanation_makes_no_card(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    list(session.submit(Said("soy", 4.0)))
    explained = next(event for event in session.submit(Asked("explain")) if isinstance(event, Reply))
    assert explained.recast, "it stands out all the same"
    assert [card for card in store.cards(2e9) if card.kind == "recast"] == []


def test_the_whole_sentence_is_as_good_as_the_word_in_the_gap(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    step = to_cloze(session)
    attempt = next(iter(session.submit(Said(step.prompt.replace("___", "soy"), 4.0))))
    assert isinstance(attempt, Attempt)
    assert attempt.correct


def test_the_answer_stays_hidden_until_it_may_be_shown(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    hidden = next(event for event in session.submit(Said("tengo", 4.0)) if isinstance(event, Attempt))
    assert hidden.expected_hidden
    assert hidden.expected == ()
    over = next(event for event in session.submit(Asked("skip")) if isinstance(event, ItemOver))
    assert "soy" in over.answers


def test_hints_climb_one_rung_at_a_time(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    levels = [
        event.hint_level
        for _ in range(5)
        for event in session.submit(Asked("hint"))
        if isinstance(event, Reply)
    ]
    assert levels == [1, 2, 3, 4, 4]


def test_nobody_is_kept_at_an_item_for_ever(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    step = to_cloze(session)
    for _ in range(12):
        shown = [event for event in session.submit(Said("mesa", 4.0)) if isinstance(event, StepShown)]
        if shown:
            break
    assert shown[0].id != step.id


def test_explaining_is_about_the_item_that_just_ended(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    to_cloze(session)
    list(session.submit(Said("soy", 4.0)))
    events = list(session.submit(Asked("explain")))
    assert [type(event) for event in events] == [Reply, Explanation]


def test_a_turn_is_on_disk_before_anything_is_made_of_it(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    turn = session.submit(Said("1a 2b", 4.0))
    next(turn)
    assert [saved.text for saved in store.turns(1)] == ["1a 2b"]


def test_a_lesson_left_in_the_middle_is_taken_up_there(spanish: LessonSet, tmp_path: Path) -> None:
    learner = create_learner(tmp_path, "Ana").id
    with Store.open(tmp_path, learner) as store:
        session, _ = begin(spanish, store)
        step = to_cloze(session)
        list(session.submit(Said("estoy", 4.0)))
    with Store.open(tmp_path, learner) as store:
        again = Session(spanish, "hola", store, None, seed=99)
        events = list(again.start())
        started = events[0]
        assert isinstance(started, SessionStarted)
        assert started.resumed
        shown = events[-1]
        assert isinstance(shown, StepShown)
        assert (shown.id, shown.choices) == (step.id, step.choices)
        assert again.earlier[-1].text == "estoy"


def test_leaving_saves_and_finishing_ends(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    left = list(session.submit(Asked("quit")))
    assert isinstance(left[-1], Summary)
    assert not left[-1].finished
    assert store.open_session("es-l2", "hola") is not None
    session, _ = begin(spanish, store)
    while not session.over:
        last = list(session.submit(Asked("skip")))[-1]
    assert isinstance(last, Summary)
    assert last.finished
    assert store.open_session("es-l2", "hola") is None


def test_after_the_end_there_is_nothing_to_answer(spanish: LessonSet, store: Store) -> None:
    session, _ = begin(spanish, store)
    list(session.submit(Asked("quit")))
    assert [type(event) for event in session.submit(Said("hola"))] == [Problem]


@pytest.mark.parametrize("lesson", [f"{number}" for number in range(3)])
def test_the_same_seed_gives_the_same_lesson(lesson: str, spanish: LessonSet, tmp_path: Path) -> None:
    def play(home: str) -> list[object]:
        with Store.open(tmp_path / home, create_learner(tmp_path / home, "Ana").id) as store:
            session = Session(spanish, spanish.lessons[int(lesson)].id, store, None, seed=7)
            seen: list[object] = list(session.start())
            for turn in (
                Said("no entiendo", 3.0),
                Said("estoy", 3.0),
                Asked("hint"),
                Asked("skip"),
                Said("soy", 3.0),
            ):
                seen += session.submit(turn)
            return seen

    assert play("one") == play("two")
