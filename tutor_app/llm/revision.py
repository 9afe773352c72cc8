"""A draft that the model revises: which of its tokens to try next, and revising by way of `generate` and `score`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from tutor_app.llm.protocol import Done, EngineStopped, Fragment, Revision, Sampling

if TYPE_CHECKING:
    from collections.abc import Generator

    from tutor_app.llm.protocol import Engine, GenerationEvent

LOOK_BACK = 2
LOOK_AHEAD = 4
"""How far from its place a token of the model's is looked for in the draft: a word or two left out or put in."""
AT_ONCE = 15
"""Tokens guessed once the model is back on the draft: with the one before them 16, which llama.cpp multiplies at once where
it can (17 take a fifth longer than 16)."""
GAMBLE = 3
"""Tokens guessed after one that the draft does not have. A batch of four costs about as much as one and a half
single tokens, and in two of three sentences a word was replaced, so that the draft goes on behind it."""


class DraftReader:
    """A place in a draft that follows what the model says.

    This is greedy speculative decoding (Leviathan et al. 2023, arXiv:2211.17192) with the learner's own sentence
    for a draft model: most of a sentence with one error comes back as it is. What the model expected at each place
    when it read the draft is a better guess than the draft itself, since it has seen the later errors too (one round of
    Jacobi decoding, Santilli et al. 2023, arXiv:2305.10427): 1.85 batches instead of 2.15 a sentence of COWS-L2H.
    """

    def __init__(self, draft: Sequence[int], expected: Sequence[int] = ()) -> None:
        """`draft` is without its end of turn: nothing follows that. `expected`: at each place of it, after what stands
        before that place."""
        self._draft = list(draft)
        self._guess = list(expected[: len(self._draft)]) or self._draft
        self._at = 0

    def agreed(self, count: int) -> None:
        """The model said the next `count` tokens of the draft too."""
        self._at += count

    def said(self, token: int) -> list[int]:
        """What may follow `token`, which the model said instead of the next of the draft."""
        near = range(max(0, self._at - LOOK_BACK), min(len(self._draft), self._at + LOOK_AHEAD + 1))
        places = [place for place in near if self._draft[place] == token]
        if places:
            self._at = min(places, key=lambda place: abs(place - self._at)) + 1
            return self._guess[self._at : self._at + AT_ONCE]
        self._at += 1
        return self._guess[self._at : self._at + GAMBLE]


def revise_in_steps(
    engine: Engine, ids: Sequence[int], draft: Sequence[int], *, max_tokens: int, stop_texts: Sequence[str]
) -> Revision:
    """`Engine.revise` for an engine that can only generate and score. Raises EngineStopped."""
    sampling = Sampling(
        temperature=0.0,
        repeat_penalty=1.0,
        max_tokens=max_tokens,
        stop_ids=(draft[-1],),
        stop_texts=tuple(stop_texts),
    )
    text, reason = "", "stop"
    said: list[int] = []
    with closing(_generator(engine, ids, sampling)) as events:
        for event in events:
            if isinstance(event, Fragment):
                text += event.text
                said += event.token_ids
            elif isinstance(event, Done):
                reason = event.reason
    if reason == "cancelled":
        raise EngineStopped("Stopped.")
    drafted = sum(engine.score(ids, draft))
    whole = reason == "stop" and said and engine.tokenize(text, special=False) == said
    return Revision(text, sum(engine.score(ids, [*said, draft[-1]])) if whole else None, drafted)


def _generator(
    engine: Engine, ids: Sequence[int], sampling: Sampling
) -> Generator[GenerationEvent, None, None]:
    yield from engine.generate(ids, sampling)
