"""How many threads to compute with: measured while running, because what is fastest depends on what else runs.

Measured with gemma3-270m on two cores: idle, two threads decode 1.7 times as fast as one (47 against 27 tokens/s).
Beside other work they wait for each other at every operation: decoding is five times as slow (5 against 27) and
so are prompts (39 against 257). The number of threads does not change a bit of the result: each row of a product
is computed by one thread.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import median

CLEARLY_FASTER = 0.92
"""A larger count must need less than this share of a smaller one's time: the screen needs a core too."""
HOPELESS = 2.0
"""A trial is given up when one piece of it takes so many times the best known time."""
LONGEST_STAY = 8
"""Stays grow to so many times the first one while trials change nothing."""


def candidates(cores: int) -> tuple[int, ...]:
    """Counts worth trying, the first to be used first: all cores but one, all, and half (slow cores hold others up)."""
    counts = [max(1, cores - 1), cores, max(1, cores // 2)]
    return tuple(dict.fromkeys(counts))


class ThreadTuner:
    """Tries each count on a few pieces of work, stays with the best for a while, and tries the others again."""

    def __init__(self, counts: Sequence[int], *, trial: int, stay: int, dear_s: float = math.inf) -> None:
        """`trial` pieces each (the first of several is not counted, it pays for the change), then `stay`.

        Where a piece takes `dear_s` seconds and more, the first trials wait until a stay is over: a lesson's beginning
        is short of just those seconds.
        """
        self._counts = list(counts)
        self._trial = trial
        self._stay = stay
        self._dear_s = dear_s
        self._times: dict[int, deque[float]] = {count: deque(maxlen=trial) for count in counts}
        self._to_try = self._counts[1:]
        self._current = self._counts[0]
        self._left = trial
        self._uncounted = trial > 1
        self._trying = True
        self._settled = 0
        self._stays = 1

    @property
    def threads(self) -> int:
        """For the next piece of work that will be timed."""
        return self._current

    def took(self, seconds: float) -> None:
        """Record how long a piece of work with `threads` took, and decide about the next."""
        known = [median(times) for count, times in self._times.items() if times and count != self._current]
        hopeless = self._trying and bool(known) and seconds > HOPELESS * min(known)
        if hopeless or not self._uncounted:
            self._times[self._current].append(seconds)
        self._uncounted = False
        self._left -= 1
        if (self._left > 0 and not hopeless) or len(self._counts) == 1:
            return
        if self._to_try and (self._settled or seconds < self._dear_s):
            self._change(self._to_try.pop(0), self._trial)
            self._trying = True
        else:
            self._settle()

    def _settle(self) -> None:
        best = self.best()
        self._stays = min(LONGEST_STAY, self._stays * 2) if best == self._settled else 1
        self._settled = best
        self._to_try = [count for count in self._counts if count != best]
        self._change(best, self._stay * self._stays)
        self._trying = False

    def best(self) -> int:
        """Of the counts tried so far, the smallest that no larger one clearly beats."""
        known = {count: median(times) for count, times in self._times.items() if times}
        chosen = min(known, default=self._counts[0])
        for count in sorted(known):
            if known[count] < known[chosen] * CLEARLY_FASTER:
                chosen = count
        return chosen

    def _change(self, count: int, pieces: int) -> None:
        self._uncounted = count != self._current and self._trial > 1
        self._current = count
        self._left = pieces
