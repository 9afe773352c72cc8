"""What a session writes is there again, in order, whatever happens in between."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from tests.progress.making import DAY, NOON, attempt, begin, new_store, reply, turn
from tutor_app.errors import TutorError
from tutor_app.progress.errors import DiskFull, NoLearner, StoreReadOnly
from tutor_app.progress.learners import find
from tutor_app.progress.lock import name_of
from tutor_app.progress.store import Store, create_learner, learners


@pytest.mark.parametrize("name", ["Ana", "José Ñandú", "王小明", "ليلى", "Zoë O'Neil", "🙂", "..", "a/b"])
def test_any_name_makes_a_learner_that_is_found_again(tmp_path: Path, name: str) -> None:
    made = create_learner(tmp_path, name, {"theme": "dark"}, now=NOON)
    assert made.name == name
    assert learners(tmp_path) == [made]
    assert find(tmp_path, name) == made
    assert find(tmp_path, None) == made
    assert (tmp_path / "learners" / made.id).parent == tmp_path / "learners"


def test_two_learners_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    first, second = (create_learner(tmp_path, "Ana", now=NOON) for _ in range(2))
    assert first.id != second.id
    with pytest.raises(NoLearner, match="several"):
        find(tmp_path, "ANA")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81, "a\x1b[31m"])
def test_a_name_that_is_none_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(TutorError, match="1 to 80"):
        create_learner(tmp_path, name)


@pytest.mark.parametrize("learner_id", ["..", "../other", "", "a/b", "Ana", "nobody"])
def test_an_id_never_leads_out_of_the_folder(tmp_path: Path, learner_id: str) -> None:
    create_learner(tmp_path, "Ana", now=NOON)
    with pytest.raises(NoLearner):
        Store.open(tmp_path, learner_id)


def test_a_learners_files_are_private(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        turn(store, begin(store))
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.glob("learner.db*")} == {0o600}


def test_a_session_is_resumed_with_everything_that_was_said(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        first = turn(store, session, "¿Qué?")
        reply(store, first, "Te lo digo así.", move="simplify", signals=("confused",))
        second = turn(store, session, "Estoy en casa")
        store.save_position(session, {"item": "i2", "hint_level": 1})
    with Store.open(tmp_path, "ana") as store:
        saved = store.open_session("es-l2", "l1")
        assert saved is not None
        assert saved.position == {"item": "i2", "hint_level": 1}
        assert [(one.id, one.text) for one in saved.turns] == [(first, "¿Qué?"), (second, "Estoy en casa")]
        answer = saved.turns[0].reply
        assert answer is not None
        assert (answer.text, answer.move, answer.signals) == ("Te lo digo así.", "simplify", ("confused",))
        assert saved.turns[1].reply is None
        assert store.open_session("es-l2", None) is None
        store.end_session(session, {"finished": True}, NOON + 60)
        assert store.open_session("es-l2", "l1") is None


def test_a_reply_cut_short_by_a_crash_is_marked_partial(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        reply_id = store.begin_reply(turn(store, session), move="ask", now=NOON)
        store.checkpoint_reply(reply_id, "¿Y qué")
    with Store.open(tmp_path, "ana") as store:
        saved = store.open_session("es-l2", "l1")
        assert saved is not None
        assert saved.turns[0].reply is not None
        assert (saved.turns[0].reply.status, saved.turns[0].reply.text) == ("partial", "¿Y qué")


def test_a_session_that_another_window_is_in_is_not_offered(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        init = "host-of-nobody:1:1"
        store.database.connection.execute("UPDATE sessions SET owner = ?", (init,))
        assert store.open_session("es-l2", "l1") is not None, (
            "its owner is another machine's: nobody can tell"
        )
        store.database.connection.execute("UPDATE sessions SET owner = ?", (name_of(os.getppid()),))
        assert store.open_session("es-l2", "l1") is None
        store.save_position(session, {})
        assert store.open_session("es-l2", "l1") is not None


def write_and_fail(store: Store, session: int, text: str) -> None:
    with store.transaction():
        turn(store, session, text)
        raise ZeroDivisionError


def write_much(store: Store, session: int) -> None:
    with store.transaction():
        for _ in range(50):
            turn(store, session, "x" * 5000)


def test_a_failed_transaction_leaves_nothing_and_a_nested_one_can_fail_alone(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(store, session, "lost")
        assert store.turns(session) == []
        with store.transaction():
            turn(store, session, "stays")
            with pytest.raises(ZeroDivisionError):
                write_and_fail(store, session, "goes")
        assert [one.text for one in store.turns(session)] == ["stays"]


def test_settings_survive_and_none_removes_them(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.set_setting("theme", "ansi-dark")
        store.set_setting("panels", {"left": 40})
        store.set_setting("theme", None)
        store.rename("Ana María")
    with Store.open(tmp_path, "ana") as store:
        assert store.settings() == {"panels": {"left": 40}}
        assert store.learner.name == "Ana María"
        assert store.learner.created_at == NOON


def test_an_item_counts_by_the_session_that_met_it_last(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        first = begin(store)
        attempt(store, turn(store, first), first, correct=False)
        attempt(store, turn(store, first), first, correct=True, hint_level=3, attempt_number=2)
        store.end_session(first, {"finished": False}, NOON)
        result = store.item_results("es-l2", "l1")["i1"]
        assert (result.attempts, result.correct, result.clean) == (2, True, False)
        second = begin(store, now=NOON + DAY)
        attempt(store, turn(store, second), second, correct=True, now=NOON + DAY)
        result = store.item_results("es-l2", "l1")["i1"]
        assert (result.attempts, result.correct, result.clean) == (3, True, True)
        progress = store.lesson_progress("es-l2")["l1"]
        assert (progress.items_seen, progress.items_correct) == (1, 1)
        assert (progress.finished, progress.open_session) == (False, True)
        store.end_session(second, {"finished": True}, NOON + DAY)
        assert store.lesson_progress("es-l2")["l1"].finished


def test_pace_is_of_the_language_and_of_typed_turns(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        spanish, french = begin(store), begin(store, set_id="fr-l2", language="fr")
        turn(store, spanish, "Hola", elapsed_s=2.0)
        turn(store, spanish, "", command="hint", elapsed_s=9.0)
        turn(store, french, "Bonjour", elapsed_s=7.0)
        turn(store, spanish, "Adiós", elapsed_s=None)
        turn(store, spanish, "Buenas", elapsed_s=3.0)
        assert store.pace("es") == [(4, 2.0), (6, 3.0)]


def test_a_file_of_a_newer_program_opens_for_reading_and_says_so(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        turn(store, session, "Hola")
        store.database.connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('tutor', 'm999_later', 'then')"
        )
    with Store.open(tmp_path, "ana") as store:
        assert "newer version" in store.notice
        assert store.read_only
        assert [one.text for one in store.turns(session)] == ["Hola"]
        with pytest.raises(StoreReadOnly, match="nothing was saved"):
            turn(store, session, "perdido")


def test_threads_take_turns_and_another_window_sees_what_was_committed(tmp_path: Path) -> None:
    with new_store(tmp_path) as store, Store.open(tmp_path, "ana") as other:
        session = begin(store)
        writers = [
            threading.Thread(target=lambda: [turn(store, session, now=NOON) for _ in range(20)])
            for _ in range(4)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(store.turns(session)) == 80
        assert len(other.turns(session)) == 80


def test_two_stores_of_one_learner_write_in_turn(tmp_path: Path) -> None:
    with new_store(tmp_path) as one, Store.open(tmp_path, "ana") as other:
        session = begin(one)
        for number in range(10):
            turn(one if number % 2 else other, session, str(number))
        assert [saved.text for saved in one.turns(session)] == [str(number) for number in range(10)]


def test_a_full_disk_is_said_plainly_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = begin(store)
        turn(store, session, "safe")
        pages = store.database.connection.execute("PRAGMA page_count").fetchone()[0]
        store.database.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DiskFull, match="disk is full"):
            write_much(store, session)
        assert [one.text for one in store.turns(session)] == ["safe"]
        store.database.connection.execute("PRAGMA max_page_count = 1000000")
        turn(store, session, "room again")
        assert [one.text for one in store.turns(session)] == ["safe", "room again"]
