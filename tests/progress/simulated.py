"""Simulated learners for testing models of memory and knowledge.

The generators are on purpose other models than the ones tested: latent skills that grow by practice and fade by
the day, with slips and guesses; memories that fade exponentially with a strength of their own.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True)
class FormAttempt:
    form: int
    at: float
    kind: str
    hint_level: int
    correct: bool


def form_learner(seed: int, *, forms: int = 10, days: int = 30) -> list[FormAttempt]:
    """One learner's attempts in order: about two dozen a session, a session every other day, all forms mixed."""
    chance = random.Random(seed)
    ability = chance.gauss(0, 0.9)
    skill = [ability - chance.gauss(0.6, 0.8) for _ in range(forms)]
    fast = math.exp(chance.gauss(-1.4, 0.4))  # how much a single practice adds
    last = [0.0] * forms
    attempts = []
    day = 0.0
    for _ in range(days):
        day += chance.choice([1, 1, 1, 2, 3, 7, 14])
        now = day * DAY_S + chance.uniform(0, 3600)
        for number in range(chance.randrange(8, 24)):
            form = min(int(chance.expovariate(0.35)), forms - 1)
            at = now + 45.0 * number
            kind = chance.choice(["cloze", "cloze", "translate", "choice", "order"])
            hint_level = chance.choices([0, 1, 2, 3], [16, 2, 1, 1])[0]
            faded = skill[form] - 0.3 * math.log1p(max(0.0, at / DAY_S - last[form]))
            guess, slip = (0.33 if kind == "choice" else 0.04), 0.05
            knows = 1 / (1 + math.exp(-(faded + 0.7 * hint_level)))
            right = chance.random() < guess + (1 - guess - slip) * knows
            attempts.append(FormAttempt(form, at, kind, hint_level, right))
            skill[form] = faded + fast * (1.4 if not right else 1.0) * (1 - 1 / (1 + math.exp(-faded + 1.5)))
            last[form] = at / DAY_S
    return attempts


@dataclass(frozen=True)
class CardReview:
    days: float
    """Since the review before; 0 at the first."""
    knew: bool


def memory_learner(seed: int, *, cards: int = 40, reviews: int = 9) -> list[list[CardReview]]:
    """One learner's cards, each with its reviews in order; the intervals are those of a careless schedule.

    Memory fades exponentially (FSRS: by a power law) and a success multiplies its strength by two to four, more
    when it was nearly forgotten, as is found in people.
    """
    chance = random.Random(seed)
    memory = math.exp(chance.gauss(0.0, 0.35))
    found = []
    for _ in range(cards):
        hardness = chance.betavariate(2, 3)
        strength = memory * (0.4 + 3.0 * (1 - hardness)) * math.exp(chance.gauss(0, 0.3))  # days
        history = [CardReview(0.0, chance.random() < 0.8 - 0.5 * hardness)]
        strength *= 1.0 if history[0].knew else 0.5
        interval = 1.0
        for _ in range(chance.randrange(2, reviews)):
            days = max(1.0, round(interval * math.exp(chance.gauss(0, 0.5))))
            remembered = 0.03 + 0.95 * math.exp(-days / (strength * 6))
            knew = chance.random() < remembered
            history.append(CardReview(days, knew))
            effort = 1 - math.exp(-days / (strength * 6))
            growth = 1.8 + 5.0 * effort * (1 - 0.5 * hardness)
            strength = strength * growth if knew else strength * 0.4 + 0.2
            interval = interval * 2.2 if knew else 1.0
        found.append(history)
    return found
