"""Both ends of a child process for sound: audio libraries and speech models never enter the app's own process.

The child's end is `serve`, the parent's is `SpeechChild`; between them JSON lines as with the language model. What
the child's C libraries print (ALSA and JACK do) is kept for the error message and never reaches the terminal.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tutor_app.llm.child import Child, Event
from tutor_app.llm.lines import Line, end_on_error, protect_stdout
from tutor_app.speech.errors import SpeechError

ANSWER_S = 60.0
"""A child that says nothing for this long is given up."""
LAST_EVENTS = ("done", "error")
"""After one of these nothing more comes for a request."""

Request = dict[str, Any]


class Handler(Protocol):
    """What a child does. Raises SpeechError with a sentence for the learner."""

    def run(self, request: Request) -> None:
        """Answer a request, in order, in the main thread; the last event is `done` (or the error raised)."""

    def at_once(self, request: Request) -> bool:
        """Answer a request that cannot wait for `run`, in the reading thread; False when it is not one."""


def serve(make: Callable[[Line], Handler]) -> None:
    """The child: answer requests until standard input ends, which ends the process at once."""
    sys.excepthook = end_on_error
    threading.excepthook = lambda failure: end_on_error(
        failure.exc_type, failure.exc_value or RuntimeError(), failure.exc_traceback
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which shares our terminal
    line = Line(protect_stdout())
    handler = make(line)
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()

    def read() -> None:
        for data in sys.stdin.buffer:
            request = json.loads(data)
            if not handler.at_once(request):
                requests.put(request)
        os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()
    line.send(0, "ready", pid=os.getpid())
    while True:
        request = requests.get()
        try:
            handler.run(request)
        except SpeechError as error:
            line.send(request["id"], "error", message=str(error))


class SpeechChild:
    """The parent's end: `python -m <module>` as a child that starts at the first question, and again if it died.

    Any thread may call it.
    """

    def __init__(self, module: str, name: str) -> None:
        """`name` is how messages call it, such as "The recogniser"."""
        self._command = (sys.executable, "-P", "-X", "utf8", "-m", module)
        self._name = name
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def open(self, op: str, **fields: Any) -> int:
        """Send a request whose events will be read with `events` or `next_event`; gives its number.

        Raises SpeechError when there is no process to send it to.
        """
        child, number = self._running(), next(self._numbers)
        child.listen(number)
        child.send({"id": number, "op": op, **fields})
        return number

    def tell(self, op: str, **fields: Any) -> None:
        """Send what has no answer. A child that is gone shows when an answer is waited for."""
        child = self._child
        if child is not None:
            child.send({"id": 0, "op": op, **fields})

    def next_event(self, number: int, limit_s: float) -> Event | None:
        """The next event, or None when there was none in `limit_s`. Raises SpeechError on `error` or a dead child."""
        child = self._child
        if child is None:
            raise SpeechError(f"{self._name} was closed.")
        event = child.next_event(number, limit_s)
        if event is None and child.finished:
            raise SpeechError(f"{self._name} stopped unexpectedly{_reason(child.last_words)}. Type instead.")
        if event is not None and event["event"] in LAST_EVENTS:
            child.forget(number)
            if event["event"] == "error":
                raise SpeechError(event["message"])
        return event

    def events(self, number: int, limit_s: float = ANSWER_S) -> Iterator[Event]:
        """Every event of a request, `done` last. Raises SpeechError, also when nothing comes for `limit_s`."""
        while True:
            event = self.next_event(number, limit_s)
            if event is None:
                self.close()
                raise SpeechError(f"{self._name} did not answer in {limit_s:.0f} seconds. Type instead.")
            yield event
            if event["event"] in LAST_EVENTS:
                return

    def ask(self, op: str, limit_s: float = ANSWER_S, **fields: Any) -> Event:
        """The `done` event of a request. Raises SpeechError."""
        *_, last = self.events(self.open(op, **fields), limit_s)
        return last

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.alive else None

    def close(self) -> None:
        """End the process; a later question starts another."""
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _running(self) -> Child:
        with self._lock:
            if self._child is None or not self._child.alive:
                try:
                    self._child = Child(self._command)
                except OSError as error:
                    raise SpeechError(
                        f"{self._name} could not be started: {error.strerror}. Type instead."
                    ) from error
            return self._child


def _reason(last_words: str) -> str:
    """The last line that it printed, in brackets; nothing when it printed nothing."""
    lines = [line.strip() for line in last_words.splitlines() if line.strip()]
    return f" ({lines[-1][:200]})" if lines else ""
