"""An engine that says what a test wrote, with every way of failing that the real one has."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tutor_app.llm.common_prefix import common_length
from tutor_app.llm.protocol import (
    Adapter,
    Done,
    EngineBusy,
    EngineDied,
    EngineError,
    EngineHung,
    EngineStats,
    Fragment,
    GenerationEvent,
    Held,
    Loaded,
    LoadSpec,
    Prefill,
    Progress,
    PromptTooLong,
    Revision,
    Sampling,
    Warmed,
)
from tutor_app.llm.revision import revise_in_steps
from tutor_app.llm.text_stream import TextStream

CONTROL = (
    "<bos>",
    "<eos>",
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<start_of_turn>",
    "<end_of_turn>",
)
"""Their ids are 0, 1, 2, …; words get ids as they are met."""
END_IDS = tuple(CONTROL.index(text) for text in ("<eos>", "<|im_end|>", "<|endoftext|>", "<end_of_turn>"))
CONTROL_TOKEN = re.compile("|".join(re.escape(text) for text in CONTROL))
WORD = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")

SCRIPTED = LoadSpec(model_id="scripted", path=Path("scripted.gguf"), sha256="0" * 64)
"""For tests that do not care which model it is."""


@dataclass(frozen=True)
class Line:
    """One reply, and what goes wrong in it."""

    text: str = ""
    logprob: float = -0.25
    """Of every token."""
    delay_s: float = 0.0
    """Before each fragment (a cancel ends it early)."""
    gate: threading.Event | None = None
    """Nothing is said before it is set (or the reply is cancelled)."""
    dies_after: int | None = None
    """Fragments after which the child is gone; 0 is before the first."""
    out_of_memory: bool = False
    """With `dies_after`: as if killed for memory."""
    hangs_after: int | None = None
    """Fragments after which nothing more comes, so that EngineHung is raised."""


Script = Sequence[str | Line] | Callable[[list[int]], str | Line]


class ScriptedEngine:
    """`protocol.Engine` without a model. A list of replies is given out in order; a callable is asked each time."""

    def __init__(
        self, script: Script = (), *, n_ctx: int = 4096, load_error: EngineError | None = None
    ) -> None:
        """`load_error` is raised by every `load` until it is set to None."""
        self.script = script
        self.load_error = load_error
        self.calls: Counter[str] = Counter()
        self.prompts: list[list[int]] = []
        """Ids of every `generate`, in order; `text` reads them."""
        self.samplings: list[Sampling] = []
        self.warmed: list[list[int]] = []
        self.prefilled: list[list[int]] = []
        self.adapters: tuple[Adapter, ...] = ()
        self.score_of: Callable[[list[int], list[int]], list[float]] = lambda _, tokens: [-1.0] * len(tokens)
        self._n_ctx = n_ctx
        self._loaded: Loaded | None = None
        self._said = 0
        self._words = list(CONTROL)
        self._id_of = {text: id for id, text in enumerate(CONTROL)}
        self._context: list[int] = []
        self._saved: set[tuple[int, ...]] = set()
        self._running = False
        self._cancelled = threading.Event()

    @property
    def loaded(self) -> Loaded | None:
        """What `load` got, or None."""
        return self._loaded

    @property
    def private(self) -> bool:
        """True."""
        return True

    def load(self, spec: LoadSpec = SCRIPTED, on_progress: Progress | None = None) -> Loaded:
        """Succeeds at once, or raises `load_error`."""
        self.calls["load"] += 1
        self._loaded = None
        if self.load_error is not None:
            raise self.load_error
        for fraction in (0.0, 0.5, 1.0):
            if on_progress:
                on_progress(fraction)
        self._context = []
        self.adapters = spec.adapters
        names = tuple(adapter.id for adapter in spec.adapters)
        n_ctx = min(spec.n_ctx, self._n_ctx)
        self._loaded = Loaded(spec.model_id, spec.sha256, n_ctx, 2**16, END_IDS, load_ms=0.0, adapters=names)
        return self._loaded

    def set_adapters(self, adapters: Sequence[Adapter]) -> None:
        """Remembers them and forgets the context."""
        self.calls["set_adapters"] += 1
        loaded = self._need_model()
        self.adapters = tuple(adapters)
        self._context = []
        self._loaded = replace(loaded, adapters=tuple(adapter.id for adapter in adapters))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """A token a word; the same engine gives the same word the same id."""
        self.calls["tokenize"] += 1
        self._need_model()
        if not special:
            return [self._id(word) for word in WORD.findall(text)]
        ids: list[int] = []
        at = 0
        for match in CONTROL_TOKEN.finditer(text):
            ids += [self._id(word) for word in WORD.findall(text[at : match.start()])]
            ids.append(self._id_of[match.group()])
            at = match.end()
        return ids + [self._id(word) for word in WORD.findall(text[at:])]

    def text(self, ids: Sequence[int]) -> str:
        """What `ids` stand for, control tokens included."""
        return "".join(self._words[id] for id in ids)

    def warm(self, ids: Sequence[int], *, save: bool = True, on_progress: Progress | None = None) -> Warmed:
        """`restored` when the same ids were saved, or begin the context."""
        self.calls["warm"] += 1
        self._fits(ids)
        restored = tuple(ids) in self._saved or list(ids) == self._context[: len(ids)]
        self.warmed.append(list(ids))
        self._context = list(ids)
        if save:
            self._saved.add(tuple(ids))
        if on_progress:
            on_progress(1.0)
        return Warmed(tokens=len(ids), restored=restored, ms=0.0)

    def prefill(self, ids: Sequence[int]) -> None:
        """Takes them for the context."""
        self.calls["prefill"] += 1
        self._fits(ids)
        self.prefilled.append(list(ids))
        self._context = list(ids)

    def generate(self, ids: Sequence[int], sampling: Sampling) -> Iterator[GenerationEvent]:
        """The next line of the script, word by word."""
        self.calls["generate"] += 1
        self._fits(ids)
        if self._running:
            raise EngineBusy("The tutor is still busy with the last request.")
        self.prompts.append(list(ids))
        self.samplings.append(sampling)
        line = self._next_line(list(ids))
        cached = min(common_length(self._context, ids), len(ids) - 1)
        self._context = list(ids)
        self._cancelled.clear()
        self._running = True
        try:
            yield Prefill(len(ids), len(ids), cached)
            yield from self._say(line, sampling, len(ids), cached)
        finally:
            self._running = False

    def _say(self, line: Line, sampling: Sampling, prompt: int, cached: int) -> Iterator[GenerationEvent]:
        started = time.monotonic()
        first_ms: float | None = None
        stream = TextStream(sampling.stop_texts)
        words = self.tokenize(line.text, special=False)
        reason = "stop" if len(words) <= sampling.max_tokens else "length"
        said = 0
        for id in [*words[: sampling.max_tokens], None]:
            self._mishap(line, said)
            if line.gate is not None:
                while not line.gate.wait(0.005) and not self._cancelled.is_set():
                    pass
            if self._cancelled.wait(line.delay_s) or stream.stopped:
                reason = "cancelled" if self._cancelled.is_set() else reason
                break
            text = stream.finish() if id is None else stream.push(self._words[id].encode())
            if first_ms is None:
                first_ms = (time.monotonic() - started) * 1000
            if id is not None and not stream.stopped:
                said += 1
                self._context.append(id)
                yield Fragment(text, (id,), (line.logprob,))
            elif text:
                yield Fragment(text)
        total_ms = (time.monotonic() - started) * 1000
        ttft_ms = total_ms if first_ms is None else first_ms
        yield Done(reason, prompt, cached, said, ttft_ms=ttft_ms, total_ms=total_ms)  # type: ignore[arg-type]

    def _mishap(self, line: Line, said: int) -> None:
        if line.dies_after is not None and said >= line.dies_after:
            self._loaded = None
            code = -9 if line.out_of_memory else -11
            raise EngineDied("The language model stopped.", exit_code=code, out_of_memory=line.out_of_memory)
        if line.hangs_after is not None and said >= line.hangs_after:
            self._loaded = None
            raise EngineHung("The language model did not answer.")

    def _next_line(self, ids: list[int]) -> Line:
        if callable(self.script):
            line = self.script(ids)
        else:
            if self._said >= len(self.script):
                raise AssertionError(f"the script has {len(self.script)} replies and another was asked for")
            line = self.script[self._said]
        self._said += 1
        return line if isinstance(line, Line) else Line(line)

    def score(self, ids: Sequence[int], continuation: Sequence[int]) -> list[float]:
        """What `score_of` says, -1.0 a token unless a test set it."""
        self.calls["score"] += 1
        self._fits([*ids, *continuation])
        return self.score_of(list(ids), list(continuation))

    def revise(
        self,
        ids: Sequence[int],
        draft: Sequence[int],
        *,
        max_tokens: int,
        stop_texts: Sequence[str] = (),
        held: Held | None = None,
    ) -> Revision:
        """The greedy continuation of `ids`, generated without help from `draft`; then both are scored."""
        return revise_in_steps(self, ids, draft, max_tokens=max_tokens, stop_texts=stop_texts)

    def cancel(self) -> None:
        """Ends the reply that runs."""
        self.calls["cancel"] += 1
        self._cancelled.set()

    def stats(self) -> EngineStats:
        """Tokens in the pretended context."""
        return EngineStats(used_tokens=len(self._context), n_ctx=self._loaded.n_ctx if self._loaded else 0)

    def close(self) -> None:
        """Unloads; idempotent."""
        self.calls["close"] += 1
        self._cancelled.set()
        self._loaded = None

    def _id(self, word: str) -> int:
        if word not in self._id_of:
            self._id_of[word] = len(self._words)
            self._words.append(word)
        return self._id_of[word]

    def _need_model(self) -> Loaded:
        if self._loaded is None:
            raise EngineError("No language model is loaded.")
        return self._loaded

    def _fits(self, ids: Sequence[int]) -> None:
        n_ctx = self._need_model().n_ctx
        if not 0 < len(ids) < n_ctx:
            message = f"The conversation has {len(ids)} tokens and the model's window {n_ctx}."
            raise PromptTooLong(message, tokens=len(ids), n_ctx=n_ctx)
