"""A set as the questions that a learning platform knows: choice, short answer, matching, ordering, essay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lessons.exchange import Losses
from lessons.patterns import matches, normalise
from lessons.schema import (
    AnyItem,
    ChoiceItem,
    ItemStep,
    Lesson,
    LessonSet,
    ListenItem,
    MatchItem,
    OpenStep,
    OrderItem,
    ReadStep,
    ReflectStep,
    Step,
    TalkStep,
    WriteStep,
    items_of,
)

Kind = Literal["choice", "short", "match", "order", "essay"]


@dataclass(frozen=True)
class Choice:
    """One alternative of a choice question."""

    text: str
    right: bool
    reply: str = ""
    """What the tutor says to it, as feedback."""


@dataclass(frozen=True)
class Question:
    """One question, complete in itself."""

    id: str
    """Stable: set, lesson and item."""
    name: str
    """The item's or step's own id."""
    lesson: Lesson
    """To group by."""
    kind: Kind
    text: str
    answers: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    tokens: tuple[str, ...] = ()
    hint: str = ""
    explain: str = ""
    gap: tuple[str, str] | None = None
    """What stands before and after the gap of a cloze."""


def questions_of(lesson_set: LessonSet, losses: Losses) -> list[Question]:
    """The set's items as questions, in order; `losses` gets what no platform has a place for."""
    return [question for lesson in lesson_set.lessons for question in _lesson(lesson_set, lesson, losses)]


def plain(text: str) -> str:
    """Text of the tutor without its *marks*."""
    return text.replace("*", "")


def _lesson(lesson_set: LessonSet, lesson: Lesson, losses: Losses) -> Iterator[Question]:
    prefix = f"{lesson_set.info.id}-{lesson.id}"
    for step in lesson.steps:
        yield from _open(prefix, lesson, step, losses)
        for item in items_of(step):
            question = _item(prefix, lesson, step, item, lesson_set.info.language, losses)
            if question:
                yield question


def _open(prefix: str, lesson: Lesson, step: Step, losses: Losses) -> Iterator[Question]:
    name = f"{lesson.id}/{step.id}"
    if isinstance(step, TalkStep):
        losses.add("talk, which needs a tutor", name)
    elif isinstance(step, ReflectStep):
        text = f"{step.question}\n{step.follow_up}"
        yield Question(f"{prefix}-{step.id}", step.id, lesson, "essay", text)
    elif isinstance(step, WriteStep):
        text = f"{step.prompt}\n{step.goal}\n" + " / ".join(step.starters)
        yield Question(f"{prefix}-{step.id}", step.id, lesson, "essay", text, answers=(step.model,))


def _item(
    prefix: str, lesson: Lesson, step: ItemStep | OpenStep, item: AnyItem, language: str, losses: Losses
) -> Question | None:
    name, ident = f"{lesson.id}/{item.id}", f"{prefix}-{item.id}"
    if step.kind in ("dictation", "speak", "listen"):
        losses.add(f"{step.kind} item, which needs a voice", name)
        return None
    losses.add("hint ladder (only its first hint is kept)", name)
    forms = {form.id: form.explain for form in lesson.forms}
    explain = item.explain or " ".join(forms[form] for form in item.forms if form in forms)
    hint = plain(item.hints[0])
    if isinstance(item, MatchItem):
        _lose_replies(item, name, losses)
        pairs = tuple((left, right) for left, right in item.pairs)
        return Question(ident, item.id, lesson, "match", item.prompt, pairs=pairs, hint=hint, explain=explain)
    answers = tuple(answer.text for answer in item.accept)
    if any(answer.dialect for answer in item.accept):
        losses.add("name of the variety of an accepted answer", name)
    text = f"{step.text}\n\n{item.prompt}" if isinstance(step, ReadStep) else item.prompt
    if isinstance(item, ChoiceItem | ListenItem) and item.choices:
        choices = tuple(_choice(choice, item, language) for choice in item.choices)
        return Question(ident, item.id, lesson, "choice", text, answers, choices, hint=hint, explain=explain)
    _lose_replies(item, name, losses)
    if isinstance(item, OrderItem):
        tokens = tuple(item.tokens)
        return Question(
            ident, item.id, lesson, "order", text, answers, tokens=tokens, hint=hint, explain=explain
        )
    gap: tuple[str, str] | None = None
    if step.kind == "cloze" and item.prompt.count("___") == 1:
        before, _, after = item.prompt.partition("___")
        gap = before, after
    return Question(ident, item.id, lesson, "short", text, answers, hint=hint, explain=explain, gap=gap)


def _lose_replies(item: AnyItem, name: str, losses: Losses) -> None:
    if item.errors:
        losses.add("recast and question for an error pattern", name)


def _choice(text: str, item: ChoiceItem | ListenItem, language: str) -> Choice:
    """A choice with the tutor's reply to it; a pattern that catches it is the reply's reason."""
    if normalise(text, language) in [normalise(answer.text, language) for answer in item.accept]:
        return Choice(text, True)
    caught = next((error for error in item.errors if matches(error.pattern, text, language)), None)
    return Choice(text, False, plain(f"{caught.recast} {caught.question}") if caught else "")
