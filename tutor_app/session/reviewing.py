"""Due words and forms as things to do: items that were met before, or a gap made from the line a word was saved with.

They open a lesson as its warm-up, and a review is made of nothing else. Each is known by a reference that is saved
with the session, so that it can be taken up again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import regex

from lessons.schema import GAP, Accepted, ClozeStep, Item, Lesson, LessonSet, TranslateStep, Word, items_of
from tutor_app.pedagogy.author import phrase
from tutor_app.pedagogy.language import language
from tutor_app.progress.records import DueItem, SavedCard
from tutor_app.progress.store import Store
from tutor_app.session.overview import REVIEW
from tutor_app.session.plan import Unit

REVIEW_ITEMS = 12
"""Items of one review: five minutes or so. What is left is offered again."""
WARM_UP = 3
"""Items before a lesson's own."""
KINDS = frozenset({"choice", "cloze", "order", "translate", "conjugate"})
"""Kinds of items that make sense by themselves, without a text or a sound."""
_CARD = "card/"


def review_units(
    lesson_set: LessonSet,
    due: Iterable[DueItem],
    store: Store,
    limit: int,
    *,
    apart_from: Collection[str] = (),
) -> list[Unit]:
    """At most `limit` things to do for what is due, one each; nothing for what no item of a lesson begun practises.

    Of several items the one that was met longest ago is taken. Lessons in `apart_from` are left alone.
    """
    begun = set(store.lesson_progress(lesson_set.info.id))
    pool = [
        unit
        for lesson in lesson_set.lessons
        if lesson.id in begun and lesson.id not in apart_from and lesson.check is None
        for unit in _items(lesson)
    ]
    met: dict[tuple[str | None, str], float] = {
        (lesson_id, result.item_id): result.last_at
        for lesson_id in begun
        for result in store.item_results(lesson_set.info.id, lesson_id).values()
    }
    found: list[Unit] = []
    for due_item in due:
        if len(found) >= limit:
            break
        unit = _unit_for(due_item, [unit for unit in pool if unit not in found], met, lesson_set)
        if unit is not None:
            found.append(unit)
    return found


def reference(unit: Unit) -> str:
    """What `unit_of` finds the unit by."""
    return unit.id.replace("-", "/", 1) if unit.lesson is None else f"{unit.lesson.id}/{unit.id}"


def known_as(unit: Unit) -> str:
    """What tells a unit from every other of a sitting: ids are unique in their own lesson only."""
    return reference(unit) if unit.review else unit.id


def unit_of(ref: str, lesson_set: LessonSet, store: Store, now: float) -> Unit | None:
    """The unit of a reference; None when its item or its card is gone."""
    if ref.startswith(_CARD):
        card = next((card for card in store.cards(now) if f"{_CARD}{card.id}" == ref), None)
        return None if card is None else _card_unit(card.id, card, lesson_set)
    lesson_id, _, item_id = ref.partition("/")
    lesson = lesson_set.lesson(lesson_id)
    units = _items(lesson) if lesson is not None else []
    return next((unit for unit in units if unit.item is not None and unit.item.id == item_id), None)


def review_lesson(lesson_set: LessonSet) -> Lesson:
    """A lesson without steps of its own, with every form and word of the set, for a review to stand in."""
    forms = {form.id: form for lesson in lesson_set.lessons for form in lesson.forms}
    return Lesson.model_construct(
        id=REVIEW,
        title=f"{language(lesson_set.info.language).name}: review",
        level=lesson_set.info.levels[0],
        objectives=[],
        vocabulary=[],
        forms=list(forms.values()),
        steps=[],
    )


def _items(lesson: Lesson) -> list[Unit]:
    return [
        Unit(step, item, lesson=lesson, review=True)
        for step in lesson.steps
        if step.kind in KINDS
        for item in items_of(step)
    ]


def _unit_for(
    due: DueItem, pool: Sequence[Unit], met: dict[tuple[str | None, str], float], lesson_set: LessonSet
) -> Unit | None:
    fitting = [unit for unit in pool if unit.item is not None and _practises(unit, due, lesson_set)]
    if fitting:
        return min(fitting, key=lambda unit: met.get(_key(unit), 0.0))
    return _card_unit(due.card_id, due, lesson_set) if due.kind == "word" else None


def _key(unit: Unit) -> tuple[str | None, str]:
    return (unit.lesson.id if unit.lesson else None, unit.id)


def _practises(unit: Unit, due: DueItem, lesson_set: LessonSet) -> bool:
    assert unit.item is not None
    if due.kind == "word":
        return due.key in unit.item.words
    forms = unit.item.forms or unit.step.forms
    return due.kind == "form" and due.set_id == lesson_set.info.id and due.key in forms


def _card_unit(card_id: int, card: DueItem | SavedCard, lesson_set: LessonSet) -> Unit | None:
    """A gap in the line that a word was met in; its meaning to be put into words where there is no such line."""
    tag = lesson_set.info.language
    entry = next(
        (word for lesson in lesson_set.lessons for word in lesson.vocabulary if word.word == card.key), None
    )
    gloss = card.gloss or (entry.gloss if entry is not None else "")
    for sentence in (card.sentence, entry.example if entry is not None else ""):
        gap = _gap(sentence, card.key, tag)
        if gap is not None:
            prompt, answer = gap
            item = _item(card_id, prompt, [answer, card.key], gloss, answer, card.key, entry)
            asked = phrase(tag, "fill", card_id)
            return Unit(
                ClozeStep(kind="cloze", id=f"cards-{card_id}", prompt=asked, items=[item]), item, review=True
            )
    if not gloss:
        return None
    item = _item(card_id, gloss, [card.key, _bare(card.key, tag)], "", card.key, card.key, entry)
    asked = phrase(tag, "say", card_id)
    return Unit(
        TranslateStep(kind="translate", id=f"cards-{card_id}", prompt=asked, items=[item]), item, review=True
    )


def _item(
    card_id: int, prompt: str, accept: list[str], gloss: str, answer: str, word: str, entry: Word | None
) -> Item:
    reading = entry.reading if entry is not None else ""
    beginning = answer[:1] + "…"
    more = answer[: max(1, len(answer) // 2)] + "…"
    return Item(
        id=f"card-{card_id}",
        prompt=prompt,
        gloss=gloss,
        accept=[Accepted(text=text) for text in dict.fromkeys(accept)],
        hints=[gloss or beginning, reading or beginning, more, answer],
        words=[word],
        may=["affirm", "hint", "simplify"],
    )


def _gap(sentence: str, word: str, tag: str) -> tuple[str, str] | None:
    """The sentence with a gap where the word stands, and what stood there; None when it is not in it."""
    edge = "" if language(tag).script == "Han" else r"\b"
    for wanted in dict.fromkeys((word, _bare(word, tag))):
        pattern = regex.compile(f"{edge}{regex.escape(wanted)}{edge}", regex.IGNORECASE)
        match = pattern.search(sentence)
        if match and GAP not in sentence:
            rest = pattern.sub("…", sentence[match.end() :])
            return sentence[: match.start()] + GAP + rest, match.group()
    return None


def _bare(word: str, tag: str) -> str:
    """A noun without its article."""
    first, _, rest = word.partition(" ")
    return rest if rest and first.casefold() in language(tag).classes.get("article", ()) else word
