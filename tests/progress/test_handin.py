"""A hand-in carries what was agreed to, shows tampering, and opens only for whom it was made."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.progress.classes import learner_with_history
from tests.progress.making import DAY, NOON, attempt, begin, turn
from tutor_app.errors import TutorError
from tutor_app.progress import schema
from tutor_app.progress.class_files import csv_files, statements
from tutor_app.progress.class_html import page
from tutor_app.progress.class_report import class_report
from tutor_app.progress.handin import (
    PLAIN,
    VERSION,
    HandIn,
    hand_in,
    make_key,
    read_hand_in,
    read_public_key,
)
from tutor_app.progress.sharing import LEVELS, Share
from tutor_app.progress.store import Store

SECRET = "secreto"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    learner_id = learner_with_history(tmp_path, f"Ana {SECRET}", 1)
    with Store.open(tmp_path, learner_id) as opened:
        opened.save_word(f"{SECRET} palabra", "", f"{SECRET} frase", "es", "talk", NOON)
        opened.add_memory(f"{SECRET} memory", language="es", turn_id=None, now=NOON)
        opened.set_setting("theme", SECRET)
        yield opened


def made(store: Store, target: Path, share: Share = "results", **options: Any) -> HandIn:
    hand_in(store, target, set_ids=["es-l2"], share=share, now=NOON + 9 * DAY, name="A.", **options)
    return read_hand_in(target)


def words_in(handed: HandIn) -> str:
    return json.dumps(handed.tables, ensure_ascii=False)


def test_results_carry_no_word_of_the_learners(store: Store, tmp_path: Path) -> None:
    handed = made(store, tmp_path / "a.handin", "results")
    assert SECRET not in words_in(handed)
    assert "respuesta" not in words_in(handed)
    assert "signing_key" not in words_in(handed)
    assert len(handed.tables["attempts"]) == 24
    assert (handed.name, handed.share, handed.set_ids) == ("A.", "results", ("es-l2",))


def test_answers_carry_answers_but_no_talk_memory_or_settings(store: Store, tmp_path: Path) -> None:
    handed = made(store, tmp_path / "a.handin", "answers")
    assert all(SECRET in row["given"] or row["given"] == "¿Por qué?" for row in handed.tables["attempts"])
    rest = {table: rows for table, rows in handed.tables.items() if table != "attempts"}
    assert SECRET not in json.dumps(rest, ensure_ascii=False)


@pytest.mark.parametrize("share", ["results", "answers"])
def test_a_sentence_of_a_talk_and_a_meaning_of_ones_own_go_only_with_all(
    store: Store, tmp_path: Path, share: Share
) -> None:
    session = begin(store, None)
    said = turn(store, session, f"{SECRET} en casa", item_id=None)
    attempt(
        store, said, session, lesson_id=None, item_id=None, kind="talk", words=(), given=f"{SECRET} en casa"
    )
    card = next(one for one in store.cards(NOON) if one.kind == "word" and one.set_id == "es-l2")
    store.correct_card(card.id, gloss=f"{SECRET} meaning", sentence="", now=NOON)
    handed = made(store, tmp_path / "a.handin", share)
    assert f"{SECRET} en casa" not in words_in(handed)
    assert f"{SECRET} meaning" not in words_in(handed)
    everything = words_in(made(store, tmp_path / "b.handin", "all"))
    assert f"{SECRET} en casa" in everything
    assert f"{SECRET} meaning" in everything
    report = class_report(tmp_path)
    assert f"{SECRET} en casa" in "".join(statements(report)), "the newer one has all"


def test_all_carries_what_was_said_but_never_memories_settings_or_keys(store: Store, tmp_path: Path) -> None:
    handed = made(store, tmp_path / "a.handin", "all")
    assert all(row["text"] for row in handed.tables["turns"])
    assert handed.tables["memories"] == []
    assert "memory" not in words_in(handed)
    assert "theme" not in words_in(handed)
    assert "signing_key" not in words_in(handed)


def test_another_set_is_not_handed_in(store: Store, tmp_path: Path) -> None:
    hand_in(store, tmp_path / "a.handin", set_ids=["fr-l2"], share="all", now=NOON)
    tables = read_hand_in(tmp_path / "a.handin").tables
    assert not any(tables[table] for table in ("sessions", "turns", "attempts", "replies", "forms", "cards"))


def test_two_hand_ins_of_a_learner_have_one_fingerprint_and_others_another(
    store: Store, tmp_path: Path
) -> None:
    first, second = (made(store, tmp_path / f"{number}.handin") for number in range(2))
    assert first.learner == second.learner
    other_id = learner_with_history(tmp_path, "Ben", 2, lessons=1)
    with Store.open(tmp_path, other_id) as other:
        assert made(other, tmp_path / "b.handin").learner != first.learner


def test_a_sealed_hand_in_opens_only_with_the_instructors_key(store: Store, tmp_path: Path) -> None:
    public = make_key(tmp_path / "class.key")
    make_key(tmp_path / "other.key")
    assert (tmp_path / "class.key").stat().st_mode & 0o777 == 0o600
    target = tmp_path / "a.handin"
    hand_in(store, target, set_ids=["es-l2"], share="all", now=NOON, recipient=public)
    assert b"respuesta" not in target.read_bytes()
    assert read_hand_in(target, tmp_path / "class.key").name == store.learner.name
    with pytest.raises(TutorError, match="--key"):
        read_hand_in(target)
    with pytest.raises(TutorError, match="another key"):
        read_hand_in(target, tmp_path / "other.key")


def test_a_key_is_never_overwritten_and_a_wrong_file_is_no_key(tmp_path: Path) -> None:
    make_key(tmp_path / "class.key")
    with pytest.raises(TutorError, match="there already"):
        make_key(tmp_path / "class.key")
    with pytest.raises(TutorError, match="not an instructor's public key"):
        read_public_key(tmp_path / "class.key")


def test_a_changed_hand_in_is_recognised(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "a.handin"
    made(store, target)
    outer = json.loads(target.read_text(encoding="utf-8"))
    payload = json.loads(zlib.decompress(base64.b64decode(outer["payload"])))
    for row in payload["tables"]["attempts"]:
        row["correct"] = 1
    outer["payload"] = base64.b64encode(zlib.compress(json.dumps(payload).encode())).decode()
    target.write_text(json.dumps(outer), encoding="utf-8")
    with pytest.raises(TutorError, match="was changed"):
        read_hand_in(target)


FORGERIES: list[dict[str, Any]] = [
    {"tables": []},
    {"tables": {"turns": {}}},
    {"tables": {"turns": [1]}},
    {"name": "\ud800"},
    {"made_at": 1e18},
    {"made_at": float("nan")},
    {"made_at": "today"},
    {"sets": 3},
]


@pytest.mark.parametrize("changes", FORGERIES, ids=str)
def test_what_a_forger_signed_is_refused_in_one_sentence(tmp_path: Path, changes: dict[str, Any]) -> None:
    forge(tmp_path / "x.handin", **changes)
    with pytest.raises(TutorError, match=r"^x\.handin is not a hand-in"):
        read_hand_in(tmp_path / "x.handin")


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("turns", {"at": 1e18}),
        ("turns", {"at": "noon"}),
        ("sessions", {"active_s": 1e300}),
        ("sessions", {"ended_at": None}),
        ("attempts", {"correct": 2**62}),
        ("attempts", {"at": -1.0}),
        ("forms", {"recent_right": -5.0}),
        ("replies", {"signals": "[" * 100_000}),
        ("meta", {"value": '"much"'}),
        ("settings", {"key": "fsrs_parameters", "value": '["x"]'}),
    ],
    ids=["late", "noon", "long", "unended", "many", "before", "negative", "nested", "ability", "parameters"],
)
def test_a_forged_hand_in_is_a_remark_and_the_others_are_reported(
    store: Store, tmp_path: Path, table: str, changes: dict[str, Any]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = made(store, folder / "good.handin")
    tables = {name: [dict(row) for row in rows] for name, rows in good.tables.items()}
    tables[table] = [{**row, **changes} for row in tables[table] or [{}]]
    if table == "meta":
        tables[table] = [{"key": "ability:es", **changes}]
    forge(folder / "forged.handin", tables=tables, sets=["es-l2"])
    report = class_report(folder)
    assert "A." in page(report, NOON)
    assert csv_files(report)
    assert list(statements(report))
    if changes != {"ended_at": None}:  # that one is odd, and can be counted with
        assert [remark.partition(" ")[0].rstrip(":") for remark in report.remarks] == ["forged.handin"]
        assert report.learners == 1


def forge(target: Path, **changes: Any) -> None:
    """A hand-in with a good signature and whatever content."""
    content = {"name": "F.", "made_at": NOON, "share": "results", "sets": [], "to": "", "tables": {}}
    content |= {"migrations": list(schema.known())} | changes
    packed = zlib.compress(json.dumps(content).encode())
    key = Ed25519PrivateKey.generate()
    parts = {"key": key.public_key().public_bytes_raw(), "signature": key.sign(packed), "payload": packed}
    outer = {name: base64.b64encode(raw).decode() for name, raw in parts.items()}
    target.write_text(json.dumps({"format": PLAIN, "version": VERSION, **outer}), encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b'{"format": "linguist-handin"}', b"\xff", b"[" * 100_000, b"PK\3\4"],
)
def test_any_other_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.handin").write_bytes(content)
    with pytest.raises(TutorError, match=r"^x\.handin is not a hand-in"):
        read_hand_in(tmp_path / "x.handin")


def test_every_level_says_in_words_what_it_shares() -> None:
    assert set(LEVELS) == {"results", "answers", "all"}
    assert all(text.endswith(".") for text in LEVELS.values())
