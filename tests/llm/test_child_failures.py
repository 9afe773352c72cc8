"""Children that die, hang or print rubbish; none of these needs a model."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tutor_app.llm.client import ChildEngine
from tutor_app.llm.protocol import (
    EngineBusy,
    EngineDied,
    EngineError,
    EngineHung,
    LoadSpec,
    ModelRefused,
    Prefill,
    Sampling,
)

PRELUDE = """
import json, os, signal, sys
def send(id, event, **fields):
    print(json.dumps({"id": id, "event": event, **fields}), flush=True)
def requests():
    for line in sys.stdin:
        yield json.loads(line)
LOADED = {"n_ctx": 64, "n_vocab": 8, "end_ids": [1]}
send(0, "ready")
"""

Start = Callable[..., ChildEngine]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Runs a few lines of Python in place of the worker."""
    engines = []

    def make(code: str, hang_s: float = 30.0) -> ChildEngine:
        script = tmp_path / "child.py"
        script.write_text(PRELUDE + textwrap.dedent(code), encoding="utf-8")
        engine = ChildEngine(command=(sys.executable, str(script)), hang_s=hang_s)
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def spec(tmp_path: Path) -> LoadSpec:
    path = tmp_path / "model.gguf"
    path.touch()
    return LoadSpec("model", path, "0" * 64)


ANSWER_LOAD = """
for request in requests():
    if request["op"] == "load":
        send(request["id"], "loaded", **LOADED)
    else:
"""


def test_a_child_that_ends_while_loading_is_reported_dead(start: Start, spec: LoadSpec) -> None:
    engine = start("next(requests()); print('no such thing', file=sys.stderr); sys.exit(3)")
    with pytest.raises(EngineDied) as caught:
        engine.load(spec)
    assert caught.value.exit_code == 3
    assert not caught.value.out_of_memory
    assert engine.loaded is None
    assert "no such thing" in engine.last_words


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_a_killed_child_is_taken_for_out_of_memory(start: Start, spec: LoadSpec) -> None:
    engine = start(ANSWER_LOAD + "        os.kill(os.getpid(), signal.SIGKILL)\n")
    engine.load(spec)
    with pytest.raises(EngineDied) as caught:
        list(engine.generate([1, 2], Sampling()))
    assert caught.value.exit_code == -9
    assert caught.value.out_of_memory
    assert "memory" in str(caught.value)


def test_a_silent_child_is_ended_and_can_be_replaced(start: Start, spec: LoadSpec) -> None:
    engine = start(
        ANSWER_LOAD + "        send(request['id'], 'prefill', done=1, total=2, cached=0)\n", hang_s=0.2
    )
    engine.load(spec)
    child = engine.pid
    events = engine.generate([1, 2], Sampling())
    assert isinstance(next(events), Prefill)
    with pytest.raises(EngineHung):
        next(events)
    assert child is not None
    assert not psutil.pid_exists(child)
    assert engine.loaded is None
    assert engine.load(spec).n_ctx == 64
    assert engine.pid != child


def test_lines_that_are_no_events_change_nothing(start: Start, spec: LoadSpec) -> None:
    engine = start("""
        for request in requests():
            print("llama_model_loader: - kv 0: ...")
            print("[1, 2]"); print('"text"'); print("{}"); print('{"id": 99999, "event": "loaded"}')
            sys.stdout.buffer.write(b"\\xff\\xfe\\n"); sys.stdout.flush()
            send(request["id"], "loaded", **LOADED)
    """)
    assert engine.load(spec).end_ids == (1,)
    assert "llama_model_loader" in engine.last_words


def test_a_refused_model_is_told_from_a_failure(start: Start, spec: LoadSpec) -> None:
    engine = start("""
        for request in requests():
            send(request["id"], "error", kind="refused", message="unknown architecture 'x'")
    """)
    with pytest.raises(ModelRefused, match="unknown architecture 'x'"):
        engine.load(spec)


def test_a_child_that_cannot_be_started_is_a_sentence(tmp_path: Path, spec: LoadSpec) -> None:
    engine = ChildEngine(command=(str(tmp_path / "no-such-program"),))
    with pytest.raises(EngineDied, match="could not be started: No such file"):
        engine.load(spec)
    assert engine.pid is None
    engine.close()


def test_the_silence_that_is_named_is_the_one_that_was_waited_for(
    start: Start, spec: LoadSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor_app.llm.client.TOKENIZE_HANG_S", 1.0)
    engine = start(ANSWER_LOAD + "        pass\n")
    engine.load(spec)
    with pytest.raises(EngineHung, match="did not answer for 1 seconds"):
        engine.tokenize("a", special=False)


def test_a_missing_file_is_refused_before_a_child_starts(start: Start, tmp_path: Path) -> None:
    engine = start("")
    with pytest.raises(ModelRefused, match=r"gone\.gguf"):
        engine.load(LoadSpec("gone", tmp_path / "gone.gguf", "0" * 64))
    assert engine.pid is None


def test_a_second_request_during_a_reply_is_refused_and_the_reply_goes_on(
    start: Start, spec: LoadSpec
) -> None:
    engine = start(
        ANSWER_LOAD
        + "        send(request['id'], 'prefill', done=1, total=2, cached=0)\n"
        + "        send(request['id'], 'prefill', done=2, total=2, cached=0)\n"
    )
    engine.load(spec)
    events = engine.generate([1, 2], Sampling())
    next(events)
    with pytest.raises(EngineBusy):
        engine.score([1], [2])
    assert next(events) == Prefill(2, 2, 0)


def test_closing_a_reply_early_tells_the_child_to_cancel_it(
    start: Start, spec: LoadSpec, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    engine = start(
        ANSWER_LOAD
        + f"""
        with open({str(seen)!r}, "a") as out:
            out.write(json.dumps(request) + "\\n")
        if request["op"] == "generate":
            send(request["id"], "prefill", done=1, total=2, cached=0)
        if request["op"] == "score":
            send(request["id"], "scores", scores=[-1.0])
        """
    )
    engine.load(spec)
    events = engine.generate([1, 2], Sampling())
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert engine.score([1], [2]) == [-1.0]
    requests = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
    assert [request["op"] for request in requests] == ["generate", "cancel", "score"]
    assert requests[1]["target"] == requests[0]["id"]


def test_nothing_can_be_asked_before_a_model_is_loaded(start: Start) -> None:
    engine = start("")
    for ask in (
        lambda: engine.tokenize("a", special=False),
        lambda: engine.warm([1]),
        lambda: engine.score([1], [2]),
    ):
        with pytest.raises(EngineError, match="No language model"):
            ask()
    engine.cancel()
    engine.close()
    engine.close()


def test_closing_ends_a_child_that_ignores_the_end_of_its_input(start: Start, spec: LoadSpec) -> None:
    engine = start("""
        request = next(requests())
        send(request["id"], "loaded", **LOADED)
        import threading; threading.Event().wait()
    """)
    engine.load(spec)
    child = engine.pid
    engine.close()
    assert child is not None
    assert not psutil.pid_exists(child)
