"""Sources mixed to asked shares of *trained tokens*, deterministically and without holding a corpus in memory.

At each step the source that is furthest behind its share gives the next conversation. The shares are therefore
reached to within one conversation at any point of the stream, whatever the lengths of the sources' conversations,
and do not depend on how many workers prepare them.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from finetune.errors import FinetuneError
from finetune.near import Sketch
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
    """What its reader gave and left out."""
    refused: dict[str, int] = field(default_factory=dict)
    """What the mixture then left out, by reason."""


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


@dataclass(frozen=True)
class Prepared:
    """A conversation, ready to be chosen."""

    example: Example
    encode: Callable[[], Encoded]
    """Called once, and only when the conversation is taken."""
    sketch: Sketch | None = None
    """Of the whole conversation, when near-duplicates are looked for."""
    parts: tuple[Sketch, ...] = ()
    """Of the learner's turns, when there is evaluation data to keep clear of."""


Prepare = Callable[[str, Examples], Iterator[Prepared]]
"""(source, its conversations) → the same in the same order, ready; may work ahead."""
Admit = Callable[[Prepared, int], str | None]
"""(conversation, which pass over its source this is, from 1) → why it is left out, or None."""


def mixed(
    ingredients: list[Ingredient],
    total_tokens: int,
    prepare: Prepare,
    *,
    seed: int = 0,
    reweight: bool = False,
    admit: Admit = lambda prepared, number: None,
) -> tuple[Mixture, Iterator[tuple[Example, Encoded]]]:
    """The mixture and its stream, which ends at `total_tokens` trained tokens.

    A source that runs out before its share is reached stops the run with FinetuneError, unless `reweight` says
    that the others then share what it leaves.
    """
    if abs(sum(one.share for one in ingredients) - 1) > 1e-6:
        told = ", ".join(f"{one.name} {one.share:g}" for one in ingredients)
        raise FinetuneError(
            f"The shares add up to {sum(one.share for one in ingredients):g}, not to 1: {told}."
        )
    mixture = Mixture({one.name: Reached(one.share) for one in ingredients})
    return mixture, _stream(ingredients, mixture, total_tokens, prepare, seed, reweight, admit)


def _stream(
    ingredients: list[Ingredient],
    mixture: Mixture,
    total_tokens: int,
    prepare: Prepare,
    seed: int,
    reweight: bool,
    admit: Admit,
) -> Iterator[tuple[Example, Encoded]]:
    streams = {one.name: _passes(one, mixture.reached[one.name], prepare, seed) for one in ingredients}
    # Kept here as well: a sum over the sources at each step would cost more than choosing among them.
    tokens = 0
    names: list[str] = []
    while tokens < total_tokens and streams:
        if len(names) != len(streams):
            asked = sum(mixture.reached[name].asked for name in streams)
            names = sorted(streams)
            due = [(mixture.reached[name].asked / asked, mixture.reached[name]) for name in names]
        behind = [share * (tokens + 1) - one.tokens for share, one in due]
        name = names[behind.index(max(behind))]
        reached = mixture.reached[name]
        prepared = next(streams[name], None)
        if prepared is None:
            reached.exhausted = True
            del streams[name]
            if not reweight:
                raise FinetuneError(
                    f"The source {name!r} ran out at {mixture.share(name):.1%} of {tokens:,} trained tokens "
                    f"(asked for {reached.asked:.1%} of {total_tokens:,}). Lower `total_tokens`, give it `repeat`, or "
                    "set `reweight: true`."
                )
            continue
        reason = admit(prepared, reached.passes)
        if reason is not None:
            reached.refused[reason] = reached.refused.get(reason, 0) + 1
            continue
        encoded = prepared.encode()
        count = sum(encoded.trained)
        tokens += count
        reached.tokens += count
        reached.conversations += 1
        yield prepared.example, encoded


def _passes(one: Ingredient, reached: Reached, prepare: Prepare, seed: int) -> Iterator[Prepared]:
    ahead = Tally()
    notes: deque[Tally] = deque()

    def noted(examples: Examples) -> Examples:
        for example in examples:
            notes.append(Tally(ahead.read, ahead.kept, dict(ahead.dropped)))
            yield example if example.source == one.name else replace(example, source=one.name)

    for number in range(one.repeat):
        reached.passes = number + 1
        rng = random.Random(f"{seed}/{one.name}/{number}")
        for prepared in prepare(one.name, noted(_shuffled(one.open(ahead), rng))):
            # What was read when this one was: workers may be further, and how far differs from run to run.
            reached.tally = notes.popleft()
            yield prepared
    reached.tally = ahead


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
