"""FSRS for many cards at once, and its parameters fitted to one learner.

The same formulas as the `fsrs` package (FSRS-6, without steps of minutes), in arrays: a fit reads every history
hundreds of times, and after it every card is scheduled anew. numpy is imported here and nowhere else in the
store, so that a start does not pay for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from fsrs.scheduler import DEFAULT_PARAMETERS, LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS
from numpy.typing import NDArray

from tutor_app.progress.reviews import RETENTION

Floats = NDArray[np.float64]

ENOUGH_REVIEWS = 400
"""Reviews at least a day after the one before that a fit needs; with fewer the defaults predict better."""
ROUNDS = 12
PRIOR = 2.0
"""How strongly the fit is held to the defaults, in log loss a parameter moved by its own size."""


@dataclass(frozen=True)
class Histories:
    """Review histories, padded. Shapes [C, R]: C cards, R reviews of the longest."""

    ratings: NDArray[np.int64]
    """1 to 4; 0 where a card has no review."""
    days: Floats
    """Whole days since the review before; 0 at the first."""


def histories(cards: Sequence[Sequence[tuple[int, float]]]) -> Histories:
    """From (rating, days since the one before) of each card's reviews, in order."""
    longest = max((len(card) for card in cards), default=0)
    ratings = np.zeros((len(cards), longest), dtype=np.int64)
    days = np.zeros((len(cards), longest))
    for number, card in enumerate(cards):
        for place, (rating, elapsed) in enumerate(card):
            ratings[number, place] = rating
            days[number, place] = max(0.0, np.floor(elapsed))
    return Histories(ratings, days)


def retrievability(stability: Floats, days: Floats, parameters: Sequence[float]) -> Floats:
    """Probability of recall so many days after a review. Shapes: any, equal."""
    decay = -parameters[20]
    factor = 0.9 ** (1 / decay) - 1
    return np.asarray((1 + factor * days / stability) ** decay)


def advance(
    stability: Floats,
    difficulty: Floats,
    days: Floats,
    ratings: NDArray[np.int64],
    parameters: Sequence[float],
) -> tuple[Floats, Floats]:
    """Stability and difficulty after a review, for cards that had one before. Shapes: [C] each."""
    w = parameters
    again = ratings == 1
    recall = retrievability(stability, days, w)
    grown = stability * (
        1
        + np.exp(w[8])
        * (11 - difficulty)
        * stability ** -w[9]
        * (np.exp((1 - recall) * w[10]) - 1)
        * np.where(ratings == 2, w[15], 1.0)
        * np.where(ratings == 4, w[16], 1.0)
    )
    lapsed = np.minimum(
        w[11] * difficulty ** -w[12] * ((stability + 1) ** w[13] - 1) * np.exp((1 - recall) * w[14]),
        stability / np.exp(w[17] * w[18]),
    )
    same_day = np.exp(w[17] * (ratings - 3 + w[18])) * stability ** -w[19]
    same_day = stability * np.where(again, same_day, np.maximum(same_day, 1.0))
    after = np.where(days < 1, same_day, np.where(again, lapsed, grown))
    damped = difficulty - w[6] * (ratings - 3) * (10 - difficulty) / 9
    easiest = w[4] - np.exp(w[5] * 3) + 1
    return np.maximum(after, 0.001), np.clip(w[7] * easiest + (1 - w[7]) * damped, 1.0, 10.0)


def replay(past: Histories, parameters: Sequence[float]) -> tuple[Floats, Floats, Floats]:
    """Predictions [C, R] (nan where nothing was predicted), and stability and difficulty [C] at the end."""
    w = parameters
    first = past.ratings[:, 0]
    stability = np.maximum(np.asarray(w[:4])[np.maximum(first, 1) - 1], 0.001)
    difficulty = np.clip(w[4] - np.exp(w[5] * (first - 1)) + 1, 1.0, 10.0)
    predicted = np.full(past.ratings.shape, np.nan)
    for place in range(1, past.ratings.shape[1]):
        there = past.ratings[:, place] > 0
        days, ratings = past.days[there, place], past.ratings[there, place]
        predicted[there, place] = retrievability(stability[there], days, w)
        stability[there], difficulty[there] = advance(stability[there], difficulty[there], days, ratings, w)
    return predicted, stability, difficulty


def intervals(stability: Floats, parameters: Sequence[float], retention: float = RETENTION) -> Floats:
    """Whole days until recall falls to `retention`, at least one. Shape: [C]."""
    decay = -parameters[20]
    factor = 0.9 ** (1 / decay) - 1
    return np.asarray(np.clip(np.round(stability / factor * (retention ** (1 / decay) - 1)), 1, 36_500))


def log_loss(past: Histories, parameters: Sequence[float]) -> float:
    """Mean over reviews at least a day after the one before, in nats; nan when there is none."""
    predicted, _, _ = replay(past, parameters)
    counted = ~np.isnan(predicted) & (past.days >= 1)
    p = np.clip(predicted[counted], 1e-4, 1 - 1e-4)
    right = past.ratings[counted] > 1
    return float(-np.mean(np.where(right, np.log(p), np.log(1 - p)))) if counted.any() else float("nan")


def fit(past: Histories) -> tuple[float, ...] | None:
    """Parameters for this learner, or None when there is too little history for better than the defaults.

    Coordinate descent on log loss with a pull to the defaults: twenty-one numbers and a few thousand reviews
    need no gradient, and the package's own optimiser needs torch.
    """
    counted = int(((past.days >= 1) & (past.ratings > 0)).sum())
    if counted < ENOUGH_REVIEWS:
        return None
    defaults = np.asarray(DEFAULT_PARAMETERS)
    low, high = np.asarray(LOWER_BOUNDS_PARAMETERS), np.asarray(UPPER_BOUNDS_PARAMETERS)

    def cost(w: Floats) -> float:
        moved = (w - defaults) / np.maximum(np.abs(defaults), 0.1)
        return log_loss(past, tuple(w)) + PRIOR / counted * float(moved @ moved)

    best, steps = defaults.copy(), np.maximum(np.abs(defaults), 0.1) * 0.4
    lowest = cost(best)
    for _ in range(ROUNDS):
        for place in range(len(best)):
            for direction in (1.0, -1.0):
                tried = best.copy()
                tried[place] = np.clip(tried[place] + direction * steps[place], low[place], high[place])
                if (found := cost(tried)) < lowest:
                    best, lowest = tried, found
                    break
            else:
                steps[place] /= 2
    return tuple(float(value) for value in best)
