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
from tutor_app.session.events import Event, ReplyFragment, Said
from tutor_app.session.host import ModelHost
from tutor_app.session.session import Session

Hosted = Callable[[ScriptedEngine], ModelHost]
Make = Callable[[ScriptedEngine], Session]


def read_in(session: Session, engine: ScriptedEngine, host: ModelHost) -> None:
    """Start the session, and wait until its lesson has been read in."""
    list(session.start())
    while not engine.calls["warm"] or host.state.state != "ready":
        pass


@pytest.fixture
def talk(spanish: LessonSet, store: Store, hosted: Hosted) -> Make:
    def make(engine: ScriptedEngine) -> Session:
        host = hosted(engine)
        session = Session(spanish, None, store, host, level="A2", seed=1, fresh=True)
        read_in(session, engine, host)
        return session

    return make


def always() -> bool:
    return True


def native(said: str) -> str:
    return NATIVE if said == WRONG else said


def test_a_turn_that_was_read_ahead_only_has_to_be_answered(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    session.read_along(Said(WRONG, 5.0), whole=True, wanted=always)
    asked = engine.calls["generate"]
    events = list(session.submit(Said(WRONG, 5.0)))
    reply = reply_in(events)
    assert (reply.move, reply.recast, reply.source) == ("recast", NATIVE, "model")
    assert engine.calls["generate"] == asked
    assert reply.ttft_ms == reply.total_ms  # the wait for the engine, and nothing after it
    assert "".join(event.text for event in events if isinstance(event, ReplyFragment)) == reply.text
    following = "Ella trabaja en casa también"
    assert reply_in(list(session.submit(Said(following, 5.0)))).prompt_tokens > reply.prompt_tokens


def test_between_two_turns_what_was_said_is_read_in(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    while not engine.prefilled:  # the tutor's first line, beside what the learner does
        pass
    (opening,) = engine.prefilled
    reply = reply_in(list(session.submit(Said("Vivo en Queens con mi familia", 5.0))))
    assert engine.prefilled == [opening]  # nobody waits for it
    session.read_along(Said(""), whole=False, wanted=always)
    settled = engine.prefilled[-1]
    assert engine.text(settled).endswith(f"{reply.text}<|im_end|>\n<|im_start|>user\n")
    list(session.submit(Said("Trabajo mucho en casa", 5.0)))
    asked = engine.prompts[-1]
    assert asked[: len(settled)] == settled
    assert engine.text(asked[len(settled) :]).startswith("Trabajo mucho en casa")


def test_what_was_prepared_for_other_words_is_not_said(talk: Make) -> None:
    replies = ["¡Qué bien! ¿Qué haces en Queens?", GOOD]
    session = talk(engine_that(native, lambda: replies.pop(0)))
    session.read_along(Said("Vivo en Queens con mi familia", 5.0), whole=True, wanted=always)
    reply = reply_in(list(session.submit(Said("Vivo en Harlem con mi familia", 5.0))))
    assert (reply.text, replies) == (GOOD, [])


def test_who_took_long_is_answered_by_a_hint_though_a_reply_was_prepared(talk: Make, store: Store) -> None:
    engine = engine_that(native)
    session = talk(engine)
    for _ in range(6):
        list(session.submit(Said("Vivo en Queens con mi familia y mi perro", 4.0)))
    session.read_along(Said("Trabajo mucho en casa", 5.0), whole=True, wanted=always)
    asked = engine.calls["generate"]
    session.read_along(Said("Trabajo mucho en casa", 290.0), whole=True, wanted=always)
    assert engine.calls["generate"] == asked  # by then it is known that no reply of the model's is needed
    reply = reply_in(list(session.submit(Said("Trabajo mucho en casa", 300.0))))
    assert "slow" in reply.signals
    assert reply.move == "hint"


@pytest.mark.parametrize("said", [WRONG, "Vivo en Queens con mi familia", "No entiendo", "Sí, mucho"])
def test_it_is_answered_as_if_it_had_not_been(talk: Make, said: str) -> None:
    plain = reply_in(list(talk(engine_that(native)).submit(Said(said, 5.0))))
    session = talk(engine_that(native))
    session.read_along(Said(said[:6], 5.0), whole=False, wanted=always)
    session.read_along(Said(said, 5.0), whole=True, wanted=always)
    reply = reply_in(list(session.submit(Said(said, 5.0))))
    for field in ("text", "move", "signals", "source", "recast", "hint_level", "prompt_tokens"):
        assert getattr(reply, field) == getattr(plain, field)


def test_what_is_half_written_is_read_and_not_reformulated(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    session.read_along(Said("Vivo en Queens. Mi hermana es", 5.0), whole=False, wanted=always)
    assert engine.calls["generate"] == 1  # the finished sentence
    assert engine.text(engine.prompts[0]).count("[native] Vivo en Queens.<|im_end|>") == 1
    sentence, turn = (engine.text(ids) for ids in engine.prefilled[-2:])
    assert sentence.endswith("[native] Mi hermana es")
    assert turn.endswith("<|im_start|>user\nVivo en Queens. Mi hermana es")


def test_at_its_full_stop_a_sentence_is_looked_at_and_no_more(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    while not engine.prefilled:  # the tutor's first line, beside what the learner does
        pass
    said = "Vivo en Queens con mi familia."
    session.read_along(Said(said, 5.0), whole=False, wanted=always)
    assert (engine.calls["generate"], len(engine.prefilled)) == (1, 1)
    assert reply_in(list(session.submit(Said(said, 5.0)))).text == GOOD
    assert engine.calls["generate"] == 2


def test_nothing_is_begun_for_a_text_that_is_not_there_any_more(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    for whole in (False, True):
        session.read_along(Said("Vivo en Queens con mi familia.", 5.0), whole=whole, wanted=lambda: False)
    assert engine.calls["generate"] == 0


def test_nothing_of_it_is_kept(talk: Make, store: Store) -> None:
    def rows() -> list[tuple[object, ...]]:
        return [
            tuple(row)
            for table in ("turns", "replies")
            for row in store.database.rows(f"SELECT * FROM {table}")
        ]

    session = talk(engine_that(native))
    position, before = session._position.saved(), rows()
    session.read_along(Said(WRONG, 5.0), whole=True, wanted=always)
    assert (session._position.saved(), rows()) == (position, before)


def test_it_leaves_off_when_the_learner_writes_on(talk: Make) -> None:
    gate = threading.Event()
    engine = engine_that(lambda _: Line(NATIVE, gate=gate))
    session = talk(engine)
    reading = threading.Thread(
        target=lambda: session.read_along(Said(WRONG, 5.0), whole=True, wanted=lambda: not gate.is_set())
    )
    reading.start()
    while reading.is_alive():
        if engine.calls["generate"]:
            session.stop_reading()
        reading.join(0.01)
    assert engine.calls["generate"] == 1  # no reply was begun
    gate.set()
    assert reply_in(list(session.submit(Said(WRONG, 5.0)))).recast == NATIVE


def test_a_reply_that_is_stopped_while_it_is_prepared_is_not_said(talk: Make) -> None:
    gates = [threading.Event()]
    engine = engine_that(native, lambda: Line(GOOD, gate=gates.pop() if gates else None))
    session = talk(engine)
    said = "Vivo en Queens con mi familia"
    reading = threading.Thread(target=lambda: session.read_along(Said(said, 5.0), whole=True, wanted=always))
    reading.start()
    while reading.is_alive():
        if not gates:
            session.stop_reading()
        reading.join(0.01)
    asked = engine.calls["generate"]
    reply = reply_in(list(session.submit(Said(said, 5.0))))
    assert (reply.text, reply.stopped) == (GOOD, False)
    assert engine.calls["generate"] == asked + 1


def test_a_turn_waits_for_what_is_done_ahead_and_esc_is_meant_for_that_turn(talk: Make, store: Store) -> None:
    gates = [threading.Event()]
    engine = engine_that(lambda _: Line(NATIVE, gate=gates.pop() if gates else None))
    session = talk(engine)
    reading = threading.Thread(
        target=lambda: session.read_along(Said(WRONG, 5.0), whole=True, wanted=lambda: bool(gates))
    )
    reading.start()
    while gates:
        assert reading.is_alive()
    events: list[Event] = []
    answering = threading.Thread(target=lambda: events.extend(session.submit(Said(WRONG, 5.0))))
    answering.start()
    while not store.database.rows("SELECT * FROM turns"):  # committed before it waits
        assert answering.is_alive()
    answering.join(0.2)
    assert answering.is_alive()
    session.stop()
    answering.join(5.0)
    reading.join(5.0)
    assert reply_in(events).stopped
    assert engine.calls["generate"] == 1
    assert reply_in(list(session.submit(Said(WRONG, 5.0)))).recast == NATIVE


def test_one_stop_between_two_requests_is_enough(talk: Make) -> None:
    engine = engine_that(native)
    session = talk(engine)
    engine.score_of = lambda before, tokens: (session.stop_reading(), [-1.0] * len(tokens))[1]
    session.read_along(Said("Ella trabaja en casa. Mi hermana es en casa.", 5.0), whole=True, wanted=always)
    assert engine.calls["revise"] <= 1
    assert engine.calls["generate"] == 1


def test_a_text_too_long_for_the_window_costs_nothing(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = ScriptedEngine(lambda _: GOOD, n_ctx=1200)
    host = hosted(engine)
    session = Session(spanish, None, store, host, level="A2", seed=1)
    read_in(session, engine, host)
    session.read_along(Said("Ella vive lejos " * 200, 5.0), whole=False, wanted=always)
    session.read_along(Said("Ella vive lejos " * 200, 5.0), whole=True, wanted=always)
    assert host.state.state == "ready"


def test_a_model_that_others_wait_for_is_left_alone(talk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptedEngine, "private", False)
    engine = engine_that(native)
    talk(engine).read_along(Said(WRONG, 5.0), whole=True, wanted=always)
    assert engine.calls["generate"] == engine.calls["prefill"] == 0


def test_items_with_a_known_answer_need_no_reading(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = engine_that(native)
    session = Session(spanish, spanish.lessons[0].id, store, hosted(engine), seed=1)
    list(session.start())
    session.read_along(Said(""), whole=False, wanted=always)
    session.read_along(Said(WRONG, 5.0), whole=True, wanted=always)
    assert engine.calls["generate"] == engine.calls["prefill"] == 0


def test_an_engine_that_dies_of_it_is_brought_back_before_the_turn(
    talk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_that(native)
    session = talk(engine)

    def die(*given: object, **more: object) -> None:
        monkeypatch.undo()
        raise EngineDied("The language model stopped unexpectedly.", exit_code=-11)

    monkeypatch.setattr(engine, "revise", die)
    session.read_along(Said("Vivo en Queens con mi familia", 5.0), whole=True, wanted=always)
    reply = reply_in(list(session.submit(Said("Vivo en Queens con mi familia", 5.0))))
    assert (reply.text, reply.source) == (GOOD, "model")
    assert engine.calls["load"] == 2
