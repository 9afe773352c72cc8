"""Everything behind the screens: learners, sets, sessions, models. Implements `tutor_app.ui.service.Service`."""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lessons.load import load_set
from lessons.problems import LessonError
from lessons.recordings import recordings
from lessons.schema import LessonSet
from tutor_app.errors import TutorError
from tutor_app.llm.models import Models
from tutor_app.llm.protocol import Engine, EngineError, EngineStats
from tutor_app.pedagogy.language import primary, words
from tutor_app.progress import pin, queries
from tutor_app.progress.handin import hand_in
from tutor_app.progress.learners import folder_of
from tutor_app.progress.maintenance import maintain
from tutor_app.progress.records import Learner
from tutor_app.progress.sharing import Share
from tutor_app.progress.store import Store, create_learner, learners
from tutor_app.session.events import ModelState
from tutor_app.session.guidance import level_of, level_reached, overview
from tutor_app.session.host import ModelHost
from tutor_app.session.insight import Insight, set_names
from tutor_app.session.later import Later
from tutor_app.session.library import available, lesson_of
from tutor_app.session.models import adapt, announce, expect, make_host, model_overviews, preparation
from tutor_app.session.overview import REVIEW, ModelOverview, SetOverview, SettingValue
from tutor_app.session.placing import Placing
from tutor_app.session.reviewing import review_units
from tutor_app.session.session import Session
from tutor_app.session.speech import ear, hearer, pronunciation, voice
from tutor_app.speech.keeping import keep_recording

if TYPE_CHECKING:
    from tutor_app.speech.listening import Ear
    from tutor_app.speech.pronunciation import Pronunciation
    from tutor_app.speech.reader import Reader
    from tutor_app.speech.voice import Voice


