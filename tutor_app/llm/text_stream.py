"""Bytes of tokens in, whole characters out, nothing of a stop text ever."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Joins the byte pieces of tokens into text that may be shown.

    A character whose bytes are split over tokens waits until it is whole; text that may turn out to be the
    beginning of a stop text waits until it is known not to be.
    """

    def __init__(self, stop_texts: Sequence[str] = ()) -> None:
        self._stop_texts = tuple(text for text in stop_texts if text)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._waiting = ""
        self.stopped = False
        """True once a stop text was seen; what is pushed after it is ignored."""

    def push(self, piece: bytes) -> str:
        """Text that can be given out now, perhaps none."""
        return self._take(self._decoder.decode(piece))

    def finish(self) -> str:
        """The rest: what waited for a stop text that did not come, and U+FFFD for half a character."""
        text = self._take(self._decoder.decode(b"", final=True))
        rest, self._waiting = self._waiting, ""
        return text + rest

    def _take(self, text: str) -> str:
        if self.stopped:
            return ""
        self._waiting += text
        found = [at for stop in self._stop_texts if (at := self._waiting.find(stop)) >= 0]
        if found:
            self.stopped = True
            out, self._waiting = self._waiting[: min(found)], ""
            return out
        keep = max((_overlap(self._waiting, stop) for stop in self._stop_texts), default=0)
        cut = len(self._waiting) - keep
        out, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return out


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop` without being all of it."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
