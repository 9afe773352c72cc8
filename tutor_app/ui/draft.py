"""When to read along with what the learner writes: after a word, after a sentence and in pauses, and no text twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import regex

from tutor_app.session.events import Said

PAUSE_S = 0.3
"""After so long without a key the learner is thinking; between the letters of a word it is half of that."""
REST_S = 0.6
"""After so long they may be done, though no full stop says so."""
DEAR_S = 0.5
"""Where reading the last words in took longer, that is not done after every word: a processor would never rest."""
UNSPACED_ENDS = ("。", "！", "？", "؟")
"""After these the next sentence may follow at once."""
ENDS = (".", "!", "?", "…", *UNSPACED_ENDS)
_ENDED = regex.compile(r"\p{L}{3}\.$|[!?。！？؟]$")
"""The end of a sentence, rather than a dot in "2.50", "Sr." or "..."."""


@dataclass(frozen=True)
class Reading:
    """A text that is worth reading now."""

    draft: Said
    """As it would be sent now."""
    whole: bool
    """Its writer seems to be done with it."""

    def serves(self, text: str) -> bool:
        """Whether what is read is needed for `text` too: all of it, or as far as it goes."""
        read = self.draft.text
        if text.rstrip() == read.rstrip():
            return True
        ended = read.endswith(ENDS) and not read.endswith(UNSPACED_ENDS)
        goes_on = text.startswith(read) and (not ended or text[len(read)].isspace())
        return goes_on and not self.whole


class Draft:
    """The text in the writing box, and how much of it has been read along. Not thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed_at = 0.0
        self._elapsed_s: float | None = None
        self._dear = False
        self._left: list[tuple[float, bool]] = []
        """How long after the last key the present text is to be read, and whether as a whole."""
        self.text = ""

    def change(self, text: str, elapsed_s: float | None = None) -> None:
        """The box holds `text` now, so many seconds after the learner was asked."""
        before, self.text = self.text, text
        written = text.rstrip()
        if text == before or (written == before.rstrip() and written.endswith(ENDS)):
            return
        self._changed_at, self._elapsed_s = self._clock(), elapsed_s
        if not written:
            self._left = []
        elif written.endswith(ENDS):
            # What was finished is looked at whatever follows; only the reply would be composed for nothing.
            ended = _ENDED.search(written) is not None and not self._dear
            self._left = [(0.0 if ended else PAUSE_S, False), (PAUSE_S, True)]
        else:
            after_word = text[-1].isspace() and not self._dear
            self._left = [(0.0 if after_word else PAUSE_S, False), (REST_S, True)]

    def took(self, reading: Reading, seconds: float) -> None:
        """So long `reading` took to its end: what words take says whether they are read one by one."""
        text = reading.draft.text.rstrip()
        if text and not text.endswith(ENDS) and not reading.whole:
            self._dear = seconds > DEAR_S

    def begin(self) -> None:
        """The learner has been answered: while the box is empty, there is that to be read in."""
        if not self.text:
            self._changed_at, self._left = self._clock(), [(0.0, False)]

    def wait_s(self) -> float | None:
        """Seconds until there is something to read; None when that needs another key."""
        return max(0.0, self._changed_at + self._left[0][0] - self._clock()) if self._left else None

    def take(self) -> Reading | None:
        """What is to be read now, once."""
        if self.wait_s() != 0.0:
            return None
        _, whole = self._left.pop(0)
        since = self._clock() - self._changed_at
        return Reading(Said(self.text, None if self._elapsed_s is None else self._elapsed_s + since), whole)
