"""One session in one thread, and in another what it reads ahead: turns go in from the screen, messages come out to it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from threading import Condition, Lock, Thread

from textual.message import Message

from tutor_app.errors import TutorError
from tutor_app.session.events import Event, ReplyFragment, Said, TurnIn
from tutor_app.ui.draft import Draft, Reading
from tutor_app.ui.messages import FragmentsWaiting, SessionClosed, SessionEvent, SessionFailed, TurnOver
from tutor_app.ui.service import LessonSession

LEAVE_S = 0.5
"""How long leaving waits for what is read ahead, which has been stopped by then."""


class SessionRunner:
    """Relays a session. `run` blocks and belongs in a thread worker; all else may be called from the screen."""

    def __init__(self, open_session: Callable[[], LessonSession], post: Callable[[Message], object]) -> None:
        self._open = open_session
        self._session: LessonSession | None = None
        self._post = post
        self._turns: deque[TurnIn] = deque()
        self._changed = Condition()
        self._ending = False
        self._answering = True
        """Until the session has started, and while it has a turn."""
        self._draft = Draft()
        self._reading: Reading | None = None
        """What the session reads along with now."""
        self._fragments: list[str] = []
        self._fragment_lock = Lock()

    def run(self) -> None:
        """Open and start the session, then answer turns until `end`; close it whatever happens."""
        summary = None
        try:
            session = self._session = self._open()
            reader = Thread(target=self._read_along, args=(session,), name="reading-along", daemon=True)
            reader.start()
            try:
                self._answer_turns(session)
            finally:
                self.end()
                summary = session.close()
                reader.join(LEAVE_S)
        except TutorError as error:
            self._post(SessionFailed(str(error)))
        finally:
            self._post(SessionClosed(summary))

    @property
    def session(self) -> LessonSession | None:
        """The session once it is open."""
        return self._session

    def submit(self, turn: TurnIn) -> None:
        """Hand over a turn; it waits when the session has not started yet."""
        with self._changed:
            self._turns.append(turn)
            if not isinstance(turn, Said) or (self._reading and not self._reading.serves(turn.text)):
                self._stop_reading()  # of the text that was sent, what is being read is needed
            self._changed.notify_all()

    def write(self, text: str, elapsed_s: float | None = None) -> None:
        """The learner has changed what they are writing, so long after they were asked; in a pause the session reads along."""
        with self._changed:
            self._draft.change(text, elapsed_s)
            needed = bool(self._turns) or self._answering  # by a turn that was sent, whatever is written now
            if text and self._reading and not self._reading.serves(text) and not needed:
                self._stop_reading()
            self._changed.notify_all()

    def take_back(self) -> TurnIn | None:
        """A turn that the session has not seen yet, withdrawn; None when it already has it."""
        with self._changed:
            return self._turns.pop() if self._turns else None

    def take_fragments(self) -> str:
        """What was streamed since the last call."""
        with self._fragment_lock:
            text = "".join(self._fragments)
            self._fragments.clear()
        return text

    def stop_reply(self) -> None:
        """Cut the reply short."""
        if self._session is not None:
            self._session.stop()

    def end(self) -> None:
        """Make `run` return soon, also in the middle of a reply."""
        with self._changed:
            self._ending = True
            self._turns.clear()
            self._stop_reading()
            self._changed.notify_all()
        self.stop_reply()

    def _answer_turns(self, session: LessonSession) -> None:
        self._relay(session.start())
        self._turn_over(0)
        number = 0
        while (turn := self._next_turn()) is not None:
            number += 1
            self._relay(session.submit(turn))
            self._turn_over(number)

    def _turn_over(self, number: int) -> None:
        with self._changed:
            self._answering = False
            self._draft.begin()
            self._changed.notify_all()
        self._post(TurnOver(number))

    def _next_turn(self) -> TurnIn | None:
        with self._changed:
            self._changed.wait_for(lambda: self._turns or self._ending)
            if self._ending:
                return None
            self._answering = True
            return self._turns.popleft()

    # -- the reader's thread -----------------------------------------------------------------------------------

    def _read_along(self, session: LessonSession) -> None:
        while (reading := self._next_reading()) is not None:
            began = time.monotonic()
            try:
                session.read_along(reading.draft, whole=reading.whole, wanted=partial(self._wanted, reading))
            finally:
                with self._changed:
                    self._reading = None
                    if self._wanted(reading):  # else it may have left off
                        self._draft.took(reading, time.monotonic() - began)

    def _next_reading(self) -> Reading | None:
        with self._changed:
            while not self._ending:
                idle = not self._turns and not self._answering
                if idle and (reading := self._draft.take()) is not None:
                    self._reading = reading
                    return reading
                self._changed.wait(self._draft.wait_s() if idle else None)
            return None

    def _wanted(self, reading: Reading) -> bool:
        """Whether to go on with `reading`; what a turn that was sent still needs, it does itself."""
        busy = self._ending or self._answering or bool(self._turns)
        return not busy and reading.serves(self._draft.text)

    def _stop_reading(self) -> None:
        if self._reading is not None and self._session is not None:
            self._session.stop_reading()

    def _relay(self, events: Iterator[Event]) -> None:
        for event in events:
            if self._ending:
                return
            if isinstance(event, ReplyFragment):
                with self._fragment_lock:
                    self._fragments.append(event.text)
                self._post(FragmentsWaiting())
            else:
                self._post(SessionEvent(event))
