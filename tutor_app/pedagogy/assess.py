"""Is this answer right, nearly right, or a mistake that the lesson foresaw? Pure functions.

Accents and small typos are near misses. A heritage learner, who says the word correctly and is learning to
write it, is asked about the accent; for an L2 learner in an item that is not about spelling an accent slip
counts as right and is only shown. What is one letter away from the answer but is itself another form of the
word (hablo / habla) is never taken for a typo.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz.distance import OSA

from lessons.patterns import contains, matches, normalise, without_punctuation, without_tashkeel
from lessons.schema import (
    Accepted,
    AnyItem,
    ChoiceItem,
    ErrorPattern,
    ListenItem,
    MatchItem,
    OrderItem,
    Track,
)
from tutor_app.pedagogy.language import primary, without_accents, zipf

NearMiss = Literal["accent", "typo"]
TYPO_MIN_LETTERS = 5
"""In shorter words one letter is too much of the word to be called a slip."""
TYPO_ZIPF = 2.0
"""A string at least this frequent is a word of its own, so writing it was a choice and not a slip."""


@dataclass(frozen=True)
class Assessment:
    """What is known about one answer."""

    correct: bool
    near_miss: NearMiss | None = None
    error: ErrorPattern | None = None
    """The instructor's pattern that matched."""
    tags: tuple[str, ...] = ()
    accepted: Accepted | None = None
    """The accepted answer given, or the one the learner was nearest to."""
    wrong_pairs: tuple[str, ...] = ()
    """In a match: the left sides that are not yet with their partner."""


@dataclass(frozen=True)
class Presented:
    """An item as this learner sees it: choices and pieces in an order that follows from the seed."""

    item: AnyItem
    choices: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    order: tuple[int, ...] = field(default=())
    """Match: `order[i]` is the index of the pair whose right side is shown at i."""


def present(item: AnyItem, seed: int) -> Presented:
    """`item` with choices, pieces or right sides shuffled by `seed` and the item's id."""
    rng = random.Random(f"{seed}/{item.id}")
    if isinstance(item, MatchItem):
        order = list(range(len(item.pairs)))
        while len(order) > 1 and order == sorted(order):
            rng.shuffle(order)
        return Presented(
            item, tuple(item.pairs[i][1] for i in order), tuple(pair[0] for pair in item.pairs), tuple(order)
        )
    if isinstance(item, OrderItem):
        tokens = list(item.tokens)
        for _ in range(10):  # pieces may repeat, so a shuffle that changes nothing visible is tried again
            rng.shuffle(tokens)
            if tokens != list(item.tokens):
                break
        return Presented(item, tuple(tokens))
    if isinstance(item, ChoiceItem | ListenItem):
        choices = list(item.choices)
        rng.shuffle(choices)
        return Presented(item, tuple(choices))
    return Presented(item)


def answers(item: AnyItem) -> tuple[str, ...]:
    """Every accepted answer as the learner may see it, best first."""
    if isinstance(item, MatchItem):
        return tuple(f"{left} = {right}" for left, right in item.pairs)
    return tuple(accepted.text for accepted in item.accept)


def assess(shown: Presented, given: str, language: str, track: Track) -> Assessment:
    """Judge `given` for the item as it was shown."""
    item = shown.item
    if isinstance(item, MatchItem):
        return _assess_match(shown, given, language)
    given = _by_number(shown, given)
    exact = _accepted(item.accept, given, language)
    if exact is not None:
        return Assessment(True, accepted=exact)
    error = next((error for error in item.errors if matches(error.pattern, given, language)), None)
    near = None if isinstance(item, ChoiceItem) else _near_miss(item.accept, given, language)
    if near is not None and (error is None or error.tag in ("accent", "spelling", "tashkeel")):
        accepted, kind = near
        about_spelling = error is not None or track == "heritage"
        tag = "accent" if kind == "accent" else "spelling"
        return Assessment(not about_spelling and kind == "accent", kind, error, (tag,), accepted)
    return Assessment(False, None, error, (error.tag,) if error else ("other",), item.accept[0])


