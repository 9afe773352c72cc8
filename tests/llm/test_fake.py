"""The scripted engine behaves as the protocol says."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tutor_app.llm.fake import Line, ScriptedEngine
from tutor_app.llm.protocol import (
    Adapter,
    Done,
    EngineBusy,
    EngineDied,
    EngineError,
    EngineHung,
    Fragment,
    LoadSpec,
    ModelRefused,
    PromptTooLong,
    Sampling,
)


def loaded(*lines: str | Line, n_ctx: int = 4096) -> ScriptedEngine:
    engine = ScriptedEngine(lines, n_ctx=n_ctx)
    engine.load()
    return engine


def said(engine: ScriptedEngine, ids: list[int], sampling: Sampling | None = None) -> tuple[str, Done]:
    events = list(engine.generate(ids, sampling or Sampling()))
    end = events[-1]
    assert isinstance(end, Done)
    assert sum(isinstance(event, Done) for event in events) == 1
    return "".join(event.text for event in events if isinstance(event, Fragment)), end


def test_lines_come_in_order_and_are_counted() -> None:
    engine = loaded("Hola, ¿qué tal?", "Muy bien.")
    ids = engine.tokenize("<bos>uno dos", special=True)
    assert said(engine, ids)[0] == "Hola, ¿qué tal?"
    assert said(engine, ids)[0] == "Muy bien."
    assert engine.calls["generate"] == 2
    assert engine.text(engine.prompts[0]) == "<bos>uno dos"
    with pytest.raises(AssertionError, match="2 replies"):
        said(engine, ids)


def test_a_callable_reads_the_prompt() -> None:
    engine = ScriptedEngine(lambda ids: engine.text(ids).upper())
    engine.load()
    assert said(engine, engine.tokenize("buenos días", special=False))[0] == "BUENOS DÍAS"


def test_control_tokens_are_recognised_only_when_asked() -> None:
    engine = loaded()
    assert len(engine.tokenize("<end_of_turn>", special=True)) == 1
    assert engine.loaded is not None
    ids = engine.tokenize("a <end_of_turn>", special=False)
    assert not set(ids) & set(engine.loaded.end_ids)
    assert engine.text(ids) == "a <end_of_turn>"


def test_length_and_stop_texts_are_kept() -> None:
    engine = loaded("uno dos tres cuatro", "uno dos tres cuatro")
    text, end = said(engine, [1], Sampling(max_tokens=2))
    assert (text, end.reason, end.generated_tokens) == ("uno dos", "length", 2)
    text, end = said(engine, [1], Sampling(stop_texts=("tres",)))
    assert (text, end.reason) == ("uno dos ", "stop")


def test_shared_beginnings_count_as_cached() -> None:
    engine = loaded("a", "b", "c")
    ids = engine.tokenize("uno dos tres cuatro", special=False)
    assert said(engine, ids)[1].cached_tokens == 0
    assert said(engine, ids)[1].cached_tokens == len(ids) - 1
    engine.set_adapters([Adapter("x", Path("x"), "0" * 64)])
    assert said(engine, ids)[1].cached_tokens == 0


def test_a_warm_prefix_is_restored_the_second_time() -> None:
    engine = loaded()
    assert not engine.warm([1, 2, 3]).restored
    assert engine.warm([1, 2, 3]).restored
    engine.load()
    assert engine.warm([1, 2, 3]).restored
    assert not engine.warm([1, 2, 4]).restored


def test_deaths_and_hangs_unload_it() -> None:
    engine = loaded(Line("uno dos tres", dies_after=1, out_of_memory=True), Line("uno", hangs_after=0))
    events = engine.generate([1], Sampling())
    assert isinstance([next(events), next(events)][1], Fragment)
    with pytest.raises(EngineDied) as caught:
        next(events)
    assert caught.value.out_of_memory
    with pytest.raises(EngineError, match="No language model"):
        engine.tokenize("a", special=False)
    engine.load()
    with pytest.raises(EngineHung):
        list(engine.generate([1], Sampling()))
    assert engine.loaded is None


def test_a_gate_holds_the_reply_until_it_is_opened_or_cancelled() -> None:
    gate = threading.Event()
    engine = loaded(Line("uno", gate=gate), Line("uno", gate=gate))
    threading.Timer(0.0, engine.cancel).start()
    while engine.calls["cancel"] == 0:
        pass
    waiting = engine.generate([1], Sampling())
    next(waiting)
    engine.cancel()
    (end,) = waiting
    assert isinstance(end, Done)
    assert end.reason == "cancelled"
    gate.set()
    assert said(engine, [1])[0] == "uno"


def test_one_reply_at_a_time() -> None:
    engine = loaded("uno", "dos")
    first = engine.generate([1], Sampling())
    next(first)
    with pytest.raises(EngineBusy):
        next(engine.generate([1], Sampling()))
    assert isinstance(list(first)[-1], Done)


def test_a_long_prompt_is_refused() -> None:
    with pytest.raises(PromptTooLong):
        said(loaded(n_ctx=8), [1] * 8)


def test_loading_can_fail_until_it_is_told_not_to() -> None:
    engine = ScriptedEngine(["a"], load_error=ModelRefused("too large"))
    with pytest.raises(ModelRefused):
        engine.load(LoadSpec("big", Path("big"), "0" * 64))
    assert engine.loaded is None
    engine.load_error = None
    assert engine.load().model_id == "scripted"
