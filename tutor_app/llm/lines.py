"""A child's end of the pipe: events as JSON lines on the real standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
import threading
from types import TracebackType
from typing import Any, BinaryIO


class Line:
    """Writes events; used by both threads."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def send(self, request: int, event: str, **fields: Any) -> None:
        """One line, flushed. A parent that is gone ends us."""
        data = json.dumps({"id": request, "event": event, **fields}, separators=(",", ":")).encode() + b"\n"
        try:
            with self._lock:
                self._out.write(data)
                self._out.flush()
        except OSError:
            os._exit(0)


def protect_stdout() -> BinaryIO:
    """The real standard output as a private file; descriptor 1 becomes standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return out


def end_on_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print and end at once: an ordinary exit would wait for the reader thread, which waits for our parent."""
    sys.__excepthook__(kind, error, trace)
    sys.stderr.flush()
    os._exit(1)
