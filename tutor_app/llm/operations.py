"""What the worker does on request: load, warm, generate, score. Only the worker process imports this file."""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from llama_cpp import llama_cpp as C

from tutor_app.llm.aside import Aside
from tutor_app.llm.common_prefix import common_length
from tutor_app.llm.joint_adapter import CannotJoin, Member, joined
from tutor_app.llm.prefix_cache import PrefixCache, PrefixKey
from tutor_app.llm.protocol import Sampling
from tutor_app.llm.revision import DraftReader
from tutor_app.llm.runtime import LAST_CHUNK, Refused, Runtime, StopFlag, Stopped, next_chunk
from tutor_app.llm.sampler import Sampler, log_normaliser
from tutor_app.llm.text_stream import TextStream

FRAGMENT_EVERY_S = 0.05
"""Fragments are joined for this long: 20 a second look continuous."""
SCORED_AT_ONCE = 32
"""Rows of logits held at a time: 32 × 262,144 × 4 bytes = 34 MB. Most sentences fit, and are one batch."""
LOG_WARN = 3
"""GGML_LOG_LEVEL_WARN; 4 is ERROR and 5 continues the line before."""


class Send(Protocol):
    """Where events go."""

    def send(self, request: int, event: str, **fields: Any) -> None:
        """Write one event."""


