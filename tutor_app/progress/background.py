"""A few questions about a learner's background, and which track they suggest. Never a label, always a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Track = Literal["heritage", "l2"]


@dataclass(frozen=True)
class Question:
    id: str
    text: str
    """`{language}` stands for the language's name."""
    choices: tuple[tuple[str, str, int], ...]
    """(value, its words, weight for the heritage track)."""


QUESTIONS = (
    Question(
        "home",
        "When you were a child, who spoke {language} around you?",
        (
            ("everyone", "Most people at home", 3),
            ("some", "Some of my family, such as grandparents", 2),
            ("community", "People around us, but not at home", 1),
            ("nobody", "Nobody", -3),
        ),
    ),
    Question(
        "understand",
        "Somebody tells a story in {language} at a family table. You …",
        (
            ("follow", "follow it without effort", 2),
            ("gist", "get the gist", 1),
            ("words", "catch some words", -1),
            ("nothing", "would be lost", -2),
        ),
    ),
    Question(
        "speak",
        "Do you speak it with anybody?",
        (
            ("often", "Yes, often", 2),
            ("mixed", "Yes, mixed with English", 2),
            ("seldom", "Seldom; I answer in English", 1),
            ("class", "Only in class", -2),
        ),
    ),
    Question(
        "school",
        "Where did you learn to read and write it?",
        (
            ("school-there", "In school, in that language", 0),
            ("home", "At home or by myself", 1),
            ("never", "Not really", 1),
            ("course", "In language courses", -1),
        ),
    ),
)

HERITAGE_FROM = 3
"""Sum of weights from which the heritage track is suggested."""


@dataclass(frozen=True)
class Suggestion:
    track: Track
    why: str


def suggest(answers: Mapping[str, str], language: str) -> Suggestion:
    """The track for these answers (question id → value); questions that were skipped count for nothing.

    Raises KeyError for a value that no question has.
    """
    score = sum(_weight(question, answers[question.id]) for question in QUESTIONS if question.id in answers)
    if score >= HERITAGE_FROM:
        return Suggestion(
            "heritage",
            f"You grew up with {language}, so this path builds on what your ear knows: your way of speaking is "
            "welcome, mixing too, and the practice is in reading, spelling and more ways to say things. "
            "You can change it at any time.",
        )
    return Suggestion(
        "l2",
        f"You are learning {language} from English, so this path goes step by step, with contrasts to English where "
        "they help. You can change it at any time.",
    )


def _weight(question: Question, value: str) -> int:
    return {choice: weight for choice, _, weight in question.choices}[value]
