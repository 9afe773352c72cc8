"""Is each tutor turn short enough for the level."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from lessons.checks.sheet import Note, Sheet, Where, each_item, each_line
from lessons.schema import Level

MAX_WORDS: dict[Level, int] = {"A1": 35, "A2": 45, "B1": 60}
"""In one reply of the tutor; the validator holds the model to the same."""
WORDS_A_CHARACTER = 0.6
"""A Chinese character counts as this many words."""

_HAN = regex.compile(r"\p{Han}")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}'’_-]*")


def words_in(text: str) -> float:
    """How many words a reader meets in `text`, Chinese characters at 0.6 each."""
    if not (characters := len(_HAN.findall(text))):
        return len(_WORD.findall(text))
    return characters * WORDS_A_CHARACTER + len(_WORD.findall(_HAN.sub(" ", text)))


def check(sheet: Sheet) -> Iterator[Note]:
    """Replies longer than the level allows: a hint, a talk line, a recast with its question."""
    for where, _step, item in each_item(sheet.lesson):
        for at, error in enumerate(item.errors):
            here: Where = (*where, "errors", at, "recast")
            yield from _too_long(here, "recast and question", f"{error.recast} {error.question}", sheet)
    for line in each_line(sheet.lesson):
        if line.role in ("hint", "talk"):
            yield from _too_long(line.where, "this line", line.text, sheet)


def _too_long(where: Where, name: str, text: str, sheet: Sheet) -> Iterator[Note]:
    limit = MAX_WORDS[sheet.lesson.level]
    if len(text) > limit and (count := words_in(text)) > limit:
        verb = "have" if " and " in name else "has"
        message = f"{name} {verb} {count:.0f} words; {sheet.lesson.level} allows {limit}"
        yield Note(where, "length", message, "shorten it")
