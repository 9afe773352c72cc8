"""Whether anything is said about how a word sounded: only when two signals that do not know of each other agree.

One is the recogniser's: how much likelier it finds the word that was meant than the one easily said instead. The
other is the ear's: which of two examples the recording sounds like. Each is put on a scale by the examples
themselves, so that a voice that speaks like the example is at 1 and one that says the other word is at -1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["clear", "again"]

SEPARATION = 1.0
"""Half the distance, in nats, between the recogniser's opinions of the two examples; below it, it cannot tell."""
RECOGNISER = 0.25
EAR = 0.1
"""How far from 0 each signal must be to count. Set on voices, not on learners: see the benchmark `pronunciation`."""
HEARD = -2.5
"""Mean log probability of a token of the likelier sentence, below which something else was said."""


@dataclass(frozen=True)
class Opinion:
    """What is known of one word."""

    wanted: float
    other: float
    """Log probabilities of the two sentences, given the recording."""
    tokens: int
    """Of the shorter sentence."""
    example_wanted: float
    example_other: float
    """Log odds of the first sentence against the second, given each example."""
    ear: float | None
    """1: like the example of what was meant; -1: like the other; None: cannot be told."""


def recogniser(opinion: Opinion) -> float | None:
    """The recogniser's signal; None when it cannot tell even the examples apart, or heard something else."""
    separation = (opinion.example_wanted - opinion.example_other) / 2
    if separation < SEPARATION or max(opinion.wanted, opinion.other) / max(1, opinion.tokens) < HEARD:
        return None
    middle = (opinion.example_wanted + opinion.example_other) / 2
    return (opinion.wanted - opinion.other - middle) / separation


def mark(opinion: Opinion) -> Mark | None:
    """What to say of the word, which mostly is nothing."""
    one, two = recogniser(opinion), opinion.ear
    if one is None or two is None:
        return None
    if one > RECOGNISER and two > EAR:
        return "clear"
    if one < -RECOGNISER and two < -EAR:
        return "again"
    return None
