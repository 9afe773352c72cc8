"""What every check gets: one lesson, what is known about its set, and ways to walk through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from lessons.schema import (
    AnyItem,
    ErrorPattern,
    ItemStep,
    Lesson,
    MatchItem,
    OpenStep,
    ReflectStep,
    SetInfo,
    TalkStep,
    WriteStep,
    items_of,
)

Severity = Literal["error", "warning"]
Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Note:
    """Something a check found, at a place in the lesson's file."""

    where: Where
    rule: str
    message: str
    fix: str
    severity: Severity = "error"


@dataclass(frozen=True)
class Sheet:
    """One lesson and what the checks need to know about the set round it."""

    lesson: Lesson
    info: SetInfo | None
    """None for a lesson outside a set."""
    lesson_ids: tuple[str, ...] = ()
    """All lessons of the set, in order."""
    earlier_words: frozenset[str] = frozenset()
    """Words (normalised) that earlier lessons taught."""
    media: frozenset[str] = field(default_factory=frozenset)
    """Names of the files in `media/`."""

    @cached_property
    def language(self) -> str:
        """The language taught without its region; `und` outside a set."""
        return self.info.language.split("-")[0].lower() if self.info else "und"


Role = Literal["prompt", "support", "hint", "recast", "question", "talk", "starter", "text", "explain"]


@dataclass(frozen=True)
class Line:
    """One piece of text that the learner reads or hears from the tutor."""

    where: Where
    role: Role
    text: str


def each_item(lesson: Lesson) -> Iterator[tuple[Where, ItemStep | OpenStep, AnyItem]]:
    """Every item with its place and its step."""
    for step_at, step in enumerate(lesson.steps):
        for item_at, item in enumerate(items_of(step)):
            yield ("steps", step_at, "items", item_at), step, item


def accepted_texts(item: AnyItem) -> list[str]:
    """What counts as right; for a match item nothing, since its pairs are the answer."""
    return [] if isinstance(item, MatchItem) else [answer.text for answer in item.accept]


def each_line(lesson: Lesson) -> Iterator[Line]:
    """Every line of the lesson that the tutor says or shows, in the order of the file."""
    for at, form in enumerate(lesson.forms):
        yield Line(("forms", at, "explain"), "explain", form.explain)
    for at, note in enumerate(lesson.culture):
        yield Line(("culture", at, "text"), "text", note.text)
        yield Line(("culture", at, "ask"), "talk", note.ask)
    for at, step in enumerate(lesson.steps):
        where: Where = ("steps", at)
        yield Line((*where, "prompt"), "prompt", step.prompt)
        if step.support:
            yield Line((*where, "support"), "support", step.support)
        if isinstance(step, TalkStep | ReflectStep | WriteStep):
            yield from _open_lines(where, step)
        for item_at, item in enumerate(items_of(step)):
            yield from _item_lines((*where, "items", item_at), item)


def _open_lines(where: Where, step: OpenStep) -> Iterator[Line]:
    if isinstance(step, ReflectStep):
        yield Line((*where, "question"), "talk", step.question)
        yield Line((*where, "follow_up"), "talk", step.follow_up)
        return
    if isinstance(step, TalkStep):
        yield Line((*where, "opening"), "talk", step.opening)
        for at, text in enumerate(step.simpler):
            yield Line((*where, "simpler", at), "talk", text)
        yield Line((*where, "closing"), "talk", step.closing)
    for at, text in enumerate(step.questions):
        yield Line((*where, "questions", at), "talk", text)
    for at, text in enumerate(step.starters):
        yield Line((*where, "starters", at), "starter", text)


def _item_lines(where: Where, item: AnyItem) -> Iterator[Line]:
    yield Line((*where, "prompt"), "prompt", item.prompt)
    if item.gloss:
        yield Line((*where, "gloss"), "support", item.gloss)
    if item.explain:
        yield Line((*where, "explain"), "explain", item.explain)
    for at, text in enumerate(item.hints):
        yield Line((*where, "hints", at), "hint", text)
    for at, error in enumerate(item.errors):
        yield from _error_lines((*where, "errors", at), error)


def _error_lines(where: Where, error: ErrorPattern) -> Iterator[Line]:
    yield Line((*where, "recast"), "recast", error.recast)
    yield Line((*where, "question"), "question", error.question)
    for at, text in enumerate(error.hints or []):
        yield Line((*where, "hints", at), "hint", text)
