"""Which contexts are kept while another is in use."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tutor_app.llm.aside import Aside, common_length

LESSON = list(range(100))
TALK = [*LESSON, *range(1000, 1200)]
REFORMULATION = [*LESSON, *range(2000, 2060)]


@dataclass
class Context:
    past: list[int]
    size: int = 1000
    copies: int = field(default=0)

    def state(self) -> NDArray[np.uint8]:
        self.copies += 1
        return np.full(self.size, len(self.past) % 256, dtype=np.uint8)


def test_another_conversation_on_the_same_lesson_is_found_again() -> None:
    aside = Aside()
    aside.keep(Context(TALK), shared=len(LESSON))
    best = aside.best([*TALK, 5, 6])
    assert best is not None
    assert best.tokens == TALK
    assert len(best.state) == 1000


def test_a_context_that_goes_on_is_not_copied() -> None:
    context = Context(TALK)
    Aside().keep(context, shared=len(TALK) - 20)
    assert context.copies == 0


def test_a_few_tokens_are_not_worth_a_copy() -> None:
    context = Context([*LESSON[:10], *range(500, 520)])
    Aside().keep(context, shared=10)
    assert context.copies == 0


def test_a_later_state_of_a_conversation_replaces_the_earlier() -> None:
    aside = Aside()
    aside.keep(Context(TALK), len(LESSON))
    aside.keep(Context([*TALK, *range(50)]), len(LESSON))
    aside.keep(Context(REFORMULATION), len(LESSON))
    best = aside.best(TALK)
    assert best is not None
    assert len(best.tokens) == len(TALK) + 50


def test_memory_is_bounded() -> None:
    aside = Aside(limit_bytes=1500)
    aside.keep(Context(TALK), len(LESSON))
    aside.keep(Context(REFORMULATION), len(LESSON))
    best = aside.best(TALK)
    assert best is not None
    assert best.tokens == REFORMULATION


def test_nothing_is_left_after_clear() -> None:
    aside = Aside()
    aside.keep(Context(TALK), len(LESSON))
    aside.clear()
    assert aside.best(TALK) is None


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_common_length_is_the_longest_shared_beginning(one: list[int], other: list[int]) -> None:
    length = common_length(one, other)
    assert one[:length] == other[:length]
    assert one[length : length + 1] != other[length : length + 1] or length == min(len(one), len(other))
