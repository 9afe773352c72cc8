"""The one engine of a running program: loads it beside everything else, and brings it back when it dies.

The learner can read, type and be answered (from the lesson's own lines) in every state it can be in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tutor_app.errors import TutorError
from tutor_app.llm.protocol import (
    Engine,
    EngineDied,
    EngineError,
    EngineHung,
    EngineStats,
    EngineStopped,
    LoadSpec,
)
from tutor_app.session.events import ModelState

RESTARTS = 3
"""How often a dead engine is started again before the learner is asked to choose another model."""
NO_MODEL = (
    "There is no language model on this computer yet, so the tutor answers with the lesson's own words. "
    "Settings and `tutor models list` show which ones can be used."
)
ANSWERED_WITHOUT = "The language model could not answer this, so the lesson's own words do."
WAIT_S = 0.2
"""How long one look at a loading engine lasts, so that whoever waits can also stop waiting."""


@dataclass(frozen=True)
class Ready:
    """What a lesson runs on."""

    spec: LoadSpec
    family: str
    trained: bool = False
    """The weights themselves went through our training, so no example turns are needed."""
    margin_nats: Mapping[str, float] = field(default_factory=dict)
    """Track → how sure these weights must be of a reformulation; the tutor's own default where it is not measured."""


@dataclass(frozen=True)
class Announced:
    """What can be said of a model before its file is even joined."""

    id: str
    sha256: str | None
    adapters: tuple[str, ...] = ()
    """Names of those that will be loaded with it, in their order."""


Prepare = Callable[[Callable[[float], None]], Ready]
"""Finds the model and makes its file ready (joining its parts the first time), with progress from 0 to 1."""


