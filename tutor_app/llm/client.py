"""The engine that runs llama.cpp in a child process, behind the `Engine` protocol."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tutor_app.llm.child import Child
from tutor_app.llm.machine import cores
from tutor_app.llm.prefix_cache import DEFAULT_LIMIT_BYTES
from tutor_app.llm.protocol import (
    Adapter,
    Done,
    EngineBusy,
    EngineDied,
    EngineError,
    EngineHung,
    EngineStats,
    EngineStopped,
    Fragment,
    GenerationEvent,
    Held,
    Loaded,
    LoadSpec,
    ModelRefused,
    Prefill,
    Progress,
    PromptTooLong,
    Revision,
    Sampling,
    Warmed,
)
from tutor_app.llm.tuner import candidates

HANG_S = 180.0
"""Silence after which the child counts as hung. A chunk of 64 prompt tokens of an 8B model takes 20 s on two
cores and several times that on a busy machine; every chunk and token is an event."""
TOKENIZE_HANG_S = 20.0
STARTED_S = 60.0
"""Until the child says it is there: it imports native libraries, slow from a cold network file system."""

Event = dict[str, Any]


class ChildEngine:
    """See `protocol.Engine`. `cancel`, `tokenize`, `stats` and `close` may be called while a reply runs."""

    def __init__(
        self,
        cache_folder: Path | None = None,
        *,
        cache_bytes: int = DEFAULT_LIMIT_BYTES,
        hang_s: float = HANG_S,
        command: Sequence[str] | None = None,
    ) -> None:
        """`cache_folder` holds saved prefixes (None: none are saved); `command` replaces the child, for tests."""
        self._cache_folder = cache_folder
        self._cache_bytes = cache_bytes
        self._hang_s = hang_s
        self._command = command
        self._child: Child | None = None
        self._loaded: Loaded | None = None
        self._ids = itertools.count(1)
        self._running: int | None = None
        self._used_tokens = 0

    @property
    def loaded(self) -> Loaded | None:
        """What runs, or None."""
        return self._loaded

    @property
    def private(self) -> bool:
        """True: the child is ours alone."""
        return True

    @property
    def pid(self) -> int | None:
        """Process id of the child, or None."""
        return self._child.pid if self._child else None

    @property
    def last_words(self) -> str:
        """What the child printed last, for a crash log."""
        return self._child.last_words if self._child else ""

    # -- operations ------------------------------------------------------------------------------------------

    def load(self, spec: LoadSpec, on_progress: Progress | None = None) -> Loaded:
        """Run `spec`, in a new child if the last one is gone. Raises ModelRefused, EngineDied, EngineHung."""
        started = time.monotonic()
        if not spec.path.is_file():
            raise ModelRefused(f"The model file {spec.path.name} is not there. Run `tutor models list`.")
        self._loaded = None
        self._used_tokens = 0
        if self._child is None or not self._child.alive:
            self.close()
            self._child = self._started()
            self._next_event(0, STARTED_S)
        fields = {
            "path": str(spec.path),
            "sha256": spec.sha256,
            "n_ctx": spec.n_ctx,
            "threads": (spec.threads,) if spec.threads else candidates(cores()[0]),
            "adapters": _adapters(spec.adapters),
            "cache": str(self._cache_folder) if self._cache_folder else None,
            "cache_bytes": self._cache_bytes,
        }
        with contextlib.closing(self._ask("load", **fields)) as events:
            for event in events:
                if event["event"] == "loading" and on_progress:
                    on_progress(event["fraction"])
        self._loaded = Loaded(
            model_id=spec.model_id,
            sha256=spec.sha256,
            n_ctx=event["n_ctx"],
            n_vocab=event["n_vocab"],
            end_ids=tuple(event["end_ids"]),
            load_ms=_ms_since(started),
            adapters=tuple(adapter.id for adapter in spec.adapters),
        )
        return self._loaded

    def set_adapters(self, adapters: Sequence[Adapter]) -> None:
        """Replace the run-time adapters without reloading the base; forgets the context."""
        loaded = self._need_model()
        self._last("adapters", adapters=_adapters(adapters))
        names = tuple(adapter.id for adapter in adapters)
        self._loaded = Loaded(**{**asdict(loaded), "adapters": names})

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Ids of `text`, without BOS; control tokens are recognised only when `special`."""
        self._need_model()
        request = next(self._ids)
        child = self._send(request, "tokenize", text=text, special=special)
        try:
            ids: list[int] = self._next_event(request, TOKENIZE_HANG_S)["ids"]
        finally:
            child.forget(request)
        return ids

    def warm(self, ids: Sequence[int], *, save: bool = True, on_progress: Progress | None = None) -> Warmed:
        """Make `ids` the reusable beginning of what follows, from disk when it was saved before."""
        self._need_model()
        started = time.monotonic()
        with contextlib.closing(self._ask("warm", ids=list(ids), save=save)) as events:
            for event in events:
                if event["event"] == "prefill" and on_progress:
                    on_progress(event["done"] / event["total"])
        self._used_tokens = event["tokens"]
        return Warmed(tokens=event["tokens"], restored=event["restored"], ms=_ms_since(started))

    def prefill(self, ids: Sequence[int]) -> None:
        """Read `ids` in, so that the next request that begins like them comes sooner. Raises EngineStopped."""
        self._need_model()
        self._last("prefill", ids=list(ids))

    def generate(self, ids: Sequence[int], sampling: Sampling) -> Iterator[GenerationEvent]:
        """Continue `ids`. Closing the iterator early cancels. Ends with exactly one `Done`."""
        self._need_model()
        started = time.monotonic()
        first_ms: float | None = None
        with contextlib.closing(self._ask("generate", ids=list(ids), sampling=asdict(sampling))) as events:
            for event in events:
                match event["event"]:
                    case "prefill":
                        yield Prefill(event["done"], event["total"], event["cached"])
                    case "fragment":
                        if first_ms is None:
                            first_ms = _ms_since(started)
                        yield Fragment(event["text"], tuple(event["ids"]), tuple(event["logprobs"]))
                    case "done":
                        self._used_tokens = event["used"]
                        total_ms = _ms_since(started)
                        yield Done(
                            reason=event["reason"],
                            prompt_tokens=event["prompt_tokens"],
                            cached_tokens=event["cached_tokens"],
                            generated_tokens=event["generated_tokens"],
                            ttft_ms=total_ms if first_ms is None else first_ms,
                            total_ms=total_ms,
                        )
                    case "stopped":
                        total_ms = _ms_since(started)
                        yield Done("cancelled", len(ids), 0, 0, ttft_ms=total_ms, total_ms=total_ms)

    def score(self, ids: Sequence[int], continuation: Sequence[int]) -> list[float]:
        """Natural log-probability of each token of `continuation` after `ids`; shape [len(continuation)]."""
        self._need_model()
        if not ids or not continuation:
            raise ValueError("score needs at least one token before and one to score")
        scores: list[float] = self._last("score", ids=list(ids), continuation=list(continuation))["scores"]
        return scores

    def revise(
        self,
        ids: Sequence[int],
        draft: Sequence[int],
        *,
        max_tokens: int,
        stop_texts: Sequence[str] = (),
        held: Held | None = None,
    ) -> Revision:
        """The greedy continuation of `ids`, of which `draft` is a guess that ends with the end-of-turn token."""
        self._need_model()
        if not ids or not draft:
            raise ValueError("revise needs at least one token before and a draft")
        event = self._last(
            "revise", ids=list(ids), draft=list(draft), max_tokens=max_tokens, stop_texts=list(stop_texts),
            held=[held.tokens, held.then] if held is not None else None,
        )  # fmt: skip
        return Revision(event["text"], event["log_likelihood"], event["draft_log_likelihood"])

    def cancel(self) -> None:
        """Stop what runs now within half a second, prefill included. No effect when idle."""
        child, running = self._child, self._running
        if child is not None and running is not None:
            child.send({"id": 0, "op": "cancel", "target": running})

    def stats(self) -> EngineStats:
        """Cheap; never waits for the child."""
        child, loaded = self._child, self._loaded
        rss = child.rss_bytes() if child else 0
        return EngineStats(self._used_tokens, loaded.n_ctx if loaded else 0, rss)

    def close(self) -> None:
        """End the child. Idempotent, under a second."""
        child, self._child = self._child, None
        self._loaded = None
        self._running = None
        if child is not None:
            child.end()

    # -- talking to the child --------------------------------------------------------------------------------

    def _started(self) -> Child:
        try:
            return Child(self._command)
        except OSError as error:
            raise EngineDied(
                f"The language model could not be started: {error.strerror}. Close other programs and try again.",
                exit_code=None,
            ) from error

    def _need_model(self) -> Loaded:
        if self._loaded is None:
            raise EngineError("No language model is loaded.")
        return self._loaded

    def _send(self, request: int, op: str, **fields: Any) -> Child:
        child = self._child
        if child is None:
            raise EngineError("The language model is not running.")
        child.listen(request)
        child.send({"id": request, "op": op, **fields})
        return child

    def _last(self, op: str, **fields: Any) -> Event:
        """The last event of a request whose other events do not matter."""
        with contextlib.closing(self._ask(op, **fields)) as events:
            for event in events:
                last = event
        return last

    def _ask(self, op: str, **fields: Any) -> Generator[Event, None, None]:
        """Events of one request, up to and including its last. Leaving early cancels it."""
        if self._running is not None:
            raise EngineBusy("The tutor is still busy with the last request.")
        request = next(self._ids)
        child = self._send(request, op, **fields)
        self._running = request
        over = False
        try:
            while not over:
                event = self._next_event(request, self._hang_s)
                over = event["event"] not in ("loading", "prefill", "fragment")
                if event["event"] == "stopped" and op != "generate":
                    raise EngineStopped("Stopped.")
                yield event
        finally:
            if self._running == request:
                if not over:
                    self.cancel()
                self._running = None
            child.forget(request)

    def _next_event(self, request: int, limit_s: float) -> Event:
        child = self._child
        if child is None:
            raise EngineDied("The language model was closed.", exit_code=None)
        event = child.next_event(request, limit_s)
        if event is None:
            raise self._lost(child, limit_s)
        if event.get("event") == "error":
            raise _refusal(event)
        return event

    def _lost(self, child: Child, limit_s: float) -> EngineError:
        """Why there was no event: the child has ended, or was silent for `limit_s` (and is ended now)."""
        self._loaded = None
        self._running = None
        if not child.finished:
            child.kill()
            return EngineHung(
                f"The language model did not answer for {limit_s:.0f} seconds and was stopped. Try again, or choose a smaller model."
            )
        code = child.exit_code()
        if code == -9:
            return EngineDied(
                "The language model was stopped by the system, probably because memory ran out. "
                "Close other programs or choose a smaller model.",
                exit_code=code,
                out_of_memory=True,
            )
        return EngineDied(
            "The language model stopped unexpectedly. Try again, or choose a smaller model.", exit_code=code
        )


def _adapters(adapters: Sequence[Adapter]) -> list[dict[str, Any]]:
    return [{"path": str(a.path), "sha256": a.sha256, "scale": a.scale} for a in adapters]


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _refusal(event: Event) -> EngineError:
    match event["kind"]:
        case "length":
            tokens, n_ctx = event["tokens"], event["n_ctx"]
            return PromptTooLong(
                f"The conversation has {tokens} tokens and the model's window {n_ctx}.",
                tokens=tokens,
                n_ctx=n_ctx,
            )
        case "refused":
            return ModelRefused(f"The model cannot be run: {event['message']}.")
        case _:
            return EngineError(f"The language model failed: {event['message']}.")
