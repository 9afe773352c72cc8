"""A service that plays a script: no disk, no model, the same every time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lessons.schema import Level
from tutor_app.errors import TutorError
from tutor_app.llm.protocol import EngineStats
from tutor_app.progress.pin import PinNeeded, WrongPin
from tutor_app.progress.placement import Placed
from tutor_app.progress.records import Learner, SavedTurn
from tutor_app.progress.sharing import Share
from tutor_app.session.events import Asked, Event, ModelState, Reply, Said, StepShown, Summary, TurnIn
from tutor_app.session.insight import Insight
from tutor_app.speech.listening import Ear
from tutor_app.speech.reader import Reader
from tutor_app.ui.service import ModelOverview, SetOverview, SettingValue


class Gate:
    """A place in a script where the session waits: until the test opens it, or the learner stops it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def open(self) -> None:
        self.opened.set()


Scripted = Event | Gate | Exception


@dataclass
class FakeSession:
    """Yields its script; the answer to the n-th turn is the n-th list, or the one for that command."""

    opening: Sequence[Scripted]
    answers: Sequence[Sequence[Scripted]] = ()
    commands: Mapping[str, Sequence[Scripted]] = field(default_factory=dict)
    earlier: Sequence[SavedTurn] = ()
    summary: Summary | None = None
    turns: list[TurnIn] = field(default_factory=list)
    saved_words: list[tuple[str, str]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    stops: int = 0
    read: list[tuple[str, bool]] = field(default_factory=list)
    settled: int = 0
    """How often it was told to read in what was said so far."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> Iterator[Event]:
        yield from self._play(self.opening)

    def submit(self, turn: TurnIn) -> Iterator[Event]:
        self._stop.clear()
        said = sum(isinstance(each, Said) for each in self.turns)
        self.turns.append(turn)
        if isinstance(turn, Asked):
            yield from self._play(self.commands.get(turn.command, ()))
        elif said < len(self.answers):
            yield from self._play(self.answers[said])

    def stop(self) -> None:
        self.stops += 1
        self._stop.set()

    def read_along(self, draft: Said, *, whole: bool, wanted: Callable[[], bool]) -> None:
        if draft.text:
            self.read.append((draft.text, whole))
        else:
            self.settled += 1

    def stop_reading(self) -> None:
        self._stop.set()

    def save_word(self, word: str, sentence: str) -> None:
        self.saved_words.append((word, sentence))

    def close(self) -> Summary | None:
        self.closed.set()
        return self.summary

    def _play(self, script: Sequence[Scripted]) -> Iterator[Event]:
        for each in script:
            if isinstance(each, Exception):
                raise each
            if isinstance(each, Gate):
                each.reached.set()
                while not each.opened.wait(0.01):
                    if self._stop.is_set():
                        yield Reply("Me gusta", "ask", ("ok",), "model", stopped=True)
                        return
            else:
                yield each


@dataclass
class FakePlacement:
    """Asks its steps in order and suggests A2."""

    steps: Sequence[StepShown] = ()
    answers: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return len(self.answers)

    def step(self) -> StepShown | None:
        return self.steps[self.answered] if self.answered < len(self.steps) else None

    def answer(self, text: str, elapsed_s: float | None) -> None:
        self.answers.append(text)

    def result(self) -> Placed:
        level: Level = "A2" if any(self.answers) else "A1"
        return Placed(
            level, "04-ayer", {"A1": 0.1, "A2": 0.9}, {"A1": (2, 2)}, f"{level} is where you begin."
        )


@dataclass
class FakeService:
    """One learner at a time, sets as given, and a session for each `start_lesson`."""

    people: list[Learner] = field(default_factory=list)
    lesson_sets: Sequence[SetOverview] = ()
    make_session: Callable[[], FakeSession] = lambda: FakeSession(())
    catalogue: Sequence[ModelOverview] = ()
    states: Sequence[ModelState] = (ModelState("ready"),)
    stats: EngineStats | None = None
    kept: dict[str, SettingValue] = field(default_factory=dict)
    opened: list[tuple[str, str | None]] = field(default_factory=list)
    sessions: list[FakeSession] = field(default_factory=list)
    on_state: Callable[[ModelState], None] | None = None
    used: str = "qwen2.5-1.5b"
    loads: int = 0
    closed: bool = False
    refuse_lessons: str = ""
    pins: dict[str, str] = field(default_factory=dict)
    cares: int = 0
    make_placement: Callable[[], FakePlacement] = FakePlacement
    placements: list[FakePlacement] = field(default_factory=list)
    practised_sets: Mapping[str, str] = field(default_factory=dict)
    handed_in: list[tuple[Path, tuple[str, ...], Share, str, Path | None]] = field(default_factory=list)
    known: Insight | None = None
    heard_by: Ear | None = None
    recordings: list[bytes] = field(default_factory=list)
    scripted_reader: Reader | None = None
    _open: Learner | None = None

    def learners(self) -> Sequence[Learner]:
        return self.people

    def create_learner(self, name: str, settings: Mapping[str, SettingValue]) -> Learner:
        self._open = Learner(f"learner-{len(self.people)}", name, 0.0, dict(settings))
        self.people.append(self._open)
        self.kept = dict(settings)
        return self._open

    wanted = ""

    def open_learner(self, learner_id: str, pin_given: str = "") -> Learner:
        wanted = self.pins.get(learner_id)
        if wanted and not pin_given:
            raise PinNeeded("This learner has a PIN.")
        if wanted and pin_given != wanted:
            raise WrongPin("That PIN does not fit.")
        self._open = next(person for person in self.people if person.id == learner_id)
        self.kept = {**self._open.settings, **self.kept}
        return self._open

    noticed = ""

    def learner(self) -> Learner | None:
        return self._open

    def notice(self) -> str:
        return self.noticed

    def sets(self) -> Sequence[SetOverview]:
        return self.lesson_sets

    def start_lesson(self, set_id: str, lesson_id: str | None) -> FakeSession:
        if self.refuse_lessons:
            raise TutorError(self.refuse_lessons)
        self.opened.append((set_id, lesson_id))
        self.sessions.append(self.make_session())
        return self.sessions[-1]

    def settings(self) -> Mapping[str, SettingValue]:
        return self.kept

    def set_setting(self, key: str, value: SettingValue) -> None:
        self.kept[key] = value

    def set_pin(self, new: str, old: str = "") -> None:
        assert self._open is not None
        if self.pins.get(self._open.id, "") != old:
            raise WrongPin("That PIN does not fit.")
        self.pins[self._open.id] = new

    def has_pin(self) -> bool:
        return self._open is not None and bool(self.pins.get(self._open.id))

    def care(self) -> None:
        self.cares += 1

    def place(self, set_id: str) -> FakePlacement:
        self.placements.append(self.make_placement())
        return self.placements[-1]

    def practised(self) -> Mapping[str, str]:
        return self.practised_sets

    def hand_in(
        self, target: Path, set_ids: Sequence[str], share: Share, name: str = "", key: Path | None = None
    ) -> None:
        self.handed_in.append((target, tuple(set_ids), share, name, key))

    def insight(self) -> Insight:
        if self.known is None:
            raise TutorError("There is no file.")
        return self.known

    def ear(self) -> Ear | None:
        return self.heard_by

    def reader(self, language: str) -> Reader | None:
        return self.scripted_reader

    def keep_recording(self, pcm: bytes) -> None:
        self.recordings.append(pcm)

    def models(self) -> Sequence[ModelOverview]:
        return [replace(model, active=model.id == self.used) for model in self.catalogue]

    def use_model(self, model_id: str) -> None:
        self.used = model_id

    def load_model(self, on_state: Callable[[ModelState], None]) -> None:
        self.loads += 1
        self.on_state = on_state
        for state in self.states:
            on_state(state)

    def engine_stats(self) -> EngineStats | None:
        return self.stats

    def active_model(self) -> str | None:
        return self.used or None

    def close(self) -> None:
        self.closed = True
