"""Whether a line gives the answer away.

gives_away(text, answer, language) -> bool
"""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache

import regex

from lessons.patterns import contains, normalise

FUNCTION_WORD_ZIPF = 5.7
"""Words above this (a, de, que, es; le, du; 了, 的) stand in any sentence without being its answer."""

_MARKS = "\"'«»“”„‘’*「」『』_/|"
_OR = r"(?:or|o|u|ou|أو|أم|还是|或者?|還是)"
_CJK = regex.compile(r"\p{Han}")
_UNSPACED = frozenset(("zh", "ja"))


def gives_away(text: str, answer: str, language: str) -> bool:
    """Whether `text` holds the whole of `answer`, as words (as characters in Chinese).

    A very frequent word, or a single Chinese character, gives itself away only when it is singled out: in
    quotes, in asterisks, or offered as one of two choices. Otherwise no sentence could be said about `a`.
    """
    if not contains(text, answer, language):
        return False
    plain = normalise(answer, language)
    if not _needs_marks(plain, language):
        return True
    return (
        _singled_out(plain).search(unicodedata.normalize("NFC", text).casefold()) is not None
        or normalise(text, language) == plain
    )


def _needs_marks(answer: str, language: str) -> bool:
    if language in _UNSPACED:
        return len(answer) == 1
    return " " not in answer and (len(answer) <= 2 or zipf(answer, language) >= FUNCTION_WORD_ZIPF)


@lru_cache(maxsize=4096)
def _singled_out(answer: str) -> regex.Pattern[str]:
    word, marks = regex.escape(answer), f"[{regex.escape(_MARKS)}]"
    inside = r"(?<![\p{L}\p{M}])" if not _CJK.search(answer) else r"(?<!\p{Han})"
    after = r"(?![\p{L}\p{M}])" if not _CJK.search(answer) else r"(?!\p{Han})"
    marked = rf"{marks}\s?{word}\s?{marks}"
    one = r"(?:\S+\s)?"
    offered = (
        rf"{inside}{word}\s?,?\s?{_OR}(?!\p{{L}})\s?{one}\S+\W*$|(?:^|[\s(:,]){_OR}\s{one}{word}{after}\W*$"
    )
    return regex.compile(f"{marked}|{offered}")


def zipf(word: str, language: str) -> float:
    """How frequent a word is, on the Zipf scale (the: 7.7, once in a million: 3); 0 when below 3."""
    frequency = _frequencies(language).get(word, 0.0)
    return math.log10(frequency) + 9 if frequency else 0.0


@lru_cache(maxsize=8)
def _frequencies(language: str) -> dict[str, float]:
    from wordfreq import available_languages, get_frequency_dict

    if language not in available_languages("small"):
        return {}
    frequencies: dict[str, float] = get_frequency_dict(language, "small")
    return frequencies


def frequent_words(language: str) -> dict[str, float]:
    """Words of the language used at least once in a million, with their share of all words."""
    return _frequencies(language)
