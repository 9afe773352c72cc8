"""Reading along: what a turn needs of the model is done before it is sent, and nothing else changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from lessons.schema import LessonSet
from tests.session.test_stopping import GOOD, NATIVE, WRONG, engine_that, reply_in
from tutor_app.llm.fake import Line, ScriptedEngine
from tutor_app.llm.protocol import EngineDied
from tutor_app.progress.store import Store
from tutor_app.session.events import Said
from tutor_app.session.host import ModelHost
from tutor_app.session.session import Session

Hosted = Callable[[ScriptedEngine], ModelHost]
Make = Callable[[ScriptedEngine], Session]


@pytest.fixture
def talk(spanish: LessonSet, store: Store, hosted: Hosted) -> Make:
    def make(engine: ScriptedEngine) -> Session:
        host = hosted(engine)
        session = Session(spanish, None, store, host, level="A2", seed=1, fresh=True)
        list(session.start())
        while not engine.calls["warm"] or host.state.state != "ready":
            pass
        return session

    return make


def always() -> bool:
    return True


def native(said: str) -> str:
    return NATIVE if said == WRONG else said


def test_a_turn_that_was_read_ahead_only_has_to_be_answered(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    session.read_along(WRONG, whole=True, wanted=always)
    asked = engine.calls["generate"]
    reply = reply_in(list(session.submit(Said(WRONG, 5.0))))
    assert (reply.move, reply.recast) == ("recast", NATIVE)
    assert engine.calls["generate"] == asked + 1
    assert reply.cached_tokens == reply.prompt_tokens - 1


@pytest.mark.parametrize("said", [WRONG, "Vivo en Queens con mi familia", "No entiendo", "Sí, mucho"])
def test_it_is_answered_as_if_it_had_not_been(talk: Make, said: str) -> None:
    plain = reply_in(list(talk(engine_that(native)).submit(Said(said, 5.0))))
    session = talk(engine_that(native))
    session.read_along(said[:6], whole=False, wanted=always)
    session.read_along(said, whole=True, wanted=always)
    reply = reply_in(list(session.submit(Said(said, 5.0))))
    for field in ("text", "move", "signals", "source", "recast", "hint_level", "prompt_tokens"):
        assert getattr(reply, field) == getattr(plain, field)


def test_what_is_half_written_is_read_and_not_reformulated(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    session.read_along("Vivo en Queens. Mi hermana es", whole=False, wanted=always)
    assert engine.calls["generate"] == 1  # the finished sentence
    assert engine.text(engine.prompts[0]).count("[native] Vivo en Queens.<|im_end|>") == 1
    assert engine.text(engine._context).endswith("[native] Mi hermana es")


def test_nothing_of_it_is_kept(talk: Make, store: Store) -> None:
    def rows() -> list[tuple[object, ...]]:
        return [
            tuple(row)
            for table in ("turns", "replies")
            for row in store.database.rows(f"SELECT * FROM {table}")
        ]

    session = talk(engine_that(native))
    position, before = session._position.saved(), rows()
    session.read_along(WRONG, whole=True, wanted=always)
    assert (session._position.saved(), rows()) == (position, before)


def test_it_leaves_off_when_the_learner_writes_on(talk: Make) -> None:
    gate = threading.Event()
    engine = engine_that(lambda _: Line(NATIVE, gate=gate))
    session = talk(engine)
    reading = threading.Thread(
        target=lambda: session.read_along(WRONG, whole=True, wanted=lambda: not gate.is_set())
    )
    reading.start()
    while reading.is_alive():
        if engine.calls["generate"]:
            session.stop_reading()
        reading.join(0.01)
    assert engine.calls["prefill"] == 0  # the reply's prompt was not begun
    gate.set()
    assert reply_in(list(session.submit(Said(WRONG, 5.0)))).recast == NATIVE


def test_a_model_that_others_wait_for_is_left_alone(talk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptedEngine, "private", False)
    engine = engine_that(native)
    talk(engine).read_along(WRONG, whole=True, wanted=always)
    assert engine.calls["generate"] == engine.calls["prefill"] == 0


def test_items_with_a_known_answer_need_no_reading(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = engine_that(native)
    session = Session(spanish, spanish.lessons[0].id, store, hosted(engine), seed=1)
    list(session.start())
    session.read_along(WRONG, whole=True, wanted=always)
    assert engine.calls["generate"] == engine.calls["prefill"] == 0


def test_an_engine_that_dies_of_it_is_brought_back_before_the_turn(
    talk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_that(native)
    session = talk(engine)

    def die(ids: object) -> None:
        monkeypatch.undo()
        raise EngineDied("The language model stopped unexpectedly.", exit_code=-11)

    monkeypatch.setattr(engine, "prefill", die)
    session.read_along("Vivo en Queens con mi familia", whole=True, wanted=always)
    reply = reply_in(list(session.submit(Said("Vivo en Queens con mi familia", 5.0))))
    assert (reply.text, reply.source) == (GOOD, "model")
    assert engine.calls["load"] == 2
