"""What the learner's turn tells: lost, slow, mixing languages, off the task. Pure functions.

Errors are found by `assess` (items) and `reformulation` (free talk) and join the list as `error:<tag>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import regex

from tutor_app.pedagogy.language import compiled, is_english, length, plain, primary, script_share, words

CONFUSION_MAX_WORDS = 12
"""A longer turn that contains "no sé" is telling something, not asking for help."""

SLOW_RATIO = 2.5
"""Slow is this many times the learner's own usual time for an answer of that length …"""
SLOW_FLOOR_S = 12.0
"""… and never under this many seconds: everybody may think for a moment."""
PACE_TURNS = 5
"""A learner's own pace is known after this many timed turns."""
DEFAULT_PACE = (8.0, 0.6)
"""Until then: seconds to begin, and seconds a character."""

CODE_SWITCH_SHARE = 0.15
"""From this share of English words a turn counts as mixing languages."""


_NAME = regex.compile(r"(?<=[\p{L}\p{N},;] )\p{Lu}[\p{L}\p{M}]+")
"""A capital inside a sentence: Sunset Park is a place and not two English words."""


def confused(text: str, language_tag: str) -> bool:
    """Whether the learner says that they are lost, in the language taught or in English."""
    if not any(character.isalnum() for character in text):
        return bool(text.strip())  # "?", "…", "???": something was sent, and it has no word in it
    if length(text, language_tag) > CONFUSION_MAX_WORDS:
        return False
    for tag in dict.fromkeys((primary(language_tag), "en", "es", "zh", "ar", "fr")):
        seen = plain(text, tag)
        if any(pattern.search(seen) for pattern in compiled(tag, "confusion")):
            # Another language than the one taught counts only when it is the whole message in spirit:
            # "no sé" typed in a French lesson does, a French sentence with "quoi" in a Spanish one does too.
            return True
    return False


def expected_seconds(characters: int, pace: Sequence[tuple[int, float]]) -> float:
    """How long this learner usually takes for an answer of so many characters.

    `pace` holds (characters, seconds) of their recent turns. The start-up time is taken from the default and
    the seconds a character from the median, which one interrupted turn cannot move.
    """
    start, each = DEFAULT_PACE
    if len(pace) >= PACE_TURNS:
        own = median(seconds / (start / each + count) for count, seconds in pace)
        return own * (start / each + characters)
    return start + each * characters


def slow(text: str, elapsed_s: float | None, pace: Sequence[tuple[int, float]]) -> bool:
    """Whether this turn took much longer than this learner usually takes."""
    if elapsed_s is None or elapsed_s <= SLOW_FLOOR_S:
        return False
    return elapsed_s > SLOW_RATIO * expected_seconds(len(text), pace)


def english_share(text: str, language_tag: str) -> float:
    """Share of the words of `text` that are English rather than of the language taught."""
    names = {name.casefold() for name in _NAME.findall(text)}
    found = [word for word in words(text, language_tag) if not word.isdigit() and word not in names]
    return sum(is_english(word, language_tag) for word in found) / len(found) if found else 0.0


def code_switched(text: str, language_tag: str) -> bool:
    """Whether the turn mixes English in. Never an error by itself; for heritage learners it is a skill."""
    return primary(language_tag) != "en" and english_share(text, language_tag) >= CODE_SWITCH_SHARE


def off_task(text: str, language_tag: str) -> bool:
    """Whether nothing in the turn can be worked with: mashed keys, or another script altogether."""
    letters = [character for character in text if character.isalpha()]
    if len(letters) < 4:
        return False
    if len(set(map(str.casefold, letters))) <= 2:
        return True
    return script_share(text, language_tag) < 0.3 and english_share(text, language_tag) < 0.3


def repeats(text: str, earlier: Sequence[str], language_tag: str) -> bool:
    """Whether the learner says again what they said just before."""
    return bool(earlier) and plain(text, language_tag) == plain(earlier[-1], language_tag)
