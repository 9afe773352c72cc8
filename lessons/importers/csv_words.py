"""Word lists from spreadsheets: comma, semicolon or tab between columns, with or without a heading."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from lessons.exchange import ExchangeError, Losses, Outcome, read_limited
from lessons.importers.draft import MAX_WORDS, About, Draft, Word, batches, clean, word_items, write_set

HEADINGS = {
    "word": (
        "word",
        "term",
        "front",
        "palabra",
        "mot",
        "vocabulary",
        "expression",
        "target",
        "单词",
        "词",
        "كلمة",
    ),
    "gloss": ("gloss", "translation", "meaning", "back", "definition", "english", "source", "traducción"),
    "reading": ("reading", "pinyin", "transliteration", "pronunciation"),
    "example": ("example", "sentence", "ejemplo", "exemple"),
    "example_gloss": ("example gloss", "example_gloss", "sentence translation", "example translation"),
}
"""Column headings that are understood, lower case."""


def import_csv(path: Path, target: Path, about: About) -> Outcome:
    """Make a set in `target` from the word list at `path`, twelve words a lesson."""
    losses = Losses()
    words = read_words(path, losses)
    drafts = []
    for number, batch in enumerate(batches(words, MAX_WORDS), 1):
        draft = Draft(f"{about.title} {number}", batch)
        word_items(draft)
        drafts.append(draft)
    return write_set(target, about, drafts, losses)


def read_words(path: Path, losses: Losses) -> list[Word]:
    """The words of a list, in order, each once."""
    rows = [row for row in _rows(path) if any(cell.strip() for cell in row)]
    if not rows:
        raise ExchangeError(f"{path} holds no words.")
    columns = columns_of(rows[0])
    if columns:
        unknown = [name for at, name in enumerate(rows[0]) if at not in columns.values() and name.strip()]
        for name in unknown:
            losses.add("column", clean(name))
        rows = rows[1:]
    else:
        columns = {"word": 0, "gloss": 1}
        if any(len(row) > 2 for row in rows):
            losses.add("column without a heading", "third and later")
    found: dict[str, Word] = {}
    for number, row in enumerate(rows, 1):
        cells = {name: clean(row[at]) for name, at in columns.items() if at < len(row)}
        if not cells.get("word") or not cells.get("gloss"):
            losses.add("row without a word or a meaning", f"row {number}")
        elif cells["word"] in found:
            losses.add("word that is there twice", cells["word"])
        else:
            found[cells["word"]] = Word(**cells)
    return list(found.values())


def columns_of(names: list[str]) -> dict[str, int]:
    """Which column holds what, from its headings; empty when there are none."""
    columns: dict[str, int] = {}
    for at, name in enumerate(names):
        for field, known in HEADINGS.items():
            if name.strip().casefold() in known and field not in columns:
                columns[field] = at
    return columns if {"word", "gloss"} <= columns.keys() else {}


def _rows(path: Path) -> list[list[str]]:
    data = read_limited(path)
    try:
        # Excel's "Unicode text" is UTF-16 with a mark; its "CSV UTF-8" has a mark too.
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExchangeError(f'{path} is not UTF-8 text. Save it as "CSV UTF-8".') from error
    first = text.split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text.replace("\x00", "")), delimiter=delimiter))
    except csv.Error as error:
        raise ExchangeError(f"{path} is not a table: {error}.") from error
