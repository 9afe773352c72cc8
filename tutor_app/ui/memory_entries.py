"""What is remembered about the learner as entries of a list: each with its words and what can be changed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from textual.content import Content

from tutor_app.progress import figures
from tutor_app.progress.records import FormKnowledge, Memory, SavedCard
from tutor_app.progress.text import folded
from tutor_app.session.insight import Insight, Remembered, cards_with
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.dates import date_of
from tutor_app.ui.text import one_line

Thing = TypeVar("Thing")
SHOWN = 100
"""Of a group; search finds the others."""


@dataclass(frozen=True)
class Entry:
    """One thing remembered."""

    name: str
    facts: str
    what: Memory | SavedCard | FormKnowledge
    fields: tuple[tuple[str, str], ...] = ()
    """(label, value) of what the learner may put into their own words."""
    resting: bool = False
    can_rest: bool = True


@dataclass(frozen=True)
class Group:
    title: str
    entries: tuple[Entry, ...]
    """The latest."""
    count: int
    """Of all."""

    @property
    def heading(self) -> str:
        if self.count == len(self.entries):
            return wording.GROUP.format(title=self.title, count=self.count)
        return wording.GROUP_SOME.format(title=self.title, count=self.count, shown=len(self.entries))


def groups(remembered: Remembered, insight: Insight, now: float, wanted: str = "") -> list[Group]:
    """Everything remembered that has `wanted` in it, in groups; none is empty."""
    cards = cards_with(remembered.cards, wanted)
    sought = folded(wanted).strip()
    memories = [each for each in remembered.memories if sought in folded(each.text)]
    forms = [
        (form, name)
        for form in remembered.forms
        if sought in folded(name := insight.form_name(form.set_id, form.form_id))
    ]
    found = [
        _group(wording.MEMORY_SENTENCES, memories, _memory),
        _group(
            wording.MEMORY_WORDS,
            [each for each in cards if each.kind == "word"],
            lambda card: _word(card, insight, now),
        ),
        _group(
            wording.MEMORY_RECASTS,
            [each for each in cards if each.kind == "recast"],
            lambda card: _recast(card, now),
        ),
        _group(wording.MEMORY_FORMS, forms, lambda pair: _form(*pair, remembered)),
    ]
    return [group for group in found if group.count]


def _group(title: str, things: Sequence[Thing], entry: Callable[[Thing], Entry]) -> Group:
    return Group(title, tuple(entry(each) for each in things[:SHOWN]), len(things))


def _memory(memory: Memory) -> Entry:
    return Entry(
        memory.text, wording.LAST_ON.format(date=date_of(memory.at)), memory,
        fields=((wording.MEMORY_TEXT, memory.text),), can_rest=False,
    )  # fmt: skip


def _word(card: SavedCard, insight: Insight, now: float) -> Entry:
    meaning = insight.meaning(card)
    facts = " · ".join(part for part in (one_line(meaning, 60), _state(card, now)) if part)
    fields = ((wording.WORD_MEANING, meaning), (wording.WORD_EXAMPLE, card.sentence))
    return Entry(card.key, facts, card, fields=fields, resting=card.suspended)


def _recast(card: SavedCard, now: float) -> Entry:
    return Entry(
        card.key,
        _state(card, now),
        card,
        fields=((wording.RECAST_FROM, card.sentence),),
        resting=card.suspended,
    )


def _form(form: FormKnowledge, name: str, remembered: Remembered) -> Entry:
    resting = (form.set_id, form.form_id) in remembered.resting
    facts = wording.FORM_FACTS.format(
        right=form.right,
        tried=form.tried,
        percent=figures.probability(form.probability),
        date=date_of(form.last_at),
    )
    return Entry(name, f"{facts} · {wording.RESTING}" if resting else facts, form, resting=resting)


def _state(card: SavedCard, now: float) -> str:
    """How well it is known, and when it comes back."""
    if card.suspended:
        return wording.RESTING
    if card.last_at is None:
        return wording.NEVER
    known = wording.KNOWN_NOW.format(percent=figures.probability(card.retrievability))
    back = wording.NEXT_NOW if card.due_at <= now else wording.NEXT_ON.format(date=date_of(card.due_at))
    return f"{known} · {back}"


def entry_row(entry: Entry) -> Content:
    """An entry in the list: its words, and what is known about it."""
    sign = "‖ " if entry.resting else "· "
    return Content("\n").join(
        [
            Content.assemble((sign, "$accent"), (one_line(entry.name, 120), "" if entry.resting else "bold")),
            Content(f"  {entry.facts}").stylize("$text-quiet"),
        ]
    )
