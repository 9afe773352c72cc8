"""What the open learner did, knows and told the tutor: read by the screens about it, corrected and deleted by them.

Figures come from `tutor_app.progress.queries`, as those of the CSV and the class report do; names come from the
installed sets. A set that is no longer installed keeps its ids for names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from lessons.schema import LessonSet
from tutor_app.errors import TutorError
from tutor_app.pedagogy.language import language
from tutor_app.progress import queries
from tutor_app.progress.outcomes import Gain, learner_gain
from tutor_app.progress.queries import (
    Day,
    ErrorLine,
    FormHistory,
    Hit,
    LessonLine,
    MoveLine,
    Overview,
    SessionLine,
)
from tutor_app.progress.records import FormKnowledge, Memory, SavedCard, SavedTurn
from tutor_app.progress.store import Store
from tutor_app.progress.text import folded
from tutor_app.session.overview import FORMER_REVIEW, REVIEW, REVIEW_NAME


@dataclass(frozen=True)
class SetNames:
    """What ids of a set are called, as the learner reads it."""

    title: str
    language_name: str = ""
    forms: Mapping[str, str] = field(default_factory=dict)
    lessons: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    """Word → its meaning in the lesson."""


@dataclass(frozen=True)
class Progress:
    """The progress screen: figures of one set, or of all."""

    set_id: str | None
    now: float
    overview: Overview
    due_today: int
    days: tuple[Day, ...]
    lessons: tuple[LessonLine, ...]
    """Only of one set: a lesson id means nothing without its set."""
    forms: tuple[FormKnowledge, ...]
    """Least sure first."""
    moves: tuple[MoveLine, ...]
    errors: tuple[ErrorLine, ...]
    gain: Gain | None


@dataclass(frozen=True)
class Transcript:
    """A session, word for word."""

    session: SessionLine
    turns: tuple[SavedTurn, ...]


@dataclass(frozen=True)
class Remembered:
    """Everything kept about the learner that steers the tutor."""

    memories: tuple[Memory, ...]
    cards: tuple[SavedCard, ...]
    """Words and recasts; forms are in `forms`."""
    forms: tuple[FormKnowledge, ...]
    resting: frozenset[tuple[str, str]]
    """(set id, form id) of forms that are not brought up."""


class Insight:
    """One learner's file as they may see it. Methods read the disk: call them from a worker."""

    def __init__(
        self, store: Store, names: Mapping[str, SetNames], clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._names = names
        self._clock = clock

    def set_name(self, set_id: str) -> SetNames:
        """What a set and what is in it are called."""
        return self._names.get(set_id) or SetNames(set_id)

    def form_name(self, set_id: str, form_id: str) -> str:
        return self.set_name(set_id).forms.get(form_id, form_id)

    def lesson_name(self, set_id: str, lesson_id: str | None) -> str:
        """The lesson's title; of a free talk "", which has none."""
        if lesson_id is None:
            return ""
        other = REVIEW_NAME if lesson_id in (REVIEW, FORMER_REVIEW) else lesson_id
        return self.set_name(set_id).lessons.get(lesson_id, other)

    def meaning(self, card: SavedCard) -> str:
        """The learner's own wording of what a word means, else the lesson's."""
        return card.gloss or self.set_name(card.set_id or "").words.get(card.key, "")

    def set_ids(self) -> list[str]:
        """Every set that was practised."""
        return queries.set_ids(self._store.database)

    def now(self) -> float:
        """UTC seconds."""
        return self._clock()

    def today(self) -> date:
        return queries.local_day(self._clock())

    # -- reading ---------------------------------------------------------------------------------------------

    def progress(self, set_id: str | None = None) -> Progress:
        """Everything on the progress screen."""
        store, now = self._store, self._clock()
        return Progress(
            set_id=set_id,
            now=now,
            overview=queries.overview(store, now, set_id),
            due_today=store.due_count(now),
            days=tuple(queries.calendar(store.database, set_id)),
            lessons=tuple(queries.lessons(store, set_id)) if set_id else (),
            forms=self.forms(set_id),
            moves=tuple(queries.moves(store.database, set_id)),
            errors=tuple(queries.errors(store.database, set_id)),
            gain=learner_gain(store.database, set_id) if set_id else None,
        )

    def forms(self, set_id: str | None = None) -> tuple[FormKnowledge, ...]:
        """Forms that were practised, least sure first."""
        now = self._clock()
        sets = [set_id] if set_id else self.set_ids()
        found = [form for one in sets for form in self._store.form_knowledge(one, now).values()]
        return tuple(sorted(found, key=lambda form: (form.probability, form.set_id, form.form_id)))

    def form_history(self, set_id: str, form_id: str) -> FormHistory:
        """Every attempt at a form, and the learner's own sentences before and after."""
        return queries.form_history(self._store.database, set_id, form_id)

    def calendar(self) -> list[Day]:
        """Every day with a turn, oldest first."""
        return queries.calendar(self._store.database)

    def sessions_on(self, day: date) -> list[SessionLine]:
        return queries.sessions_on(self._store.database, day)

    def latest_sessions(self) -> list[SessionLine]:
        """Newest first."""
        return queries.sessions(self._store.database)

    def search(self, text: str) -> list[Hit]:
        """Lines of transcripts that contain `text`, newest first."""
        return queries.search(self._store.database, text)

    def transcript(self, session_id: int) -> Transcript:
        """Everything said in a session. Raises TutorError when it was deleted."""
        session = queries.session(self._store.database, session_id)
        if session is None:
            raise TutorError("This session is no longer there.")
        return Transcript(session, tuple(self._store.turns(session_id)))

    def remembered(self) -> Remembered:
        """What steers the tutor: sentences about the learner, words, recasts, forms."""
        cards = self._store.cards(self._clock())
        return Remembered(
            memories=tuple(self._store.memories()),
            cards=tuple(card for card in cards if card.kind != "form"),
            forms=self.forms(),
            resting=frozenset(
                (card.set_id or "", card.key) for card in cards if card.kind == "form" and card.suspended
            ),
        )

    # -- correcting and deleting -----------------------------------------------------------------------------

    def correct_memory(self, memory_id: int, text: str) -> None:
        self._store.correct_memory(memory_id, text, self._clock())

    def delete_memory(self, memory_id: int) -> None:
        self._store.delete_memory(memory_id, self._clock())

    def correct_card(self, card_id: int, *, gloss: str, sentence: str) -> None:
        """The learner's own meaning and example."""
        self._store.correct_card(card_id, gloss=gloss, sentence=sentence, now=self._clock())

    def delete_card(self, card_id: int) -> None:
        """A word or recast is gone, with its reviews; meeting it in a lesson makes it anew."""
        self._store.delete_card(card_id, self._clock())

    def rest_card(self, card_id: int, rest: bool) -> None:
        """Whether a card is left alone from now on."""
        self._store.suspend_card(card_id, rest)

    def rest_form(self, set_id: str, form_id: str, rest: bool) -> None:
        """Whether a form is left alone from now on."""
        for card in self._store.cards(self._clock()):
            if card.kind == "form" and card.set_id == set_id and card.key == form_id:
                self._store.suspend_card(card.id, rest)

    def forget_form(self, set_id: str, form_id: str) -> None:
        """Begin anew with a form."""
        self._store.forget_form(set_id, form_id, self._clock())

    def delete_session(self, session_id: int) -> None:
        """Everything said in a session is gone, also from the backups."""
        self._store.delete_session(session_id, self._clock())


def set_names(sets: Iterable[LessonSet]) -> dict[str, SetNames]:
    """What everything in these sets is called."""
    return {
        each.info.id: SetNames(
            title=each.info.title,
            language_name=language(each.info.language).name,
            forms={form.id: form.name for lesson in each.lessons for form in lesson.forms},
            lessons={lesson.id: lesson.title for lesson in each.lessons},
            words={word.word: word.gloss for lesson in each.lessons for word in lesson.vocabulary},
        )
        for each in sets
    }


def cards_with(cards: Sequence[SavedCard], text: str) -> list[SavedCard]:
    """Those whose word, meaning or example has `text`, without regard to case and accents."""
    wanted = folded(text).strip()
    if not wanted:
        return list(cards)
    return [card for card in cards if wanted in folded(f"{card.key}\n{card.gloss}\n{card.sentence}")]
