"""The real worker with the real small model."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tutor_app.llm.client import ChildEngine
from tutor_app.llm.protocol import (
    Done,
    EngineDied,
    EngineError,
    EngineHung,
    EngineStopped,
    Fragment,
    GenerationEvent,
    LoadSpec,
    ModelRefused,
    Prefill,
    PromptTooLong,
    Sampling,
)

pytestmark = pytest.mark.model

GREEDY = Sampling(temperature=0.0, max_tokens=24)
LESSON = "La profesora explica la lección: el verbo ser y el verbo estar son distintos. " * 12  # 206 tokens


def prompt(engine: ChildEngine, text: str) -> list[int]:
    return engine.tokenize("<bos>", special=True) + engine.tokenize(text, special=False)


def text_of(events: Sequence[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Fragment))


def ids_of(events: Sequence[GenerationEvent]) -> list[int]:
    return [id for event in events if isinstance(event, Fragment) for id in event.token_ids]


def logprobs_of(events: Sequence[GenerationEvent]) -> list[float]:
    return [value for event in events if isinstance(event, Fragment) for value in event.logprobs]


def done(events: Sequence[GenerationEvent]) -> Done:
    assert sum(isinstance(event, Done) for event in events) == 1
    last = events[-1]
    assert isinstance(last, Done)
    return last


def test_a_reply_reports_what_it_cost(engine: ChildEngine) -> None:
    ids = prompt(engine, "Lunes, martes, miércoles, jueves,")
    events = list(engine.generate(ids, GREEDY))
    end = done(events)
    assert "viernes" in text_of(events)
    assert end.reason == "length"
    assert end.prompt_tokens == len(ids)
    assert end.generated_tokens == len(ids_of(events)) == len(logprobs_of(events)) == GREEDY.max_tokens
    assert 0 < end.ttft_ms <= end.total_ms
    assert engine.stats().used_tokens >= len(ids)
    assert engine.stats().rss_bytes > 100 * 2**20


def test_logprobs_are_those_that_scoring_gives(engine: ChildEngine) -> None:
    ids = prompt(engine, "El gato duerme en la")
    events = list(engine.generate(ids, Sampling(temperature=1.0, seed=7, max_tokens=8)))
    # One token at a time, as they were generated: llama.cpp's quantised arithmetic rounds by batch size.
    said = ids_of(events)
    scores = [engine.score([*ids, *said[:n]], [said[n]])[0] for n in range(len(said))]
    assert scores[1:] == pytest.approx(logprobs_of(events)[1:], abs=1e-4)
    assert all(score <= 0 for score in scores)
    assert len(engine.score(ids, said)) == len(said)


def test_greedy_takes_the_likeliest_token(engine: ChildEngine) -> None:
    ids = prompt(engine, "Uno, dos, tres,")
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=1)
    events = list(engine.generate(ids, sampling))
    (best,) = logprobs_of(events)
    others = engine.tokenize(" y los perros comen pan", special=False)
    assert all(best >= engine.score(ids, [token])[0] for token in others)


def test_the_same_seed_gives_the_same_reply_and_another_seed_another(engine: ChildEngine) -> None:
    ids = prompt(engine, "Un día en la playa,")
    sampling = Sampling(temperature=1.0, top_p=1.0, min_p=0.0, top_k=0, max_tokens=16, seed=1)
    list(engine.generate(ids, sampling))  # from here on the same tokens are reused each time
    first = ids_of(list(engine.generate(ids, sampling)))
    assert ids_of(list(engine.generate(ids, sampling))) == first
    assert ids_of(list(engine.generate(ids, replace(sampling, seed=2)))) != first


def test_the_repetition_penalty_keeps_a_loop_from_going_on(engine: ChildEngine) -> None:
    ids = prompt(engine, "sí sí sí sí sí sí sí sí sí sí sí sí")
    plain = ids_of(list(engine.generate(ids, Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=8))))
    weakened = ids_of(list(engine.generate(ids, Sampling(temperature=0.0, repeat_penalty=1.6, max_tokens=8))))
    assert len(set(plain)) == 1
    assert plain[0] not in weakened


def test_a_stop_text_ends_the_reply_and_is_not_shown(engine: ChildEngine) -> None:
    ids = prompt(engine, "Lunes, martes, miércoles, jueves,")
    whole = text_of(list(engine.generate(ids, GREEDY)))
    stop = whole[6:10]
    events = list(engine.generate(ids, replace(GREEDY, stop_texts=(stop,))))
    assert text_of(events) == whole[: whole.index(stop)]
    assert done(events).reason == "stop"


def test_a_stop_id_ends_the_reply(engine: ChildEngine) -> None:
    ids = prompt(engine, "Lunes, martes, miércoles, jueves,")
    whole = ids_of(list(engine.generate(ids, GREEDY)))
    events = list(engine.generate(ids, replace(GREEDY, stop_ids=(whole[3],))))
    assert ids_of(events) == whole[: whole.index(whole[3])]
    assert done(events).reason == "stop"


def test_control_tokens_typed_by_a_learner_are_ordinary_text(engine: ChildEngine) -> None:
    assert len(engine.tokenize("<end_of_turn>", special=True)) == 1
    assert len(engine.tokenize("<end_of_turn>", special=False)) > 1
    assert engine.tokenize("", special=True) == []
    assert engine.loaded is not None
    assert engine.tokenize("<end_of_turn>", special=True)[0] in engine.loaded.end_ids


def test_text_that_is_no_text_can_be_tokenized(engine: ChildEngine) -> None:
    assert engine.tokenize("\ud800", special=False)
    assert engine.tokenize("a\x00b", special=True)


def test_ids_that_are_none_of_the_model_s_are_a_sentence(engine: ChildEngine) -> None:
    with pytest.raises(EngineError, match="failed"):
        list(engine.generate([5, 10**6], GREEDY))
    assert text_of(list(engine.generate([5, 6], GREEDY)))


def test_a_prompt_that_fills_the_window_is_refused_with_its_length(engine: ChildEngine) -> None:
    assert engine.loaded is not None
    ids = [5] * engine.loaded.n_ctx
    for ask in (
        lambda: list(engine.generate(ids, GREEDY)),
        lambda: engine.warm(ids),
        lambda: engine.score(ids, [5]),
    ):
        with pytest.raises(PromptTooLong) as caught:
            ask()
        assert caught.value.tokens >= caught.value.n_ctx == engine.loaded.n_ctx
    assert done(list(engine.generate(ids[:20], GREEDY))).prompt_tokens == 20


def test_the_window_s_end_ends_the_reply(gemma: LoadSpec, prefixes: Path) -> None:
    engine = ChildEngine(prefixes)
    try:
        loaded = engine.load(replace(gemma, n_ctx=256))
        ids = prompt(engine, LESSON * 2)[: loaded.n_ctx - 3]
        events = list(engine.generate(ids, GREEDY))
        assert done(events).reason == "length"
        assert done(events).generated_tokens == 3
    finally:
        engine.close()


def test_a_cancel_is_honoured_in_the_middle_of_the_prompt(engine: ChildEngine) -> None:
    ids = prompt(engine, "Había una vez un lugar muy lejano. " * 80)[:700]
    reference = list(engine.generate(ids, GREEDY))
    engine.set_adapters(())  # forget the context
    events: list[GenerationEvent] = []
    for event in engine.generate(ids, GREEDY):
        events.append(event)
        if len(events) == 2:
            engine.cancel()
    prefills = [event for event in events if isinstance(event, Prefill)]
    assert done(events).reason == "cancelled"
    assert len(prefills) <= 4  # two before the cancel, and what was under way
    assert prefills[-1].done < len(ids)
    again = list(engine.generate(ids, GREEDY))
    assert done(again).cached_tokens >= prefills[-1].done
    assert text_of(again) == text_of(reference)


def test_a_cancel_ends_a_reply_between_tokens(engine: ChildEngine) -> None:
    ids = prompt(engine, "Cuenta una historia muy larga:")
    events: list[GenerationEvent] = []
    for event in engine.generate(ids, replace(GREEDY, max_tokens=2000)):
        events.append(event)
        if isinstance(event, Fragment):
            engine.cancel()
    assert done(events).reason == "cancelled"
    assert done(events).generated_tokens < 1000


def test_leaving_a_reply_early_makes_room_for_the_next(engine: ChildEngine) -> None:
    ids = prompt(engine, "Cuenta una historia muy larga:")
    for event in engine.generate(ids, replace(GREEDY, max_tokens=3000)):
        if isinstance(event, Fragment):
            break
    assert text_of(list(engine.generate(ids, GREEDY)))


def test_what_was_read_ahead_is_not_read_again(engine: ChildEngine) -> None:
    ids = prompt(engine, "Una montaña muy alta y verde. " * 30)
    reference = text_of(list(engine.generate(ids, GREEDY)))
    engine.set_adapters(())  # forget the context
    engine.prefill(ids[:-1])
    events = list(engine.generate(ids, GREEDY))
    assert done(events).cached_tokens == len(ids) - 1
    assert text_of(events)[:20] == reference[:20]
    with pytest.raises(PromptTooLong):
        engine.prefill(ids * 40)


def test_reading_ahead_can_be_stopped(engine: ChildEngine) -> None:
    ids = prompt(engine, "Había una vez un lugar muy lejano. " * 80)[:1500]
    over = threading.Event()

    def cancel() -> None:
        while not over.wait(0.005):  # without effect as long as nothing runs
            engine.cancel()

    learner = threading.Thread(target=cancel)
    learner.start()
    with pytest.raises(EngineStopped):
        engine.prefill(ids)
    over.set()
    learner.join()
    assert done(list(engine.generate(ids, GREEDY))).cached_tokens < len(ids) - 1


def test_a_cancelled_warm_up_says_so(engine: ChildEngine) -> None:
    ids = prompt(engine, "Una montaña muy alta y verde. " * 80)[:600]
    with pytest.raises(EngineStopped):
        engine.warm(ids, on_progress=lambda fraction: engine.cancel())
    engine.cancel()  # nothing runs: no effect on what comes
    assert text_of(list(engine.generate(ids[:50], GREEDY)))


def test_tokenizing_does_not_wait_for_a_reply(engine: ChildEngine) -> None:
    ids = prompt(engine, "Cuenta una historia muy larga:")
    for event in engine.generate(ids, replace(GREEDY, max_tokens=400)):
        if isinstance(event, Fragment):
            assert engine.tokenize("Hola", special=False)
            break


def test_later_turns_reuse_the_whole_conversation(engine: ChildEngine) -> None:
    lesson = prompt(engine, LESSON)
    first = [*lesson, *engine.tokenize("\nAlumno: Hola.\nTutor:", special=False)]
    events = list(engine.generate(first, GREEDY))
    second = [*first, *ids_of(events), *engine.tokenize("\nAlumno: Gracias.\nTutor:", special=False)]
    end = done(list(engine.generate(second, GREEDY)))
    assert end.cached_tokens >= len(first) + GREEDY.max_tokens - 1


def test_two_conversations_on_one_lesson_do_not_push_each_other_out(engine: ChildEngine) -> None:
    lesson = prompt(engine, LESSON)
    talk = [*lesson, *engine.tokenize("\nAlumno: Ayer fui al mercado con mi abuela. " * 6, special=False)]
    begun = [*lesson, *engine.tokenize("\nReformula:", special=False)]
    aside = [*begun, *engine.tokenize(" Yo fue a la mercado ayer por el tarde." * 6, special=False)]
    engine.warm(begun)
    reference = text_of(list(engine.generate(talk, GREEDY)))
    for sentence in (aside, [*aside[:-3], *aside[-2:]], [*aside[:-4], *aside[-2:]]):
        list(engine.generate(sentence, replace(GREEDY, max_tokens=2)))
    back = list(engine.generate(talk, GREEDY))
    assert done(back).cached_tokens >= len(talk) - 1
    assert text_of(back) == reference
    again = list(engine.generate([*aside[:-4], *aside[-2:]], GREEDY))
    assert done(again).cached_tokens >= len(aside) - 4


def test_a_saved_prefix_gives_the_same_bytes_in_another_process(gemma: LoadSpec, prefixes: Path) -> None:
    replies, scores = [], []
    for expected in (False, True):
        engine = ChildEngine(prefixes)
        try:
            engine.load(gemma)
            lesson = prompt(engine, LESSON)
            assert engine.warm(lesson).restored is expected
            ids = [*lesson, *engine.tokenize("\nLa casa", special=False)]
            events = list(engine.generate(ids, GREEDY))
            assert done(events).cached_tokens == len(lesson)
            replies.append((text_of(events), logprobs_of(events)))
            scores.append(engine.score(ids, engine.tokenize(" es muy bonita y grande", special=False)))
        finally:
            engine.close()
    assert replies[0] == replies[1]
    assert scores[0] == scores[1]


def test_a_prefix_of_another_window_or_model_is_not_restored(gemma: LoadSpec, prefixes: Path) -> None:
    engine = ChildEngine(prefixes)
    try:
        engine.load(gemma)
        ids = prompt(engine, LESSON)[:100]
        assert not engine.warm(ids).restored
        assert engine.warm(ids).restored
        for other in (replace(gemma, n_ctx=1024), replace(gemma, sha256="f" * 64)):
            engine.load(other)
            assert not engine.warm(ids).restored
        engine.load(gemma)
        assert engine.warm(ids).restored
        assert not engine.warm([*ids[:-1], 7]).restored
    finally:
        engine.close()


def test_a_damaged_prefix_is_computed_again(gemma: LoadSpec, prefixes: Path) -> None:
    engine = ChildEngine(prefixes)
    try:
        engine.load(gemma)
        ids = prompt(engine, LESSON)[:80]
        engine.warm(ids)
        reference = text_of(list(engine.generate([*ids, 5], GREEDY)))
        (saved,) = prefixes.iterdir()
        data = bytearray(saved.read_bytes())
        data[-1000] ^= 0xFF
        saved.write_bytes(data)
        engine.load(gemma)
        assert not engine.warm(ids).restored
        assert text_of(list(engine.generate([*ids, 5], GREEDY))) == reference
    finally:
        engine.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_a_child_killed_in_mid_reply_can_be_replaced(gemma: LoadSpec, prefixes: Path) -> None:
    engine = ChildEngine(prefixes)
    try:
        engine.load(gemma)
        ids = prompt(engine, "Cuenta una historia muy larga:")
        events = engine.generate(ids, replace(GREEDY, max_tokens=2000))
        while not isinstance(next(events), Fragment):
            pass
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        with pytest.raises(EngineDied) as caught:
            list(events)
        assert caught.value.out_of_memory
        assert engine.loaded is None
        engine.load(gemma)
        assert text_of(list(engine.generate(ids, GREEDY)))
    finally:
        engine.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_a_stopped_child_counts_as_hung(gemma: LoadSpec) -> None:
    engine = ChildEngine(hang_s=30)
    try:
        engine.load(gemma)
        ids = prompt(engine, "Hola")
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)
        engine._hang_s = 0.2
        with pytest.raises(EngineHung):
            list(engine.generate(ids, GREEDY))
    finally:
        engine.close()


PRINTS_ALL_THE_TIME = """
    import ctypes, os, runpy, sys, threading
    libc = ctypes.CDLL(None)
    def chatter():
        while True:
            os.write(1, b'{"id": 1, "event": "loaded"')
            libc.puts(b"stray print from native code")
            libc.fflush(None)
            print("stray print from Python", flush=True)
            tick.wait(0.002)
    tick = threading.Event()
    import tutor_app.llm.worker as worker
    protect = worker.protect_stdout
    def protect_and_chatter():
        out = protect()
        threading.Thread(target=chatter, daemon=True).start()
        return out
    worker.protect_stdout = protect_and_chatter
    worker.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="uses the C library by its POSIX name")
