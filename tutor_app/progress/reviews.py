"""When something should come up again: FSRS, fed by attempts. The model never schedules.

Pure: state and time in, state and date out. Ratings follow from what happened, nobody is asked to grade
themselves: wrong is *again*; right with a cue or more, or not at the first try, is *hard*; right is *good*.
There is no *easy*: nothing we observe tells it from good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import fsrs

AGAIN, HARD, GOOD = 1, 2, 3
DAY_S = 86_400
RETENTION = 0.9
"""Probability of still knowing a thing on the day it comes up."""
CUE = 2
"""Hint level from which a right answer counts as hard."""


@dataclass(frozen=True)
class CardState:
    stability: float | None = None
    """Days until retrievability falls to 0.9; None before the first review."""
    difficulty: float | None = None
    """1 to 10."""
    last_at: float | None = None


@dataclass(frozen=True)
class Review:
    state: CardState
    due_at: float
    elapsed_days: float | None
    """None at the first review."""
    predicted: float | None
    """Probability that it would be known, as computed before; None at the first review."""


def rating(*, correct: bool, hint_level: int, attempt_number: int) -> int:
    """FSRS rating of an attempt."""
    if not correct:
        return AGAIN
    return HARD if hint_level >= CUE or attempt_number > 1 else GOOD


@lru_cache(maxsize=8)
def scheduler(parameters: tuple[float, ...] = (), retention: float = RETENTION) -> fsrs.Scheduler:
    """FSRS-6 in whole days: a lesson comes once a day at most, so steps of minutes have no place."""
    return fsrs.Scheduler(
        parameters=parameters or fsrs.scheduler.DEFAULT_PARAMETERS,
        desired_retention=retention,
        learning_steps=(),
        relearning_steps=(),
        enable_fuzzing=False,  # same history, same dates
    )


def review(
    state: CardState,
    rated: int,
    now: float,
    *,
    parameters: Sequence[float] = (),
    retention: float = RETENTION,
) -> Review:
    """What a review does to a card. A clock that went backwards counts as no time passed."""
    at = max(now, state.last_at or now)
    plan = scheduler(tuple(parameters), retention)
    card, _ = plan.review_card(_card(state), fsrs.Rating(rated), datetime.fromtimestamp(at, UTC))
    return Review(
        state=CardState(card.stability, card.difficulty, at),
        due_at=card.due.timestamp(),
        elapsed_days=None if state.last_at is None else (at - state.last_at) / DAY_S,
        predicted=None if state.last_at is None else retrievability(state, at, parameters=parameters),
    )


def retrievability(state: CardState, now: float, *, parameters: Sequence[float] = ()) -> float:
    """Probability that it is still known at `now`; 0 for a card never reviewed."""
    if state.stability is None or state.last_at is None:
        return 0.0
    # Not the library's own: that one rounds the time down to days, and for the same day answers 1.
    decay = -scheduler(tuple(parameters)).parameters[20]
    factor = 0.9 ** (1 / decay) - 1
    elapsed_days = max(0.0, now - state.last_at) / DAY_S
    return float((1 + factor * elapsed_days / state.stability) ** decay)


def fades_to(probability: float, *, parameters: Sequence[float] = ()) -> float:
    """How many times its stability a card can wait until it is known with this probability only."""
    decay = -scheduler(tuple(parameters)).parameters[20]
    return float((probability ** (1 / decay) - 1) / (0.9 ** (1 / decay) - 1))


def _card(state: CardState) -> fsrs.Card:
    if state.last_at is None:
        return fsrs.Card(card_id=0)
    return fsrs.Card(
        card_id=0,
        state=fsrs.State.Review,
        stability=state.stability,
        difficulty=state.difficulty,
        last_review=datetime.fromtimestamp(state.last_at, UTC),
    )
