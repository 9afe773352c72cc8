"""A class of thirty goes through a real lesson by the session's own code, hands in, and is reported on."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.patterns import is_regex
from lessons.schema import AnyItem, LessonSet, MatchItem, items_of
from tutor_app.progress import health, queries
from tutor_app.progress.class_files import csv_files
from tutor_app.progress.class_report import class_report
from tutor_app.progress.figures import minutes, percent
from tutor_app.progress.handin import hand_in
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.events import Asked, Attempt, Said, StepShown, Summary, TurnIn
from tutor_app.session.session import Session

LEARNERS = 30
LESSON = "hola"
START = 1_790_000_000.0


class Clock:
    """Twenty seconds from one look to the next."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        self.now += 20
        return self.now


def answer(item: AnyItem | None, chance: random.Random, skill: float) -> TurnIn:
    if item is None:
        return Said(
            chance.choice(["Soy de Nueva York y me gusta la música.", "¿Qué quiere decir?", "No entiendo."]),
            9.0,
        )
    if isinstance(item, MatchItem) or chance.random() < 0.1:
        return Asked(chance.choice(["hint", "skip"]))
    wrong = [
        error.pattern for error in item.errors if not is_regex(error.pattern) and "*" not in error.pattern
    ]
    right = chance.random() < skill
    return Said(item.accept[0].text if right or not wrong else chance.choice(wrong), 6.0)


def one_sitting(
    lesson_set: LessonSet, store: Store, seed: int, clock: Clock
) -> tuple[Summary, list[Attempt]]:
    """The summary the learner saw, and every attempt the session reported."""
    lesson = lesson_set.lesson(LESSON)
    assert lesson is not None
    items = {item.id: item for step in lesson.steps for item in items_of(step)}
    chance = random.Random(seed)
    skill = chance.uniform(0.4, 0.95)
    session = Session(lesson_set, LESSON, store, None, seed=seed, clock=clock)
    events = list(session.start())
    shown = next(event for event in reversed(events) if isinstance(event, StepShown))
    attempts: list[Attempt] = []
    for _ in range(400):
        events = list(session.submit(answer(items.get(shown.id), chance, skill)))
        attempts += [event for event in events if isinstance(event, Attempt)]
        shown = next((event for event in reversed(events) if isinstance(event, StepShown)), shown)
        if session.over:
            break
    return next(event for event in events if isinstance(event, Summary)), attempts


@pytest.mark.slow
def test_a_class_of_thirty_is_reported_as_the_sessions_saw_it(tmp_path: Path) -> None:
    lesson_set = load_set(builtin_sets_dir() / "es-l2")
    (tmp_path / "in").mkdir()
    screens: dict[str, queries.Overview] = {}
    for seed in range(LEARNERS):
        learner = create_learner(tmp_path, f"Student {seed:02}", now=START)
        clock = Clock()
        with Store.open(tmp_path, learner.id) as store:
            with store.transaction():  # one for the sitting: thirty people do not share a disk in real life
                summary, attempts = one_sitting(lesson_set, store, seed, clock)
            assert health.problems(store.database.connection) == []
            rows = store.database.rows("SELECT item_id, correct FROM attempts ORDER BY id")
            assert {(row["item_id"], bool(row["correct"])) for row in rows} >= {
                (attempt.item, attempt.correct) for attempt in attempts
            }
            results = store.item_results("es-l2", LESSON)
            assert sum(result.correct for result in results.values()) == summary.items_correct
            screens[learner.name] = queries.overview(store, clock.now, "es-l2")
            target = tmp_path / "in" / f"{learner.id}.handin"
            hand_in(store, target, set_ids=["es-l2"], share="results", now=clock.now)
    report = class_report(tmp_path / "in")
    assert report.remarks == ()
    rows = list(csv.DictReader(io.StringIO(csv_files(report)["learners.csv"])))
    assert {row["learner"]: row["items_percent"] for row in rows} == {
        name: percent(seen.items) for name, seen in screens.items()
    }
    assert {row["learner"]: row["minutes"] for row in rows} == {
        name: minutes(seen.minutes) for name, seen in screens.items()
    }
    assert {row["learner"]: row["questions"] for row in rows} == {
        name: str(seen.questions) for name, seen in screens.items()
    }
    assert sum(int(row["questions"]) for row in rows) > 0
