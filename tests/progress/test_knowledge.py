"""The form model's probabilities mean what they say, on learners it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.progress.making import DAY, NOON, attempt, begin, new_store, reply, turn
from tests.progress.simulated import form_learner
from tutor_app.progress import health, knowledge
from tutor_app.progress.counts import recount
from tutor_app.progress.knowledge import FormState
from tutor_app.progress.store import Store

HELD_BACK = range(5000, 5080)
"""Seeds that the constants were not fitted on."""


def predictions(seeds: range) -> Iterator[tuple[float, bool]]:
    for seed in seeds:
        states: dict[int, FormState] = {}
        learner = 0.0
        for one in form_learner(seed):
            state = states.get(one.form, FormState())
            p = knowledge.probability(state, one.at, kind=one.kind, learner=learner)
            if one.hint_level == 0:
                yield p, one.correct
            states[one.form] = knowledge.after(state, one.at, correct=one.correct, hint_level=one.hint_level)
            learner = knowledge.learner_after(learner, p, correct=one.correct, hint_level=one.hint_level)


def test_predictions_are_calibrated_and_beat_a_constant_on_unseen_learners() -> None:
    found = sorted(predictions(HELD_BACK))
    assert len(found) > 10_000
    share = sum(right for _, right in found) / len(found)
    brier = sum((p - right) ** 2 for p, right in found) / len(found)
    assert brier < 0.8 * share * (1 - share), "a constant, even the best one, does worse"
    for tenth in range(10):
        part = found[tenth * len(found) // 10 : (tenth + 1) * len(found) // 10]
        expected = sum(p for p, _ in part) / len(part)
        happened = sum(right for _, right in part) / len(part)
        assert abs(expected - happened) < 0.06


def test_right_answers_raise_and_wrong_answers_and_time_lower_it() -> None:
    state = FormState()
    start = knowledge.probability(state, NOON)
    right = knowledge.after(state, NOON, correct=True, hint_level=0)
    wrong = knowledge.after(state, NOON, correct=False, hint_level=0)
    helped = knowledge.after(state, NOON, correct=True, hint_level=4)
    assert knowledge.probability(right, NOON) > start > knowledge.probability(wrong, NOON)
    assert knowledge.probability(helped, NOON) < start, "the answer was on screen"
    assert knowledge.probability(right, NOON + 30 * DAY) < knowledge.probability(right, NOON)
    assert knowledge.probability(state, NOON, kind="choice") > start


def test_mastery_needs_several_right_answers_and_can_be_reached() -> None:
    state, learner, needed = FormState(), 0.0, 0
    while (p := knowledge.probability(state, NOON, learner=learner)) < knowledge.MASTERED:
        learner = knowledge.learner_after(learner, p, correct=True, hint_level=0)
        state = knowledge.after(state, NOON, correct=True, hint_level=0)
        needed += 1
    assert 3 <= needed <= 12


@pytest.mark.parametrize("hint_level", range(5))
def test_the_learners_offset_stays_bounded(hint_level: int) -> None:
    high = low = 0.0
    for _ in range(1000):
        high = knowledge.learner_after(high, 0.01, correct=True, hint_level=hint_level)
        low = knowledge.learner_after(low, 0.99, correct=False, hint_level=hint_level)
    assert -2.5 <= low <= 0 <= high <= 2.5


def test_the_store_keeps_what_was_predicted_before_each_attempt(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        for number in range(6):
            now = NOON + number * DAY
            turn_id = turn(store, session, now=now)
            attempt(store, turn_id, session, correct=number > 1, now=now)
            store.set_uptake(reply(store, turn_id, now=now), uptake=True, repair=number % 2 == 0)
        kept = [
            row["predicted"]
            for row in store.database.rows("SELECT predicted FROM attempt_forms ORDER BY attempt_id")
        ]
        assert kept[0] == pytest.approx(knowledge.probability(FormState(), NOON, kind="cloze"))
        assert kept[2] < kept[5]
        form = store.form_knowledge("es-l2", NOON + 6 * DAY)["ser-estar"]
        assert (form.right, form.tried, form.uptake, form.repair) == (4, 6, (6, 6), (3, 6))
        assert form.probability > kept[5]


def test_an_attempt_that_comes_after_the_reply_counts_the_same(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        turn_id = turn(store, session)
        answer = reply(store, turn_id)
        store.set_uptake(answer, uptake=True, repair=False)
        attempt(store, turn_id, session)
        store.set_uptake(answer, uptake=True, repair=True)
        form = store.form_knowledge("es-l2", NOON)["ser-estar"]
        assert (form.uptake, form.repair) == ((1, 1), (1, 1))
        assert health.problems(store.database.connection) == []


def test_a_count_that_is_wrong_is_no_reason_to_take_a_file_for_damaged(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        attempt(store, turn(store, session), session)
        store.database.connection.execute("UPDATE forms SET taken_of = 7")
        assert health.problems(store.database.connection) == ["the form es-l2/ser-estar has wrong counts"]
    with Store.open(tmp_path, "ana") as store:
        assert store.notice == ""
        with store.transaction() as connection:
            recount(connection)
        assert health.problems(store.database.connection) == []
