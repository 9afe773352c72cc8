"""Lesson sets that can be studied here: those that come with the program and those that were installed."""

from __future__ import annotations

from pathlib import Path

from lessons.load import FoundSet, builtin_sets_dir, find_sets, load_set
from lessons.schema import Lesson, LessonSet, items_of
from tutor_app.errors import TutorError

INSTALLED = "lessons"
"""Folder below the data folder."""


def available(data_dir: Path) -> list[FoundSet]:
    """Every set, sorted by id; an installed newer version hides the one that came with the program."""
    return find_sets([data_dir / INSTALLED, builtin_sets_dir()])


def open_set(data_dir: Path, set_id: str) -> LessonSet:
    """The set of this id, or of the folder or file that it names. Raises TutorError (or its reading problems)."""
    path = Path(set_id)
    if (path / "set.yaml").is_file():
        return load_set(path)
    for found in available(data_dir):
        if found.info is not None and found.info.id == set_id:
            return load_set(found.folder)
    known = ", ".join(found.info.id for found in available(data_dir) if found.info is not None)
    raise TutorError(f"There is no lesson set {set_id!r} here. There are: {known}.")


def lesson_of(lessons: LessonSet, lesson_id: str) -> Lesson:
    """The lesson of this id. Raises TutorError naming those there are."""
    lesson = lessons.lesson(lesson_id)
    if lesson is None:
        known = ", ".join(lesson.id for lesson in lessons.lessons)
        raise TutorError(f"The set {lessons.info.id!r} has no lesson {lesson_id!r}. It has: {known}.")
    return lesson


def item_count(lesson: Lesson) -> int:
    return sum(len(items_of(step)) for step in lesson.steps)