def test_stray_prints_cannot_break_the_protocol(gemma: LoadSpec, engine: ChildEngine) -> None:
    ids = prompt(engine, "La capital de España es")
    engine.set_adapters(())  # forget the context, as the new child has none
    reference = text_of(list(engine.generate(ids, GREEDY)))
    noisy = ChildEngine(command=(sys.executable, "-c", textwrap.dedent(PRINTS_ALL_THE_TIME)))
    try:
        noisy.load(gemma)
        assert text_of(list(noisy.generate(ids, GREEDY))) == reference
        assert "stray print from" in noisy.last_words
    finally:
        noisy.close()


def test_the_end_of_the_parent_ends_the_child(gemma: LoadSpec) -> None:
    engine = ChildEngine()
    engine.load(gemma)
    child = engine.pid
    assert child is not None
    events = engine.generate(prompt(engine, "Cuenta:"), replace(GREEDY, max_tokens=3000))
    next(events)
    engine.close()  # closes the child's input, as the death of the parent does
    assert not psutil.pid_exists(child)


def test_a_file_that_llama_cpp_cannot_load_is_refused_with_its_reason(
    gemma: LoadSpec, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    with gemma.path.open("rb") as file:
        broken.write_bytes(file.read(20_000_000))
    engine = ChildEngine()
    try:
        with pytest.raises(ModelRefused, match="cannot be run"):
            engine.load(LoadSpec("broken", broken, "0" * 64))
        assert engine.load(gemma).n_vocab == 262_144
    finally:
        engine.close()
