"""Sources mixed to asked shares of *trained tokens*, deterministically and without holding a corpus in memory.

At each step the source that is furthest behind its share gives the next conversation. The shares are therefore
reached to within one conversation at any point of the stream, whatever the lengths of the sources' conversations,
and do not depend on how many workers read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from finetune.errors import FinetuneError
from finetune.records import Example, Examples, Tally
from tutor_app.pedagogy.templates import Encoded

BUFFER = 512
"""Conversations of a source that are shuffled among each other: their memory, times the number of sources, is all."""


@dataclass
class Ingredient:
    """One source in the mixture."""

    name: str
    share: float
    """Of the trained tokens, 0 to 1."""
    open: Callable[[Tally], Examples]
    """A fresh pass over the source."""
    repeat: int = 1
    """Passes allowed; when they are used up the source is exhausted."""


@dataclass
class Reached:
    """What one source came to."""

    asked: float
    tokens: int = 0
    conversations: int = 0
    passes: int = 1
    exhausted: bool = False
    tally: Tally = field(default_factory=Tally)


@dataclass
class Mixture:
    """What was reached so far, as the stream is consumed."""

    reached: dict[str, Reached]

    @property
    def tokens(self) -> int:
        return sum(one.tokens for one in self.reached.values())

    def share(self, name: str) -> float:
        """The share reached so far."""
        return self.reached[name].tokens / self.tokens if self.tokens else 0.0


def mixed(
    ingredients: list[Ingredient],
    total_tokens: int,
    encode: Callable[[Example], Encoded],
    *,
    seed: int = 0,
    reweight: bool = False,
) -> tuple[Mixture, Iterator[tuple[Example, Encoded]]]:
    """The mixture and its stream, which ends at `total_tokens` trained tokens.

    A source that runs out before its share is reached stops the run with FinetuneError, unless `reweight` says
    that the others then share what it leaves. Conversations that were seen before are dropped.
    """
    if abs(sum(one.share for one in ingredients) - 1) > 1e-6:
        told = ", ".join(f"{one.name} {one.share:g}" for one in ingredients)
        raise FinetuneError(
            f"The shares add up to {sum(one.share for one in ingredients):g}, not to 1: {told}."
        )
    mixture = Mixture({one.name: Reached(one.share) for one in ingredients})
    return mixture, _stream(ingredients, mixture, total_tokens, encode, seed, reweight)


def _stream(
    ingredients: list[Ingredient],
    mixture: Mixture,
    total_tokens: int,
    encode: Callable[[Example], Encoded],
    seed: int,
    reweight: bool,
) -> Iterator[tuple[Example, Encoded]]:
    seen: set[int] = set()
    streams = {one.name: _passes(one, mixture.reached[one.name], seed) for one in ingredients}
    while mixture.tokens < total_tokens and streams:
        asked = sum(mixture.reached[name].asked for name in streams)
        name = max(
            sorted(streams),
            key=lambda one: (
                mixture.reached[one].asked / asked * (mixture.tokens + 1) - mixture.reached[one].tokens
            ),
        )
        reached = mixture.reached[name]
        example = next(streams[name], None)
        if example is None:
            reached.exhausted = True
            del streams[name]
            if not reweight:
                raise FinetuneError(
                    f"The source {name!r} ran out at {mixture.share(name):.1%} of {mixture.tokens:,} trained tokens "
                    f"(asked for {reached.asked:.1%} of {total_tokens:,}). Lower `total_tokens`, give it `repeat`, or "
                    "set `reweight: true`."
                )
            continue
        key = hash((name, example.text)) if reached.passes == 1 else None
        if key is not None and key in seen:
            reached.tally.drop("duplicate")
            continue
        if key is not None:
            seen.add(key)
        encoded = encode(example)
        reached.tokens += sum(encoded.trained)
        reached.conversations += 1
        yield example, encoded


def _passes(one: Ingredient, reached: Reached, seed: int) -> Iterator[Example]:
    for number in range(one.repeat):
        reached.passes = number + 1
        rng = random.Random(f"{seed}/{one.name}/{number}")
        yield from _shuffled(one.open(reached.tally), rng)


def _shuffled(examples: Examples, rng: random.Random) -> Iterator[Example]:
    """A shuffle through a buffer of fixed size."""
    buffer: list[Example] = []
    for example in examples:
        if len(buffer) < BUFFER:
            buffer.append(example)
            continue
        at = rng.randrange(BUFFER)
        buffer[at], example = example, buffer[at]
        yield example
    rng.shuffle(buffer)
    yield from buffer
