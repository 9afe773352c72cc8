"""Words above the level of the lesson, as warnings: only a teacher can say which are worth it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import regex

from lessons.checks.sheet import Note, Sheet, Where, each_item
from lessons.leaks import frequent_words
from lessons.patterns import without_tashkeel
from lessons.schema import Lesson, Level, MatchItem, ReadStep, TalkStep

MIN_ZIPF: dict[Level, float] = {"A1": 3.6, "A2": 3.3, "B1": 3.0}
"""A word at 3.0 is met once in a million words, about once in ten novels."""
STEM = 4
"""Inflected forms are known by their beginning, at least this long."""
ENDING = 4
"""and at most this much shorter than the word: desayun-amos by desayun-o."""

_WORD = regex.compile(r"(?<![\p{L}\p{M}_])[\p{Ll}\p{Lo}][\p{L}\p{M}]*(?:['’][\p{L}\p{M}]+)*")
_HAN_RUN = regex.compile(r"\p{Han}+")
_LATIN = regex.compile(r"\p{Latin}")
_PROCLITIC = regex.compile(r"^(?:وال|بال|كال|فال|لل|ال|و|ف|ب|ل|ك|س)")
_LONGEST_CHINESE_WORD = 4


def check(sheet: Sheet) -> Iterator[Note]:
    """Words of questions and texts that are rarer than the level and that no lesson has taught so far."""
    if not frequent_words(sheet.language):
        return
    known = words_taught(sheet.lesson, sheet.language) | sheet.earlier_words
    support = sheet.info.support_language if sheet.info else "en"
    told: set[str] = set()
    for where, text in _to_understand(sheet.lesson):
        for word in words_of(text, sheet.language):
            if word in told or word in known or _is_frequent(word, sheet.language, sheet.lesson.level):
                continue
            if support in ("en", "fr", "es") and word in frequent_words(support):
                continue
            told.add(word)
            message = f"{word!r} is rare for {sheet.lesson.level} and no lesson so far teaches it"
            yield Note(
                where, "level-word", message, "say it more simply, or add it to `vocabulary`", "warning"
            )


def words_taught(lesson: Lesson, language: str) -> frozenset[str]:
    """The words a learner can know from this lesson: its vocabulary with examples and its forms."""
    texts = [
        text for word in lesson.vocabulary for text in (word.word, word.example, *word.variants.values())
    ]
    texts += [text for form in lesson.forms for text in (*form.examples, *form.surface)]
    return frozenset(word for text in texts for word in words_of(text, language))


def words_of(text: str, language: str) -> list[str]:
    """The words of `text`, lower case; names (capital letter) are left out, Arabic loses its signs."""
    if language == "zh":
        return [word for run in _HAN_RUN.findall(text) for word in _segments(run)]
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
    if language == "ar":
        return [without_tashkeel(word) for word in words if not _LATIN.match(word)]
    if language == "fr":
        return [word.rsplit("'", 1)[-1] for word in words]
    return words


def _to_understand(lesson: Lesson) -> Iterator[tuple[Where, str]]:
    for at, step in enumerate(lesson.steps):
        if isinstance(step, TalkStep):
            yield ("steps", at, "opening"), step.opening
            for line_at, text in enumerate(step.simpler):
                yield ("steps", at, "simpler", line_at), text
        elif isinstance(step, ReadStep):
            yield ("steps", at, "text"), step.text
    for where, _step, item in each_item(lesson):
        yield (*where, "prompt"), item.prompt
        if not isinstance(item, MatchItem):
            yield (*where, "accept", 0), item.accept[0].text


def _is_frequent(word: str, language: str, level: Level) -> bool:
    words, stems = _known_at(language, level)
    if word in words:
        return True
    if language == "zh":
        return len(word) > 1 and all(character in words for character in word)
    if language == "ar":
        while stripped := _PROCLITIC.sub("", word, count=1):
            if stripped == word:
                break
            word = stripped
            if word in words:
                return True
    return len(word) > STEM and any(
        word[:length] in stems for length in range(max(STEM, len(word) - ENDING), len(word))
    )


@lru_cache(maxsize=16)
def _known_at(language: str, level: Level) -> tuple[frozenset[str], frozenset[str]]:
    lowest = 10 ** (MIN_ZIPF[level] - 9)
    words = frozenset(word for word, frequency in frequent_words(language).items() if frequency >= lowest)
    stems = {
        word[:length]
        for word in words
        for length in range(STEM, len(word) + 1)
        if length >= len(word) - ENDING
    }
    return words, frozenset(stems)


@lru_cache(maxsize=4096)
def _segments(run: str) -> tuple[str, ...]:
    """Chinese words by longest match against the frequent ones, in simplified characters.

    Rare characters in a row come as one word, and one alone (小玲, 美玲) not at all: it is somebody's name.
    """
    from wordfreq.chinese import simplify_chinese

    words, run, found, rare, at = frequent_words("zh"), simplify_chinese(run), [], "", 0
    while at < len(run):
        length = next((n for n in range(_LONGEST_CHINESE_WORD, 0, -1) if run[at : at + n] in words), 0)
        if length and len(rare) > 1:
            found.append(rare)
        rare = "" if length else rare + run[at]
        if length:
            found.append(run[at : at + length])
        at += length or 1
    return (*found, rare) if len(rare) > 1 else tuple(found)
