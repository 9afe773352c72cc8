"""Pinyin with tone marks on Chinese words, transliteration on Arabic ones, tashkeel on Arabic text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import regex

from lessons.checks.sheet import Note, Sheet, Where, each_item, each_line
from lessons.patterns import has_tashkeel
from lessons.schema import (
    ChoiceItem,
    ConjugateItem,
    ListenItem,
    MatchItem,
    OrderItem,
    ReadStep,
    SpokenItem,
    WriteStep,
)

_ARABIC_WORD = regex.compile(r"[\u0621-\u0655\u0670\u0671\u0640]+")
_TONES = frozenset("\u0304\u0301\u030c\u0300")
MAX_SHOWN = 4


def check(sheet: Sheet) -> Iterator[Note]:
    """Words without the reading that their script needs, and unvowelled Arabic."""
    if sheet.language == "zh":
        yield from _pinyin(sheet)
    elif sheet.language == "ar":
        yield from _transliteration(sheet)
        yield from _tashkeel(sheet)


def _pinyin(sheet: Sheet) -> Iterator[Note]:
    for at, word in enumerate(sheet.lesson.vocabulary):
        where: Where = ("vocabulary", at, "reading" if word.reading else "word")
        if not word.reading:
            yield Note(
                where, "reading-missing", f"{word.word!r} has no pinyin", "add `reading:` with tone marks"
            )
        elif any(character.isdigit() for character in word.reading):
            message = f"the pinyin {word.reading!r} has numbers for tones"
            yield Note(where, "reading-tones", message, "use tone marks: nǐ hǎo")
        elif len(word.word) > 1 and not _TONES & set(unicodedata.normalize("NFD", word.reading)):
            message = f"the pinyin {word.reading!r} has no tone marks"
            yield Note(where, "reading-tones", message, "use tone marks: nǐ hǎo")


def _transliteration(sheet: Sheet) -> Iterator[Note]:
    for at, word in enumerate(sheet.lesson.vocabulary):
        if not word.reading:
            fix = "add `reading:` in Latin letters"
            yield Note(
                ("vocabulary", at, "word"), "reading-missing", f"{word.word!r} has no transliteration", fix
            )


def _tashkeel(sheet: Sheet) -> Iterator[Note]:
    for where, text in _vowelled_text(sheet):
        bare = [word for word in _ARABIC_WORD.findall(text) if not has_tashkeel(word)]
        if bare:
            shown = "، ".join(bare[:MAX_SHOWN]) + (" …" if len(bare) > MAX_SHOWN else "")
            message = f"without tashkeel: {shown}"
            yield Note(where, "tashkeel-missing", message, "write the vowel signs; the learner can hide them")


def _vowelled_text(sheet: Sheet) -> Iterator[tuple[Where, str]]:
    """The Arabic that learners read or copy; dialect forms and error patterns are as people write them."""
    for at, word in enumerate(sheet.lesson.vocabulary):
        yield ("vocabulary", at, "word"), word.word
        yield ("vocabulary", at, "example"), word.example
    for at, form in enumerate(sheet.lesson.forms):
        for example_at, example in enumerate(form.examples):
            yield ("forms", at, "examples", example_at), example
    for line in each_line(sheet.lesson):
        yield line.where, line.text
    for at, step in enumerate(sheet.lesson.steps):
        if isinstance(step, ReadStep):
            yield ("steps", at, "text"), step.text
        elif isinstance(step, WriteStep):
            yield ("steps", at, "model"), step.model
    for where, _step, item in each_item(sheet.lesson):
        if isinstance(item, MatchItem):
            for at, pair in enumerate(item.pairs):
                yield (*where, "pairs", at), " ".join(pair)
            continue
        for at, answer in enumerate(item.accept):
            if answer.dialect is None:
                yield (*where, "accept", at), answer.text
        if isinstance(item, SpokenItem):
            yield (*where, "say"), item.say
        if isinstance(item, ConjugateItem):
            yield (*where, "lemma"), item.lemma
        pieces = item.tokens if isinstance(item, OrderItem) else []
        pieces = item.choices if isinstance(item, ChoiceItem | ListenItem) else pieces
        name = "tokens" if isinstance(item, OrderItem) else "choices"
        for at, piece in enumerate(pieces):
            yield (*where, name, at), piece
