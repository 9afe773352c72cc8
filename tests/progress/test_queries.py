"""The figures of the screens, against counting by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.progress.classes import learner_with_history
from tests.progress.making import DAY, NOON, attempt, begin, new_store, reply, turn
from tutor_app.progress import queries
from tutor_app.progress.conversation import IDLE_S, time_on_task
from tutor_app.progress.outcomes import class_gain, gain, learner_gain, wilson
from tutor_app.progress.store import Store


def test_the_overview_counts_what_happened(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        first = turn(store, session, "¿Qué quiere decir?", now=NOON + 60)
        second = turn(store, session, "", command="hint", now=NOON + 90)
        third = turn(store, session, "estoy", now=NOON + 5000, elapsed_s=20.0)
        attempt(store, first, session, correct=False, now=NOON + 60, error_tags=("ser-estar",))
        attempt(store, third, session, correct=True, hint_level=1, attempt_number=2, now=NOON + 5000)
        store.set_uptake(reply(store, first, move="recast"), uptake=True, repair=False)
        store.set_uptake(reply(store, second, move="hint"), uptake=True, repair=True)
        store.begin_reply(third, move="ask", now=NOON + 5001)
        store.end_session(session, {"finished": True}, NOON + 5030)
        seen = queries.overview(store, NOON + 5030)
        assert (seen.sessions, seen.turns, seen.questions, seen.hints) == (1, 3, 1, 1)
        assert seen.items == (1, 1)
        assert seen.minutes == pytest.approx((60 + 30 + 20 + 30) / 60), "the long pause is not time on task"
        assert (seen.uptake, seen.repair) == ((2, 2), (1, 2))
        assert (seen.words_met, seen.forms_met) == (1, 1)
        assert seen == queries.overview(store, NOON + 5030, "es-l2")
        assert queries.overview(store, NOON + 5030, "fr-l2").turns == 0
        assert [(line.move, line.count) for line in queries.moves(store.database)] == [
            ("hint", 1),
            ("recast", 1),
        ]
        assert [(line.tag, line.count) for line in queries.errors(store.database)] == [("ser-estar", 1)]
        lesson = queries.lessons(store, "es-l2")[0]
        assert (lesson.lesson_id, lesson.items, lesson.finished, lesson.sessions) == ("l1", (1, 1), True, 1)


@pytest.mark.parametrize(
    ("gap_s", "elapsed_s", "counted"),
    [
        (40.0, 10.0, 40.0),
        (IDLE_S, None, IDLE_S),
        (9000.0, 25.0, 25.0),
        (9000.0, None, 0.0),
        (-500.0, 12.0, 12.0),
    ],
)
def test_time_on_task_leaves_out_pauses_and_clocks_set_back(
    gap_s: float, elapsed_s: float | None, counted: float
) -> None:
    assert time_on_task(gap_s, elapsed_s) == counted


def test_an_empty_file_has_figures_too(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        seen = queries.overview(store, NOON)
        assert (seen.items, seen.minutes, seen.streak_days) == ((0, 0), 0, 0)
        assert queries.calendar(store.database) == []
        assert queries.form_history(store.database, "es-l2", "none").points == ()


def test_the_calendar_adds_up_days(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        for day, lesson in [(0, "l1"), (0, "l2"), (1, "l3")]:
            session = begin(store, lesson, now=NOON + day * DAY)
            for number in range(2):
                now = NOON + day * DAY + 30 * (number + 1)
                attempt(
                    store,
                    turn(store, session, now=now),
                    session,
                    lesson_id=lesson,
                    correct=number == 0,
                    now=now,
                )
        days = queries.calendar(store.database)
        assert [(day.turns, day.items) for day in days] == [(4, (2, 4)), (2, (1, 2))]
        assert [day.minutes for day in days] == [2.0, 1.0]
        assert (days[1].day - days[0].day).days == 1


def test_a_lesson_that_is_taken_up_again_counts_on_every_day_with_a_turn(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        for day in range(3):
            for number in range(2):
                now = NOON + day * DAY + 40 * (number + 1)
                said = turn(store, session, now=now, elapsed_s=10.0)
            attempt(store, said, session, correct=day > 0, now=now)
        begin(store, "l2", now=NOON + 3 * DAY)  # opened, and left without a turn
        store.end_session(session, {"finished": True}, NOON + 2 * DAY + 100)
        days = queries.calendar(store.database)
        today = queries.local_day(NOON)
        assert [(day.day - today).days for day in days] == [0, 1, 2]
        assert [(day.turns, day.items) for day in days] == [(2, (0, 1)), (2, (1, 1)), (2, (1, 1))]
        assert [day.minutes * 60 for day in days] == pytest.approx([80, 50, 70])
        seen = queries.overview(store, NOON + 2 * DAY + 200)
        assert sum(day.minutes for day in days) == pytest.approx(seen.minutes)
        assert seen.streak_days == 3
        assert queries.overview(store, NOON + 3 * DAY + 200).streak_days == 3, "yesterday's still stands"
        assert queries.overview(store, NOON + 4 * DAY + 200).streak_days == 0


def test_a_streak_ends_quietly_and_ignores_days_to_come() -> None:
    days = [date(2026, 11, day) for day in (3, 5, 6, 7)]
    assert queries.streak(days, date(2026, 11, 7)) == 3
    assert queries.streak(days, date(2026, 11, 8)) == 3
    assert queries.streak(days, date(2026, 11, 9)) == 0
    assert queries.streak([*days, date(2027, 1, 1)], date(2026, 11, 7)) == 3


def test_a_forms_history_has_the_learners_sentences_before_and_after(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        for number in range(9):
            attempt(store, turn(store, session), session, given=f"frase {number}", correct=number > 4)
        history = queries.form_history(store.database, "es-l2", "ser-estar")
        assert history.before == ("frase 0", "frase 1", "frase 2")
        assert history.after == ("frase 6", "frase 7", "frase 8")
        assert [point.correct for point in history.points] == [False] * 5 + [True] * 4


def test_a_short_history_shows_no_sentence_twice(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        for number in range(4):
            attempt(store, turn(store, session), session, given=f"frase {number}")
        history = queries.form_history(store.database, "es-l2", "ser-estar")
        assert history.after == ("frase 3",)


@pytest.mark.parametrize("wanted", ["MANANA", "mañana", "manana por"])
def test_searching_finds_both_speakers_without_case_and_accents(tmp_path: Path, wanted: str) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        reply(store, turn(store, session, "Nos vemos mañana por la tarde."), "¿Mañana por la tarde? ¿Dónde?")
        turn(store, session, "En casa")
        hits = queries.search(store.database, wanted)
        assert [hit.by_learner for hit in hits] == [True, False]
        assert hits[0].text == "Nos vemos mañana por la tarde."


@pytest.mark.parametrize(
    ("text", "wanted"), [("أَنَا طَالِبٌ", "طالب"), ("我喜欢猫", "喜欢"), ("100 %_", "%_"), ("ＡＢＣ", "abc")]
)
def test_searching_works_in_other_scripts_and_has_no_wildcards(
    tmp_path: Path, text: str, wanted: str
) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        turn(store, session, text)
        turn(store, session, "otra cosa")
        assert [hit.text for hit in queries.search(store.database, wanted)] == [text]
        assert queries.search(store.database, "  ") == []


def test_the_gain_of_a_learner_has_an_interval_that_covers_it(tmp_path: Path) -> None:
    learner_id = learner_with_history(tmp_path, "Ana", 4)
    with Store.open(tmp_path, learner_id) as store:
        found = learner_gain(store.database, "es-l2")
        assert found is not None
        assert found.low <= found.value <= found.high
        assert (found.pre[1], found.post[1]) == (8, 8)
        assert learner_gain(store.database, "fr-l2") is None


def test_intervals_are_those_of_the_literature() -> None:
    # Newcombe 1998, table II: 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    found = gain((48, 80), (56, 70))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert class_gain([found]) is None
    several = class_gain([gain((pre, 10), (pre + 2, 10)) for pre in range(5)])
    assert several is not None
    assert several.low == pytest.approx(several.high) == pytest.approx(0.2)
