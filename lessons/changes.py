"""What a new version of a set changes for somebody who has studied the old one."""

from __future__ import annotations

from dataclasses import dataclass

from lessons.schema import Lesson, LessonSet, items_of


@dataclass(frozen=True)
class Changes:
    """Lessons by id; items as `lesson/item`. What is gone is kept in a learner's file and asked no more."""

    new_lessons: tuple[str, ...] = ()
    gone_lessons: tuple[str, ...] = ()
    changed_lessons: tuple[str, ...] = ()
    new_items: tuple[str, ...] = ()
    gone_items: tuple[str, ...] = ()
    changed_items: tuple[str, ...] = ()
    new_words: tuple[str, ...] = ()
    gone_words: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The same for people: one line for each kind of change that there is."""
        named = (
            ("New lessons", self.new_lessons),
            ("Lessons no longer there", self.gone_lessons),
            ("Lessons changed", self.changed_lessons),
            ("New items", self.new_items),
            ("Items no longer asked", self.gone_items),
            ("Items changed", self.changed_items),
            ("New words", self.new_words),
            ("Words no longer taught", self.gone_words),
        )
        return [f"{name}: {_some(values)}" for name, values in named if values]


SHOWN = 6


def _some(values: tuple[str, ...]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more


def compare(old: LessonSet, new: LessonSet) -> Changes:
    """What `new` has that `old` had not, what it has no longer, and what is different under the same id."""
    before, after = _by_id(old), _by_id(new)
    both = [lesson_id for lesson_id in after if lesson_id in before]
    old_items, new_items = _items(old), _items(new)
    old_words, new_words = _words(old), _words(new)
    return Changes(
        new_lessons=tuple(lesson_id for lesson_id in after if lesson_id not in before),
        gone_lessons=tuple(lesson_id for lesson_id in before if lesson_id not in after),
        changed_lessons=tuple(lesson_id for lesson_id in both if before[lesson_id] != after[lesson_id]),
        new_items=tuple(name for name in new_items if name not in old_items),
        gone_items=tuple(name for name in old_items if name not in new_items),
        changed_items=tuple(
            name for name in new_items if name in old_items and old_items[name] != new_items[name]
        ),
        new_words=tuple(word for word in new_words if word not in old_words),
        gone_words=tuple(word for word in old_words if word not in new_words),
    )


def _by_id(lesson_set: LessonSet) -> dict[str, Lesson]:
    return {lesson.id: lesson for lesson in lesson_set.lessons}


def _items(lesson_set: LessonSet) -> dict[str, object]:
    return {
        f"{lesson.id}/{item.id}": item
        for lesson in lesson_set.lessons
        for step in lesson.steps
        for item in items_of(step)
    }


def _words(lesson_set: LessonSet) -> dict[str, None]:
    return {word.word: None for lesson in lesson_set.lessons for word in lesson.vocabulary}
