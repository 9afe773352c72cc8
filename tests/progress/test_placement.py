"""Placement finds where a learner stands in a few minutes, and explains what it found."""

from __future__ import annotations

import math
import random

import pytest

from lessons.schema import Lesson, LessonSet, Level, SetInfo
from tutor_app.progress import background, placement
from tutor_app.progress.placement import Answer, candidates, next_item, placed

HINTS = ["nudge", "cue", "choice", "model"]


def lesson(number: int, level: Level) -> Lesson:
    items = [
        {
            "id": f"l{number}-i{place}",
            "prompt": "Yo ___ aquí.",
            "accept": ["estoy"],
            "hints": HINTS,
            "forms": ["f"],
        }
        for place in range(6)
    ]
    return Lesson.model_validate(
        {
            "id": f"l{number}",
            "title": f"Lesson {number}",
            "level": level,
            "objectives": ["Say it"],
            "vocabulary": [],
            "forms": [{"id": "f", "name": "f", "explain": "f", "examples": ["a", "b"], "surface": ["estoy"]}],
            "steps": [
                {"id": f"l{number}-s", "prompt": "Fill", "kind": "cloze", "items": items},
                {
                    "id": f"l{number}-c",
                    "prompt": "Choose",
                    "kind": "choice",
                    "items": [
                        {
                            "id": f"l{number}-c{place}",
                            "prompt": "Yo …",
                            "accept": ["estoy"],
                            "choices": ["soy", "estoy"],
                            "hints": HINTS,
                        }
                        for place in range(2)
                    ],
                },
            ],
        }
    )


SET = LessonSet(
    info=SetInfo(
        id="es-l2",
        version="1.0.0",
        title="t",
        language="es",
        track="l2",
        levels=["A1", "A2", "B1"],
        authors=["a"],
        licence="CC-BY-4.0",
    ),
    lessons=[
        lesson(number, level) for number, level in enumerate(["A1", "A1", "A1", "A2", "A2", "A2", "B1", "B1"])
    ],
)
POOL = candidates(SET)


def take(ability: float, seed: int, elapsed_s: float = 20.0) -> list[Answer]:
    chance = random.Random(seed)
    answers: list[Answer] = []
    while (one := next_item(POOL, answers)) is not None:
        knows = 1 / (1 + math.exp(one.difficulty - ability))
        answers.append(
            Answer(one.item.id, chance.random() < one.guess + (0.97 - one.guess) * knows, elapsed_s)
        )
    return answers


@pytest.mark.parametrize(("ability", "level"), [(0.0, "A1"), (2.8, "A2"), (6.0, "B1")])
def test_learners_are_placed_where_they_stand(ability: float, level: Level) -> None:
    results = [placed(SET, POOL, take(ability, seed)).level for seed in range(40)]
    assert results.count(level) >= 30
    assert {"A1": "B1", "B1": "A1"}.get(level) not in results, "nobody is two levels off"


def test_it_is_short_and_stops_when_time_is_up() -> None:
    lengths = [len(take(ability, seed)) for ability in (-2.0, 2.0, 3.0, 7.0) for seed in range(10)]
    assert min(lengths) >= placement.MIN_ITEMS
    assert max(lengths) <= placement.MAX_ITEMS
    assert sum(lengths) / len(lengths) < 18
    assert sum(answer.elapsed_s for answer in take(2.0, 1, elapsed_s=90.0)) < placement.MAX_S + 90


def test_it_adapts_and_asks_nothing_twice() -> None:
    def mean_difficulty(answers: list[Answer]) -> float:
        found = {one.item.id: one.difficulty for one in POOL}
        return sum(found[answer.item_id] for answer in answers) / len(answers)

    strong, weak = take(7.0, 1), take(-2.0, 1)
    assert mean_difficulty(strong) > mean_difficulty(weak) + 1
    assert len({answer.item_id for answer in strong}) == len(strong)
    lessons = {one.item.id: one.lesson_id for one in POOL}
    assert len({lessons[answer.item_id] for answer in weak}) >= 3, "one topic alone does not place anybody"


def test_skipping_begins_at_the_first_level_and_locks_nothing() -> None:
    result = placed(SET, POOL, [])
    assert (result.level, result.lesson_id) == ("A1", "l0")
    assert "Any lesson is open" in result.why


def test_the_result_says_what_was_found_and_that_it_can_be_changed() -> None:
    result = placed(SET, POOL, take(3.0, 2))
    assert result.lesson_id == "l3"
    assert sum(result.probability.values()) == pytest.approx(1)
    assert all(
        f"{right} of {asked} at {level}" in result.why for level, (right, asked) in result.right.items()
    )
    assert "change it" in result.why


@pytest.mark.parametrize(
    ("answers", "track"),
    [
        ({"home": "everyone", "understand": "follow", "speak": "mixed", "school": "never"}, "heritage"),
        ({"home": "some", "understand": "gist", "speak": "seldom", "school": "never"}, "heritage"),
        ({"home": "nobody", "understand": "words", "speak": "class", "school": "course"}, "l2"),
        ({"home": "nobody", "understand": "follow", "speak": "often", "school": "course"}, "l2"),
        ({}, "l2"),
    ],
)
def test_the_background_suggests_a_track_and_leaves_the_choice(answers: dict[str, str], track: str) -> None:
    suggestion = background.suggest(answers, "Spanish")
    assert suggestion.track == track
    assert "You can change it" in suggestion.why
    assert "Spanish" in suggestion.why


def test_every_question_can_be_asked_in_any_language() -> None:
    assert len({question.id for question in background.QUESTIONS}) == len(background.QUESTIONS) == 4
    assert all(question.text.format(language="Arabic") for question in background.QUESTIONS)
