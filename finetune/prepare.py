"""Conversations turned into token ids and sketches: in this process, or ahead of need in several.

Whatever the number of workers, the same conversations come out in the same order.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType

import regex

from finetune.mix import Prepared
from finetune.near import Sketch, sketch
from finetune.records import Example, Examples
from finetune.tokens import rendered, tokenizer
from tutor_app.pedagogy.prompts import NATIVE
from tutor_app.pedagogy.templates import Encoded, Message, Tokenize

CHUNK = 64
"""Conversations that a worker is given at once."""
AHEAD = 2
"""Chunks of one source that are under way, for each worker."""
SHORTEST_PART = 6
"""Words of a learner's turn that can show where it comes from; "me gusta mucho" stands everywhere."""
_DIRECTION = regex.compile(r"\n\[[^\]]*\]$")


@dataclass(frozen=True)
class Job:
    """What is done to each conversation."""

    tokenizer: Path
    family: str
    sketched: bool
    """Near-duplicates are looked for."""
    parted: bool
    """There is evaluation data to keep clear of."""


@dataclass(frozen=True)
class Done:
    sketch: Sketch | None
    parts: tuple[Sketch, ...]
    encoded: Encoded | None


def said(messages: tuple[Message, ...]) -> str:
    """What was said in a conversation, without the system part, which many share."""
    return "\n".join(spoken(message) for message in messages if message.role != "system")


def spoken(message: Message) -> str:
    """A message without what the app adds to it: the direction, the mark of a reformulation."""
    return _DIRECTION.sub("", message.content.removeprefix(NATIVE)).strip()


def parts(messages: tuple[Message, ...]) -> tuple[Sketch, ...]:
    """Sketches of the turns that a learner said, as far as they are long enough to be told from others."""
    texts = [spoken(message) for message in messages if message.role == "user"]
    return tuple(sketch(text) for text in texts if len(text.split()) >= SHORTEST_PART or len(text) >= 24)


def done(example: Example, job: Job, tokenize: Tokenize | None) -> Done:
    """The work on one conversation; without a tokenizer it is not encoded."""
    return Done(
        sketch(said(example.messages)) if job.sketched else None,
        parts(example.messages) if job.parted else (),
        rendered(example, job.family, tokenize) if tokenize is not None else None,
    )


_tokenize: Tokenize | None = None
_job: Job | None = None


def _begin(job: Job) -> None:
    global _tokenize, _job
    _tokenize, _job = tokenizer(job.tokenizer), job


def _work(examples: list[Example], encode: bool) -> list[Done]:
    assert _job is not None
    return [done(example, _job, _tokenize if encode else None) for example in examples]


class Preparer:
    """Prepares conversations, with `workers` processes beside this one (0: in this one)."""

    def __init__(self, job: Job, workers: int, known: Callable[[str, Example], Encoded | None]) -> None:
        """`known`: the ids of a conversation that an interrupted run already wrote, asked for when it is taken."""
        self._job = job
        self._known = known
        self._own: Tokenize | None = None
        self._workers = workers
        # Spawned, because a forked copy of a process with a tokenizer's threads can hang.
        self._pool = (
            ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (job,))
            if workers
            else None
        )

    def __enter__(self) -> Preparer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __call__(self, name: str, examples: Examples) -> Iterator[Prepared]:
        """The conversations of source `name`, in their order."""
        if self._pool is None:
            for example in examples:
                yield self._prepared(name, example, done(example, self._job, None))
            return
        under_way: deque[tuple[list[Example], Future[list[Done]]]] = deque()
        while True:
            while len(under_way) < AHEAD * self._workers and (chunk := list(islice(examples, CHUNK))):
                under_way.append((chunk, self._pool.submit(_work, chunk, True)))
            if not under_way:
                return
            chunk, future = under_way.popleft()
            for example, one in zip(chunk, future.result(), strict=True):
                yield self._prepared(name, example, one)

    def _prepared(self, name: str, example: Example, one: Done) -> Prepared:
        def encode() -> Encoded:
            return self._known(name, example) or one.encoded or self._encode(example)

        return Prepared(example, encode, one.sketch, one.parts)

    def _encode(self, example: Example) -> Encoded:
        if self._own is None:
            self._own = tokenizer(self._job.tokenizer)
        return rendered(example, self._job.family, self._own)
