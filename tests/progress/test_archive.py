"""Export and import lose nothing and trust nothing; deleting leaves nothing."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.progress.making import DAY, NOON, attempt, begin, new_store, reply, turn
from tutor_app.errors import TutorError
from tutor_app.progress import health, schema
from tutor_app.progress.archive import export_file, import_file, tables_of
from tutor_app.progress.backups import back_up, backups
from tutor_app.progress.errors import NoLearner, StoreBusy, StoreDamaged
from tutor_app.progress.learners import learners
from tutor_app.progress.recordings import recording_of
from tutor_app.progress.removal import delete_learner
from tutor_app.progress.store import Store, create_learner
from tutor_app.progress.suspicion import is_suspect

SECRET = "SECRETO-del-alumno"

words = st.text(min_size=1, max_size=12)
seconds = st.floats(0, 1e6, allow_nan=False)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.text(max_size=200), seconds),
        st.tuples(
            st.just("attempt"),
            st.text(max_size=20),
            st.booleans(),
            st.integers(0, 4),
            st.lists(words, max_size=2),
        ),
        st.tuples(st.just("reply"), st.text(max_size=200), st.none() | words, st.none() | st.booleans()),
        st.tuples(st.just("word"), words, st.text(max_size=20), seconds),
        st.tuples(
            st.just("setting"),
            words,
            st.recursive(st.none() | st.booleans() | st.integers() | words, st.lists),
        ),
        st.tuples(st.just("memory"), words, seconds),
        st.tuples(st.just("session"), st.none() | st.sampled_from(["l1", "l2"]), st.booleans()),
    ),
    max_size=25,
)


def perform(store: Store, todo: list[tuple[Any, ...]]) -> None:
    session, now = begin(store), NOON
    last = turn(store, session)
    for action in todo:
        now += 60
        match action:
            case ("turn", text, elapsed_s):
                last = turn(store, session, text, elapsed_s=elapsed_s, now=now)
            case ("attempt", given_text, correct, hint_level, used):
                changes = {
                    "given": given_text,
                    "correct": correct,
                    "hint_level": hint_level,
                    "words": tuple(used),
                }
                attempt(store, last, session, now=now, **changes)
            case ("reply", text, recast, repaired):
                answer = reply(store, last, text, recast=recast, now=now)
                store.set_uptake(answer, uptake=repaired, repair=repaired)
            case ("word", word, gloss, later):
                store.save_word(word, gloss, "", "es", "", now + later)
            case ("setting", key, value):
                store.set_setting(key, value)
            case ("memory", text, later):
                store.add_memory(text, language="es", turn_id=last, now=now + later)
            case ("session", lesson_id, finished):
                store.end_session(session, {"finished": finished}, now)
                session = begin(store, lesson_id, now=now)
                last = turn(store, session, now=now)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(todo=actions, kind=st.sampled_from(["out.json", "out.tutor"]), name=st.text(min_size=1, max_size=20))
def test_export_and_import_are_the_identity(todo: list[tuple[Any, ...]], kind: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        here, there = Path(scratch) / "here", Path(scratch) / "there"
        readable = (
            "".join(c for c in name if c.isprintable() and not "\ud800" <= c <= "\udfff").strip() or "Ana"
        )
        with new_store(here, readable) as store:
            perform(store, todo)
            before = tables_of(store.database.connection)
            export_file(store, Path(scratch) / kind)
        moved = import_file(there, Path(scratch) / kind)
        with Store.open(there, moved.id) as store:
            assert tables_of(store.database.connection) == before
            assert store.learner.name == readable
            assert health.problems(store.database.connection) == []


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    with new_store(tmp_path / "data") as store:
        perform(store, [("attempt", "soy", False, 1, ["casa"]), ("reply", "Ah", "estoy", True)])
        export_file(store, tmp_path / "ana.json")
        export_file(store, tmp_path / "ana.tutor")
    return tmp_path


def test_an_export_is_private_and_leaves_no_half_file(exported: Path) -> None:
    assert {path.name: path.stat().st_mode & 0o777 for path in exported.glob("ana*")} == {
        "ana.json": 0o600,
        "ana.tutor": 0o600,
    }


def test_importing_beside_somebody_of_the_same_name_makes_a_second_learner(exported: Path) -> None:
    second = import_file(exported / "data", exported / "ana.tutor")
    renamed = import_file(exported / "data", exported / "ana.json", name="Ana from the lab")
    assert [(one.id, one.name) for one in learners(exported / "data")] == [
        ("ana", "Ana"),
        (second.id, "Ana"),
        (renamed.id, "Ana from the lab"),
    ]


def test_importing_in_place_backs_up_what_was_there(exported: Path) -> None:
    data_dir = exported / "data"
    with Store.open(data_dir, "ana") as store:
        turn(store, begin(store, "l9"), "only here")
    import_file(data_dir, exported / "ana.json", replace="ana", now=NOON + DAY)
    with Store.open(data_dir, "ana") as store:
        assert store.open_session("es-l2", "l9") is None
        newest = backups(store.folder)[0]
    with closing(sqlite3.connect(newest.path)) as connection:
        assert connection.execute("SELECT count(*) FROM turns WHERE text = 'only here'").fetchone()[0] == 1
    with pytest.raises(NoLearner):
        import_file(data_dir, exported / "ana.json", replace="nobody")


def _without_name(content: dict[str, Any]) -> None:
    content["tables"]["turns"][0].pop("folded")


def _with_a_column_more(content: dict[str, Any]) -> None:
    content["tables"]["turns"][0]["text) VALUES ('x'); DROP TABLE turns; --"] = 1


def _newer(content: dict[str, Any]) -> None:
    content["migrations"].append("m999_later")


def _dangling(content: dict[str, Any]) -> None:
    content["tables"]["turns"][0]["session_id"] = 999


def _wrong_type(content: dict[str, Any]) -> None:
    content["tables"]["sessions"][0]["started_at"] = "yesterday"


def _nested(content: dict[str, Any]) -> None:
    content["tables"]["turns"][0]["text"] = {"a": 1}


def _bad_json_inside(content: dict[str, Any]) -> None:
    content["tables"]["sessions"][0]["position"] = "{"


def _huge_number(content: dict[str, Any]) -> None:
    content["tables"]["sessions"][0]["seed"] = 10**30


def _half_a_character(content: dict[str, Any]) -> None:
    content["tables"]["turns"][0]["text"] = "\ud800"


def _never_reviewed(content: dict[str, Any]) -> None:
    content["tables"]["reviews"] = []


@pytest.mark.parametrize(
    "spoil",
    [
        _without_name,
        _with_a_column_more,
        _newer,
        _dangling,
        _wrong_type,
        _nested,
        _bad_json_inside,
        _huge_number,
        _half_a_character,
        _never_reviewed,
    ],
)
def test_a_file_no_tutor_wrote_is_refused_and_changes_nothing(exported: Path, spoil: Any) -> None:
    content = json.loads((exported / "ana.json").read_text(encoding="utf-8"))
    spoil(content)
    (exported / "bad.json").write_text(json.dumps(content), encoding="utf-8")
    with Store.open(exported / "data", "ana") as store:
        before = tables_of(store.database.connection)
    for replace in (None, "ana"):
        with pytest.raises(TutorError):
            import_file(exported / "data", exported / "bad.json", replace=replace)
    assert [learner.id for learner in learners(exported / "data")] == ["ana"]
    with Store.open(exported / "data", "ana") as store:
        assert tables_of(store.database.connection) == before
        assert store.notice == ""


def test_counts_come_from_the_attempts_whatever_a_file_says(exported: Path) -> None:
    content = json.loads((exported / "ana.json").read_text(encoding="utf-8"))
    content["tables"]["forms"][0]["right"] = 50
    (exported / "better.json").write_text(json.dumps(content), encoding="utf-8")
    imported = import_file(exported / "data", exported / "better.json", name="Better")
    with Store.open(exported / "data", imported.id) as store:
        assert store.form_knowledge("es-l2", NOON)["ser-estar"].right == 0


@pytest.mark.parametrize("name", ["ana.tutor", "ana.json"])
def test_damage_that_a_copy_meets_is_of_the_learners_file_and_not_of_the_copy(
    tmp_path: Path, name: str
) -> None:
    with new_store(tmp_path / "data") as store:
        session = begin(store)
        for number in range(30):
            turn(store, session, f"{number} " + "palabra " * 600, now=NOON + number)
    path = store.folder / "learner.db"
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'turns'").fetchone()[0]
    with Store.open(tmp_path / "data", "ana") as store:
        with path.open("r+b") as file:
            file.seek((root - 1) * 4096)
            file.write(b"\xff" * 4096)
        with pytest.raises(StoreDamaged, match=r"learner\.db is damaged"):
            export_file(store, tmp_path / name)
        assert is_suspect(path)
        assert [one.name for one in tmp_path.iterdir()] == ["data"]


def test_an_export_to_json_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_store(tmp_path / "data") as store, Store.open(tmp_path / "data", "ana") as other:
        session = begin(store)
        tables = schema.TABLES

        def meanwhile() -> Iterator[str]:
            """Another window tries to write between two tables."""
            yield from tables[:4]
            other.database.connection.execute("PRAGMA busy_timeout = 0")
            with contextlib.suppress(StoreBusy):
                attempt(other, turn(other, session), session)
            yield from tables[4:]

        monkeypatch.setattr(schema, "TABLES", meanwhile())
        export_file(store, tmp_path / "ana.json")
        monkeypatch.undo()
    import_file(tmp_path / "there", tmp_path / "ana.json")


def test_a_file_of_a_newer_program_can_still_be_exported(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        store.database.read_only = True  # as it is opened then
        export_file(store, tmp_path / "ana.json")
    assert import_file(tmp_path / "there", tmp_path / "ana.json").name == "Ana"


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"SQLite format 3\0 not really", b"[[[[", b'{"format": 3}', b"\xff\xfe"]
)
def test_other_files_are_refused_in_one_sentence(exported: Path, content: bytes) -> None:
    (exported / "other").write_bytes(content)
    with pytest.raises(TutorError, match=r"learner's file"):
        import_file(exported / "data", exported / "other")
    with pytest.raises(TutorError, match="could not be read"):
        import_file(exported / "data", exported / "absent")


def test_a_database_with_triggers_is_refused(exported: Path) -> None:
    with closing(sqlite3.connect(exported / "ana.tutor")) as connection:
        connection.execute("CREATE TRIGGER t AFTER INSERT ON turns BEGIN DELETE FROM turns; END")
        connection.commit()
    with pytest.raises(TutorError, match="not a learner's file"):
        import_file(exported / "data", exported / "ana.tutor")


def secret_in(data_dir: Path) -> list[Path]:
    return [
        path
        for path in data_dir.rglob("*")
        if path.is_file()
        and (SECRET.encode() in path.read_bytes() or SECRET.casefold().encode() in path.read_bytes())
    ]


def write_secrets(store: Store) -> int:
    """The secret in every place that holds text; the session it was said in."""
    session = begin(store)
    for number in range(30):
        turn_id = turn(store, session, f"{number} {SECRET} " + "x" * 500, now=NOON + number)
        attempt(store, turn_id, session, given=SECRET, now=NOON + number)
        reply(store, turn_id, f"Ah, {SECRET}", recast="estoy", now=NOON + number)
    store.add_memory(f"has a {SECRET}", language="es", turn_id=turn_id, now=NOON)
    store.save_position(session, {"draft": SECRET})
    return session


def test_deleting_a_learner_leaves_no_text_of_theirs_in_any_file(tmp_path: Path) -> None:
    other = create_learner(tmp_path, "Ben", now=NOON)
    with new_store(tmp_path) as store:
        write_secrets(store)
        back_up(store.database, NOON)
        damaged = store.folder / "damaged"
        damaged.mkdir()
        (damaged / "learner-x.db").write_text(SECRET, encoding="utf-8")
        (store.folder / "audio").mkdir()
        (store.folder / "audio" / "1.wav").write_text(SECRET, encoding="utf-8")
    assert secret_in(tmp_path)
    delete_learner(tmp_path, "ana")
    assert secret_in(tmp_path) == []
    assert learners(tmp_path) == [other]
    with pytest.raises(TutorError, match="no learner"):
        delete_learner(tmp_path, "ana")


def test_deleting_a_session_leaves_no_text_of_it_in_file_journal_or_backups(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session = write_secrets(store)
        kept = begin(store, "l2", now=NOON + DAY)
        attempt(store, turn(store, kept, "stays", now=NOON + DAY), kept, given="estoy", now=NOON + DAY)
        back_up(store.database, NOON)
        store.delete_session(session, NOON + DAY)
        assert secret_in(tmp_path) == []
        assert [one.text for one in store.turns(kept)] == ["stays"]
        assert store.form_knowledge("es-l2", NOON)["ser-estar"].tried == 1
        assert health.problems(store.database.connection) == []
        assert len(backups(store.folder)) == 1


def test_deleting_a_session_takes_the_examples_of_words_that_were_kept_in_it(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session, other = begin(store), begin(store, "l2")
        reply(store, turn(store, session, f"mi {SECRET}"), f"¿Tu {SECRET}? ¿Y qué más?")
        store.save_word("más", "more", f"¿Tu {SECRET}?", "es", "es-l2/l1", NOON, session_id=session)
        store.save_word("tu", "your", f"¿Tu {SECRET}? ¿Y qué más?", "es", "es-l2/l1", NOON)  # as it was once
        turn(store, other, "Hola")
        store.save_word("hola", "hello", "Hola", "es", "es-l2/l2", NOON, session_id=other)
        store.delete_session(session, NOON + DAY)
        assert secret_in(tmp_path) == []
        examples = {card.key: card.sentence for card in store.cards(NOON)}
        assert examples == {"más": "", "tu": "", "hola": "Hola"}


def test_deleting_a_session_takes_its_recordings_and_no_others(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        session, other = begin(store), begin(store, "l2", now=NOON + 600)
        turn(store, session, now=NOON + 30)
        turn(store, other, now=NOON + 630)
        turn(store, session, now=NOON + DAY)  # taken up again
        kept = [recording_of(store.folder, other, NOON + 31), store.folder / "audio" / "my own.wav"]
        gone = [recording_of(store.folder, session, NOON + at) for at in (31, DAY)]
        for at, named in ((31, gone), (631, kept), (DAY + 1, gone)):  # as they were named once
            path = recording_of(store.folder, 0, NOON + at)
            named.append(path.with_name(path.name.removeprefix("session-0-")))
        gone[0].parent.mkdir()
        for path in (*kept, *gone):
            path.write_bytes(b"RIFF")
        store.delete_session(session, NOON + DAY)
        assert sorted((store.folder / "audio").iterdir()) == sorted(kept)


def test_a_memory_can_be_read_corrected_and_deleted_for_good(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        memory = store.add_memory(f"likes {SECRET}", language="es", turn_id=None, now=NOON)
        other = store.add_memory("has a sister", language="fr", turn_id=None, now=NOON)
        back_up(store.database, NOON)
        store.correct_memory(memory, "likes football", NOON + 1)
        assert [one.text for one in store.memories("es")] == ["likes football"]
        assert secret_in(tmp_path) == []
        store.delete_memory(memory, NOON + 2)
        assert [one.id for one in store.memories()] == [other]
