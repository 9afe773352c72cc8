"""Is the lesson a whole sitting: enough to do, of enough kinds, leading up to a talk."""

from __future__ import annotations

from collections.abc import Iterator

from lessons.checks.length import words_in
from lessons.checks.sheet import Note, Sheet, Where, each_item
from lessons.patterns import contains
from lessons.schema import TalkStep, WriteStep

MIN_ITEMS = 12
MIN_KINDS = 5
WORDS = range(8, 16)
FORMS = range(1, 3)
MIN_QUESTIONS = 6
MINUTES = range(15, 26)


def check(sheet: Sheet) -> Iterator[Note]:
    """Lessons with too little in them, and talks that cannot be simplified."""
    lesson = sheet.lesson
    count = sum(1 for _ in each_item(lesson))
    if count < MIN_ITEMS:
        yield Note(("steps",), "plan-items", f"{count} items; a sitting needs {MIN_ITEMS}", "add items")
    kinds = {step.kind for step in lesson.steps}
    if len(kinds) < MIN_KINDS:
        message = f"{len(kinds)} kinds of step; {MIN_KINDS} keep a learner awake"
        yield Note(("steps",), "plan-kinds", message, "add steps of other kinds")
    for kind, why in (
        ("talk", "the form is never needed for a purpose"),
        ("reflect", "the learner never looks back"),
    ):
        if kind not in kinds:
            yield Note(
                ("steps",), f"plan-{kind}", f"no `{kind}` step: {why}", f"add a step with `kind: {kind}`"
            )
    if len(lesson.vocabulary) not in WORDS:
        message = f"{len(lesson.vocabulary)} words; {WORDS[0]} to {WORDS[-1]} can be learnt in a sitting"
        yield Note(("vocabulary",), "plan-words", message, "add or move words")
    if len(lesson.forms) not in FORMS:
        message = f"{len(lesson.forms)} forms; one or two can be noticed in a sitting"
        yield Note(("forms",), "plan-forms", message, "move one to another lesson")
    if not lesson.culture:
        yield Note((), "plan-culture", "no culture note", "add one and weave it into a step")
    if lesson.minutes not in MINUTES:
        message = f"{lesson.minutes} minutes; a sitting has {MINUTES[0]} to {MINUTES[-1]}"
        yield Note(("minutes",), "plan-minutes", message, "split it or add to it", "warning")
    if count >= MIN_ITEMS and lesson.mastery.items > count:
        message = f"mastery needs {lesson.mastery.items} items and there are {count}"
        yield Note(("mastery", "items"), "plan-mastery", message, "lower it")
    if sheet.info and lesson.level not in sheet.info.levels:
        message = f"the level {lesson.level} is not one of the set's"
        yield Note(("level",), "plan-level", message, "add it to `levels` in set.yaml")
    for at, step in enumerate(lesson.steps):
        if isinstance(step, TalkStep):
            yield from _talk(("steps", at), step)
        elif isinstance(step, WriteStep):
            yield from _write(("steps", at), step, sheet)


def _talk(where: Where, step: TalkStep) -> Iterator[Note]:
    if len(step.questions) < MIN_QUESTIONS:
        message = f"{len(step.questions)} questions; a talk needs {MIN_QUESTIONS}"
        yield Note((*where, "questions"), "talk-questions", message, "add some that lead to the goal")
    if len(step.simpler) != len(step.questions):
        message = f"{len(step.questions)} questions and {len(step.simpler)} simpler ones"
        yield Note(
            (*where, "simpler"),
            "talk-simpler",
            message,
            "write one simpler question for each, in the same order",
        )
    if step.turns > len(step.questions) + 1:
        message = f"{step.turns} turns and only {len(step.questions)} questions to carry them"
        yield Note((*where, "turns"), "talk-turns", message, "add questions or lower `turns`", "warning")


def _write(where: Where, step: WriteStep, sheet: Sheet) -> Iterator[Note]:
    language = sheet.language
    count = sum(map(str.isalnum, step.model)) if language == "zh" else words_in(step.model)
    if count < step.min_words:
        message = f"the model text has {count:.0f} words and {step.min_words} are asked for"
        yield Note((*where, "model"), "write-model", message, "lengthen it or lower `min_words`")
    for at, wanted in enumerate(step.include):
        if not any(contains(step.model, form, language) for form in wanted.split("|") if form.strip()):
            message = f"the model text does not use {wanted!r}, which is asked for"
            yield Note(
                (*where, "include", at), "write-include", message, "use it in `model`, or drop it here"
            )
