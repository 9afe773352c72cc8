"""A check is short, asks each form, and has a twin that differs in words only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from lessons.checks.sheet import Note, Sheet, each_item
from lessons.patterns import normalise
from lessons.schema import CHECK_IDS, Lesson

MIN_ITEMS = 8
MAX_ITEMS = 20


def check(sheet: Sheet) -> Iterator[Note]:
    """A check with too few tasks to tell anything, or so many that nobody does it twice."""
    count = sum(1 for _ in each_item(sheet.lesson))
    if not MIN_ITEMS <= count <= MAX_ITEMS:
        message = f"{count} items; a check has {MIN_ITEMS} to {MAX_ITEMS}"
        yield Note(("steps",), "check-items", message, "add or drop items, in both checks alike")


def across(lessons: Mapping[str, Lesson]) -> Iterator[tuple[str, Note]]:
    """(lesson id, what is wrong) where the two checks of a set, by id, cannot be compared."""
    found = {which: lessons[name] for which, name in CHECK_IDS.items() if name in lessons}
    if len(found) == 1:
        alone = next(iter(found.values()))
        twin = next(name for name in CHECK_IDS.values() if name != alone.id)
        yield (
            alone.id,
            Note(("check",), "check-alone", f"there is no {twin!r} to compare it with", "write it"),
        )
    if len(found) < 2:
        return
    before, after = found["pre"], found["post"]
    counts = [Counter((step.kind, form) for _, step, item in each_item(one) for form in _forms(step, item))
              for one in (before, after)]  # fmt: skip
    if counts[0] != counts[1]:
        kind, form = next(iter((counts[0] - counts[1]) + (counts[1] - counts[0])))
        message = f"the two checks do not ask {form!r} as often in steps of kind {kind!r}"
        yield (
            after.id,
            Note(("steps",), "check-parallel", message, "ask each form as often, in the same kinds"),
        )
    asked = {normalise(item.prompt, "und") for _, _, item in each_item(before)}
    for where, _, item in each_item(after):
        if normalise(item.prompt, "und") in asked:
            message = f"{item.prompt!r} stands in both checks, so the second measures memory"
            yield (
                after.id,
                Note((*where, "prompt"), "check-same", message, "ask the same form with other words"),
            )


def _forms(step: object, item: object) -> tuple[str, ...]:
    return tuple(getattr(item, "forms", ()) or getattr(step, "forms", ()))
