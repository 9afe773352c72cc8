"""A placement as a series of steps: what to ask next, and where the answers so far say to begin.

It says nothing about right or wrong, writes nothing, and can be ended at any moment.
"""

from __future__ import annotations

from lessons.schema import LessonSet
from tutor_app.pedagogy.assess import assess, present
from tutor_app.progress.placement import MAX_ITEMS, Answer, Candidate, Placed, candidates, next_item, placed
from tutor_app.session import steps
from tutor_app.session.events import StepShown
from tutor_app.session.plan import Unit
from tutor_app.session.turns import Setting

PATIENCE_S = 90.0
"""A longer pause was spent elsewhere and does not use up the ten minutes."""


class Placing:
    """One learner's way through the check; not thread-safe."""

    def __init__(self, lessons: LessonSet, *, seed: int = 0) -> None:
        self._set = lessons
        self._seed = seed
        self._pool = candidates(lessons)
        self._answers: list[Answer] = []
        self._asked: Candidate | None = None

    @property
    def answered(self) -> int:
        return len(self._answers)

    def step(self) -> StepShown | None:
        """What is asked now; None when the level is clear, the time is over, or nothing is left to ask."""
        self._asked = next_item(self._pool, self._answers)
        if self._asked is None:
            return None
        lesson = self._set.lesson(self._asked.lesson_id)
        assert lesson is not None
        step = next(step for step in lesson.steps if step.id == self._asked.step_id)
        at = Setting(self._set.info, lesson, lesson.level, frozenset, self._seed)
        return steps.shown(
            Unit(step, self._asked.item), self.answered + 1, min(MAX_ITEMS, len(self._pool)), at, voice=False
        )

    def answer(self, text: str, elapsed_s: float | None) -> None:
        """The learner's answer to the present step; empty for "I don't know"."""
        if self._asked is None:
            return
        info, item = self._set.info, self._asked.item
        right = (
            bool(text.strip()) and assess(present(item, self._seed), text, info.language, info.track).correct
        )
        self._answers.append(Answer(item.id, right, min(elapsed_s or 0.0, PATIENCE_S)))

    def result(self) -> Placed:
        """Where to begin as far as is known; at the first level when nothing was answered."""
        return placed(self._set, self._pool, self._answers)
