"""A model server in place of the child, played on the loopback interface in both dialects."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.llm.server import serving
from tutor_app.llm.protocol import (
    Adapter,
    Done,
    EngineBusy,
    EngineDied,
    EngineError,
    Fragment,
    LoadSpec,
    PromptTooLong,
    Sampling,
)
from tutor_app.llm.remote import RemoteEngine
from tutor_app.llm.sse import Call

SPEC = LoadSpec("lab", Path("unused"), "0" * 64)


@dataclass
class Lab:
    """A server: tokens are UTF-8 bytes, and replies are what the test set."""

    owner: str = "vllm"
    reply: tuple[str, ...] = ("Hola", ", ¿qué", " tal?")
    finish: str = "stop"
    error: int = 0
    waits: threading.Event | None = None
    reads: threading.Event | None = None
    """Until then it reads the prompt, and answers nothing at all."""
    asked: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    requests: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        size = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(size)) if size else {}
        self.requests.append((request.path, body))
        if self.error and request.path == "/v1/completions":
            self._json(request, {"error": {"message": "out of blocks"}}, self.error)
        elif request.path == "/v1/models":
            served = {"owned_by": self.owner, "max_model_len": 512, "meta": {"n_vocab": 256}}
            self._json(request, {"data": [{"id": name, **served} for name in ("base", "linguist")]})
        elif request.path == "/tokenize":
            self._json(request, {"tokens": list(str(body.get("content") or body.get("prompt")).encode())})
        elif body.get("echo"):
            prompt = body["prompt"]
            logprobs = {"token_logprobs": [None, *(-float(id) for id in prompt[1:]), -1.0]}
            self._json(request, {"choices": [{"text": "", "logprobs": logprobs}]})
        else:
            self._stream(request)

    def _json(self, request: BaseHTTPRequestHandler, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.set()
        if self.reads is not None:
            self.reads.wait(10)
        request.send_response(200)
        request.end_headers()
        request.close_connection = True
        for index, text in enumerate(self.reply):
            last = index == len(self.reply) - 1
            choice = {"text": text, "finish_reason": self.finish if last else None}
            choice["logprobs"] = {"token_logprobs": [-0.5]}  # type: ignore[assignment]
            self._event(request, {"choices": [choice]})
            if self.waits is not None:
                self.waits.wait(10)
        usage = {"completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 3}}
        self._event(request, {"choices": [], "usage": usage})
        with contextlib.suppress(OSError):  # the client went away
            request.wfile.write(b"data: [DONE]\n\n")

    def _event(self, request: BaseHTTPRequestHandler, value: Any) -> None:
        try:
            request.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
            request.wfile.flush()
        except OSError:
            return  # the client went away


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab()
    with serving(lab.answer) as url:
        lab.url = url
        yield lab


@pytest.fixture
def engine(lab: Lab) -> RemoteEngine:
    engine = RemoteEngine(f"{lab.url}/v1", key="secret")
    engine.load(SPEC)
    return engine


def test_a_reply_streams_and_reports_its_usage(engine: RemoteEngine, lab: Lab) -> None:
    events = list(engine.generate([1, 2, 3, 4], Sampling(seed=5, stop_ids=(9,))))
    assert "".join(event.text for event in events if isinstance(event, Fragment)) == "Hola, ¿qué tal?"
    end = events[-1]
    assert isinstance(end, Done)
    assert (end.reason, end.prompt_tokens, end.cached_tokens, end.generated_tokens) == ("stop", 4, 3, 7)
    path, body = lab.requests[-1]
    assert path == "/v1/completions"
    assert body["prompt"] == [1, 2, 3, 4]
    assert (body["model"], body["seed"], body["stop_token_ids"]) == ("base", 5, [9])


def test_stop_texts_are_cut_here_too(engine: RemoteEngine) -> None:
    events = list(engine.generate([1], Sampling(stop_texts=("¿qué",))))
    assert "".join(event.text for event in events if isinstance(event, Fragment)) == "Hola, "
    assert isinstance(events[-1], Done)


def test_a_cancel_ends_a_reply_that_the_server_keeps_waiting(engine: RemoteEngine, lab: Lab) -> None:
    lab.waits = threading.Event()
    events = []
    for event in engine.generate([1], Sampling()):
        events.append(event)
        if isinstance(event, Fragment):
            engine.cancel()
    lab.waits.set()
    end = events[-1]
    assert isinstance(end, Done)
    assert end.reason == "cancelled"


def test_a_cancel_ends_a_reply_whose_prompt_the_server_still_reads(engine: RemoteEngine, lab: Lab) -> None:
    lab.reads = threading.Event()
    events: list[Any] = []
    asking = threading.Thread(target=lambda: events.extend(engine.generate([1], Sampling())))
    asking.start()
    assert lab.asked.wait(10)
    engine.cancel()
    asking.join(5)
    stopped = not asking.is_alive()
    lab.reads.set()
    asking.join()
    assert stopped
    (end,) = events
    assert isinstance(end, Done)
    assert end.reason == "cancelled"
    lab.reads = None
    assert isinstance(list(engine.generate([1], Sampling()))[-1], Done)


def test_a_call_that_is_aborted_before_it_is_sent_sends_nothing(lab: Lab) -> None:
    call = Call(lab.url, "/v1/models", None, key=None, timeout_s=10)
    call.abort()
    assert not call.open()
    call.close()
    assert lab.requests == []


def test_a_second_reply_during_the_first_is_refused(engine: RemoteEngine, lab: Lab) -> None:
    events = engine.generate([1], Sampling())
    next(events)
    with pytest.raises(EngineBusy):
        next(engine.generate([1], Sampling()))
    assert isinstance(list(events)[-1], Done)


@pytest.mark.parametrize("owner", ["vllm", "llamacpp"])
def test_learner_text_cannot_forge_control_tokens(lab: Lab, owner: str) -> None:
    lab.owner = owner
    engine = RemoteEngine(lab.url)
    engine.load(SPEC)
    text = "a <|im_end|> b < c <"
    assert engine.tokenize(text, special=False) == list(text.encode())
    sent = [body for path, body in lab.requests if path == "/tokenize"]
    if owner == "llamacpp":
        assert sent == [{"content": text, "add_special": False, "parse_special": False}]
    else:
        assert all("<|im_end|>" not in body["prompt"] for body in sent)
        assert not any(body["add_special_tokens"] for body in sent)
    lab.requests.clear()
    engine.tokenize("<|im_end|>", special=True)
    ((_, body),) = lab.requests
    assert "<|im_end|>" in body.values()


def test_scores_are_those_of_the_continuation(engine: RemoteEngine) -> None:
    assert engine.score([5, 6], [7, 8]) == [-7.0, -8.0]


def test_an_adapter_is_a_model_of_the_server(engine: RemoteEngine, lab: Lab) -> None:
    adapter = Adapter("linguist", Path("unused"), "1" * 64)
    engine.set_adapters([adapter])
    list(engine.generate([1], Sampling()))
    assert lab.requests[-1][1]["model"] == "linguist"
    with pytest.raises(EngineError, match="'other'"):
        engine.set_adapters([Adapter("other", Path("unused"), "2" * 64)])


def test_a_server_s_refusal_is_a_sentence(engine: RemoteEngine, lab: Lab) -> None:
    lab.error = 503
    with pytest.raises(EngineError, match="refused: out of blocks"):
        list(engine.generate([1], Sampling()))
    lab.error = 0
    assert list(engine.generate([1], Sampling()))


def test_the_window_is_the_server_s(engine: RemoteEngine) -> None:
    assert engine.loaded is not None
    assert engine.loaded.n_ctx == 512
    with pytest.raises(PromptTooLong):
        list(engine.generate([1] * 512, Sampling()))


def test_a_model_that_is_not_served_is_named(lab: Lab) -> None:
    with pytest.raises(EngineError, match=r"does not have 'gone'\. It has: base, linguist"):
        RemoteEngine(lab.url, model="gone").load(SPEC)


def test_an_unreachable_server_is_a_sentence() -> None:
    with serving(lambda request: None) as url:
        pass  # closed again
    with pytest.raises(EngineDied, match="cannot be reached"):
        RemoteEngine(url).load(SPEC)
