"""Anki decks (.apkg, .colpkg) of both kinds: `collection.anki2`/`.anki21`, and the newer `.anki21b`.

A deck is a zip with an SQLite file in it, from a stranger: sizes are limited before anything is unpacked, the
file is opened read-only, and nothing in it is run. Media are not taken over.
"""

from __future__ import annotations

import html
import json
import re
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lessons.exchange import ExchangeError, Losses, Outcome
from lessons.importers.csv_words import columns_of
from lessons.importers.draft import (
    MAX_TEXT,
    MAX_WORDS,
    About,
    Data,
    Draft,
    Word,
    batches,
    clean,
    item,
    word_items,
    write_set,
)
from lessons.schema import GAP

MAX_DATABASE_BYTES = 256 * 1024 * 1024
MAX_NOTES = 20_000
COLLECTIONS = ("collection.anki21b", "collection.anki21", "collection.anki2")
"""Newest first: a new deck also holds an old collection that only says "please update"."""

_BREAK = re.compile(r"(?i)<(?:br|/?div|/?p|hr|/?li)\b[^>]{0,300}>")
_TAG = re.compile(r"<[^<>]{0,1000}>")
_SOUND = re.compile(r"\[sound:[^\]]{0,300}\]")
_CLOZE = re.compile(r"\{\{c(\d{1,3})::((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
"""One gap, `{{c1::answer}}` or `{{c1::answer::hint}}`. Gaps inside gaps are not read: looking for their ends takes
time that grows with the cube of a hostile field."""
MAX_FIELD = 20_000


@dataclass(frozen=True)
class Note:
    """One note: its fields by name, in order, and the deck of its first card."""

    fields: dict[str, str]
    deck: str


def import_anki(path: Path, target: Path, about: About) -> Outcome:
    """Make a set in `target` from the deck at `path`: a lesson for each twelve notes of a deck."""
    losses = Losses()
    decks: dict[str, list[Word | Data]] = {}
    seen: set[tuple[str, ...]] = set()
    for note in read_notes(path):
        for made in _converted(note, losses):
            known = (made.word,) if isinstance(made, Word) else (made["prompt"], *made["accept"])
            if known in seen:
                losses.add("note that is there twice", known[0])
                continue
            seen.add(known)
            decks.setdefault(note.deck, []).append(made)
    drafts = []
    for deck, notes in decks.items():
        parts = list(batches(notes, MAX_WORDS))
        for number, part in enumerate(parts, 1):
            title = deck.split("::")[-1].split("\x1f")[-1]
            draft = Draft(f"{title} {number}" if len(parts) > 1 else title)
            draft.words = [one for one in part if isinstance(one, Word)]
            word_items(draft)
            for one in part:
                if not isinstance(one, Word):
                    draft.add("cloze", one)
            drafts.append(draft)
    return write_set(target, about, drafts, losses)


def read_notes(path: Path) -> list[Note]:
    """The notes of a deck, in order."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            database = Path(scratch) / "collection"
            _unpack(path, database)
            with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.create_collation("unicase", _unicase)
                return list(_notes(connection))
    except OSError as error:
        raise ExchangeError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ExchangeError(f"{path} is not an Anki deck, or it is damaged ({error}).") from error
    except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExchangeError(
            f"The collection in {path} cannot be read ({error}). Export the deck again."
        ) from error


def _unicase(one: str, other: str) -> int:
    """Anki's own order of names, which SQLite has to know to use its indexes."""
    a, b = one.casefold(), other.casefold()
    return (a > b) - (a < b)


def _unpack(path: Path, database: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        name = next((name for name in COLLECTIONS if name in names), None)
        if name is None:
            raise ExchangeError(f"{path} is not an Anki deck: there is no collection in it.")
        if archive.getinfo(name).file_size > MAX_DATABASE_BYTES:
            raise ExchangeError(f"The collection in {path} is larger than {MAX_DATABASE_BYTES >> 20} MiB.")
        with archive.open(name) as source, database.open("wb") as out:
            if name.endswith("b"):
                _zstd(source, out, path)
            else:
                _copy(source, out, path)


def _zstd(source: IO[bytes], out: IO[bytes], path: Path) -> None:
    try:
        import zstandard
    except ImportError as error:
        raise ExchangeError(
            'This deck is in Anki\'s newer format. Either: pip install "linguist-tutor[convert]", or export it '
            'again with "Support older Anki versions" ticked.'
        ) from error
    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(source) as reader:
            _copy(reader, out, path)
    except zstandard.ZstdError as error:
        raise ExchangeError(
            f"The collection in {path} is damaged ({error}). Export the deck again."
        ) from error


def _copy(source: IO[bytes], out: IO[bytes], path: Path) -> None:
    left = MAX_DATABASE_BYTES
    while piece := source.read(1 << 20):
        left -= len(piece)
        if left < 0:
            raise ExchangeError(
                f"The collection in {path} unpacks to more than {MAX_DATABASE_BYTES >> 20} MiB."
            )
        out.write(piece)


def _notes(connection: sqlite3.Connection) -> Iterator[Note]:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    newer = {"notetypes", "fields", "decks"} <= tables
    names = _names_newer(connection) if newer else _names_older(connection)
    decks = _decks_newer(connection) if newer else _decks_older(connection)
    query = (
        "SELECT notes.mid, notes.flds, (SELECT did FROM cards WHERE cards.nid = notes.id ORDER BY ord LIMIT 1) "
        "FROM notes ORDER BY notes.id LIMIT ?"
    )
    for number, (model, values, deck) in enumerate(connection.execute(query, (MAX_NOTES + 1,))):
        if number == MAX_NOTES:
            raise ExchangeError(
                f"The deck has more than {MAX_NOTES:,} notes. Export a part of it, such as one of its subdecks."
            )
        texts = [text[:MAX_FIELD] for text in str(values).split("\x1f")]
        known = names.get(int(model), [])
        fields = {(known[at] if at < len(known) else str(at)): text for at, text in enumerate(texts)}
        yield Note(fields, decks.get(deck, "Anki"))


def _names_newer(connection: sqlite3.Connection) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for model, name in connection.execute("SELECT ntid, name FROM fields ORDER BY ntid, ord"):
        names.setdefault(int(model), []).append(str(name))
    return names


def _names_older(connection: sqlite3.Connection) -> dict[int, list[str]]:
    models = json.loads(connection.execute("SELECT models FROM col").fetchone()[0])
    return {
        int(model["id"]): [
            str(field["name"]) for field in sorted(model["flds"], key=lambda field: int(field["ord"]))
        ]
        for model in models.values()
    }


def _decks_newer(connection: sqlite3.Connection) -> dict[int, str]:
    return {int(ident): str(name) for ident, name in connection.execute("SELECT id, name FROM decks")}


def _decks_older(connection: sqlite3.Connection) -> dict[int, str]:
    decks = json.loads(connection.execute("SELECT decks FROM col").fetchone()[0])
    return {int(deck["id"]): str(deck["name"]) for deck in decks.values()}


def _converted(note: Note, losses: Losses) -> Iterator[Word | Data]:
    values = list(note.fields.values())
    first = values[0] if values else ""
    name = _plain(first)[:40]
    for value in values:
        if "[sound:" in value or re.search(r"(?i)<img\b", value):
            losses.add("sound or picture", name)
        if len(_plain(value)) == MAX_TEXT:
            losses.add(f"end of a text of more than {MAX_TEXT} characters", name)
    if _CLOZE.search(first):
        yield from _gaps(first, _plain(values[1]) if len(values) > 1 else "", name, losses)
        return
    columns = columns_of(list(note.fields)) or {"word": 0, "gloss": 1}
    cells = {field: _plain(values[at]) for field, at in columns.items() if at < len(values)}
    if not cells.get("word") or not cells.get("gloss"):
        losses.add("note without a word or a meaning", name)
        return
    used = set(columns.values())
    if any(_plain(value) for at, value in enumerate(values) if at not in used):
        losses.add("further field of a note", name)
    yield Word(**cells)


def _gaps(text: str, gloss: str, name: str, losses: Losses) -> Iterator[Data]:
    """One cloze item for each numbered gap; the other gaps are filled."""
    gaps = [(found, found.group(2).partition("::")[0]) for found in _CLOZE.finditer(text)]
    for number in dict.fromkeys(found.group(1) for found, _ in gaps):
        mine = [answer for found, answer in gaps if found.group(1) == number]
        if len(mine) != 1 or not _plain(mine[0]):
            losses.add("cloze with the same gap in several places", name)
            continue
        prompt, end = "", 0
        for found, answer in gaps:
            prompt += text[end : found.start()] + (GAP if found.group(1) == number else answer)
            end = found.end()
        yield item("cloze", _plain(prompt + text[end:]), [_plain(mine[0])], gloss=gloss)


def _plain(value: str) -> str:
    """A field's text without HTML and sounds."""
    return clean(html.unescape(_TAG.sub("", _BREAK.sub("\n", _SOUND.sub("", value))))).replace("\n", " ")
