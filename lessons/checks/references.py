"""Does everything that is named exist, and is everything that exists used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lessons.checks.sheet import Note, Sheet, Where, each_item
from lessons.patterns import normalise
from lessons.schema import MatchItem


def check(sheet: Sheet) -> Iterator[Note]:
    """Unknown forms, words, culture notes, dialects and prerequisites; forms that no item practises."""
    yield from _forms(sheet)
    yield from _words(sheet)
    yield from _culture(sheet)
    yield from _dialects(sheet)
    yield from _prerequisites(sheet)


def _forms(sheet: Sheet) -> Iterator[Note]:
    lesson = sheet.lesson
    known = [form.id for form in lesson.forms]
    practised: set[str] = set()
    for at, form_id in enumerate(known):
        if form_id in known[:at]:
            yield Note(
                ("forms", at, "id"), "form-twice", f"the form {form_id!r} is there twice", "join the two"
            )
    for at, step in enumerate(lesson.steps):
        for form_at, form_id in enumerate(step.forms):
            if form_id not in known:
                yield _unknown_form(("steps", at, "forms", form_at), form_id, known)
    for where, step, item in each_item(lesson):
        practised |= {*item.forms, *step.forms}
        for at, form_id in enumerate(item.forms):
            if form_id not in known:
                yield _unknown_form((*where, "forms", at), form_id, known)
    for at, form_id in enumerate(known):
        if form_id not in practised:
            message = f"no item practises the form {form_id!r}"
            yield Note(
                ("forms", at, "id"), "form-unused", message, "name it in the `forms` of the items that do"
            )


def _unknown_form(where: Where, form_id: str, known: list[str]) -> Note:
    message = f"the form {form_id!r} is not one of this lesson's forms"
    return Note(where, "form-unknown", message, f"use {' or '.join(known)}, or add it to `forms`")


def _words(sheet: Sheet) -> Iterator[Note]:
    known = [word.word for word in sheet.lesson.vocabulary]
    for at, word in enumerate(known):
        if word in known[:at]:
            yield Note(("vocabulary", at, "word"), "word-twice", f"{word!r} is there twice", "delete one")
    loose = {normalise(word, sheet.language): word for word in known}
    for where, _step, item in each_item(sheet.lesson):
        for at, word in enumerate(item.words):
            if word not in known:
                near = loose.get(normalise(word, sheet.language))
                fix = f"spell it {near!r}" if near else "add it to `vocabulary`, or spell it as it is there"
                yield Note((*where, "words", at), "word-unknown", f"{word!r} is not in the vocabulary", fix)


def _culture(sheet: Sheet) -> Iterator[Note]:
    known = [note.id for note in sheet.lesson.culture]
    woven = {step.culture for step in sheet.lesson.steps}
    for at, step in enumerate(sheet.lesson.steps):
        if step.culture is not None and step.culture not in known:
            message = f"the culture note {step.culture!r} does not exist"
            yield Note(
                ("steps", at, "culture"), "culture-unknown", message, "add it to `culture`, or mend the id"
            )
    for at, note_id in enumerate(known):
        if note_id not in woven:
            message = f"no step weaves in the culture note {note_id!r}"
            yield Note(
                ("culture", at, "id"), "culture-unused", message, f"add `culture: {note_id}` to a step"
            )


def _dialects(sheet: Sheet) -> Iterator[Note]:
    if sheet.info is None:
        return
    known = {dialect.id for dialect in sheet.info.dialects}
    for at, word in enumerate(sheet.lesson.vocabulary):
        for name in word.variants:
            if name not in known and not _is_script(name, sheet.language):
                yield _unknown_dialect(("vocabulary", at, "variants", name), name)
    for where, _step, item in each_item(sheet.lesson):
        if isinstance(item, MatchItem):
            continue
        for at, answer in enumerate(item.accept):
            name = answer.dialect or ""
            if name and name not in known and not _is_script(name, sheet.language):
                yield _unknown_dialect((*where, "accept", at, "dialect"), name)


def _is_script(name: str, language: str) -> bool:
    """`zh-Hant` in a Chinese set: another way of writing, which needs no declaration."""
    primary, _, script = name.partition("-")
    return primary.lower() == language and len(script) == 4 and script.isalpha()


def _unknown_dialect(where: Where, name: str) -> Note:
    message = f"the dialect {name!r} is not declared by the set"
    return Note(where, "dialect-unknown", message, "add it to `dialects` in set.yaml with its name")


def _prerequisites(sheet: Sheet) -> Iterator[Note]:
    lesson = sheet.lesson
    if not sheet.lesson_ids:
        return
    for at, name in enumerate(lesson.prerequisites):
        where: Where = ("prerequisites", at)
        if name == lesson.id:
            yield Note(where, "prerequisite-circle", "a lesson cannot come before itself", "delete it")
        elif name not in sheet.lesson_ids:
            message = f"the lesson {name!r} is not in this set"
            yield Note(where, "prerequisite-unknown", message, "use the id of another lesson")


def circles(prerequisites: Mapping[str, list[str]]) -> list[list[str]]:
    """Prerequisites that lead back to where they began, each circle once, from its smallest id."""
    found: set[tuple[str, ...]] = set()
    done: set[str] = set()

    def walk(lesson_id: str, path: list[str]) -> None:
        if lesson_id in path:
            circle = path[path.index(lesson_id) :]
            start = circle.index(min(circle))
            found.add(tuple(circle[start:] + circle[:start]))
            return
        if lesson_id in done:
            return
        for earlier in prerequisites.get(lesson_id, []):
            if earlier in prerequisites and earlier != lesson_id:
                walk(earlier, [*path, lesson_id])
        done.add(lesson_id)

    for lesson_id in sorted(prerequisites):
        walk(lesson_id, [])
    return [list(circle) for circle in sorted(found)]