class TutorService:
    """One running program. Methods may be called from any thread, one at a time."""

    def __init__(
        self,
        data_dir: Path,
        *,
        model: str | None = None,
        engine: Engine | None = None,
        with_model: bool = True,
        aloud: bool = False,
    ) -> None:
        """`with_model` False: every reply is the lesson's own. `aloud`: somebody reads out what steps let be heard."""
        self._aloud = aloud
        self._with_model = with_model
        self._data_dir = data_dir
        self._model = model
        self._engine = engine
        self._host: ModelHost | None = None
        self._store: Store | None = None
        self._cared_for: Store | None = None
        """Whose file `care` is at. It is closed after that, also when somebody else is chosen meanwhile."""
        self._session: Session | None = None
        self._ear: Ear | None = None
        self._voice: Voice | None = None
        self._pronunciation: Pronunciation | None = None
        self._sets: dict[str, tuple[Path, LessonSet]] = {}
        self.wanted = ""
        """Id of a learner who was named at the start and is not open yet."""
        self._lock = threading.RLock()

    # -- learners --------------------------------------------------------------------------------------------

    def learners(self) -> Sequence[Learner]:
        """Everybody with a file on this machine, latest first."""
        return learners(self._data_dir)

    def create_learner(self, name: str, settings: Mapping[str, SettingValue]) -> Learner:
        """Make a learner's file and open it."""
        return self.open_learner(create_learner(self._data_dir, name, dict(settings)).id)

    def open_learner(self, learner_id: str, pin_given: str = "") -> Learner:
        """From here on, everything is about this learner. Raises PinNeeded or WrongPin when their PIN is wanted."""
        with self._lock:
            store = Store.open(self._data_dir, learner_id)
            try:
                pin.ask(store.settings(), pin_given)
            except TutorError:
                store.close()
                raise
            self._change_to(store)
            self.wanted = ""
            if primary(str(store.settings().get("language", ""))) == "zh":
                self._ready_words = Later(lambda: words("你好", "zh"))  # the segmenter's dictionary
            return store.learner

    def set_pin(self, new: str, old: str = "") -> None:
        """Ask for `new` from now on, or for nothing when it is empty; `old` is the PIN so far.

        Raises WrongPin, and TutorError for a PIN that is too short.
        """
        store = self._opened()
        pin.ask(store.settings(), old)
        store.set_setting(pin.SETTING, pin.hashed(new) if new else None)

    def has_pin(self) -> bool:
        """Whether the open learner has a PIN."""
        return pin.is_set(self._opened().settings())

    def care(self) -> None:
        """What is done for a learner's file when nobody waits: a backup a day, a fit a month. *Slow.*

        Nothing while it is at work already, for this learner or the one before; it comes again with every lesson.
        """
        with self._lock:  # not held while it works: who opens a file or a lesson meanwhile does not wait
            if self._store is None or self._cared_for is not None:
                return
            store = self._cared_for = self._store
        try:
            maintain(store, _now())
        finally:
            with self._lock:
                self._cared_for = None
                left = store is not self._store
            if left:
                store.close()

    def _change_to(self, store: Store | None) -> None:
        """Close the file that was open, or leave that to `care`, which still needs it. Under the lock."""
        before, self._store = self._store, store
        if before is not None and before is not self._cared_for:
            before.close()

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
        found = [overview(lessons, store, _now()) for lessons in self._all_sets()]
        found = [replace(one, level_reached=level_reached(one, store)) for one in found]
        wanted, track = settings.get("language"), settings.get("track")
        return sorted(found, key=lambda one: (primary(one.language) != wanted, one.track != track, one.id))

    def place(self, set_id: str) -> Placing:
        """A placement with the items of this set. *Slow.*"""
        return Placing(self._set(set_id))

    def practised(self) -> Mapping[str, str]:
        """Set id → title of every set with something to hand in. *Slow.*"""
        titles = {lessons.info.id: lessons.info.title for lessons in self._all_sets()}
        return {one: titles.get(one, one) for one in queries.set_ids(self._opened().database)}

    def hand_in(
        self, target: Path, set_ids: Sequence[str], share: Share, name: str = "", key: Path | None = None
    ) -> None:
        """Write a signed hand-in of these sets, sealed for the instructor's public key in the file `key`. *Slow.*"""
        hand_in(
            self._opened(), target, set_ids=set_ids, share=share, now=_now(), name=name or None, recipient=key
        )

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

    def _folder_of(self, set_id: str) -> Path:
        """Where a set that was read is."""
        return self._sets[set_id][0]

    def start_lesson(self, set_id: str, lesson_id: str | None) -> Session:
        """A session on this lesson, or a free talk; resumes one that was left in the middle."""
        with self._lock:
            lessons, store = self._set(set_id), self._opened()
            now = _now()
            due = store.due(lessons.info.language, now)
            if lesson_id == REVIEW:
                if not review_units(lessons, due, store, 1):
                    raise TutorError("Nothing is waiting for you here. Go where you like.")
            elif lesson_id is not None:
                lesson_of(lessons, lesson_id)
            host = self._made_host()
            if host is not None:
                self._fit(host, lessons)
            seed = zlib.crc32(f"{store.learner.id}/{set_id}/{lesson_id}/{now}".encode()) & 0xFFFF
            heard = self._aloud and self.reader(set_id) is not None
            self._session = Session(
                lessons, lesson_id, store, host, level=level_of(lessons, store, now), seed=seed,
                hear=hearer(self._data_dir, lessons.info.track), due=due, voice=heard,
            )  # fmt: skip
            return self._session

    def _fit(self, host: ModelHost, lessons: LessonSet) -> None:
        """The adapters for this set's language and track, on whatever base runs."""
        adapt(host, self._data_dir, self._model, lessons.info.language, lessons.info.track)

    def insight(self) -> Insight:
        """What the open learner did, knows and told: read, corrected and deleted through it."""
        # Sets that home has read are not looked for on the disk again: this is asked with every key of a search.
        known = [lessons for _, lessons in self._sets.values()] or self._all_sets()
        return Insight(self._opened(), set_names(known))

    # -- speech ----------------------------------------------------------------------------------------------

    def ear(self) -> Ear | None:
        """Microphone and recogniser; None where speech is not installed."""
        with self._lock:
            if self._ear is None:
                self._ear = ear(self._data_dir)
            return self._ear

    def reader(self, set_id: str) -> Reader | None:
        """What reads a set's lines aloud, by the open learner's choices; None where nothing can."""
        with self._lock:
            if self._voice is None:
                self._voice = voice(self._data_dir)
                self._pronunciation = pronunciation(self._data_dir, self._voice)
            if self._voice is None:
                return None
            from tutor_app.speech.reader import reader

            try:
                lessons = self._sets[set_id][1] if set_id in self._sets else self._set(set_id)
            except TutorError:
                return None  # it is gone, or cannot be read any more: whoever opens a lesson of it is told
            return reader(
                self._voice, self._pronunciation, lessons.info.language, self._opened().settings(),
                recordings(lessons, self._folder_of(set_id)),
            )  # fmt: skip

    def keep_recording(self, pcm: bytes) -> None:
        """Put a recording of the open learner into their folder."""
        session_id = self._session.id if self._session is not None else 0
        keep_recording(folder_of(self._data_dir, self._opened().learner.id), pcm, session_id, _now())

    # -- models ----------------------------------------------------------------------------------------------

    def models(self) -> Sequence[ModelOverview]:
        """What the catalogue and the model folder have, usable ones first."""
        stats = self.engine_stats()
        return model_overviews(self._data_dir, self.active_model(), stats.rss_bytes if stats else 0)

    def use_model(self, model_id: str) -> None:
        """Make this the active model."""
        Models(self._data_dir).select(model_id)
        self._model = None
        if self._host is not None:
            settings = self._store.settings() if self._store is not None else {}
            wanted = (self._data_dir, model_id, settings.get("language"), settings.get("track"))
            self._host.use(preparation(*wanted), announce(*wanted))

    def load_model(self, on_state: Callable[[ModelState], None]) -> None:
        """Begin loading in a thread of its own; `on_state` gets every change, also later."""
        host = self._made_host()
        if host is None:
            # Whoever wanted to do without one is not told that there is none.
            on_state(self._host.state if self._host is not None else ModelState("none"))
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
            return self._host.announced.id
        try:
            return expect(self._data_dir, self._model).id
        except TutorError:
            return None

    def close(self) -> None:
        """End the engine and close files; idempotent."""
        if self._session is not None:
            self._session.stop()
        if self._host is not None:
            with contextlib.suppress(EngineError):  # it was dead already, and there is nobody left to tell
                self._host.close()
        for process in (self._ear, self._voice, self._pronunciation):
            if process is not None:
                process.close()
        with self._lock:
            self._change_to(None)


def _now() -> float:
    return time.time()
