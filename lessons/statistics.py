"""How much there is in a set."""

from __future__ import annotations

from lessons.schema import LessonSet, MatchItem, items_of

HEADINGS = {
    "lessons": "lessons",
    "items": "items",
    "kinds": "step kinds",
    "forms": "forms",
    "words": "words",
    "error_patterns": "error patterns",
    "accepted": "accepted answers",
    "dialect_answers": "of them of a named variety",
    "culture_notes": "culture notes",
}
"""What is counted, and how a table calls it."""


def count(lesson_set: LessonSet) -> dict[str, int]:
    """The figures of one set, under the names of HEADINGS. A matching item accepts each of its pairs."""
    lessons = lesson_set.lessons
    steps = [step for lesson in lessons for step in lesson.steps]
    items = [item for step in steps for item in items_of(step)]
    answers = [answer for item in items if not isinstance(item, MatchItem) for answer in item.accept]
    pairs = sum(len(item.pairs) for item in items if isinstance(item, MatchItem))
    return {
        "lessons": len(lessons),
        "items": len(items),
        "kinds": len({step.kind for step in steps}),
        "forms": len({form.id for lesson in lessons for form in lesson.forms}),
        "words": len({word.word for lesson in lessons for word in lesson.vocabulary}),
        "error_patterns": sum(len(item.errors) for item in items),
        "accepted": len(answers) + pairs,
        "dialect_answers": sum(answer.dialect is not None for answer in answers),
        "culture_notes": sum(len(lesson.culture) for lesson in lessons),
    }
