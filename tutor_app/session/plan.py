"""A lesson as a list of things to do, and where in it the learner is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel

from lessons.schema import (
    AnyItem,
    CultureNote,
    Lesson,
    Step,
    items_of,
)  # fmt: skip
from tutor_app.pedagogy.language import words


@dataclass(frozen=True)
class Unit:
    """One thing to do: an item, or a whole open step, or a culture note with its question."""

    step: Step
    item: AnyItem | None = None
    note: CultureNote | None = None
    lesson: Lesson | None = None
    """Where it comes from, when that is another lesson than the one that is held."""
    review: bool = False
    """It came up because it was due."""

    @property
    def id(self) -> str:
        if self.note is not None:
            return self.note.id
        return self.item.id if self.item is not None else self.step.id


def units(lesson: Lesson) -> list[Unit]:
    """The lesson in order. A culture note follows the items of its step; in a talk it is woven in."""
    notes = {note.id: note for note in lesson.culture}
    found: list[Unit] = []
    for step in lesson.steps:
        items = items_of(step)
        found += [Unit(step, item) for item in items] or [Unit(step)]
        if items and step.culture in notes:
            found.append(Unit(step, note=notes[step.culture]))
    return found


@dataclass
class Position:
    """Where a session stands; saved after every turn, so that it can be taken up again after a `kill -9`."""

    unit: int = 0
    hint_level: int = 0
    attempts: int = 0
    turn: int = 0
    """Learner turns in the present open step."""
    simplified: int = 0
    run: int = 0
    replies: int = 0
    """Seeds the choice among authored phrases."""
    tags: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """Culture notes told."""
    seen: list[str] = field(default_factory=list)
    """Items as `reviewing.known_as` names them, and so in `correct`, `solved` and `over`."""
    correct: list[str] = field(default_factory=list)
    """Items right at first try or after one hint."""
    solved: list[str] = field(default_factory=list)
    said: str = ""
    """The learner's last words at the present unit."""
    over: str | None = None
    """The item that ended last: what "explain" is about."""
    forms: dict[str, list[int]] = field(default_factory=dict)
    """Form → [right, tried]."""
    uptake: list[int] = field(default_factory=lambda: [0, 0])
    repair: list[int] = field(default_factory=lambda: [0, 0])
    asked: dict[str, Any] | None = None
    """The last move that offered or asked for a form: move, target, learner_before, and the id of the reply."""
    active_s: float = 0.0
    brought: list[int] = field(default_factory=list)
    """Cards that the tutor brought up in this talk."""
    used: list[int] = field(default_factory=list)
    """Due cards that the learner used in this talk."""
    warm_up: list[str] = field(default_factory=list)
    """References of the review items before the lesson's own; see `reviewing`."""

    def saved(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Position:
        """From `saved`; keys of another version are left out."""
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in data.items() if key in known})

    def next_unit(self) -> None:
        self.unit += 1
        self.hint_level = self.attempts = self.turn = self.simplified = 0
        self.said = ""
        self.asked = None

    def drop(self, gone: Sequence[int]) -> None:
        """Go on where it was without the units of these places, which are not there any more."""
        if self.unit in gone:
            self.next_unit()
        self.unit -= sum(place < self.unit for place in gone)


def forms_at(lesson: Lesson | None, unit: Unit | None) -> tuple[str, ...]:
    """Ids of the forms that this unit practises."""
    if lesson is None or unit is None:
        return ()
    found = unit.item.forms if unit.item is not None else unit.step.forms
    return tuple(found) or tuple(unit.step.forms)


def all_words(texts: Iterable[BaseModel], language: str) -> frozenset[str]:
    """Every word that stands anywhere in a lesson or in items: its own vocabulary is always within the level.

    For Chinese the first call loads the segmenter's dictionary, which takes a second and on a busy machine five.
    """
    return frozenset(
        word for one in texts for text in _strings(one.model_dump()) for word in words(text, language)
    )


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def masked(text: str) -> str:
    """A dictation without a voice: the first letter of each word, and a dot for every other."""
    return (
        " ".join(word[0] + "·" * (len(word) - 1) for word in text.split())
        if " " in text
        else text[:1] + "·" * (len(text) - 1)
    )
