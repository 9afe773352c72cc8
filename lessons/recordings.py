"""What instructors recorded: sentences that are heard as somebody said them, whatever voice there is."""

from __future__ import annotations

from pathlib import Path

from lessons.load import MEDIA_DIR, resolve_set
from lessons.schema import LessonSet, SpokenItem, items_of


def recordings(lesson_set: LessonSet, path: Path) -> dict[str, Path]:
    """Sentence → the file in which it is said, of the set at `path`; without those whose file is not there.

    A name that leads out of the set's `media/` counts as a file that is not there.
    """
    media = (resolve_set(path) / MEDIA_DIR).resolve()
    steps = [step for lesson in lesson_set.lessons for step in lesson.steps]
    found: dict[str, Path] = {}
    for item in (item for step in steps for item in items_of(step)):
        if isinstance(item, SpokenItem) and item.audio is not None:
            file = (media / item.audio).resolve()
            if file.is_relative_to(media) and file.is_file():
                found.setdefault(item.say, file)
    return found
