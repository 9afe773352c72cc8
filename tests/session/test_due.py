"""What is due comes back: as a lesson's warm-up, as a review, and in the tutor's questions in talk."""

from __future__ import annotations

import dataclasses

import pytest

from lessons.schema import LessonSet, MatchItem, items_of
from tutor_app.progress.records import DueItem
from tutor_app.progress.reviews import DAY_S
from tutor_app.progress.store import Store
from tutor_app.session import reviewing
from tutor_app.session.choices import Choices
from tutor_app.session.events import Asked, Attempt, Event, Reply, Said, StepShown, Summary
from tutor_app.session.overview import REVIEW
from tutor_app.session.session import Session

START = 1_790_000_000.0
NEXT = "mi-gente"


class Clock:
    """A day that the test decides."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def held(
    spanish: LessonSet, store: Store, lesson: str | None, clock: Clock, **options: object
) -> tuple[Session, StepShown]:
    session = Session(
        spanish, lesson, store, None, seed=3, clock=clock, due=store.due("es", clock.now), **options  # type: ignore[arg-type]
    )  # fmt: skip
    step = list(session.start())[-1]
    assert isinstance(step, StepShown)
    return session, step


def learnt_a_little(spanish: LessonSet, store: Store, clock: Clock) -> None:
    """The first lesson gone through with every gap answered, weeks ago."""
    session, step = held(spanish, store, "hola", clock)
    lesson = spanish.lesson("hola")
    assert lesson is not None
    answers = {
        item.id: item.accept[0].text
        for each in lesson.steps
        if each.kind in reviewing.KINDS
        for item in items_of(each)
        if not isinstance(item, MatchItem)
    }
    while not session.over:
        turn = Said(answers[step.id], 5.0) if step.id in answers else Asked("skip")
        events = list(session.submit(turn))
        step = next((event for event in events if isinstance(event, StepShown)), step)
    clock.now += 30 * DAY_S


def replies(events: list[Event]) -> list[Reply]:
    return [event for event in events if isinstance(event, Reply)]


def test_a_lesson_begins_with_what_is_due_from_the_ones_before(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    learnt_a_little(spanish, store, clock)
    before = store.item_results("es-l2", "hola")
    session, step = held(spanish, store, NEXT, clock)
    assert step.review
    assert step.of == len(session._units)
    assert step.id in before
    list(session.submit(Said("no lo recuerdo bien ahora mismo", 5.0)))
    assert store.item_results("es-l2", "hola")[step.id].attempts == before[step.id].attempts + 1


def test_a_warm_up_is_short_and_then_the_lesson_begins(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    learnt_a_little(spanish, store, clock)
    session, step = held(spanish, store, NEXT, clock)
    seen = 0
    while step.review:
        seen += 1
        step = next(event for event in session.submit(Asked("skip")) if isinstance(event, StepShown))
    lesson = spanish.lesson(NEXT)
    assert lesson is not None
    assert seen == reviewing.WARM_UP
    assert step.step_id == lesson.steps[0].id


def test_a_session_taken_up_again_keeps_the_warm_up_it_began_with(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    learnt_a_little(spanish, store, clock)
    session, _ = held(spanish, store, NEXT, clock)
    after = next(event for event in session.submit(Asked("skip")) if isinstance(event, StepShown))
    again, step = held(spanish, store, NEXT, clock)
    assert (step.id, step.number, step.of) == (after.id, after.number, after.of)
    assert again.earlier


def test_a_review_asks_what_is_due_and_moves_its_cards(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    learnt_a_little(spanish, store, clock)
    due_before = store.due_count(clock.now)
    session, _ = held(spanish, store, REVIEW, clock)
    while True:
        unit = session._unit
        assert unit is not None
        item = unit.item
        assert item is not None
        assert not isinstance(item, MatchItem)
        events = list(session.submit(Said(item.accept[0].text, 5.0)))
        assert next(event for event in events if isinstance(event, Attempt)).correct
        if session.over:
            break
    summary = next(event for event in events if isinstance(event, Summary))
    assert summary.finished
    assert 0 < summary.items_correct <= reviewing.REVIEW_ITEMS
    assert store.due_count(clock.now) < due_before


def test_a_saved_word_comes_back_as_a_gap_in_its_own_line(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    store.save_word(
        "madrugada", "early morning", "Bailamos hasta la madrugada.", "es", "es-l2/talk", clock.now
    )
    session, step = held(spanish, store, REVIEW, clock)
    assert (step.kind, step.prompt, step.gloss) == ("cloze", "Bailamos hasta la ___.", "early morning")
    hints = [replies(list(session.submit(Asked("hint"))))[0].text for _ in range(4)]
    assert ["madrugada" in hint for hint in hints] == [False, False, False, True]
    events = list(session.submit(Said("madrugada", 5.0)))
    assert session.over
    assert next(event for event in events if isinstance(event, Attempt)).correct
    assert store.due_count(clock.now) == 0


def test_a_saved_word_that_its_line_does_not_hold_is_asked_by_its_meaning(
    spanish: LessonSet, store: Store
) -> None:
    clock = Clock()
    store.save_word("madrugada", "early morning", "", "es", "es-l2/talk", clock.now)
    _, step = held(spanish, store, REVIEW, clock)
    assert (step.kind, step.prompt) == ("translate", "early morning")


def test_the_tutor_brings_a_due_word_up_in_talk_and_its_use_is_a_review(
    spanish: LessonSet, store: Store
) -> None:
    clock = Clock()
    card = store.save_word("el mercado", "the market", "", "es", "es-l2/talk", clock.now)
    session, _ = held(spanish, store, None, clock)
    first = replies(list(session.submit(Said("Hoy trabajo en casa con mi hermana.", 6.0))))[0]
    second = replies(list(session.submit(Said("Me gusta leer libros por la tarde.", 6.0))))[0]
    assert "mercado" not in first.text
    assert "el mercado" in second.text
    list(session.submit(Said("Voy a el mercado con mi madre los sábados.", 6.0)))
    review = store.database.row("SELECT rating FROM reviews WHERE card_id = ?", (card,))
    assert review is not None
    assert review["rating"] == 2, "the tutor had just said it, so it was not remembered alone"


def test_a_due_word_that_the_learner_uses_alone_is_a_good_review(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    card = store.save_word("el mercado", "the market", "", "es", "es-l2/talk", clock.now)
    session, _ = held(spanish, store, None, clock)
    list(session.submit(Said("Ayer el mercado estaba lleno de gente.", 6.0)))
    assert store.database.row("SELECT rating FROM reviews WHERE card_id = ?", (card,))["rating"] == 3  # type: ignore[index]


def test_more_than_todays_amount_waits_and_the_lesson_takes_only_that(
    spanish: LessonSet, store: Store
) -> None:
    clock = Clock()
    store.set_setting("daily_reviews", 5)
    for number in range(30):
        store.save_word(f"palabra{number}", "word", "", "es", "es-l2/talk", clock.now)
    assert store.due_count(clock.now) == 5
    assert store.waiting("es", clock.now) == 25
    session, _ = held(spanish, store, REVIEW, clock)
    assert len(session._units) == 5


def test_forms_of_another_set_are_not_brought_up(spanish: LessonSet) -> None:
    from tutor_app.session.bring_up import reminders

    due = DueItem(1, "form", "ser-estar", "es", "es-heritage", "", "", 0.0, 0.5)
    assert reminders(spanish, [due], 0) == ()
    own = reminders(spanish, [dataclasses.replace(due, set_id="es-l2")], 0)
    assert len(own) == 1


@pytest.mark.parametrize(("support", "gloss"), [("always", True), ("never", False)])
def test_help_in_english_follows_the_setting(
    spanish: LessonSet, store: Store, support: str, gloss: bool
) -> None:
    session, step = held(spanish, store, "hola", Clock(), choices=Choices(support=support))  # type: ignore[arg-type]
    while step.kind != "cloze":
        step = next(event for event in session.submit(Asked("skip")) if isinstance(event, StepShown))
    assert bool(step.gloss) == gloss
    assert bool(step.support) == gloss


def test_the_settings_of_the_learner_are_read(spanish: LessonSet, store: Store) -> None:
    store.set_setting("language_support", "never")
    store.set_setting("feedback", "less")
    session, _ = held(spanish, store, "hola", Clock())
    assert session._at.choices == Choices("less", "never")


def test_saying_the_same_again_where_nothing_is_wrong_means_that_the_tutor_was_not_understood(
    spanish: LessonSet, store: Store
) -> None:
    session, _ = held(spanish, store, None, Clock())
    list(session.submit(Said("Vivo en el Bronx con mi familia.", 6.0)))
    again = replies(list(session.submit(Said("Vivo en el Bronx con mi familia.", 6.0))))[0]
    assert again.signals[0] == "confused"
    assert again.move == "simplify"


def test_the_same_mistake_once_more_is_a_repeated_one(spanish: LessonSet, store: Store) -> None:
    session, step = held(spanish, store, "hola", Clock())
    while step.kind != "cloze":
        step = next(event for event in session.submit(Asked("skip")) if isinstance(event, StepShown))
    list(session.submit(Said("mesa", 5.0)))
    again = replies(list(session.submit(Said("mesa", 5.0))))[0]
    assert any(signal.startswith("repeat_error:") for signal in again.signals)


def test_a_lesson_may_be_called_review(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    store.save_word(
        "madrugada", "early morning", "Bailamos hasta la madrugada.", "es", "es-l2/talk", clock.now
    )
    hola = spanish.lesson("hola")
    assert hola is not None
    own = spanish.model_copy(
        update={"lessons": [hola.model_copy(update={"id": "review", "title": "Repaso"})]}
    )
    lesson, _ = held(own, store, "review", clock)
    assert lesson._units[-1].step.id == hola.steps[-1].id
    session, _ = held(own, store, REVIEW, clock)
    assert [unit.review for unit in session._units] == [True]


def test_a_review_that_was_begun_under_its_former_id_is_taken_up(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    for word in ("madrugada", "mercado"):
        store.save_word(word, word, f"Hoy hay {word}.", "es", "es-l2/talk", clock.now)
    session, _ = held(spanish, store, REVIEW, clock)
    after = next(event for event in session.submit(Asked("skip")) if isinstance(event, StepShown))
    with store.transaction() as connection:
        connection.execute("UPDATE sessions SET lesson_id = 'review'")
    again, step = held(spanish, store, REVIEW, clock)
    assert again.earlier
    assert step.id == after.id


@pytest.mark.parametrize("skipped", [1, 2])
def test_a_word_that_is_deleted_in_a_pause_takes_no_other_item_with_it(
    skipped: int, spanish: LessonSet, store: Store
) -> None:
    """Words 1 to 3 open the lesson; the second is deleted when it was asked, or while it is."""
    clock = Clock()
    for word in ("madrugada", "mercado", "vecina"):
        store.save_word(word, word, f"Hoy hay {word}.", "es", "es-l2/talk", clock.now)
    session, _ = held(spanish, store, NEXT, clock)
    names = [unit.id for unit in session._units]
    for _ in range(skipped):
        list(session.submit(Asked("hint")))
        list(session.submit(Asked("skip")))
    list(session.submit(Asked("hint")))
    store.delete_card(int(names[1].removeprefix("card-")), clock.now)
    again, step = held(spanish, store, NEXT, clock)
    assert step.id == names[2]
    assert [unit.id for unit in again._units] == [names[0], *names[2:]]
    hint = replies(list(again.submit(Asked("hint"))))[0]
    assert hint.hint_level == (1 if skipped == 1 else 2), (
        "what was told of the one that is gone counts for no other"
    )


def test_items_of_two_lessons_may_have_one_id(spanish: LessonSet, store: Store) -> None:
    clock = Clock()
    learnt_a_little(spanish, store, clock)
    session, step = held(spanish, store, NEXT, clock)
    lesson = spanish.lesson(NEXT)
    assert lesson is not None
    own = next(unit for unit in session._units if not unit.review and unit.item is not None)
    assert own.item is not None
    twin = dataclasses.replace(own, item=own.item.model_copy(update={"id": step.id}))
    session._units = [session._units[0], twin]
    list(session.submit(Asked("skip")))
    summary = next(event for event in session.submit(Asked("skip")) if isinstance(event, Summary))
    assert summary.items_seen == 2
