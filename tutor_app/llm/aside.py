"""Contexts of other conversations, kept in memory while one is in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

WORTH_KEEPING = 32
"""Tokens that must be about to be lost before a state is copied away: copying costs about as much."""
MOST = 2
LIMIT_BYTES = 256 * 2**20
SAME_CONVERSATION = 0.75
"""Share of an older state's tokens in common with a newer one that makes the older one superfluous."""


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


@dataclass(frozen=True)
class State:
    """The context as it was after `tokens`."""

    tokens: list[int]
    state: NDArray[np.uint8]


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

    def best(self, ids: Sequence[int]) -> State | None:
        """The state that shares the most tokens with `ids`."""
        return max(self._states, key=lambda kept: common_length(kept.tokens, ids), default=None)

    def keep(self, holder: Holder, shared: int) -> None:
        """Copy the holder's state if a conversation that is alike only in `shared` tokens is about to replace it.

        A hidden question about the learner's sentence branches off after the lesson's prefix every turn; without
        the copy the talk so far would have to be read again each time.
        """
        tokens = list(holder.past)
        if len(tokens) - shared < WORTH_KEEPING:
            return
        self._states = [
            kept
            for kept in self._states
            if common_length(kept.tokens, tokens) < SAME_CONVERSATION * len(kept.tokens)
        ]
        self._states.append(State(tokens, holder.state()))
        del self._states[:-MOST]
        while sum(len(kept.state) for kept in self._states) > self._limit_bytes:
            del self._states[0]

    def clear(self) -> None:
        """Forget all."""
        self._states = []
