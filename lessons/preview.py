"""A lesson as its student will meet it, on paper: prompts, and what the tutor says to each kind of answer."""

from __future__ import annotations

from collections.abc import Iterator

from lessons.schema import (
    AnyItem,
    ChoiceItem,
    CultureNote,
    Lesson,
    ListenItem,
    MatchItem,
    OrderItem,
    ReadStep,
    ReflectStep,
    SpokenItem,
    Step,
    TalkStep,
    WriteStep,
    items_of,
)


def preview(lesson: Lesson) -> Iterator[str]:
    """The lines of the lesson's preview, plain text."""
    yield f"{lesson.title}   ({lesson.level}, {lesson.minutes} minutes)"
    for objective in lesson.objectives:
        yield f"  · {objective}"
    yield ""
    yield f"Words: {', '.join(word.word for word in lesson.vocabulary)}"
    for form in lesson.forms:
        yield f"To notice: {form.name}. {form.explain}"
    notes = {note.id: note for note in lesson.culture}
    for number, step in enumerate(lesson.steps, 1):
        yield ""
        yield f"── {number}. {step.kind} · {step.id} " + "─" * 20
        yield f"Tutor: {step.prompt}" + (f"  [{step.support}]" if step.support else "")
        if step.culture in notes:
            yield from _note(notes[step.culture])
        yield from _open_step(step)
        for item in items_of(step):
            yield ""
            yield from _item(item)


def _note(note: CultureNote) -> Iterator[str]:
    yield f"  ({note.title}) {note.text} {note.ask}"


def _open_step(step: Step) -> Iterator[str]:
    if isinstance(step, ReadStep):
        yield f"  {step.text}"
    elif isinstance(step, TalkStep):
        yield f"  {step.scenario} Goal: {step.goal}"
        yield f"  Tutor: {step.opening}"
        for at, question in enumerate(step.questions):
            simpler = f"   (lost? {step.simpler[at]})" if at < len(step.simpler) else ""
            yield f"  Tutor: {question}{simpler}"
        yield f"  Ways to begin: {' / '.join(step.starters)}"
        yield f"  Tutor: {step.closing}"
    elif isinstance(step, ReflectStep):
        yield f"  Tutor: {step.question}"
        yield f"  Tutor: {step.follow_up}"
    elif isinstance(step, WriteStep):
        yield f"  Goal: {step.goal} (at least {step.min_words} words)"
        for question in step.questions:
            yield f"  Tutor: {question}"
        yield f"  One good text, shown afterwards: {step.model}"


def _item(item: AnyItem) -> Iterator[str]:
    yield f"  [{item.id}] {item.prompt}" + (f"   ({item.gloss})" if item.gloss else "")
    if isinstance(item, MatchItem):
        for left, right in item.pairs:
            yield f"      {left}  =  {right}"
    else:
        if isinstance(item, SpokenItem):
            yield f"      heard: {item.say}"
        if isinstance(item, ChoiceItem | ListenItem) and item.choices:
            yield f"      choices: {' | '.join(item.choices)}"
        if isinstance(item, OrderItem):
            yield f"      pieces: {' | '.join(item.tokens)}"
        for answer in item.accept:
            yield f"      accepts: {answer.text}" + (f"   ({answer.dialect})" if answer.dialect else "")
    for error in item.errors:
        yield f"      {error.tag}: {error.pattern}"
        yield f"        Tutor: {error.recast} {error.question}"
    for number, hint in enumerate(item.hints, 1):
        yield f"      hint {number}: {hint}"
