"""Esc at any moment of a turn: the learner is answered, and the tutor is there for the next turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from lessons.schema import LessonSet
from tutor_app.llm.fake import Line, ScriptedEngine
from tutor_app.llm.protocol import EngineStopped, Progress, Warmed
from tutor_app.progress.store import Store
from tutor_app.session.events import Event, ModelState, Reply, Said, TurnIn
from tutor_app.session.host import ModelHost
from tutor_app.session.session import Session

Hosted = Callable[[ScriptedEngine], ModelHost]
WRONG, NATIVE = "Mi hermana es en casa", "Mi hermana está en casa"
GOOD = "Ya veo. ¿Y qué estudias tú?"


def engine_that(
    reformulates: Callable[[str], str | Line], replies: Callable[[], str | Line] = lambda: GOOD
) -> ScriptedEngine:
    engine: ScriptedEngine

    def say(ids: list[int]) -> str | Line:
        last = engine.text(ids).rsplit("<|im_start|>user\n", 1)[-1]
        if last.startswith("[native] "):
            return reformulates(last.removeprefix("[native] ").split("<|im_end|>")[0])
        return replies()

    engine = ScriptedEngine(say)
    engine.score_of = lambda _, tokens: [-0.1 if "está" in engine.text(tokens) else -2.0] * len(tokens)
    return engine


def stopped_in(session: Session, turn: TurnIn, when: Callable[[], bool]) -> list[Event]:
    """What comes of `turn` when the learner presses Esc once `when()` is true."""
    events: list[Event] = []
    answering = threading.Thread(target=lambda: events.extend(session.submit(turn)))
    answering.start()
    while not when():
        assert answering.is_alive()
    while answering.is_alive():  # a learner presses it again when nothing seems to happen
        session.stop()
        answering.join(0.05)
    return events


def reply_in(events: Sequence[Event]) -> Reply:
    (reply,) = (event for event in events if isinstance(event, Reply))
    return reply


def test_a_stop_while_the_sentence_is_looked_at_costs_only_that_turn(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    gates = [threading.Event()]
    engine = engine_that(lambda _: Line(NATIVE, gate=gates.pop() if gates else None))
    host = hosted(engine)
    session = Session(spanish, None, store, host, level="A2", seed=1)
    list(session.start())
    events = stopped_in(session, Said(WRONG, 5.0), lambda: engine.calls["generate"] > 0)
    assert reply_in(events).stopped
    assert not any(isinstance(event, ModelState) for event in events)
    assert host.state.state == "ready"
    after = reply_in(list(session.submit(Said(WRONG, 5.0))))
    assert (after.move, after.recast) == ("recast", NATIVE)


def test_after_a_reply_that_was_stopped_errors_are_seen_as_before(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    lines = [Line(GOOD, gate=threading.Event())]
    engine = engine_that(
        lambda said: NATIVE if said == WRONG else said, lambda: lines.pop() if lines else GOOD
    )
    session = Session(spanish, None, store, hosted(engine), level="A2", seed=1)
    list(session.start())
    events = stopped_in(session, Said("Vivo en Queens con mi familia", 5.0), lambda: not lines)
    assert reply_in(events).stopped
    assert reply_in(list(session.submit(Said(WRONG, 5.0)))).recast == NATIVE


class SlowToWarm(ScriptedEngine):
    """Reads a lesson in until it is told to go on, or stopped: as the real one, by an exception."""

    def __init__(self, script: Callable[[list[int]], str | Line]) -> None:
        super().__init__(script)
        self.reading, self.go_on = threading.Event(), threading.Event()

    def warm(self, ids: Sequence[int], *, save: bool = True, on_progress: Progress | None = None) -> Warmed:
        self._cancelled.clear()
        self.reading.set()
        while not self.go_on.wait(0.01):
            if self._cancelled.is_set():
                raise EngineStopped("Stopped.")
        return super().warm(ids, save=save, on_progress=on_progress)


def test_who_does_not_wait_for_a_lesson_to_be_read_in_has_the_tutor_in_the_next_turn(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = SlowToWarm(lambda _: GOOD)
    host = hosted(engine)
    session = Session(spanish, None, store, host, level="A2", seed=1)
    list(session.start())
    events = stopped_in(session, Said("Sí, mucho", 5.0), engine.reading.is_set)
    assert reply_in(events).source == "authored"
    assert host.state.state == "warming"
    engine.go_on.set()
    for _ in host.wait(lambda: False):
        pass
    assert reply_in(list(session.submit(Said("Sí, también", 5.0)))).source == "model"
    prompt = engine.text(engine.prompts[-1])
    assert prompt.index("Sí, mucho") < prompt.index(reply_in(events).text) < prompt.index("Sí, también")


def test_a_lesson_that_is_left_while_it_is_read_in_leaves_the_model_to_the_next(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = SlowToWarm(lambda _: GOOD)
    host = hosted(engine)
    left = Session(spanish, None, store, host, level="A2", seed=1)
    list(left.start())
    assert engine.reading.wait(5.0)
    left.close()
    for _ in host.wait(lambda: False):
        pass
    assert host.state.state == "ready"
    engine.go_on.set()
    after = Session(spanish, None, store, host, level="A2", seed=1)
    list(after.start())
    left.close()  # once more, as a screen does that is taken down late
    assert reply_in(list(after.submit(Said("Sí, mucho", 5.0)))).source == "model"
