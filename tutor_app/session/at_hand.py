"""The tutor of one sitting, on whatever engine is ready: made when it is wanted, made anew when another model runs.

A learner may stop, leave, or lose the model at any moment. What may be cancelled when is decided here, so that a stop
costs the turn it was meant for and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from tutor_app.errors import TutorError
from tutor_app.llm.protocol import EngineStopped
from tutor_app.pedagogy.prompts import Brief
from tutor_app.session.events import ModelState
from tutor_app.session.host import ModelHost, Ready
from tutor_app.session.tutor import Tutor


class TutorAtHand:
    """Lends out the tutor. `stop`, `stop_reading` and `leave` may come from any thread."""

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
        self._asking = self._warming = self._ahead = self._stopped_ahead = False

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
            self._made().warm(progress)
        finally:
            self._warming = False

    def _made(self) -> Tutor:
        assert self._host is not None
        assert self._host.ready is not None
        if self._tutor is None or self._tutor.ready is not self._host.ready:
            ready = self._host.ready
            self._tutor = Tutor(self._host.engine, ready, self._brief(ready), seed=self._seed())
            self._replay(self._tutor)
        return self._tutor

    def begin(self, line: str) -> None:
        """A new talk, which the tutor opens with `line`."""
        if self._tutor is not None:
            self._tutor.begin(line)

    # -- a turn ----------------------------------------------------------------------------------------------

    def awaited(self, given_up: Callable[[], bool]) -> Generator[ModelState, None, Tutor | None]:
        """The tutor, once the engine is ready; None when there is none or the learner will not wait."""
        if self._host is None:
            return None
        yield from self._host.wait(given_up)
        if self._host.state.state != "ready" or self._host.ready is None:
            return None
        try:
            self._host.fit()
        except TutorError as error:
            yield self._host.lost(error)
            return None
        return self._made()

    @contextmanager
    def turn(self, tutor: Tutor, *, stopped: bool) -> Iterator[None]:
        """The engine is this turn's, and `stop` is meant for it; `stopped`: it came already."""
        assert self._host is not None
        with self._host.exclusive():
            tutor.begin_turn()
            self._asking = True
            if stopped:
                tutor.stop()
            try:
                yield
            finally:
                self._asking = False

    def lost(self, error: TutorError) -> ModelState:
        """The engine was lost in the middle of a turn: what to say of it. The next turn finds another tutor."""
        assert self._host is not None
        self._tutor = None
        return self._host.lost(error)

    def stop(self) -> None:
        """Cut the turn short. A lesson that is still read in goes on being so: the next turn needs it."""
        if self._asking and self._tutor is not None:
            self._tutor.stop()
        elif self._ahead:  # the turn has been sent, and waits for what is done ahead
            self._stopped_ahead = True
            self.stop_ahead()

    def take_stop(self) -> bool:
        """Whether the turn that begins now was stopped before it began."""
        stopped, self._stopped_ahead = self._stopped_ahead, False
        return stopped

    def leave(self) -> None:
        """Leave the engine to whoever comes next."""
        self.stop()
        if self._warming and self._host is not None:
            self._host.stop_running()

    # -- between turns ---------------------------------------------------------------------------------------

    def ahead(self, work: Callable[[Tutor], None]) -> None:
        """Let the tutor do `work` that may never be asked for, where it is ready and nobody else waits for it."""
        host = self._host
        if host is None or host.state.state != "ready" or host.ready is None or not host.engine.private:
            return
        try:
            host.fit()
            with host.exclusive():
                self._ahead = True
                tutor = self._made()
                tutor.begin_turn()
                work(tutor)
        except EngineStopped:
            pass  # it is not wanted any more
        except TutorError as error:
            self.lost(error)
        finally:
            self._ahead = False

    def stop_ahead(self) -> None:
        """Cut short what `ahead` does; only while it runs."""
        if self._host is not None:
            self._host.stop_running()
