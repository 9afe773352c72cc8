"""The words of a set as an Anki deck (.apkg) whose notes keep their ids, so that a second export updates."""

from __future__ import annotations

import hashlib
import html
import tempfile
from pathlib import Path
from typing import Any

from lessons.exchange import ExchangeError, Losses, Outcome
from lessons.files import replace_file
from lessons.load import version_key
from lessons.schema import Lesson, LessonSet, Word, items_of

FIELDS = ("Word", "Gloss", "Reading", "Example", "Example gloss", "Variants", "Lesson")
MODEL_VERSION = "linguist-word-1"
EPOCH = 1_600_000_000
"""Seconds; the notes' modification time grows from here with the set's version, and never by the clock.

Anki takes over a note only when it is newer than its own, so a newer version must have a later time."""

FRONT = '<div class="word">{{Word}}</div>{{#Reading}}<div class="reading">{{Reading}}</div>{{/Reading}}'
BACK = (
    '{{FrontSide}}<hr id="answer"><div>{{Gloss}}</div><div class="example">{{Example}}</div>'
    '<div class="gloss">{{Example gloss}}</div><div class="variants">{{Variants}}</div>'
)
REVERSE = '<div>{{Gloss}}</div>{{#Example gloss}}<div class="gloss">{{Example gloss}}</div>{{/Example gloss}}'
REVERSE_BACK = '{{FrontSide}}<hr id="answer"><div class="word">{{Word}}</div><div>{{Reading}}</div><div>{{Example}}</div>'
STYLE = (
    ".card { font-family: sans-serif; font-size: 20px; text-align: center; }"
    " .word { font-size: 28px; } .gloss, .variants, .reading { color: gray; }"
)


def export_anki(lesson_set: LessonSet, path: Path) -> Outcome:
    """Write the set's words to `path` (.apkg), two cards a word, one deck a lesson."""
    try:
        import genanki  # type: ignore[import-untyped]
    except ImportError as error:
        raise ExchangeError('Anki decks need one more part: pip install "linguist-tutor[convert]"') from error
    losses = Losses()
    model = genanki.Model(
        _number(MODEL_VERSION),
        "Linguist word",
        fields=[{"name": name} for name in FIELDS],
        templates=[
            {"name": "Recognise", "qfmt": FRONT, "afmt": BACK},
            {"name": "Recall", "qfmt": REVERSE, "afmt": REVERSE_BACK},
        ],
        css=STYLE,
    )
    decks: list[Any] = []
    written = 0
    seen: set[str] = set()
    for number, lesson in enumerate(lesson_set.lessons, 1):
        name = f"{lesson_set.info.title}::{number:02} {lesson.title}".replace('"', "")
        deck = genanki.Deck(_number(f"{lesson_set.info.id}/{lesson.id}"), name)
        for word in lesson.vocabulary:
            if word.word in seen:
                losses.add("word that an earlier lesson has already", f"{lesson.id}: {word.word}")
                continue
            seen.add(word.word)
            deck.add_note(_note(genanki, model, lesson_set, lesson, word))
            written += 1
        decks.append(deck)
        for step in lesson.steps:
            what = "item" if items_of(step) else f"{step.kind} step"
            for name in [item.id for item in items_of(step)] or [step.id]:
                losses.add(f"{what} (a deck holds words)", f"{lesson.id}/{name}")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "deck.apkg"
        genanki.Package(decks).write_to_file(str(file), timestamp=_time(lesson_set.info.version))
        replace_file(path, file.read_bytes())
    return Outcome(path, written, "words", losses.all())


def _note(genanki: Any, model: Any, lesson_set: LessonSet, lesson: Lesson, word: Word) -> Any:
    names = {dialect.id: dialect.name for dialect in lesson_set.info.dialects}
    variants = "; ".join(f"{names.get(name, name)}: {text}" for name, text in word.variants.items())
    fields = (word.word, word.gloss, word.reading, word.example, word.example_gloss, variants, lesson.title)
    return genanki.Note(
        model=model,
        fields=[html.escape(text, quote=False) for text in fields],
        guid=genanki.guid_for("linguist", lesson_set.info.id, word.word),
        tags=["linguist", f"linguist::{lesson_set.info.id}::{lesson.id}"],
    )


def _number(name: str) -> int:
    """The same id for the same name on every machine, in the range that Anki allows."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:4], "big") % (1 << 30) + (1 << 30)


def _time(version: str) -> float:
    major, minor, patch = version_key(version)
    return float(EPOCH + (major * 1000 + minor) * 1000 + patch)
