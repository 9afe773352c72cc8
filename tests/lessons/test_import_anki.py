"""Anki decks of both formats are read; what is damaged or hostile is refused."""

from __future__ import annotations

import json
import sqlite3
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lessons.exchange import ExchangeError
from lessons.exporters.anki import export_anki
from lessons.importers.anki import import_anki, read_notes
from lessons.load import load_set
from tests.lessons.test_importers import ABOUT, items_in, lost, only_lesson

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("name", ["anki-newer.apkg", "anki-older.apkg"])
def test_decks_written_by_anki_are_read_in_both_formats(tmp_path: Path, name: str) -> None:
    outcome = import_anki(DATA / name, tmp_path / "set", ABOUT)
    found = only_lesson(tmp_path / "set")
    assert found.title == "Casa"
    assert [(word.word, word.gloss) for word in found.vocabulary] == [
        ("la casa", "the house"),
        ("la puerta", "the door"),
        ("la ventana", "the window"),
    ]
    cloze = [
        (one.prompt, one.accept[0].text, one.gloss) for one in items_in(load_set(tmp_path / "set"))["cloze"]
    ]
    assert cloze == [
        ("La ___ es grande.", "casa", "The house is big."),
        ("La casa es ___.", "grande", "The house is big."),
    ]
    assert "1 × sound or picture (la puerta)" in lost(outcome)


def test_our_own_deck_comes_back_with_the_same_words(sample: Path, tmp_path: Path) -> None:
    ours = load_set(sample)
    export_anki(ours, tmp_path / "deck.apkg")
    import_anki(tmp_path / "deck.apkg", tmp_path / "back", ABOUT)
    back = only_lesson(tmp_path / "back").vocabulary
    assert [(w.word, w.gloss, w.example) for w in back] == [
        (w.word, w.gloss, w.example) for w in ours.lessons[0].vocabulary
    ]


def deck(path: Path, database: bytes, name: str = "collection.anki2") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, database)
    return path


def collection(scratch: Path, notes: list[str], models: str | None = None) -> bytes:
    file = scratch / "made.anki2"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "CREATE TABLE col (models TEXT, decks TEXT); CREATE TABLE cards (nid, did, ord);"
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, mid, flds)"
        )
        made = {"1": {"id": 1, "flds": [{"name": "Front", "ord": 0}, {"name": "Back", "ord": 1}]}}
        connection.execute("INSERT INTO col VALUES (?, ?)", (models or json.dumps(made), "{}"))
        connection.executemany("INSERT INTO notes (mid, flds) VALUES (1, ?)", [(note,) for note in notes])
        connection.commit()
    return file.read_bytes()


def test_html_sounds_and_entities_are_cleaned_out(tmp_path: Path) -> None:
    path = deck(
        tmp_path / "d.apkg",
        collection(
            tmp_path, ["<div>la&nbsp;casa</div>[sound:a.mp3]\x1fhouse<br>&amp; home<script>x</script>"]
        ),
    )
    import_anki(path, tmp_path / "set", ABOUT)
    (word,) = only_lesson(tmp_path / "set").vocabulary
    assert (word.word, word.gloss) == ("la casa", "house & homex")


@pytest.mark.parametrize(
    "data", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 50, (DATA / "anki-older.apkg").read_bytes()[:5000]]
)
def test_files_that_are_no_deck_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "d.apkg").write_bytes(data)
    with pytest.raises(ExchangeError, match=r"d\.apkg"):
        import_anki(tmp_path / "d.apkg", tmp_path / "set", ABOUT)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("other.txt", b"x"),
        ("collection.anki2", b"not a database"),
        ("collection.anki2", b"SQLite format 3\0" + b"\xff" * 4000),
        ("collection.anki21b", b"not zstd"),
        ("collection.anki21b", zstandard.compress(b"not a database")),
    ],
)
def test_a_deck_with_a_broken_collection_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(ExchangeError):
        read_notes(deck(tmp_path / "d.apkg", data, name))


