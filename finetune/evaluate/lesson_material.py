"""Questions and items of the lesson sets that ship, for what a model is asked about lessons."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lessons.load import builtin_sets_dir, find_sets, load_set
from lessons.schema import Lesson, Level, TalkStep, Track, items_of
from tutor_app.pedagogy.author import without_emphasis
from tutor_app.pedagogy.language import length, primary


@dataclass(frozen=True)
class Quiz:
    """An item whose answer is to stay hidden."""

    id: str
    level: Level
    prompt: str
    hint: str
    answers: tuple[str, ...]


def lessons(language: str, track: Track) -> list[tuple[str, Lesson]]:
    """(set, lesson) of this language and track, in order."""
    found = [
        one for one in find_sets([builtin_sets_dir()])
        if one.info is not None and primary(one.info.language) == primary(language) and one.info.track == track
    ]  # fmt: skip
    return [(one.folder.name, lesson) for one in found for lesson in load_set(one.folder).lessons]


def talk_questions(language: str, track: Track, count: int) -> list[tuple[str, str]]:
    """(id, question) of talks, the longest first: there is something to simplify in them."""
    found = [
        (f"{name}/{lesson.id}/{step.id}/{i}", without_emphasis(question).text)
        for name, lesson in lessons(language, track)
        for step in lesson.steps
        if isinstance(step, TalkStep)
        for i, question in enumerate(step.questions)
    ]
    return sorted(found, key=lambda one: (-length(one[1], language), one[0]))[:count]


def quizzes(language: str, track: Track, count: int, seed: int) -> list[Quiz]:
    """Items with a hint and a short answer that the hint does not contain."""
    found = [
        Quiz(
            f"{name}/{lesson.id}/{item.id}", lesson.level, item.prompt, without_emphasis(item.hints[0]).text,
            tuple(answer.text for answer in item.accept),
        )
        for name, lesson in lessons(language, track)
        for step in lesson.steps
        if step.kind in ("cloze", "translate", "conjugate")
        for item in items_of(step)
        if hasattr(item, "accept")
    ]  # fmt: skip
    return sorted(found, key=lambda one: hashlib.sha256(f"{seed}/{one.id}".encode()).digest())[:count]