class Operations:
    """The runtime and what is remembered between requests."""

    def __init__(self, line: Send, stop: StopFlag) -> None:
        self._line = line
        self._stop = stop
        self._complaints: deque[str] = deque(maxlen=20)
        self._log = C.llama_log_callback(self._on_log)  # kept: native code holds only the address
        C.llama_log_set(self._log, ctypes.c_void_p(0))
        self._runtime = Runtime(stop)
        self._lock = threading.Lock()
        self._vocabulary = threading.Lock()
        self._running = 0
        self._cancelled: set[int] = set()
        self._cache: PrefixCache | None = None
        self._model_sha256 = ""
        self._adapters: list[Member] = []
        """What the context is computed with: one adapter for all that were asked for."""
        self._warm: list[int] = []
        self._aside = Aside()
        self._scratch = np.empty(0, dtype=np.float32)

    @property
    def build(self) -> str:
        """Which llama.cpp this is."""
        return self._runtime.build

    def _on_log(self, level: int, text: bytes, _: object) -> None:
        if level >= LOG_WARN:
            self._complaints.append(text.decode(errors="replace").strip())

    # -- called from the reader thread -----------------------------------------------------------------------

    def cancel(self, request: int) -> None:
        """Stop `request`, whether it runs or still waits."""
        with self._lock:
            if self._running == request:
                self._stop.raise_()
            elif self._running < request:
                self._cancelled.add(request)

    def tokenize(self, text: str, special: bool) -> list[int]:
        """Ids of `text`; none before a model is loaded."""
        with self._vocabulary:
            return self._runtime.tokenize(text, special=special) if self._runtime.n_ctx else []

    # -- called from the main thread -------------------------------------------------------------------------

    def run(self, request: dict[str, Any]) -> None:
        """Do one request and send its events. Raises Refused, DecodeFailed."""
        id: int = request["id"]
        with self._lock:
            self._running = id
            self._stop.lower()
            if id in self._cancelled:
                self._cancelled.discard(id)
                self._stop.raise_()
        try:
            match request["op"]:
                case "load":
                    self._load(id, request)
                case "adapters":
                    self._set_adapters(request["adapters"])
                    self._line.send(id, "adapters")
                case "warm":
                    self._warm_up(id, request["ids"], save=request["save"])
                case "prefill":
                    self._read_in(id, request["ids"])
                case "generate":
                    self._generate(id, request["ids"], Sampling(**request["sampling"]))
                case "score":
                    self._score(id, request["ids"], request["continuation"])
                case "revise":
                    self._revise(
                        id, request["ids"], request["draft"], request["max_tokens"], request["stop_texts"], request["held"]
                    )  # fmt: skip
        except Stopped:
            self._line.send(id, "stopped")

    def _load(self, id: int, request: dict[str, Any]) -> None:
        shown = -1

        def on_progress(fraction: float) -> bool:
            nonlocal shown
            if (percent := int(fraction * 100)) != shown:
                shown = percent
                self._line.send(id, "loading", fraction=fraction)
            return not self._stop.raised

        path = Path(request["path"])
        self._complaints.clear()
        with self._vocabulary:
            self._runtime.unload()
        self._forget()
        self._cache = (
            PrefixCache(Path(request["cache"]), request["cache_bytes"]) if request["cache"] else None
        )
        self._model_sha256 = request["sha256"]
        try:
            self._runtime.load(
                path,
                n_ctx=request["n_ctx"],
                threads=request["threads"],
                on_progress=on_progress,
            )
            self._set_adapters(request["adapters"])
        except Refused as error:
            raise Refused(f"{error}{self._why()}") from error
        self._scratch = np.empty(self._runtime.n_vocab, dtype=np.float32)
        self._line.send(
            id,
            "loaded",
            n_ctx=self._runtime.n_ctx,
            n_vocab=self._runtime.n_vocab,
            end_ids=self._runtime.end_ids,
        )

    def _why(self) -> str:
        errors = [line for line in self._complaints if "error" in line.lower()] or list(self._complaints)
        return f" ({errors[0]})" if errors else ""

    def _set_adapters(self, adapters: list[dict[str, Any]]) -> None:
        self._forget()
        wanted = [Member(a["sha256"], Path(a["path"]), float(a["scale"])) for a in adapters if a["scale"]]
        try:
            with joined(wanted, self._cache.folder if self._cache else None) as one:
                self._use([one] if one else [])
        except (CannotJoin, Refused) as error:
            self._complaints.append(f"adapters not joined: {error}")
            self._use(wanted)  # if one of them does not fit, the message names it

    def _use(self, adapters: Sequence[Member]) -> None:
        self._adapters = list(adapters)
        self._runtime.set_adapters(self._adapters)

    def _forget(self) -> None:
        """States belong to weights: other weights, other states."""
        self._warm = []
        self._aside.clear()

    def _warm_up(self, id: int, ids: list[int], *, save: bool) -> None:
        if not self._fits(id, ids):
            return
        restored = common_length(self._runtime.past, ids) == len(ids) or self._restore_from_disk(ids)
        if not restored:
            self._prefill(id, ids, reuse=len(ids))
        self._warm = ids
        saved = save and self._save_to_disk(ids)
        self._line.send(id, "warmed", tokens=len(ids), restored=restored, saved=saved)

    def _read_in(self, id: int, ids: list[int]) -> None:
        if self._fits(id, ids):
            self._prefill(id, ids, reuse=len(ids))
            self._line.send(id, "prefilled")

    def _generate(self, id: int, ids: list[int], sampling: Sampling) -> None:
        if not self._fits(id, ids):
            return
        cached = self._prefill(id, ids, reuse=len(ids) - 1)
        reply = Reply(self._line, id, sampling.stop_texts)
        recent = deque(ids, maxlen=max(sampling.repeat_last_n, 0))
        limit = min(sampling.max_tokens, self._runtime.n_ctx - len(ids))
        sampler = Sampler(self._runtime, sampling)
        ends = {*self._runtime.end_ids, *sampling.stop_ids}
        reason = "length"
        try:
            while reply.tokens < limit:
                token, logprob = sampler.next(recent)
                # Any other control token would begin somebody else's turn, and has no text to show.
                if token in ends or self._runtime.is_control(token):
                    reason = "stop"
                    break
                if reply.add(token, logprob, self._runtime.piece(token)):
                    reason = "stop"
                    break
                recent.append(token)
                if reply.tokens < limit:
                    self._runtime.decode([token])
        except Stopped:
            reason = "cancelled"
        finally:
            sampler.close()
        reply.finish()
        self._line.send(
            id,
            "done",
            reason=reason,
            prompt_tokens=len(ids),
            cached_tokens=cached,
            generated_tokens=reply.tokens,
            used=len(self._runtime.past),
        )

    def _score(self, id: int, ids: list[int], continuation: list[int]) -> None:
        if not self._fits(id, ids + continuation):
            return
        rows = self._read(id, ids, continuation)
        self._line.send(id, "scores", scores=[row.logprob for row in rows])

    def _read(self, id: int, ids: list[int], continuation: list[int]) -> list[Row]:
        """What the model thinks of each token of `continuation` after `ids`.

        The last prompt token is evaluated again with the continuation, because its logits are the first.
        """
        inputs = [ids[-1], *continuation[:-1]]
        first = inputs[:SCORED_AT_ONCE]
        self._prefill(id, ids[:-1], reuse=len(ids) - 1, leave=LAST_CHUNK - len(first))
        batch = [*ids[len(self._runtime.past) : -1], *first]
        rows: list[Row] = []
        while batch:
            targets = continuation[len(rows) : len(rows) + SCORED_AT_ONCE]
            self._runtime.decode(batch, rows=len(targets))
            rows += [self._row(at - len(targets), target) for at, target in enumerate(targets)]
            batch = inputs[len(rows) : len(rows) + SCORED_AT_ONCE]
        return rows

    def _row(self, at: int, target: int | None) -> Row:
        logits = self._runtime.logits(at)
        normaliser = log_normaliser(logits, self._scratch)
        best = int(logits.argmax())
        likely = float(logits[best]) - normaliser
        return Row(best, likely, likely if target is None else float(logits[target]) - normaliser)

    def _revise(
        self,
        id: int,
        ids: list[int],
        draft: list[int],
        max_tokens: int,
        stop_texts: Sequence[str],
        held: tuple[int, int] | None,
    ) -> None:
        """Greedy decoding that tries the draft's tokens several at a time; see `revision.DraftReader`."""
        if not self._fits(id, ids + draft):
            return
        rows = self._read(id, ids, draft)
        first = held[0] if held is not None and rows[0].best == held[1] != draft[0] else 0
        agreed = next((at for at in range(first, len(draft)) if rows[at].best != draft[at]), len(draft))
        ends = {*self._runtime.end_ids, draft[-1]}
        limit = min(max_tokens, self._runtime.n_ctx - len(ids))
        reader, stream = DraftReader(draft[:-1], [row.best for row in rows]), TextStream(stop_texts)
        text, total, said = "", 0.0, 0
        reader.agreed(agreed)
        ended, waiting = (
            False,
            [(token, row.logprob) for token, row in zip(draft[:agreed], rows, strict=False)],
        )
        if agreed < len(draft):
            waiting.append((rows[agreed].best, rows[agreed].best_logprob))
        self._runtime.keep(len(ids) + min(agreed, len(draft) - 1))
        while True:
            for token, logprob in waiting:
                total += logprob
                ended = token in ends or self._runtime.is_control(token)
                if ended or said == limit:
                    break
                said += 1
                text += stream.push(self._runtime.piece(token))
            if ended or said >= limit or stream.stopped:
                break
            waiting = self._next(waiting[-1][0], reader)
        text += stream.finish()
        self._line.send(
            id,
            "revised",
            text=text,
            log_likelihood=total if ended and not stream.stopped else None,
            draft_log_likelihood=sum(row.logprob for row in rows),
        )

    def _next(self, token: int, reader: DraftReader) -> list[tuple[int, float]]:
        """What the model says after `token`, which is not evaluated yet: as much of the draft as it agrees with,
        and the one token after that."""
        start = len(self._runtime.past)
        guess = reader.said(token)[: self._runtime.n_ctx - start - 1]
        self._runtime.decode([token, *guess], rows=len(guess) + 1)
        found: list[tuple[int, float]] = []
        for at in range(len(guess) + 1):
            row = self._row(at - len(guess) - 1, None)
            found.append((row.best, row.best_logprob))
            if at == len(guess) or row.best != guess[at]:
                break
        reader.agreed(len(found) - 1)
        self._runtime.keep(start + len(found))
        return found

    # -- context ---------------------------------------------------------------------------------------------

    def _fits(self, id: int, ids: list[int]) -> bool:
        """True if there is room for `ids` and one token more; else the request is answered with an error."""
        if 0 < len(ids) < self._runtime.n_ctx:
            return True
        self._line.send(id, "error", kind="length", tokens=len(ids), n_ctx=self._runtime.n_ctx)
        return False

    def _prefill(self, id: int, ids: list[int], *, reuse: int, leave: int = 0) -> int:
        """Bring the context to exactly `ids`, with at most `reuse` tokens taken over; gives how many were.

        Up to `leave` tokens may be left out, for a caller that has more to evaluate with them.
        """
        self._find_best(ids)
        cached = min(common_length(self._runtime.past, ids), reuse)
        self._runtime.keep(cached)
        at = cached
        while len(ids) - at > leave:
            end = at + next_chunk(len(ids) - at)
            self._runtime.decode(ids[at:end])
            at = end
            self._line.send(id, "prefill", done=at, total=len(ids), cached=cached)
        return cached

    def _find_best(self, ids: list[int]) -> None:
        """Put into the context whichever known state shares most with `ids`: what is there, set aside, or warm.

        A tutor asks two things a turn, a reformulation and a reply, whose prompts share the lesson's prefix
        and then differ. Without this each would push the other's conversation out. What begins with all that was
        warmed is taken for a reformulation: a warm prefix goes on to where those begin.
        """
        shared = common_length(self._runtime.past, ids)
        better = self._aside.best(ids)
        warm = common_length(self._warm, ids)
        if better is None or common_length(better.tokens, ids) <= shared:
            better = None
        in_lesson = common_length(self._runtime.past, self._warm)
        self._aside.keep(self._runtime, shared, in_lesson, passing=0 < len(self._warm) == in_lesson)
        if better is not None and common_length(better.tokens, ids) >= warm:
            self._runtime.restore(better.tokens, better.state)
        elif warm > shared:
            self._restore_from_disk(self._warm)

    def _key(self, ids: list[int]) -> PrefixKey:
        return PrefixKey(
            model_sha256=self._model_sha256,
            adapters=tuple((adapter.sha256, adapter.scale) for adapter in self._adapters),
            n_ctx=self._runtime.n_ctx,
            cache_type=self._runtime.cache_type,
            build=self._runtime.build,
            token_ids=tuple(ids),
        )

    def _restore_from_disk(self, ids: list[int]) -> bool:
        state = self._cache.load(self._key(ids)) if self._cache else None
        return state is not None and self._runtime.restore(ids, np.frombuffer(state, dtype=np.uint8))

    def _save_to_disk(self, ids: list[int]) -> bool:
        """True if the state of `ids`, which is all the context holds, is on disk. A full disk costs only speed."""
        if self._cache is None or not self._model_sha256:
            return False
        key = self._key(ids)
        if self._cache.has(key):
            return True
        self._runtime.keep(len(ids))
        try:
            return self._cache.save(key, self._runtime.state().data)
        except OSError as error:
            self._complaints.append(f"prefix not saved: {error.strerror}")
            return False