@pytest.mark.parametrize(
    "models",
    ["[]", "{", '{"1": {}}', '{"1": {"id": "x", "flds": []}}', '{"1": {"id": 1, "flds": [{"ord": 0}]}}'],
)
def test_a_collection_with_odd_note_types_is_refused_or_read(tmp_path: Path, models: str) -> None:
    with pytest.raises(ExchangeError):
        read_notes(deck(tmp_path / "d.apkg", collection(tmp_path, ["a\x1fb"], models)))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["{{c1::", "{{c1::a::", "<", "[sound:", "<br", "a"])
def test_fields_made_to_take_for_ever_are_read_in_time(tmp_path: Path, piece: str) -> None:
    field = piece * 50_000
    assert len(read_notes(deck(tmp_path / "d.apkg", collection(tmp_path, [f"{field}\x1fhouse"])))) == 1
    import_anki(
        deck(tmp_path / "d.apkg", collection(tmp_path, ["uno\x1fone", f"{field}\x1fhouse"])),
        tmp_path / "set",
        ABOUT,
    )
    assert load_set(tmp_path / "set").lessons


def test_bombs_in_either_compression_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessons.importers.anki.MAX_DATABASE_BYTES", 1 << 20)
    with pytest.raises(ExchangeError, match="larger than 1 MiB"):
        read_notes(deck(tmp_path / "a.apkg", b"\0" * (5 << 20)))
    bomb = zstandard.compress(b"\0" * (5 << 20))
    with pytest.raises(ExchangeError, match="unpacks to more than 1 MiB"):
        read_notes(deck(tmp_path / "b.apkg", bomb, "collection.anki21b"))


@given(st.integers(0, 17_000), st.binary(min_size=1, max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_collection_is_read_or_refused(tmp_path: Path, at: int, noise: bytes) -> None:
    with zipfile.ZipFile(DATA / "anki-older.apkg") as archive:
        data = bytearray(archive.read("collection.anki21"))
    data[at : at + len(noise)] = noise
    path = deck(tmp_path / "d.apkg", bytes(data))
    try:
        notes = read_notes(path)
    except ExchangeError:
        return  # told as a damaged deck; any other exception fails the test
    assert len(notes) <= 4


def test_without_the_optional_parts_the_error_says_what_to_install(
    tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A student's install has neither; None in sys.modules makes an import fail as it would there."""
    for name in ("genanki", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ExchangeError, match=r"pip install \"linguist-tutor\[convert\]\""):
        export_anki(load_set(sample), tmp_path / "deck.apkg")
    with pytest.raises(ExchangeError, match="Support older Anki versions"):
        read_notes(DATA / "anki-newer.apkg")
    assert len(read_notes(DATA / "anki-older.apkg")) == 4


def test_two_gaps_of_a_long_sentence_are_two_items(tmp_path: Path) -> None:
    said = "Cuando era niña mi abuela siempre me contaba {{c1::unas}} historias muy {{c2::largas}}."
    outcome = import_anki(
        deck(tmp_path / "d.apkg", collection(tmp_path, [said, said])), tmp_path / "set", ABOUT
    )
    found = items_in(load_set(tmp_path / "set"))["cloze"]
    assert [one.accept[0].text for one in found] == ["unas", "largas"]
    assert len({one.id for one in found}) == 2
    assert "2 × note that is there twice" in lost(outcome)


def test_a_deck_of_too_many_notes_is_refused_and_not_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lessons.importers.anki.MAX_NOTES", 3)
    words = [f"palabra{number}\x1fword{number}" for number in range(4)]
    assert len(read_notes(deck(tmp_path / "three.apkg", collection(tmp_path, words[:3])))) == 3
    with pytest.raises(ExchangeError, match="more than 3 notes"):
        read_notes(deck(tmp_path / "four.apkg", collection(tmp_path, words)))
