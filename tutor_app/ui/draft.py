"""When to read along with what the learner writes: not at every key, and no text twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

PAUSE_S = 0.5
"""After so long without a key the learner is thinking; between the letters of a word it is a third of that."""
REST_S = 1.5
"""After so long they may be done, though no full stop says so."""
ENDS = (".", "!", "?", "…", "。", "！", "？", "؟")


@dataclass(frozen=True)
class Reading:
    """A text that is worth reading now."""

    text: str
    whole: bool
    """Its writer seems to be done with it."""


class Draft:
    """The text in the writing box, and how much of it has been read along. Not thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed_at = 0.0
        self._left: list[tuple[float, Reading]] = []
        """What there is to read of the present text, and how long after its last key."""
        self.text = ""

    def change(self, text: str) -> None:
        """The box holds `text` now."""
        if text == self.text:
            return
        self.text, self._changed_at = text, self._clock()
        part, whole = Reading(text, whole=False), Reading(text, whole=True)
        if not text:
            self._left = []
        elif text.endswith(ENDS):
            self._left = [(PAUSE_S, whole)]
        else:
            self._left = [(PAUSE_S, part), (REST_S, whole)]

    def wait_s(self) -> float | None:
        """Seconds until there is something to read; None when that needs another key."""
        return max(0.0, self._changed_at + self._left[0][0] - self._clock()) if self._left else None

    def take(self) -> Reading | None:
        """What is to be read now, once."""
        return self._left.pop(0)[1] if self.wait_s() == 0.0 else None