class Row(NamedTuple):
    """What the model thinks at one place, natural logs."""

    best: int
    best_logprob: float
    logprob: float
    """Of the token that stands there."""


class Reply:
    """Joins tokens into fragments and sends them, the first at once."""

    def __init__(self, line: Send, id: int, stop_texts: Sequence[str]) -> None:
        self.tokens = 0
        self._line = line
        self._id = id
        self._stream = TextStream(stop_texts)
        self._text = ""
        self._ids: list[int] = []
        self._logprobs: list[float] = []
        self._sent_at = 0.0

    def add(self, token: int, logprob: float, piece: bytes) -> bool:
        """True when the reply is over because a stop text is complete."""
        self._text += self._stream.push(piece)
        self.tokens += 1
        if self._stream.stopped:
            return True
        self._ids.append(token)
        self._logprobs.append(logprob)
        now = time.monotonic()
        if self._text and now - self._sent_at >= FRAGMENT_EVERY_S:
            self._send()
            self._sent_at = now
        return False

    def finish(self) -> None:
        """Send what is left."""
        self._text += self._stream.finish()
        if self._text or self._ids:
            self._send()

    def _send(self) -> None:
        self._line.send(self._id, "fragment", text=self._text, ids=self._ids, logprobs=self._logprobs)
        self._text, self._ids, self._logprobs = "", [], []