class ModelHost:
    """Owns the engine. Its public methods may be called from any thread."""

    def __init__(
        self,
        engine: Engine,
        prepare: Prepare | None,
        *,
        announced: Announced | None = None,
        smaller: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """`prepare` None: there is no model, and every reply is authored. `announced`: what will run.

        `smaller`: the model to offer in place of this one when memory ran out.
        """
        self.announced = announced
        self._smaller = smaller
        self._engine = engine
        self._prepare = prepare
        self._listeners: list[Callable[[ModelState], None]] = []
        self._changed = threading.Condition()
        self._state = ModelState("loading") if prepare is not None else ModelState("none", message=NO_MODEL)
        self._thread: threading.Thread | None = None
        self._busy = threading.Lock()
        self._choosing = threading.Lock()
        self._deaths = 0
        self._closed = False
        self._replacing = False
        """Another model is to be loaded in place of the one that is being loaded."""
        self._unfit = False
        self.ready: Ready | None = None

    @property
    def engine(self) -> Engine:
        return self._engine

    @property
    def state(self) -> ModelState:
        return self._state

    def listen(self, listener: Callable[[ModelState], None]) -> None:
        """Call `listener` with every change of state, from the thread that made it; and with the present one."""
        self._listeners = [listener]
        listener(self._state)

    def start(self) -> None:
        """Begin loading in a thread; at once back. Does nothing while it loads, or without a model."""
        if self._prepare is None or self._closed or (self._thread is not None and self._thread.is_alive()):
            return
        self._set(ModelState("loading"))
        self._thread = threading.Thread(target=self._load, name="model", daemon=True)
        self._thread.start()

    def use(self, prepare: Prepare, announced: Announced) -> None:
        """Run another model from now on; one that is still being loaded is given up."""
        with self._choosing:  # who chooses twice gets what was chosen last
            self._replacing = True
            self.stop_running()
            if self._thread is not None:
                self._thread.join()  # or `start` would find it alive, and load nothing
            with self._busy:
                self._replacing = False
                self._prepare = prepare
                self.announced = announced
                self._deaths = 0
                self.ready = None
            self.start()

    def _load(self) -> None:
        assert self._prepare is not None
        try:
            with self._busy:
                self._unfit = False  # first: what `adapt` asks for meanwhile is not in what is prepared here
                ready = self._prepare(lambda part: self._set(ModelState("loading", part * 0.5)))
                if self._closed or self._replacing:
                    return
                self._engine.load(ready.spec, lambda part: self._set(ModelState("loading", 0.5 + part * 0.5)))
                self.ready = ready
        except TutorError as error:
            replaced = self._replacing and isinstance(error, EngineStopped)
            if not self._closed and not replaced:
                self._set(self._without(error))
            return
        self._set(ModelState("ready", 1.0))

    def wait(self, given_up: Callable[[], bool]) -> Iterator[ModelState]:
        """States until the engine is ready, lost or absent, or until `given_up()` says so."""
        while self._state.state in ("loading", "warming") and not given_up() and not self._closed:
            yield self._state
            with self._changed:
                self._changed.wait(WAIT_S)

    @contextmanager
    def exclusive(self) -> Iterator[Engine]:
        """The engine for one caller at a time."""
        with self._busy:
            yield self._engine

    @contextmanager
    def if_idle(self) -> Iterator[Engine | None]:
        """The engine, if it is ready and nobody has it; else None, at once. Raises TutorError as `fit` does."""
        if not self._busy.acquire(blocking=False):
            yield None
            return
        try:
            ready = self._state.state == "ready" and self.ready is not None
            if ready:
                self._fitted()
            yield self._engine if ready else None
        finally:
            self._busy.release()

    def warm(
        self, work: Callable[[Callable[[float], None]], None], after: Callable[[], None] | None = None
    ) -> None:
        """Read a lesson in, in a thread, once the engine is there; `work` gets a progress callback."""

        def run() -> None:
            for _ in self.wait(lambda: False):
                pass
            if self._state.state != "ready":
                return
            self._set(ModelState("warming"))
            try:
                with self._busy:
                    self._fitted()
                    try:
                        work(lambda part: self._set(ModelState("warming", part)))
                    except EngineError as error:
                        # Where the lesson was left, or only this failed, the next request reads what is missing.
                        if not isinstance(error, EngineStopped) and not self._goes_on(error):
                            raise
                    # Before anybody else has the engine, who may be about to load another model.
                    self._set(ModelState("ready", 1.0))
            except TutorError as error:
                if not self._closed:
                    self.lost(error)
                return
            if after is not None:
                after()

        threading.Thread(target=run, name="lesson-prefix", daemon=True).start()

    def lost(self, error: TutorError) -> ModelState:
        """The engine died or hung, or an adapter cannot be had: say so, and start again unless that failed too often.

        Returns what was said; by then the state may already be that of the next attempt.
        """
        self._deaths += 1
        said = self._without(error)
        if self._closed:
            return said  # we ended it ourselves, and nobody is left to tell
        self._set(said)
        out_of_memory = isinstance(error, EngineDied) and error.out_of_memory
        if self._deaths <= RESTARTS and isinstance(error, EngineDied | EngineHung) and not out_of_memory:
            self.start()
        return said

    def failed(self, error: EngineError) -> ModelState:
        """A request failed. An engine that can have the next one stays `ready`; else as `lost`. Returns what to say."""
        if not self._goes_on(error):
            return self.lost(error)
        return ModelState("ready", 1.0, f"{ANSWERED_WITHOUT} {error}")

    def _goes_on(self, error: EngineError) -> bool:
        """Whether only a request failed, such as one that is longer than the window."""
        died = isinstance(error, EngineDied | EngineHung)
        return not died and self.ready is not None and self._engine.loaded is not None

    def _without(self, error: TutorError) -> ModelState:
        """The state of having lost the model, with a smaller one to go on with when memory was the reason."""
        offer = None
        if isinstance(error, EngineDied) and error.out_of_memory and self.announced is not None:
            offer = self._smaller(self.announced.id)
        return ModelState("lost", 0.0, str(error), offer)

    def adapt(self, prepare: Prepare, announced: Announced) -> None:
        """Compose the base with what this lesson wants; a base that is not loaded yet is loaded with it."""
        self._prepare = prepare
        self.announced = announced
        self._unfit = True

    def fit(self) -> None:
        """See that the loaded engine has the adapters that `adapt` asked for. Raises TutorError."""
        with self._busy:
            self._fitted()

    def _fitted(self) -> None:
        """Bring the loaded engine in line with `_prepare`: other adapters at run time, never another base."""
        if not self._unfit or self.ready is None or self._prepare is None:
            return
        self._unfit = False
        ready = self._prepare(lambda _: None)
        if ready.spec.sha256 == self.ready.spec.sha256 and ready.spec.adapters != self.ready.spec.adapters:
            self._engine.set_adapters(ready.spec.adapters)
            self.ready = ready

    def stop_running(self) -> None:
        """Cancel whatever the engine does now."""
        self._engine.cancel()

    def stats(self) -> EngineStats | None:
        return self._engine.stats() if self._engine.loaded is not None else None

    def close(self) -> None:
        """End the engine; idempotent."""
        self._closed = True
        with self._changed:
            self._changed.notify_all()
        self._engine.close()

    def _set(self, state: ModelState) -> None:
        self._state = state
        with self._changed:
            self._changed.notify_all()
        for listener in tuple(self._listeners):
            listener(state)
