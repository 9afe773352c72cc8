"""Words above the level of the lesson, as warnings: only a teacher can say which are worth it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
_PLAIN_ALIF = str.maketrans("أإآ", "ااا")
_SUFFIX = regex.compile(r"(?:ات|ون|ين|ان|ها|هم|نا|كم|ية|ة|ه|ي|ك|ا)$")
_PERSONS = "أنيت"
"""First letters of a verb in the present: I, we, he, you or she."""
_SHORTEST_ARABIC_STEM = 2
_LONGEST_CHINESE_WORD = 4


def check(sheet: Sheet) -> Iterator[Note]:
    """Words of questions and texts that are rarer than the level and that no lesson has taught so far."""
    if not frequent_words(sheet.language):
        return
    known = words_taught(sheet.lesson, sheet.language) | sheet.earlier_words
    support = sheet.info.support_language if sheet.info else "en"
    known |= _stems(known)
    told: set[str] = set()
    for where, text in _to_understand(sheet.lesson):
        for word in words_of(text, sheet.language):
            if word in known or word in told or _is_frequent(word, sheet.language, sheet.lesson.level):
                continue
            if not known.isdisjoint(_relatives(word, sheet.language)):
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


@lru_cache(maxsize=32768)
def _is_frequent(word: str, language: str, level: Level) -> bool:
    words = _known_at(language, level)
    if word in words:
        return True
    if language == "zh" and len(word) > 1 and all(character in words for character in word):
        return True
    return not words.isdisjoint(_relatives(word, language))


def _relatives(word: str, language: str) -> set[str]:
    """The word, and what else one knows who knows it: its beginnings, and in Arabic what it is built from."""
    if language == "zh":
        return {word}
    found = _arabic_relatives(word) if language == "ar" else {word}
    longest = max(found, key=len)
    return found | {
        longest[:length] + "-" for length in range(max(STEM, len(longest) - ENDING), len(longest))
    }


def _stems(words: Iterable[str]) -> frozenset[str]:
    """The beginnings of words, marked with a hyphen, by which their other forms are known."""
    return frozenset(
        word[:length] + "-"
        for word in words
        for length in range(max(STEM, len(word) - ENDING), len(word) + 1)
    )


def _arabic_relatives(word: str) -> set[str]:
    """The word without what is written onto it (و، ال، ها …), and its verb in the other persons."""
    found, new = set[str](), {word}
    while new:
        found |= new
        shorter = {pattern.sub("", one, count=1) for one in new for pattern in (_PROCLITIC, _SUFFIX)}
        new = {one for one in shorter if len(one) >= _SHORTEST_ARABIC_STEM} - found
    verbs = {person + one[1:] for one in found if one[0] in _PERSONS and len(one) > 3 for person in _PERSONS}
    found |= verbs
    return found | {one.translate(_PLAIN_ALIF) for one in found} | {one + "ة" for one in found}


@lru_cache(maxsize=16)
def _known_at(language: str, level: Level) -> frozenset[str]:
    """The words that are frequent enough for the level, and their beginnings."""
    lowest = 10 ** (MIN_ZIPF[level] - 9)
    words = frozenset(word for word, frequency in frequent_words(language).items() if frequency >= lowest)
    return words if language == "zh" else words | _stems(words)


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
