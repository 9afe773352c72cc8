"""Where to cut what is being said, so that its beginning can be transcribed while its end is still spoken.

A pure state machine over the voice detector's probabilities, one for each window of 32 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

START = 0.5
"""Certainty at which speech begins."""
END = 0.35
"""Below this it may have ended; between the two it goes on (Silero's own rule)."""
PAD_WINDOWS = 12
"""Kept before and after speech, about 0.4 s: soft consonants are not heard as voice."""
TRY_WINDOWS = 6
"""A pause this long (0.2 s) may be the end: what was said up to it is transcribed at once."""
PAUSES = ((94, TRY_WINDOWS), (312, 3))
"""(windows spoken since the last cut, pause that is then long enough to cut at).

3 s: 0.2 s, so that what was transcribed in a pause is never transcribed again; 10 s: 0.1 s. Under 3 s nothing is cut:
an answer keeps its sense. Nothing is lost by it: of six sentences in a row (20 s; es, fr, zh) 10 % of the words were
wrong, against 16 % when they were heard as one piece or as two; of two in a row (8 s) 3.4 % against 2.3 %, one word.
"""
LONGEST = 800
"""Windows, 25.6 s, after which it is cut where the voice is weakest; Whisper hears 30 s at a time."""
WEAKEST_IN = 160
"""Windows before that in which to look for the weakest one."""


@dataclass(frozen=True)
class Piece:
    """Windows from `start` up to `end`, with `voiced` of them spoken."""

    start: int
    end: int
    voiced: tuple[int, ...]


class Cutter:
    """Follows one recording."""

    def __init__(self) -> None:
        self._probabilities: list[float] = []
        self._start = 0
        """First window of the piece that is being spoken."""
        self._voiced: list[int] = []
        """Windows of it with speech."""
        self._speaking = False
        self.heard = False
        """Whether anybody spoke yet."""

    @property
    def windows(self) -> int:
        """How many there were."""
        return len(self._probabilities)

    @property
    def pause(self) -> int:
        """Windows since somebody spoke (since the beginning, if nobody did)."""
        last = self._last_voiced
        return self.windows - (last + 1 if last is not None else 0)

    _last_voiced: int | None = None

    def push(self, probability: float) -> Piece | None:
        """Take the next window; a piece that is complete now, cut in the pause before this window."""
        here = self.windows
        cut = None
        voiced = probability >= START or (self._speaking and probability >= END)
        if voiced and self._voiced and here - 1 - self._voiced[-1] >= self._enough():
            cut = self._cut((self._voiced[-1] + here + 1) // 2)
        self._probabilities.append(probability)
        self._speaking = voiced
        if voiced:
            self.heard = True
            if not self._voiced:
                self._start = max(self._start, here - PAD_WINDOWS)
            self._voiced.append(here)
            self._last_voiced = here
            if cut is None and here - self._start >= LONGEST:
                cut = self._cut_at_weakest()
        return cut

    def pending(self) -> Piece | None:
        """What was said since the last cut, as far as it is known; None when nothing was."""
        if not self._voiced:
            return None
        return Piece(self._start, min(self._voiced[-1] + 1 + PAD_WINDOWS, self.windows), tuple(self._voiced))

    def certainty(self, piece: Piece) -> float:
        """Mean probability over the spoken windows of a piece."""
        return sum(self._probabilities[at] for at in piece.voiced) / max(1, len(piece.voiced))

    def _enough(self) -> float:
        """The pause, in windows, that is now long enough."""
        spoken = self._voiced[-1] - self._start
        return min((pause for length, pause in PAUSES if spoken >= length), default=float("inf"))

    def _cut(self, at: int) -> Piece:
        piece = Piece(self._start, min(at, self._voiced[-1] + 1 + PAD_WINDOWS), tuple(self._voiced))
        self._start, self._voiced = at, []
        return piece

    def _cut_at_weakest(self) -> Piece:
        first = self.windows - WEAKEST_IN
        at = min(range(first, self.windows), key=self._probabilities.__getitem__)
        before = tuple(index for index in self._voiced if index < at)
        piece = Piece(self._start, at, before)
        self._start, self._voiced = at, [index for index in self._voiced if index >= at]
        return piece
