"""Contexts of other conversations, kept in memory while one is in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tutor_app.llm.common_prefix import common_length

WORTH_KEEPING = 4
"""Tokens that must be about to be lost before a state is copied away. Copying 300 of qwen2.5-1.5b takes 4 ms, reading four
again 120."""
MOST = 3
LIMIT_BYTES = 256 * 2**20
"""Of all states together. One alone may be larger: Qwen3-8B and 4B need 144 KiB a token, 576 MiB for a whole window, and
to read a talk of 2,000 tokens again takes them minutes on two cores."""
SAME_CONVERSATION = 0.5
"""Share of an older state's own tokens (those after the lesson) in common with a newer one that makes the older
one superfluous: a talk that has gone on, a last reply that was cut into tokens otherwise."""


@dataclass(frozen=True, eq=False)
class State:
    """The context as it was after `tokens`."""

    tokens: list[int]
    state: NDArray[np.uint8]
    passing: bool
    """A question beside the talk (a sentence to be reformulated): the next one takes its place."""


class Holder(Protocol):
    """What has a context: `runtime.Runtime`."""

    past: list[int]

    def state(self) -> NDArray[np.uint8]:
        """A copy of the KV state after `past`."""


class Aside:
    """The few most recent contexts that were replaced by others."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._states: list[State] = []
        self._limit_bytes = limit_bytes

    def __len__(self) -> int:
        return len(self._states)

    def best(self, ids: Sequence[int]) -> State | None:
        """The state that shares the most tokens with `ids`."""
        return max(self._states, key=lambda kept: common_length(kept.tokens, ids), default=None)

    def keep(self, holder: Holder, shared: int, lesson: int, *, passing: bool = False) -> None:
        """Copy the holder's state if, beyond the first `shared`, enough tokens are about to be replaced by others.

        `lesson` is how many tokens all conversations have in common anyway. Passing ones make room first, then those
        that were put aside longest ago.
        """
        tokens = list(holder.past)
        if len(tokens) - shared < WORTH_KEEPING:
            return
        others = [
            kept
            for kept in self._states
            if not _goes_on(kept.tokens, tokens, lesson) and not (passing and kept.passing)
        ]
        self._states = others  # before the copy: a long talk is not to be in memory twice
        if passing and self._bytes > self._limit_bytes:
            return  # it would be copied to be thrown away at once
        self._states = [*others, State(tokens, holder.state(), passing)]
        while len(self._states) > 1 and (len(self._states) > MOST or self._bytes > self._limit_bytes):
            self._states.remove(next((kept for kept in self._states if kept.passing), self._states[0]))

    @property
    def _bytes(self) -> int:
        return sum(len(kept.state) for kept in self._states)

    def clear(self) -> None:
        """Forget all."""
        self._states = []


def _goes_on(older: Sequence[int], newer: Sequence[int], lesson: int) -> bool:
    """True if `newer` is the same conversation as `older`, later."""
    own = len(older) - lesson
    return own <= 0 or common_length(older, newer) - lesson >= SAME_CONVERSATION * own
