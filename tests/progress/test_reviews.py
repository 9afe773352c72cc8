"""What comes up again, when, and how much of it."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import fsrs
import numpy as np
import pytest
from fsrs.scheduler import DEFAULT_PARAMETERS
from hypothesis import given
from hypothesis import strategies as st

from tests.progress.making import DAY, NOON, attempt, begin, new_store, reply, turn
from tests.progress.simulated import memory_learner
from tutor_app.progress import fitting, queue, reviews
from tutor_app.progress.backups import backups
from tutor_app.progress.maintenance import maintain
from tutor_app.progress.records import DueItem
from tutor_app.progress.refit import SETTING, refit
from tutor_app.progress.reviews import AGAIN, GOOD, HARD, CardState
from tutor_app.progress.store import Store

ITEM = DueItem(1, "word", "casa", "es", "es-l2", "house", "", NOON, 0.5)


def test_ratings_follow_from_what_happened() -> None:
    assert reviews.rating(correct=False, hint_level=0, attempt_number=1) == AGAIN
    assert reviews.rating(correct=True, hint_level=0, attempt_number=1) == GOOD
    assert reviews.rating(correct=True, hint_level=1, attempt_number=1) == GOOD
    assert reviews.rating(correct=True, hint_level=2, attempt_number=1) == HARD
    assert reviews.rating(correct=True, hint_level=0, attempt_number=2) == HARD


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 400)), min_size=1, max_size=12))
def test_many_cards_at_once_are_scheduled_as_the_library_schedules_one(
    history: list[tuple[int, int]],
) -> None:
    state, now, predicted = CardState(), NOON, []
    for place, (rated, days) in enumerate(history):
        now += days * DAY if place else 0
        done = reviews.review(state, rated, now)
        predicted.append(done.predicted)
        state = done.state
    past = fitting.histories([[(rated, days if place else 0) for place, (rated, days) in enumerate(history)]])
    arrays, stability, difficulty = fitting.replay(past, DEFAULT_PARAMETERS)
    assert stability[0] == pytest.approx(state.stability)
    assert difficulty[0] == pytest.approx(state.difficulty)
    assert [value for value in predicted if value is not None] == pytest.approx(list(arrays[0, 1:]))
    assert fitting.intervals(stability, DEFAULT_PARAMETERS)[0] * DAY == pytest.approx(done.due_at - now)


def test_retrievability_is_the_librarys_on_whole_days() -> None:
    state = CardState(5.0, 5.0, NOON)
    card = fsrs.Card(0, fsrs.State.Review, None, 5.0, 5.0, last_review=datetime.fromtimestamp(NOON, UTC))
    for days in (1, 4, 30):
        later = datetime.fromtimestamp(NOON + days * DAY, UTC)
        expected = reviews.scheduler().get_card_retrievability(card, later)
        assert reviews.retrievability(state, NOON + days * DAY) == pytest.approx(expected)


def test_a_clock_that_goes_backwards_counts_as_no_time() -> None:
    state = reviews.review(CardState(), GOOD, NOON).state
    back = reviews.review(state, GOOD, NOON - 400 * DAY)
    assert back.elapsed_days == 0
    assert back.state.last_at == NOON
    assert back.due_at > NOON
    assert reviews.retrievability(state, NOON - DAY) == 1.0


def test_a_backlog_is_forgiven() -> None:
    waiting = [replace(ITEM, card_id=number, retrievability=number / 500) for number in range(500)]
    chosen = queue.chosen(waiting, queue.left_today(15, done=3))
    assert [item.card_id for item in chosen] == list(range(499, 487, -1)), (
        "what is best remembered is saved first"
    )
    assert queue.left_today(15, done=40) == 0


def test_after_a_year_away_only_the_daily_amount_is_due(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        for number in range(60):
            turn_id = turn(store, session)
            attempt(store, turn_id, session, words=(f"palabra {number}",), item_id=f"i{number}")
        later = NOON + 365 * DAY
        assert store.due_count(later) == queue.DAILY
        assert len(store.due("es", later)) == queue.DAILY
        store.set_setting("daily_reviews", 4)
        assert store.due_count(later) == len(store.due("es", later)) == 4
        for item in store.due("es", later, 3):
            store.add_review(item.card_id, correct=True, now=later)
        assert store.due_count(later + 60) == 1
        assert store.due_count(later + 2 * DAY) == 4, "tomorrow is another day"


def test_words_forms_and_recasts_become_cards_fed_by_what_happens(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        turn_id = turn(store, session, "Soy en casa")
        attempt(store, turn_id, session, correct=False, error_tags=("ser-estar",), given="soy")
        reply_id = reply(store, turn_id, "¡Ah, estás en casa! ¿Y mañana dónde estás?", recast="estás en casa")
        store.save_word("mañana", "tomorrow", "¿Y mañana dónde estás?", "es", "reply", NOON)
        kinds = {(item.kind, item.key) for item in store.due("es", NOON + 30 * DAY)}
        assert kinds == {("form", "ser-estar"), ("recast", "estás en casa"), ("word", "mañana")}
        recast = next(item for item in store.due("es", NOON + 30 * DAY) if item.kind == "recast")
        assert recast.sentence == "Soy en casa"
        store.set_uptake(reply_id, uptake=True, repair=True, now=NOON + 60)
        assert next(i for i in store.due("es", NOON + 30 * DAY) if i.kind == "recast").retrievability > 0
        assert store.due("fr", NOON + 30 * DAY) == []
        assert {item.key for item in store.due("es-l2", NOON + 30 * DAY)} == {"ser-estar", "estás en casa"}


def test_only_what_was_recast_becomes_a_card(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        turn_id = turn(store, begin(store), "")
        example = reply(store, turn_id, "Mira: «soy» y «estoy».", move="explore", recast="estoy")
        store.set_uptake(example, uptake=True, repair=True, now=NOON + 60)
        assert store.cards(NOON + 60) == []


def test_a_wrong_answer_blames_a_word_only_when_nothing_else_explains_it(tmp_path: Path) -> None:
    cases = {
        "la casa": {"error_tags": (), "given": "la cama"},
        "el coche": {"error_tags": (), "given": "EL CÓCHE rojos"},
        "el libro": {"error_tags": ("gender",), "given": "la libra"},
        "éxito": {"error_tags": ("false-friend",), "given": "salida"},
    }
    with new_store(tmp_path) as store:
        session = begin(store)
        for word, changes in cases.items():
            attempt(store, turn(store, session), session, correct=False, words=(word,), forms=(), **changes)
        met = {item.key for item in store.due("es", NOON + 30 * DAY)}
        assert met == {"la casa", "éxito"}


def test_a_word_saved_twice_is_one_card_and_can_be_put_away(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        first = store.save_word("el éxito", "", "", "es", "", NOON)
        assert store.save_word("el éxito", "success", "Fue un éxito.", "es", "", NOON) == first
        assert [item.gloss for item in store.due("es", NOON)] == ["success"]
        store.suspend_card(first)
        assert store.due("es", NOON) == []


def test_a_fit_waits_for_enough_history_and_then_predicts_better() -> None:
    def rated(seed: int, cards: int) -> list[list[tuple[int, float]]]:
        return [
            [(GOOD if one.knew else AGAIN, one.days) for one in card]
            for card in memory_learner(seed, cards=cards)
        ]

    assert fitting.fit(fitting.histories(rated(1, 20))) is None
    gained = []
    for seed in range(4):
        cards = rated(seed, 260)
        seen, held_back = fitting.histories(cards[:160]), fitting.histories(cards[160:])
        parameters = fitting.fit(seen)
        assert parameters is not None
        fsrs.Scheduler(parameters=parameters)  # inside the bounds, or it refuses them
        gained.append(
            fitting.log_loss(held_back, DEFAULT_PARAMETERS) - fitting.log_loss(held_back, parameters)
        )
    assert sum(gained) / len(gained) > 0
    assert math.isnan(fitting.log_loss(fitting.histories([[(3, 0.0)]]), DEFAULT_PARAMETERS))


def test_refitting_a_learner_keeps_what_was_reviewed_and_moves_the_dates(tmp_path: Path) -> None:
    chance = random.Random(3)
    with new_store(tmp_path) as store:
        assert not refit(store)
        with store.transaction():
            for number in range(120):
                card = store.save_word(f"palabra {number}", "", "", "es", "", NOON)
                now = NOON
                for _ in range(5):
                    store.add_review(card, correct=chance.random() < 0.6, now=now)
                    now += DAY * chance.randrange(1, 9)
        before = store.database.rows("SELECT id, due_at, last_at FROM cards ORDER BY id")
        assert refit(store)
        after = store.database.rows("SELECT id, due_at, last_at FROM cards ORDER BY id")
        assert [row["last_at"] for row in after] == [row["last_at"] for row in before]
        assert np.mean([row["due_at"] for row in after]) != np.mean([row["due_at"] for row in before])
        assert tuple(store.settings()[SETTING]) == store.fsrs_parameters()
        store.add_review(1, correct=True, now=NOON + 90 * DAY)


def test_maintenance_backs_up_daily_and_fits_monthly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[float] = []
    monkeypatch.setattr("tutor_app.progress.maintenance.refit", lambda store: fits.append(1) or False)
    with new_store(tmp_path) as store:
        for hour in range(0, 24 * 35, 6):
            maintain(store, NOON + hour * 3600)
        assert len(fits) == 2
        assert backups(store.folder)[0].number == 1 + 35, "the first was made by opening"
    with Store.open(tmp_path, "ana") as store:
        monkeypatch.setattr(store.database, "read_only", True)
        maintain(store, NOON + 99 * DAY)
        assert len(fits) == 2
