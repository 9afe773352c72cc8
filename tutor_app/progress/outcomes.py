"""What a set's own checks say about learning: the gain from before to after, with its uncertainty.

A set carries them as two lessons, `pre-check` and `post-check`, of parallel items without hints. Both figures are
proportions of items right at the first try; the interval of one learner's gain is Newcombe's (1998, method 10,
from Wilson intervals), which holds for the dozen items such a check has. A class's is a bootstrap over learners.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tutor_app.progress.database import Database

PRE, POST = "pre-check", "post-check"
Z95 = 1.959964
RESAMPLES = 2000


@dataclass(frozen=True)
class Gain:
    """A difference of proportions with its 95 % interval; all between -1 and 1."""

    value: float
    low: float
    high: float
    pre: tuple[int, int]
    post: tuple[int, int]


@dataclass(frozen=True)
class ClassGain:
    value: float
    low: float
    high: float
    learners: int


def learner_gain(database: Database, set_id: str, pre: str = PRE, post: str = POST) -> Gain | None:
    """The gain of a learner who did both checks of a set, each taken at its first sitting; else None."""
    before, after = _check(database, set_id, pre), _check(database, set_id, post)
    return gain(before, after) if before[1] and after[1] else None


def gain(pre: tuple[int, int], post: tuple[int, int]) -> Gain:
    """From (right, of) before and after; both `of` at least 1."""
    p, q = pre[0] / pre[1], post[0] / post[1]
    p_low, p_high = wilson(*pre)
    q_low, q_high = wilson(*post)
    return Gain(
        value=q - p,
        low=q - p - math.hypot(q - q_low, p_high - p),
        high=q - p + math.hypot(q_high - q, p - p_low),
        pre=pre,
        post=post,
    )


def wilson(right: int, of: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927)."""
    p, z2 = right / of, Z95 * Z95
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 / (1 + z2 / of) * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def class_gain(gains: Sequence[Gain], seed: int = 0) -> ClassGain | None:
    """Mean gain of a class with a bootstrap interval; None for fewer than two learners."""
    if len(gains) < 2:
        return None
    values = [one.value for one in gains]
    chance = random.Random(seed)
    means = sorted(sum(chance.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    return ClassGain(
        value=sum(values) / len(values),
        low=means[int(0.025 * RESAMPLES)],
        high=means[int(0.975 * RESAMPLES) - 1],
        learners=len(values),
    )


def _check(database: Database, set_id: str, lesson_id: str) -> tuple[int, int]:
    row = database.row(
        "SELECT coalesce(sum(correct AND hint_level = 0), 0) AS right, count(*) AS tried FROM attempts"
        " WHERE set_id = :set_id AND lesson_id = :lesson_id AND attempt_number = 1 AND session_id ="
        " (SELECT min(session_id) FROM attempts WHERE set_id = :set_id AND lesson_id = :lesson_id)",
        {"set_id": set_id, "lesson_id": lesson_id},
    )
    return (int(row["right"]), int(row["tried"])) if row else (0, 0)
