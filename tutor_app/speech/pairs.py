"""Hearing two words that one sound tells apart, before saying one of them again: minimal-pair listening."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tutor_app.session.events import WordSound

ROUNDS = 2
"""Enough to notice the difference; more would be a test."""


@dataclass(frozen=True)
class Pair:
    """A word that was offered to be heard again, and the one it is easily taken for."""

    words: tuple[str, str]
    """What was meant, and the other."""
    sentences: tuple[str, str]
    """What the voice says for each: the same sentence but for the word, since one word alone is soon over."""
    tip: str
    """How the difference is made."""


def pair_of(words: Sequence[WordSound], sentence: str) -> Pair | None:
    """The first word of `sentence` that may be heard again beside another; None when there is none."""
    for word in words:
        if word.mark == "again" and word.other and word.other != word.word:
            said = (sentence, word.other_sentence) if word.other_sentence else (word.word, word.other)
            return Pair((word.word, word.other), said, word.tip)
    return None


def order(seed: int | str, rounds: int = ROUNDS) -> tuple[int, ...]:
    """Which of the two is said in each round, 0 or 1. Each is drawn anew, so that none can be guessed from the last."""
    drawn = random.Random(seed)
    return tuple(drawn.randrange(2) for _ in range(rounds))
