"""A lab's model server in place of the child process: llama.cpp's own, vLLM, or another OpenAI-compatible one.

Prompts are sent as token ids, which both accept, so that the template stays ours. The server keeps its own
prefix cache; which adapters it has is decided where it is started.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tutor_app.llm.protocol import (
    Adapter,
    Done,
    EngineBusy,
    EngineError,
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
from tutor_app.llm.sse import Call
from tutor_app.llm.text_stream import TextStream

TIMEOUT_S = 120.0
OWNER_LLAMA_CPP = "llamacpp"


class RemoteEngine:
    """See `protocol.Engine`. `base_url` is up to and without `/v1`, as in `http://lab:8000`."""

    def __init__(
        self, base_url: str, *, model: str | None = None, key: str | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        """`model` is the server's name for it (None: the first it lists)."""
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._wanted = model
        self._key = key
        self._timeout_s = timeout_s
        self._model = ""
        self._served: tuple[str, ...] = ()
        self._is_llama_cpp = False
        self._loaded: Loaded | None = None
        self._call: Call | None = None
        self._used_tokens = 0

    @property
    def loaded(self) -> Loaded | None:
        """What runs, or None."""
        return self._loaded

    @property
    def private(self) -> bool:
        """False: a class shares the server."""
        return False

    def load(self, spec: LoadSpec, on_progress: Progress | None = None) -> Loaded:
        """Ask the server what it serves; nothing is loaded here. Raises EngineError when it lacks the model."""
        started = time.monotonic()
        models = self._ask("/v1/models", None)["data"]
        self._served = tuple(str(model["id"]) for model in models)
        name = self._wanted or (self._served[0] if self._served else "")
        chosen = next((model for model in models if model["id"] == name), None)
        if chosen is None:
            raise EngineError(
                f"The model server does not have {name!r}. It has: {', '.join(self._served) or 'nothing'}."
            )
        self._model = name
        self._is_llama_cpp = chosen.get("owned_by") == OWNER_LLAMA_CPP
        meta = chosen.get("meta") or {}
        n_ctx = int(chosen.get("max_model_len") or meta.get("n_ctx") or meta.get("n_ctx_train") or spec.n_ctx)
        if on_progress:
            on_progress(1.0)
        self._loaded = Loaded(
            model_id=name,
            sha256=spec.sha256,
            n_ctx=min(n_ctx, spec.n_ctx),
            n_vocab=int(meta.get("n_vocab") or 0),
            end_ids=(),
            load_ms=_ms_since(started),
        )
        if spec.adapters:
            self.set_adapters(spec.adapters)
        return self._loaded

    def set_adapters(self, adapters: Sequence[Adapter]) -> None:
        """Use the served model named like the last adapter (vLLM serves each adapter as a model of its own).

        Raises EngineError when the server has none of that name.
        """
        loaded = self._need_model()
        names = tuple(adapter.id for adapter in adapters)
        wanted = names[-1] if names else (self._wanted or self._served[0])
        if wanted not in self._served:
            raise EngineError(
                f"The model server does not have the adapter {wanted!r}. Whoever runs it has to add it."
            )
        self._model = wanted
        self._loaded = replace(loaded, adapters=names)

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Ids of `text`, without BOS. Raises EngineError when the server cannot tell."""
        self._need_model()
        if not text:
            return []
        if self._is_llama_cpp:
            body: dict[str, Any] = {"content": text, "add_special": False, "parse_special": special}
            return [int(id) for id in self._ask("/tokenize", body)["tokens"]]
        # vLLM always recognises control tokens; cut after "<", none can be recognised.
        pieces = [text] if special else [piece for piece in _cut_control_tokens(text) if piece]
        ids: list[int] = []
        for piece in pieces:
            body = {"model": self._model, "prompt": piece, "add_special_tokens": False}
            ids += [int(id) for id in self._ask("/tokenize", body)["tokens"]]
        return ids

    def warm(self, ids: Sequence[int], *, save: bool = True, on_progress: Progress | None = None) -> Warmed:
        """Let the server read `ids` once, so that its prefix cache has them. `restored` is not known: False."""
        started = time.monotonic()
        for _ in self.generate(ids, Sampling(temperature=0.0, max_tokens=1)):
            pass
        if on_progress:
            on_progress(1.0)
        return Warmed(tokens=len(ids), restored=False, ms=_ms_since(started))

    def prefill(self, ids: Sequence[int]) -> None:
        """Nothing: what may never be asked for would keep others waiting."""

    def generate(self, ids: Sequence[int], sampling: Sampling) -> Iterator[GenerationEvent]:
        """Continue `ids`. Closing the iterator early, or `cancel`, drops the connection."""
        loaded = self._need_model()
        if not 0 < len(ids) < loaded.n_ctx:
            message = f"The conversation has {len(ids)} tokens and the model's window {loaded.n_ctx}."
            raise PromptTooLong(message, tokens=len(ids), n_ctx=loaded.n_ctx)
        if self._call is not None:
            raise EngineBusy("The tutor is still busy with the last request.")
        started = time.monotonic()
        # There for `cancel` before it is sent: a server that is busy answers when it has read the prompt.
        call = self._call = self._prepared("/v1/completions", self._completion(ids, sampling))
        stream = TextStream(sampling.stop_texts)
        first_ms: float | None = None
        reason, generated, counted, cached = "stop", 0, 0, 0
        try:
            for event in _events(call):
                usage = event.get("usage") or {}
                details = usage.get("prompt_tokens_details") or {}
                cached = int(details.get("cached_tokens") or cached)
                generated = int(usage.get("completion_tokens") or generated)
                for choice in event.get("choices") or ():
                    if first_ms is None:
                        first_ms = _ms_since(started)
                        yield Prefill(len(ids), len(ids), cached)
                    reason = choice.get("finish_reason") or reason
                    tokens, logprobs = _logprobs(choice)
                    counted += len(logprobs)
                    if text := stream.push((choice.get("text") or "").encode()):
                        yield Fragment(text, tokens, logprobs)
                if stream.stopped:
                    break
            if text := stream.finish():
                yield Fragment(text)
        finally:
            call.close()
            self._call = None
        total_ms = _ms_since(started)
        generated = generated or counted  # the usage comes last, and not at all when we stopped early
        self._used_tokens = len(ids) + generated
        yield Done(
            reason="cancelled" if call.aborted else "length" if reason == "length" else "stop",
            prompt_tokens=len(ids),
            cached_tokens=cached,
            generated_tokens=generated,
            ttft_ms=total_ms if first_ms is None else first_ms,
            total_ms=total_ms,
        )

    def score(self, ids: Sequence[int], continuation: Sequence[int]) -> list[float]:
        """Natural log-probability of each token of `continuation`. Raises EngineError where the server cannot."""
        self._need_model()
        if not ids or not continuation:
            raise ValueError("score needs at least one token before and one to score")
        prompt = [*ids, *continuation]
        body = {
            "model": self._model,
            "prompt": prompt,
            "max_tokens": 1,
            "temperature": 0,
            "echo": True,
            "logprobs": 1,
        }
        choice = self._ask("/v1/completions", body)["choices"][0]
        found = (choice.get("logprobs") or {}).get("token_logprobs") or []
        scores = found[len(ids) : len(prompt)]
        if len(scores) != len(continuation) or any(score is None for score in scores):
            raise EngineError("This model server cannot score a given text.")
        return [float(score) for score in scores]

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
        """Drop the running request."""
        if (call := self._call) is not None:
            call.abort()

    def stats(self) -> EngineStats:
        """Tokens of the last request; the server's memory is not ours to see."""
        return EngineStats(self._used_tokens, self._loaded.n_ctx if self._loaded else 0)

    def close(self) -> None:
        """Drop the running request and forget the server."""
        self.cancel()
        self._loaded = None

    # -- inside ----------------------------------------------------------------------------------------------

    def _need_model(self) -> Loaded:
        if self._loaded is None:
            raise EngineError("No language model is loaded.")
        return self._loaded

    def _prepared(self, path: str, body: dict[str, Any] | None) -> Call:
        return Call(self._base_url, path, body, key=self._key, timeout_s=self._timeout_s)

    def _ask(self, path: str, body: dict[str, Any] | None) -> Any:
        call = self._prepared(path, body)
        call.open()
        answer = call.json()
        if call.status != 200:
            raise EngineError(f"The model server answered {call.status} for {path}.")
        return answer

    def _completion(self, ids: Sequence[int], sampling: Sampling) -> dict[str, Any]:
        """The request, in the words of both servers: each ignores the other's."""
        return {
            "model": self._model,
            "prompt": list(ids),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k if sampling.top_k > 0 else -1,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "repeat_penalty": sampling.repeat_penalty,
            "repetition_penalty": sampling.repeat_penalty,
            "repeat_last_n": sampling.repeat_last_n,
            "seed": sampling.seed,
            "stop": list(sampling.stop_texts),
            "stop_token_ids": list(sampling.stop_ids),
            "logprobs": 1,
            "cache_prompt": True,
        }


def _events(call: Call) -> Iterator[dict[str, Any]]:
    """The events of a reply; none when it was cancelled before it began. Raises EngineError."""
    if not call.open():
        return
    if call.status != 200:
        call.json()
        raise EngineError(f"The model server answered {call.status}.")
    yield from call.events()


def _cut_control_tokens(text: str) -> list[str]:
    """`text` in pieces none of which holds both the beginning and the end of a control token."""
    head, *rest = text.split("<")
    return [head + "<" if rest else head, *(piece + "<" for piece in rest[:-1]), *(rest[-1:])]


def _logprobs(choice: dict[str, Any]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Ids (where the server gives them) and log-probabilities of one event, in either server's form."""
    found = choice.get("logprobs") or {}
    if content := found.get("content"):  # llama.cpp
        return tuple(int(item["id"]) for item in content), tuple(float(item["logprob"]) for item in content)
    values = tuple(float(value) for value in found.get("token_logprobs") or () if value is not None)
    return tuple(int(id) for id in choice.get("token_ids") or ()), values


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
