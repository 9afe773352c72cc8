"""Where to begin: a short adaptive check with a set's own items. Pure; it can be skipped, and its result changed.

Each answer moves a belief about the learner's ability (a grid, Rasch's model with a guessing floor); the next item
is the one that says most about it, from a lesson not asked about yet where there is one. It ends when the level is
clear, after twenty-four items, or after ten minutes. Difficulty is not measured but taken from where an item stands:
its level, and how late in the level its lesson comes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lessons.schema import AnyItem, ChoiceItem, LessonSet, Level, items_of

KINDS = frozenset({"choice", "cloze", "order", "translate", "conjugate"})
"""Kinds that need neither sound nor a text to read first."""

LEVELS: tuple[Level, ...] = ("A1", "A2", "B1")
STEP = 1.8
"""Logits from one level to the next."""
WITHIN = 1.0
"""Logits from the first lesson of a level to its last."""
READY = 0.8
"""Who gets this share of a level's items right begins at the next one: what mastery of a lesson asks for."""

MIN_ITEMS, MAX_ITEMS = 8, 24
MAX_S = 600.0
CLEAR = 0.9
"""Probability of one level at which no more is asked."""

_GRID = tuple(-3.0 + 0.2 * step for step in range(56))  # -3 to 8 logits
_PRIOR_MEAN, _PRIOR_SD = 2.0, 3.0  # the middle of the scale, and hardly sure of it


@dataclass(frozen=True)
class Candidate:
    """An item that can be asked."""

    lesson_id: str
    step_id: str
    kind: str
    level: Level
    difficulty: float
    guess: float
    item: AnyItem


@dataclass(frozen=True)
class Answer:
    item_id: str
    correct: bool
    elapsed_s: float
    """Capped by the caller's patience, not ours."""


@dataclass(frozen=True)
class Placed:
    level: Level
    lesson_id: str | None
    """The first lesson of that level; None when the set has none."""
    probability: dict[Level, float]
    """Of each level being the right place to begin."""
    right: dict[Level, tuple[int, int]]
    """Level → (right, asked)."""
    why: str
    """For the learner."""


def candidates(lesson_set: LessonSet) -> list[Candidate]:
    """Every item of a set that a placement can ask, in order."""
    found = []
    for level in LEVELS:
        # What a check asks must be new when it is asked.
        of_level = [lesson for lesson in lesson_set.lessons if lesson.level == level and lesson.check is None]
        for place, lesson in enumerate(of_level):
            late = place / (len(of_level) - 1) if len(of_level) > 1 else 0.5
            for step in lesson.steps:
                if step.kind not in KINDS:
                    continue
                for item in items_of(step):
                    found.append(
                        Candidate(
                            lesson.id,
                            step.id,
                            step.kind,
                            level,
                            LEVELS.index(level) * STEP + WITHIN * late,
                            1 / len(item.choices) if isinstance(item, ChoiceItem) else 0.02,
                            item,
                        )
                    )
    return found


def next_item(pool: Sequence[Candidate], answers: Sequence[Answer]) -> Candidate | None:
    """What to ask next, or None when enough is known, or nothing is left."""
    if _is_over(pool, answers):
        return None
    asked = {answer.item_id for answer in answers}
    left = [one for one in pool if one.item.id not in asked]
    if not left:
        return None
    belief = _belief(pool, answers)
    met = Counter(one.lesson_id for one in pool if one.item.id in asked)
    fewest = min(met[one.lesson_id] for one in left)
    # Of the lessons asked about least; all of one lesson would place by a single topic.
    fresh = [one for one in left if met[one.lesson_id] <= fewest + 1]
    return max(fresh, key=lambda one: (_information(belief, one), -met[one.lesson_id]))


def placed(lesson_set: LessonSet, pool: Sequence[Candidate], answers: Sequence[Answer]) -> Placed:
    """Where the learner begins; with no answers (skipped), at the first level."""
    offered = [level for level in LEVELS if any(one.level == level for one in lesson_set.lessons)]
    probability = _level_probabilities(_belief(pool, answers), offered)
    level = max(offered, key=lambda one: probability[one]) if answers else offered[0]
    by_id = {one.item.id: one for one in pool}
    right: dict[Level, tuple[int, int]] = {}
    for answer in answers:
        if one := by_id.get(answer.item_id):
            had = right.get(one.level, (0, 0))
            right[one.level] = (had[0] + answer.correct, had[1] + 1)
    first = next(
        (lesson.id for lesson in lesson_set.lessons if lesson.level == level and lesson.check is None), None
    )
    return Placed(level, first, probability, right, _why(level, right))


def _why(level: Level, right: dict[Level, tuple[int, int]]) -> str:
    if not right:
        return f"You begin at {level}. Any lesson is open to you, and you can come back to this check later."
    if not any(share[0] for share in right.values()):
        return (
            f"These were new to you, and finding that out is all this was for. You begin at {level}. Every lesson is "
            "open to you, and you can change it in the settings."
        )
    counts = ", ".join(f"{share[0]} of {share[1]} at {one}" for one, share in sorted(right.items()))
    return (
        f"You answered {counts} without help. {level} is where there is something new for you and enough that you "
        "know. This is a suggestion: every lesson is open to you, and you can change it in the settings."
    )


def _is_over(pool: Sequence[Candidate], answers: Sequence[Answer]) -> bool:
    if len(answers) >= MAX_ITEMS or sum(answer.elapsed_s for answer in answers) >= MAX_S:
        return True
    if len(answers) < MIN_ITEMS:
        return False
    offered = sorted({one.level for one in pool}, key=LEVELS.index)
    return max(_level_probabilities(_belief(pool, answers), offered).values()) >= CLEAR


def _belief(pool: Sequence[Candidate], answers: Sequence[Answer]) -> list[float]:
    """Probability of each ability on the grid."""
    by_id = {one.item.id: one for one in pool}
    weights = [math.exp(-0.5 * ((ability - _PRIOR_MEAN) / _PRIOR_SD) ** 2) for ability in _GRID]
    for answer in answers:
        if one := by_id.get(answer.item_id):
            for place, ability in enumerate(_GRID):
                p = _right(ability, one)
                weights[place] *= p if answer.correct else 1 - p
    total = sum(weights)
    return [weight / total for weight in weights]


def _right(ability: float, one: Candidate) -> float:
    """Three-parameter logistic, with a ceiling of 0.98: everybody slips."""
    return one.guess + (0.98 - one.guess) / (1 + math.exp(one.difficulty - ability))


def _information(belief: Sequence[float], one: Candidate) -> float:
    """Expected Fisher information about the ability."""
    total = 0.0
    for weight, ability in zip(belief, _GRID, strict=True):
        p = _right(ability, one)
        logistic = 1 / (1 + math.exp(one.difficulty - ability))
        slope = (0.98 - one.guess) * logistic * (1 - logistic)
        total += weight * slope * slope / (p * (1 - p))
    return total


def _level_probabilities(belief: Sequence[float], offered: Sequence[Level]) -> dict[Level, float]:
    found = dict.fromkeys(offered, 0.0)
    for weight, ability in zip(belief, _GRID, strict=True):
        found[_level_of(ability, offered)] += weight
    return found


def _level_of(ability: float, offered: Sequence[Level]) -> Level:
    """The lowest level that is not mastered yet; the highest when all are."""
    for level in offered:
        middle = LEVELS.index(level) * STEP + WITHIN / 2
        if 1 / (1 + math.exp(middle - ability)) < READY:
            return level
    return offered[-1]