def _by_number(shown: Presented, given: str) -> str:
    """A choice may be named by its number (`2`) or letter (`b`); the pieces of an order by numbers (`3 1 2`)."""
    stripped = given.strip().rstrip(".)").strip()
    if isinstance(shown.item, OrderItem):
        picks = stripped.split()
        if len(picks) == len(shown.choices) and all(pick.isdigit() for pick in picks):
            indexes = [int(pick) - 1 for pick in picks]
            if sorted(indexes) == list(range(len(shown.choices))):
                return " ".join(shown.choices[index] for index in indexes)
        return given
    if shown.choices and normalise(given, "en") not in {normalise(choice, "en") for choice in shown.choices}:
        index = int(stripped) - 1 if stripped.isdigit() else "abcdef".find(stripped.lower() or "-")
        if len(stripped) == 1 and 0 <= index < len(shown.choices):
            return shown.choices[index]
    return given


def _accepted(accept: Sequence[Accepted], given: str, language: str) -> Accepted | None:
    for compare in (normalise, without_punctuation):
        told = _loose(compare(given, language), language)
        for accepted in accept:
            if told == _loose(compare(accepted.text, language), language):
                return accepted
    return None


def _loose(text: str, language: str) -> str:
    """Arabic written without signs is as right as Arabic written with them."""
    return without_tashkeel(text) if primary(language) == "ar" else text


def _near_miss(accept: Sequence[Accepted], given: str, language: str) -> tuple[Accepted, NearMiss] | None:
    told = _loose(without_punctuation(given, language), language)
    for accepted in accept:
        wanted = _loose(without_punctuation(accepted.text, language), language)
        if without_accents(told) == without_accents(wanted):
            return accepted, "accent"
    for accepted in accept:
        if _one_slip(told, _loose(without_punctuation(accepted.text, language), language), language):
            return accepted, "typo"
    return None


def _one_slip(told: str, wanted: str, language: str) -> bool:
    """Whether exactly one word differs, by one letter, into something that is no word of the language."""
    ours, theirs = told.split(), wanted.split()
    if len(ours) != len(theirs):
        return False
    different = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    if len(different) != 1:
        return False
    mine, right = different[0]
    if len(right) < TYPO_MIN_LETTERS or OSA.distance(mine, right) != 1:
        return False
    return zipf(mine, language) < TYPO_ZIPF


_PAIR = re.compile(r"(\d+)\s*[-=:.)]?\s*([a-h])", re.IGNORECASE)


def _assess_match(shown: Presented, given: str, language: str) -> Assessment:
    """`1b 2a 3c`, or `left = right` lines."""
    item = shown.item
    assert isinstance(item, MatchItem)
    chosen: dict[int, int] = {}
    for number, letter in _PAIR.findall(given):
        left, right = int(number) - 1, ord(letter.lower()) - ord("a")
        if 0 <= left < len(item.pairs) and 0 <= right < len(item.pairs):
            chosen[left] = shown.order[right]
    for line in re.split(r"[\n;]", given):
        if "=" in line:
            told_left, told_right = (normalise(part, language) for part in line.split("=", 1))
            for i, pair in enumerate(item.pairs):
                if normalise(pair[0], language) == told_left:
                    for j, other in enumerate(item.pairs):
                        if normalise(other[1], language) == told_right:
                            chosen[i] = j
    open_pairs = tuple(pair[0] for i, pair in enumerate(item.pairs) if chosen.get(i) != i)
    if not open_pairs:
        return Assessment(True)
    made = [f"{item.pairs[i][0]} = {item.pairs[j][1]}" for i, j in sorted(chosen.items()) if i != j]
    error = next(
        (error for error in item.errors for pair in made if matches(error.pattern, pair, language)), None
    )
    return Assessment(False, None, error, (error.tag,) if error else ("other",), wrong_pairs=open_pairs)


def reveals(text: str, item: AnyItem, language: str) -> bool:
    """Whether `text` contains an accepted answer, or for a match one of its pairs on one line."""
    if isinstance(item, MatchItem):
        return any(
            contains(text, left, language) and contains(text, right, language) for left, right in item.pairs
        )
    return any(contains(text, accepted.text, language) for accepted in item.accept)
