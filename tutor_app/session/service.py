"""Everything behind the screens: learners, sets, sessions, models. Implements `tutor_app.ui.service.Service`."""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lessons.load import load_set
from lessons.problems import LessonError
from lessons.schema import Lesson, LessonSet, Level
from tutor_app.errors import TutorError
from tutor_app.llm import catalogue, parts
from tutor_app.llm.catalogue import Entry, PackageSource
from tutor_app.llm.machine import memory
from tutor_app.llm.models import Models
from tutor_app.llm.protocol import Engine, EngineError, EngineStats
from tutor_app.pedagogy.language import language, primary
from tutor_app.progress.records import Learner, LessonProgress
from tutor_app.progress.store import Store, create_learner, learners
from tutor_app.session.events import ModelState
from tutor_app.session.host import ModelHost
from tutor_app.session.insight import Insight, set_names
from tutor_app.session.library import available, item_count, lesson_of
from tutor_app.session.models import announce, make_host, preparation
from tutor_app.session.overview import (
    LessonOverview,
    ModelOverview,
    SetOverview,
    SettingValue,
    WordEntry,
)  # fmt: skip
from tutor_app.session.session import Session
from tutor_app.session.speech import hearer

DUE_WORDS = 6
"""Words due for review that a lesson or talk brings up."""


class TutorService:
    """One running program. Methods may be called from any thread, one at a time."""

    def __init__(
        self,
        data_dir: Path,
        *,
        model: str | None = None,
        engine: Engine | None = None,
        with_model: bool = True,
    ) -> None:
        """`with_model` False: every reply is the lesson's own."""
        self._with_model = with_model
        self._data_dir = data_dir
        self._model = model
        self._engine = engine
        self._host: ModelHost | None = None
        self._store: Store | None = None
        self._session: Session | None = None
        self._sets: dict[str, tuple[Path, LessonSet]] = {}
        self._lock = threading.RLock()

    # -- learners --------------------------------------------------------------------------------------------

    def learners(self) -> Sequence[Learner]:
        """Everybody with a file on this machine, latest first."""
        return learners(self._data_dir)

    def create_learner(self, name: str, settings: Mapping[str, SettingValue]) -> Learner:
        """Make a learner's file and open it."""
        return self.open_learner(create_learner(self._data_dir, name, dict(settings)).id)

    def open_learner(self, learner_id: str) -> Learner:
        """From here on, everything is about this learner."""
        with self._lock:
            store = Store.open(self._data_dir, learner_id)
            if self._store is not None:
                self._store.close()
            self._store = store
            return store.learner

    def learner(self) -> Learner | None:
        """Who is open."""
        return self._store.learner if self._store is not None else None

    def notice(self) -> str:
        """What the open learner should know about their file; mostly empty."""
        return self._store.notice if self._store is not None else ""

    def settings(self) -> Mapping[str, SettingValue]:
        """What this learner chose."""
        return {
            key: value
            for key, value in self._opened().settings().items()
            if isinstance(value, str | int | bool)
        }

    def set_setting(self, key: str, value: SettingValue) -> None:
        """Remember a choice."""
        self._opened().set_setting(key, value)

    def _opened(self) -> Store:
        if self._store is None:
            raise TutorError("Nobody is learning yet: choose a name first.")
        return self._store

    # -- lessons ---------------------------------------------------------------------------------------------

    def sets(self) -> Sequence[SetOverview]:
        """Installed lesson sets with this learner's progress; what fits language and track first."""
        store, settings = self._opened(), self._opened().settings()
        found = [overview(lessons, store) for lessons in self._all_sets()]
        wanted, track = settings.get("language"), settings.get("track")
        return sorted(found, key=lambda one: (primary(one.language) != wanted, one.track != track, one.id))

    def _all_sets(self) -> list[LessonSet]:
        """Every readable set; one that was read before is read again only when it changed place."""
        result = []
        for found in available(self._data_dir):
            if found.info is None:
                continue
            known = self._sets.get(found.info.id)
            if known is None or known[0] != found.folder or known[1].info.version != found.info.version:
                try:
                    known = (found.folder, load_set(found.folder))
                except LessonError:
                    continue  # `tutor lessons list` names it; the others can still be studied
                self._sets[found.info.id] = known
            result.append(known[1])
        return result

    def _set(self, set_id: str) -> LessonSet:
        found = next((lessons for lessons in self._all_sets() if lessons.info.id == set_id), None)
        if found is None:
            raise TutorError(f"There is no lesson set {set_id!r} here any more.")
        return found

    def start_lesson(self, set_id: str, lesson_id: str | None) -> Session:
        """A session on this lesson, or a free talk; resumes one that was left in the middle."""
        with self._lock:
            lessons, store = self._set(set_id), self._opened()
            if lesson_id is not None:
                lesson_of(lessons, lesson_id)
            host = self._made_host()
            if host is not None:
                self._fit(host, lessons)
            due = [
                item.key
                for item in store.due(lessons.info.language, _now(), DUE_WORDS)
                if item.kind == "word"
            ]
            seed = zlib.crc32(f"{store.learner.id}/{set_id}/{lesson_id}/{_now()}".encode()) & 0xFFFF
            self._session = Session(
                lessons, lesson_id, store, host, level=_level(lessons, store), seed=seed,
                hear=hearer(self._data_dir), due_words=due,
            )  # fmt: skip
            return self._session

    def _fit(self, host: ModelHost, lessons: LessonSet) -> None:
        """The adapters for this set's language and track, on whatever base runs."""
        host.adapt(preparation(self._data_dir, self._model, lessons.info.language, lessons.info.track))

    def insight(self) -> Insight:
        """What the open learner did, knows and told: read, corrected and deleted through it."""
        return Insight(self._opened(), set_names(self._all_sets()))

    # -- models ----------------------------------------------------------------------------------------------

    def models(self) -> Sequence[ModelOverview]:
        """What the catalogue and the model folder have, usable ones first."""
        here, active = Models(self._data_dir), self.active_model()
        installed = {model.id: model for model in here.installed()}
        found: list[ModelOverview] = []
        for entry in catalogue.ENTRIES:
            joinable = isinstance(entry.source, PackageSource) and not parts.missing(entry.source)
            usable = entry.id in installed or joinable
            found.append(
                ModelOverview(
                    entry.id, entry.size_bytes, entry.note, usable, entry.id == active, _refusal(entry)
                )
            )
        for model in installed.values():
            if catalogue.find(model.id) is None:
                note = f"Your own model: {', '.join(model.languages) or 'languages not named'}."
                found.append(ModelOverview(model.id, model.size_bytes, note, True, model.id == active))
        return sorted(found, key=lambda one: (not one.present, not one.active, one.size_bytes))

    def use_model(self, model_id: str) -> None:
        """Make this the active model."""
        Models(self._data_dir).select(model_id)
        self._model = None
        if self._host is not None:
            known = announce(self._data_dir, model_id)
            self._host.announced = (known.id, known.sha256)
            settings = self._store.settings() if self._store is not None else {}
            self._host.use(
                preparation(self._data_dir, model_id, settings.get("language"), settings.get("track"))
            )

    def load_model(self, on_state: Callable[[ModelState], None]) -> None:
        """Begin loading in a thread of its own; `on_state` gets every change, also later."""
        host = self._made_host()
        if host is None:
            on_state(ModelState("none"))
            return
        host.listen(on_state)
        host.start()

    def _made_host(self) -> ModelHost | None:
        if not self._with_model:
            return None
        with self._lock:
            if self._host is None:
                settings = self._store.settings() if self._store is not None else {}
                self._host = make_host(
                    self._data_dir, self._model, language=settings.get("language"), track=settings.get("track"),
                    engine=self._engine,
                )  # fmt: skip
            return self._host if self._host.state.state != "none" else None

    def engine_stats(self) -> EngineStats | None:
        """For the gauge; never waits."""
        return self._host.stats() if self._host is not None else None

    def active_model(self) -> str | None:
        """Id of the model that is or will be loaded."""
        if not self._with_model:
            return None
        if self._host is not None and self._host.announced is not None:
            return self._host.announced[0]
        try:
            return announce(self._data_dir, self._model).id
        except TutorError:
            return None

    def close(self) -> None:
        """End the engine and close files; idempotent."""
        if self._session is not None:
            self._session.stop()
        if self._host is not None:
            with contextlib.suppress(EngineError):  # it was dead already, and there is nobody left to tell
                self._host.close()
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None


