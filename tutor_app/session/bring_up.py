"""Due words and forms in talk: which ones the tutor brings up, and that the learner used them.

The scheduler says what is due and the policy when it comes up; the model only finds the words around it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from lessons.patterns import contains
from lessons.schema import LessonSet
from tutor_app.progress.records import DueItem
from tutor_app.progress.reviews import CUE
from tutor_app.progress.store import Store
from tutor_app.session.plan import Position

EVERY_TURNS = 3
"""In free talk every so many turns the tutor asks with something that is due; all others follow the learner."""


@dataclass(frozen=True)
class Reminder:
    """Something due that a talk can bring up."""

    card_id: int
    words: str
    """What the learner would say: the word, a word of the form, or what was once recast."""


def reminders(lesson_set: LessonSet, due: Iterable[DueItem], seed: int) -> tuple[Reminder, ...]:
    """What of the due items can be said in a talk of this set, in their order. Forms of other sets cannot."""
    surfaces = {form.id: form.surface for lesson in lesson_set.lessons for form in lesson.forms}
    found = []
    for item in due:
        if item.kind != "form":
            found.append(Reminder(item.card_id, item.key))
        elif item.set_id == lesson_set.info.id and item.key in surfaces:
            chance = random.Random(f"surface/{seed}/{item.card_id}")
            found.append(Reminder(item.card_id, chance.choice(surfaces[item.key])))
    return tuple(found)


def next_reminder(waiting: Iterable[Reminder], position: Position) -> Reminder | None:
    """What to bring up at this turn of a free talk, or None when it is not time or nothing is left."""
    if position.turn % EVERY_TURNS != EVERY_TURNS - 1:
        return None
    done = {*position.brought, *position.used}
    return next((one for one in waiting if one.card_id not in done), None)


def note_used(
    store: Store, waiting: Iterable[Reminder], said: str, tag: str, position: Position, now: float
) -> None:
    """Review every due item that the learner said; what the tutor had just named counts as said with help."""
    for one in waiting:
        if one.card_id in position.used or not contains(said, one.words, tag):
            continue
        named = bool(position.brought) and position.brought[-1] == one.card_id
        store.add_review(one.card_id, correct=True, now=now, hint_level=CUE if named else 0)
        position.used.append(one.card_id)
