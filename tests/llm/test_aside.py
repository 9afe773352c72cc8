"""Which contexts are kept while another is in use."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tutor_app.llm.aside import Aside
from tutor_app.llm.common_prefix import common_length

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
    aside.keep(Context(TALK), shared=len(LESSON), lesson=len(LESSON))
    best = aside.best([*TALK, 5, 6])
    assert best is not None
    assert best.tokens == TALK
    assert len(best.state) == 1000


def test_a_short_talk_on_a_long_lesson_is_kept_too() -> None:
    aside = Aside()
    talk = [*range(600), *range(1000, 1080)]
    aside.keep(Context(talk), shared=600, lesson=600)
    assert aside.best(talk) is not None


def test_a_few_tokens_are_not_worth_a_copy() -> None:
    context = Context([*LESSON[:10], *range(500, 503)])
    Aside().keep(context, shared=10, lesson=10)
    assert context.copies == 0


def test_a_later_state_of_a_conversation_replaces_the_earlier() -> None:
    aside = Aside()
    for talk in (TALK, [*TALK[:-20], *range(50)], [*TALK[:-20], *range(90)]):
        aside.keep(Context(talk), len(LESSON), len(LESSON))
    best = aside.best(TALK)
    assert best is not None
    assert len(best.tokens) == len(TALK) + 70
    assert len(aside) == 1


def test_a_talk_outlasts_any_number_of_sentences_and_the_last_sentence_is_there() -> None:
    aside = Aside()
    aside.keep(Context(TALK), len(LESSON), len(LESSON))
    for start in range(5000, 6000, 100):
        sentence = [*LESSON, *range(start, start + 60)]
        aside.keep(Context(sentence), len(LESSON), len(LESSON), passing=True)
    for wanted in (TALK, sentence):
        best = aside.best(wanted)
        assert best is not None
        assert best.tokens == wanted


def test_the_talk_of_now_pushes_out_that_of_long_ago_though_it_is_shorter() -> None:
    aside = Aside()
    for length, start in enumerate((1000, 2000, 3000, 4000)):
        aside.keep(Context([*LESSON, *range(start, start + 200 - length)]), len(LESSON), len(LESSON))
    assert [aside.best([*LESSON, start]).tokens[len(LESSON)] for start in (2000, 3000, 4000)] == [
        2000,
        3000,
        4000,
    ]
    gone = aside.best([*LESSON, 1000])
    assert gone is not None
    assert gone.tokens[len(LESSON)] != 1000


def test_memory_is_bounded_and_a_sentence_makes_room_for_the_talk() -> None:
    aside = Aside(limit_bytes=1500)
    aside.keep(Context(TALK), len(LESSON), len(LESSON))
    aside.keep(Context(REFORMULATION), len(LESSON), len(LESSON), passing=True)
    assert len(aside) == 1
    best = aside.best(REFORMULATION)
    assert best is not None
    assert best.tokens == TALK


def test_a_talk_larger_than_the_limit_is_kept_and_alone() -> None:
    aside = Aside(limit_bytes=1500)
    aside.keep(Context([*LESSON, *range(3000, 3100)]), len(LESSON), len(LESSON))
    aside.keep(Context(TALK, size=2000), len(LESSON), len(LESSON))
    aside.keep(Context(REFORMULATION), len(LESSON), len(LESSON), passing=True)
    assert len(aside) == 1
    best = aside.best(TALK)
    assert best is not None
    assert best.tokens == TALK


def test_nothing_is_left_after_clear() -> None:
    aside = Aside()
    aside.keep(Context(TALK), len(LESSON), len(LESSON))
    aside.clear()
    assert aside.best(TALK) is None


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_common_length_is_the_longest_shared_beginning(one: list[int], other: list[int]) -> None:
    length = common_length(one, other)
    assert one[:length] == other[:length]
    assert one[length : length + 1] != other[length : length + 1] or length == min(len(one), len(other))