def _refusal(entry: Entry) -> str:
    free = memory().available
    if entry.memory_bytes <= free:
        return ""
    return f"needs about {entry.memory_bytes / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free"


def _now() -> float:
    return time.time()


def _level(lessons: LessonSet, store: Store) -> Level:
    """Where a free talk of this set stands: the level of the furthest lesson that was begun."""
    progress = store.lesson_progress(lessons.info.id)
    begun = [lesson.level for lesson in lessons.lessons if lesson.id in progress]
    return max(begun, default=lessons.info.levels[0])


def overview(lessons: LessonSet, store: Store) -> SetOverview:
    """A set as the learner meets it."""
    info = lessons.info
    progress = store.lesson_progress(info.id)
    due = store.due(info.language, _now())
    due_texts = {item.key for item in due}
    lines = tuple(_lesson_overview(lesson, lessons, progress, due_texts) for lesson in lessons.lessons)
    return SetOverview(
        info.id, info.title, info.description, primary(info.language), language(info.language).name, info.track,
        tuple(info.levels), lines, len(due), {form.id: form.name for lesson in lessons.lessons for form in lesson.forms},
        store.open_session(info.id, None) is not None,
    )  # fmt: skip


def _lesson_overview(
    lesson: Lesson, lessons: LessonSet, progress: Mapping[str, LessonProgress], due: set[str]
) -> LessonOverview:
    mine = progress.get(lesson.id)
    missing = [
        other.title
        for other in lessons.lessons
        if other.id in lesson.prerequisites and not (other.id in progress and progress[other.id].finished)
    ]
    return LessonOverview(
        lesson.id, lesson.title, lesson.level, lesson.minutes, tuple(lesson.objectives), tuple(missing),
        item_count(lesson), mine.items_seen if mine else 0, mine.items_correct if mine else 0,
        mine.finished if mine else False, mine.open_session if mine else False, mine.last_at if mine else None,
        tuple(WordEntry(word.word, word.gloss, word.reading) for word in lesson.vocabulary),
        sum(word.word in due for word in lesson.vocabulary),
    )  # fmt: skip
