"""How likely the learner is to get a form right next time: performance factors with forgetting.

A logistic model over what can be counted: right and wrong answers for the form, each fading with every
later attempt, the days since the last one, and how the learner does in general. It is PFA (Pavlik, Cen &
Koedinger 2009) with recency weights (Galyardt & Goldin 2015), plus a running offset of the learner's own.

    logit p = BASE + KIND[kind] + RIGHT·ln(1 + r) − WRONG·ln(1 + w) − FORGET·ln(1 + days) + learner

r and w are sums of past outcomes weighted FADE^(attempts since). An answer right only with help counts partly
for both. `learner` follows the learner's surprises: after each attempt without help it moves by STEP·(outcome − p). Constants
were fitted by `python -m tests.benchmarks progress` on simulated learners whose generator is another model
(latent skill with practice, forgetting, slips and guesses); the offset takes up what real learners have different.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tutor_app.progress.reviews import DAY_S

BASE = -1.0
RIGHT = 1.2
WRONG = 0.23
FORGET = 0.19
FADE = 0.97
STEP = 0.085
KIND = {"choice": 0.7, "match": 0.7, "listen": 0.35}
"""Kinds that can be guessed are easier; all others share the base."""
HELP = (1.0, 0.9, 0.6, 0.4, 0.0)
"""How much of a right answer counts as right, by hint level: at 4 the answer was on screen."""
MASTERED = 0.85
"""From here on a form counts as known: for gates, recommendations and the progress screen."""


@dataclass(frozen=True)
class FormState:
    recent_right: float = 0.0
    recent_wrong: float = 0.0
    last_at: float | None = None


def probability(state: FormState, now: float, *, kind: str = "", learner: float = 0.0) -> float:
    """That the next attempt without help is right. Between 0 and 1, never either."""
    days = 0.0 if state.last_at is None else max(0.0, now - state.last_at) / DAY_S
    logit = (
        BASE
        + KIND.get(kind, 0.0)
        + RIGHT * math.log1p(state.recent_right)
        - WRONG * math.log1p(state.recent_wrong)
        - FORGET * math.log1p(days)
        + learner
    )
    return 1 / (1 + math.exp(-logit))


def after(state: FormState, now: float, *, correct: bool, hint_level: int) -> FormState:
    """The state once an attempt is known."""
    credit = HELP[hint_level] if correct else 0.0
    return FormState(
        FADE * state.recent_right + credit,
        FADE * state.recent_wrong + 1 - credit,
        max(now, state.last_at or now),
    )


def learner_after(learner: float, predicted: float, *, correct: bool, hint_level: int) -> float:
    """The learner's offset once an attempt is known, kept within ±2.5 (a factor of twelve in the odds).

    Right with help says nothing about what they would have done without, so it moves nothing.
    """
    if correct and hint_level > 0:
        return learner
    return max(-2.5, min(2.5, learner + STEP * (correct - predicted)))
