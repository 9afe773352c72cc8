"""The tutor of one sitting, on whatever engine is ready: made when it is wanted, made anew when another model runs.

A learner may stop, leave, or lose the model at any moment. What may be cancelled when is decided here, so that a stop
costs the turn it was meant for and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from tutor_app.errors import TutorError
from tutor_app.llm.protocol import EngineDied, EngineError, EngineHung, EngineStopped
from tutor_app.pedagogy.prompts import Brief
from tutor_app.session.events import ModelState
from tutor_app.session.host import ModelHost, Ready
from tutor_app.session.tutor import Tutor


class TutorAtHand:
    """Lends out the tutor, to a turn or to what is done ahead of one. `stop`, `stop_ahead` and `leave` come from any thread."""

    def __init__(
        self,
        host: ModelHost | None,
        *,
        brief: Callable[[Ready], Brief],
        replay: Callable[[Tutor], None],
        seed: Callable[[], int],
    ) -> None:
        """`brief` says what the tutor is told of the lesson; `replay` tells a new one what was said in this talk."""
        self._host = host if host is not None and host.state.state != "none" else None
        self._brief = brief
        self._replay = replay
        self._seed = seed
        self._tutor: Tutor | None = None
        self._asking = self._warming = self._ahead = self._left = False
        self._told: ModelState | None = None
        """What was last said of a model that is lost."""

    @property
    def model(self) -> tuple[str | None, str | None, tuple[str, ...]]:
        """Id, sha256 and adapters of what runs or will run; this does not wait for it to be loaded."""
        if self._host is None or self._host.announced is None:
            return None, None, ()
        ready, announced = self._host.ready, self._host.announced
        # What is loaded may still have the adapters of the set before: those of this one come with the first request.
        sha256 = ready.spec.sha256 if ready is not None else announced.sha256
        return announced.id, sha256, announced.adapters

    def warm(self) -> None:
        """Read the lesson in, beside everything else, as soon as there is a model."""
        if self._host is not None:
            self._host.warm(self._warm)

    def _warm(self, progress: Callable[[float], None]) -> None:
        self._warming = True
        try:
            if self._left:
                raise EngineStopped("Stopped.")
            tutor = self._made()
            tutor.begin_turn()
            tutor.warm(progress)
            if self._host is not None and self._host.engine.private and not self._left:
                tutor.settle()
            tutor.read_lists_in()
        finally:
            self._warming = False

    def _made(self) -> Tutor:
        """For whoever has the engine. Raises EngineError when another model was to be loaded meanwhile, and could not."""
        assert self._host is not None
        ready, tutor = self._host.ready, self._tutor
        if ready is None:
            raise EngineError("No language model is loaded.")
        if tutor is None or tutor.ready is not ready:
            tutor = Tutor(self._host.engine, ready, self._brief(ready), seed=self._seed())
            self._replay(tutor)
            self._tutor = tutor
        return tutor

    def begin(self, line: str) -> None:
        """A new talk, which the tutor opens with `line`."""
        if self._tutor is not None:
            self._tutor.begin(line)

    # -- a turn ----------------------------------------------------------------------------------------------

    def awaited(self, given_up: Callable[[], bool]) -> Generator[ModelState, None, bool]:
        """Whether there is a tutor, once the engine is ready; False too when the learner will not wait.

        That it is lost is said once.
        """
        if self._host is None:
            return False
        yield from self._host.wait(given_up)
        state = self._host.state
        if state.state == "ready" and self._host.ready is not None:
            try:
                self._host.fit()
            except TutorError as error:
                self._told = self._host.lost(error)
                yield self._told
            else:
                return True
        elif state.state == "lost" and state is not self._told:
            self._told = state
            yield state
        # The turn is answered without it; whoever is made for the next one is told of this.
        self._tutor = None
        return False

    @contextmanager
    def turn(self, stopped: Callable[[], bool]) -> Iterator[Tutor]:
        """The tutor and the engine are this turn's, and so is every `stop` from here on; `stopped()`: one came before."""
        assert self._host is not None
        began = time.monotonic()
        with self._host.exclusive():
            tutor = self._made()
            tutor.begin_turn((time.monotonic() - began) * 1000)
            self._asking = True
            try:
                if stopped():
                    tutor.stop()
                yield tutor
            finally:
                self._asking = False

    def failed(self, error: EngineError) -> ModelState:
        """The engine failed in the middle of a turn: what to say of it. The next turn finds another tutor."""
        assert self._host is not None
        self._tutor = None
        self._told = self._host.failed(error)
        return self._told

    def stop(self) -> None:
        """Cut the turn short. A lesson that is still read in goes on being so: the next turn needs it."""
        if self._asking and self._tutor is not None:
            self._tutor.stop()
        else:
            self.stop_ahead()  # which the turn waits for

    def leave(self) -> None:
        """Leave the engine to whoever comes next."""
        self._left = True
        self.stop()
        if self._warming and self._host is not None:
            self._host.stop_running()

    # -- between turns ---------------------------------------------------------------------------------------

    def ahead(self, work: Callable[[Tutor], None]) -> None:
        """Let the tutor do `work` that may never be asked for, where it is ready and nobody else waits for it."""
        if self._host is None or self._left or not self._host.engine.private:
            return
        try:
            with self._host.if_idle() as engine:
                if engine is None:
                    return
                tutor = self._made()
                tutor.begin_turn()
                self._ahead = True
                try:
                    work(tutor)
                finally:
                    self._ahead = False
        except (EngineDied, EngineHung) as error:
            self._tutor = None
            self._host.lost(error)
        except TutorError:
            pass  # it is not wanted any more; or the turn itself meets the same, and says so

    def stop_ahead(self) -> None:
        """Cut short what `ahead` does; nothing when it does nothing."""
        if self._ahead and self._tutor is not None:
            self._tutor.stop()
