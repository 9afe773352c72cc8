"""Conversations turned into token ids and sketches: in this process, or ahead of need in several.

Whatever the number of workers, the same conversations come out in the same order.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType

import regex

from finetune.mix import Prepared
from finetune.near import Sketch, sketch
from finetune.records import Example, Examples
from finetune.tokens import Tokens, rendered, tokenizer, tokenizer_text
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


Sketches = tuple[Sketch | None, tuple[Sketch, ...]]
"""Of the whole conversation, and of its parts."""
Chunk = tuple[list[Example], Iterable[Sketches], Callable[[int], Encoded]]
"""Conversations, their sketches, and what gives the ids of the one at a place."""


def said(messages: tuple[Message, ...]) -> str:
    """What was said in a conversation, without the system part, which many share."""
    return "\n".join(spoken(message) for message in messages if message.role != "system")


def spoken(message: Message) -> str:
    """A message without what the app adds to it: the direction, the mark of a reformulation."""
    text = message.content.removeprefix(NATIVE)
    return (_DIRECTION.sub("", text) if "\n[" in text else text).strip()


def parts(messages: tuple[Message, ...]) -> tuple[Sketch, ...]:
    """Sketches of the turns that a learner said, as far as they are long enough to be told from others."""
    texts = [spoken(message) for message in messages if message.role == "user"]
    return tuple(sketch(text) for text in texts if len(text.split()) >= SHORTEST_PART or len(text) >= 24)


def sketches(example: Example, job: Job) -> Sketches:
    """What `job` asks for of one conversation."""
    return (
        sketch(said(example.messages)) if job.sketched else None,
        parts(example.messages) if job.parted else (),
    )


_job: Job
_text: str
_tokens: Tokens | None = None


def _begin(job: Job, text: str) -> None:
    global _job, _text
    _job, _text = job, text
    # The processes are what works side by side here; threads in each of them would only be in each other's way.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _work(examples: list[Example]) -> tuple[list[Sketches], list[Encoded]]:
    global _tokens
    if _tokens is None:  # not in _begin, whose errors never reach the first process
        _tokens = Tokens(_text, _job.tokenizer)
    tokenize = _tokens.together(examples)
    encoded = [rendered(one, _job.family, tokenize) for one in examples]
    return [sketches(one, _job) for one in examples], encoded


class Preparer:
    """Prepares conversations, with `workers` processes beside this one (0: in this one)."""

    def __init__(self, job: Job, workers: int, known: Callable[[str, Example], Encoded | None]) -> None:
        """`known`: the ids of a conversation that an interrupted run already wrote, asked for when it is taken."""
        self._job = job
        self._known = known
        self._workers = workers
        self._tokens: Tokens | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Preparer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __call__(self, name: str, examples: Examples) -> Iterator[Prepared]:
        """The conversations of source `name`, in their order."""
        for chunk, sketched, encode in self._beside(examples) if self._workers else self._here(examples):
            for at, (example, both) in enumerate(zip(chunk, sketched, strict=True)):
                yield Prepared(example, partial(self._ids, name, example, partial(encode, at)), *both)

    def _ids(self, name: str, example: Example, encode: Callable[[], Encoded]) -> Encoded:
        return self._known(name, example) or encode()

    def _here(self, examples: Examples) -> Iterator[Chunk]:
        while chunk := list(islice(examples, CHUNK)):
            yield chunk, (sketches(example, self._job) for example in chunk), self._encoder(chunk)

    def _encoder(self, chunk: list[Example]) -> Callable[[int], Encoded]:
        """Gives ids; with the first that it is asked for it encodes all that may follow."""
        tokenize: Tokenize | None = None

        def encode(at: int) -> Encoded:
            nonlocal tokenize
            if tokenize is None:
                if self._tokens is None:
                    self._tokens = tokenizer(self._job.tokenizer)
                tokenize = self._tokens.together(chunk[at:])
            return rendered(chunk[at], self._job.family, tokenize)

        return encode

    def _beside(self, examples: Examples) -> Iterator[Chunk]:
        under_way: deque[tuple[list[Example], Future[tuple[list[Sketches], list[Encoded]]]]] = deque()
        while True:
            while len(under_way) < AHEAD * self._workers and (chunk := list(islice(examples, CHUNK))):
                under_way.append((chunk, self._processes().submit(_work, chunk)))
            if not under_way:
                return
            chunk, future = under_way.popleft()
            sketched, encoded = future.result()
            yield chunk, sketched, encoded.__getitem__

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned, because a forked copy of a process with a tokenizer's threads can hang. The tokenizer is read
            # here, once: making it from a GGUF file takes longer than encoding a small corpus.
            given = (self._job, tokenizer_text(self._job.tokenizer))
            self._pool = ProcessPoolExecutor(
                self._workers, multiprocessing.get_context("spawn"), _begin, given
            )
        return self._pool
