"""What a learner may read, correct and delete of what was concluded about them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.progress.making import DAY, NOON, attempt, begin, new_store, reply, turn
from tutor_app.progress import queries
from tutor_app.progress.health import problems
from tutor_app.progress.store import Store


def everything(data_dir: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())


def practised(store: Store) -> int:
    """A session with one attempt at each of two forms; its id."""
    session = begin(store)
    for form in ("ser-estar", "gender"):
        said = turn(store, session)
        attempt(store, said, session, forms=(form,), words=(f"palabra de {form}",))
        store.set_uptake(reply(store, said, recast=f"eco de {form}"), uptake=True, repair=True, now=NOON)
    return session


def test_cards_are_listed_with_what_is_known_of_them_latest_first(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        practised(store)
        store.save_word("luego", "later", "Hasta luego", "es", "tutor", NOON + DAY)
        cards = store.cards(NOON + DAY)
        assert cards[0].key == "luego"
        assert (cards[0].gloss, cards[0].sentence, cards[0].last_at) == ("later", "Hasta luego", None)
        assert sorted((card.kind, card.key) for card in cards[1:]) == [
            ("form", "gender"),
            ("form", "ser-estar"),
            ("recast", "eco de gender"),
            ("recast", "eco de ser-estar"),
            ("word", "palabra de gender"),
            ("word", "palabra de ser-estar"),
        ]
        assert all(0.5 < card.retrievability < 1 for card in cards[1:])
        due = {item.card_id: item.retrievability for item in store.due(None, NOON + 9 * DAY)}
        later = {card.id: card.retrievability for card in store.cards(NOON + 9 * DAY)}
        assert due
        assert due.items() <= later.items(), "the same figure as the review has"


def test_a_corrected_card_keeps_its_schedule_and_the_old_words_leave_the_backups(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        practised(store)
        card_id = store.save_word("luego", "a wrong meaning", "Una frase privada", "es", "tutor", NOON)
        store.add_review(card_id, correct=True, now=NOON)
        store.back_up_if_due(NOON + 2 * DAY)
        before = next(card for card in store.cards(NOON) if card.id == card_id)
        store.correct_card(card_id, gloss="later", sentence="Hasta luego", now=NOON + DAY)
        after = next(card for card in store.cards(NOON) if card.id == card_id)
        assert (after.gloss, after.sentence) == ("later", "Hasta luego")
        assert (after.due_at, after.last_at) == (before.due_at, before.last_at)
        assert b"a wrong meaning" not in everything(tmp_path)
        assert b"Una frase privada" not in everything(tmp_path)


def test_a_form_that_begins_anew_is_gone_without_harm_to_the_others(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = practised(store)
        store.forget_form("es-l2", "ser-estar", NOON)
        assert set(store.form_knowledge("es-l2", NOON)) == {"gender"}
        assert queries.form_history(store.database, "es-l2", "ser-estar").points == ()
        assert [card.key for card in store.cards(NOON) if card.kind == "form"] == ["gender"]
        assert len(store.turns(session)) == 2, "what was said stays"
        assert queries.overview(store, NOON).items == (2, 2), "and so does what was done"
        assert problems(store.database.connection) == []
        attempt(store, turn(store, session), session, forms=("ser-estar",))
        assert store.form_knowledge("es-l2", NOON)["ser-estar"].tried == 1


def test_the_sessions_of_a_day_end_with_the_night(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        day = queries.local_day(NOON)
        midnight = NOON - NOON % DAY
        ids = [begin(store, now=at) for at in (NOON, NOON + 1200, NOON + DAY)]
        for number, session in enumerate(ids):
            turn(store, session, now=NOON + (1200, 1500, DAY)[number])
        assert [line.id for line in queries.sessions_on(store.database, day)] == ids[:2]
        assert [line.id for line in queries.sessions_on(store.database, day + timedelta(days=1))] == ids[2:]
        assert queries.sessions_on(store.database, day - timedelta(days=1)) == []
        for hour in range(48):
            turn(store, begin(store, now=midnight + hour * 3600), now=midnight + hour * 3600)
        for line in queries.sessions(store.database):
            assert line in queries.sessions_on(store.database, queries.local_day(line.started_at))


def test_a_session_is_one_of_every_day_that_it_was_taken_up_on(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        for at in (NOON + 60, NOON + DAY, NOON + DAY + 30):
            turn(store, session, now=at, elapsed_s=20.0)
        begin(store, "l2", now=NOON + DAY)
        day = queries.local_day(NOON)
        first, second = (queries.sessions_on(store.database, one) for one in (day, day + timedelta(days=1)))
        assert [(line.id, line.turns, line.minutes) for line in first] == [(session, 1, 1.0)]
        assert [(line.id, line.turns) for line in second] == [(session, 2)]
        assert second[0].minutes == pytest.approx(50 / 60)
        assert (first[0].started_at, second[0].started_at) == (NOON, NOON + DAY)


def test_one_session_is_found_until_it_is_deleted(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = practised(store)
        found = queries.session(store.database, session)
        assert found == queries.sessions(store.database)[0]
        store.delete_session(session, NOON)
        assert queries.session(store.database, session) is None


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        (["a"], ("a",), ()),
        (["a", "a", "a", "a", "a"], ("a",), ("a",)),
        (["a", "b", "c", "c", "d", "d", "e", "e"], ("a", "b", "c"), ("c", "d", "e")),
        (["a", "", "b", "c", "  ", "d"], ("a", "b", "c"), ("d",)),
        ([], (), ()),
    ],
)
def test_own_sentences_are_shown_once_each_and_only_later_ones_as_after(
    tmp_path: Path, given: list[str], before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        for text in given:
            attempt(store, turn(store, session), session, given=text)
        history = queries.form_history(store.database, "es-l2", "ser-estar")
        assert (history.before, history.after) == (before, after)
