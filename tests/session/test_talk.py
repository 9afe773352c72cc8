"""Free talk on a scripted engine: what the learner sees whatever the model says or does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lessons.schema import LessonSet
from tutor_app.llm.fake import SCRIPTED, Line, ScriptedEngine
from tutor_app.llm.protocol import ModelRefused
from tutor_app.pedagogy.validator import Situation, validate
from tutor_app.progress.store import Store
from tutor_app.session.choices import Choices
from tutor_app.session.events import (
    Event,
    ModelState,
    Reply,
    ReplyFragment,
    ReplyRetracted,
    Said,
    SessionStarted,
    StepShown,
)  # fmt: skip
from tutor_app.session.host import Announced, ModelHost, Ready
from tutor_app.session.session import Session

Hosted = Callable[[ScriptedEngine], ModelHost]
GOOD = "Ya veo. ¿Y qué estudias tú?"


def scripted(replies: Sequence[str | Line], native: str | None = None) -> ScriptedEngine:
    """Answers hidden reformulations with `native` (None: the sentence itself) and everything else in order."""
    left = list(replies)
    engine: ScriptedEngine

    def say(ids: list[int]) -> str | Line:
        prompt = engine.text(ids)
        last = prompt.rsplit("<|im_start|>user\n", 1)[-1]
        if last.startswith("[native]"):
            return native if native is not None else last.removeprefix("[native] ").split("<|im_end|>")[0]
        return left.pop(0) if left else GOOD

    engine = ScriptedEngine(say)
    engine.score_of = lambda before, tokens: (
        [-0.1 if native and engine.text(tokens).startswith(native) else -2.0] * len(tokens)
    )
    return engine


def talk(spanish: LessonSet, store: Store, host: ModelHost | None, **more: Any) -> Session:
    session = Session(spanish, None, store, host, level="A2", seed=1, **more)
    events = list(session.start())
    assert isinstance(events[0], SessionStarted)
    assert isinstance(events[-1], StepShown)
    return session


def replied(events: Sequence[Event]) -> Reply:
    replies = [event for event in events if isinstance(event, Reply)]
    assert len(replies) == 1
    assert validate(replies[0].text, Situation("es", "l2", "A2")) == []
    return replies[0]


def test_the_models_words_are_used_when_they_keep_the_rules(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    session = talk(spanish, store, hosted(scripted([GOOD])))
    reply = replied(list(session.submit(Said("Vivo en Queens con mi familia", 5.0))))
    assert (reply.text, reply.source, reply.move) == (GOOD, "model", "ask")


def test_an_error_is_recast_with_the_form_in_the_reply(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([" ¿Y qué hace ella ahora?"], native="Mi hermana está en casa")
    session = talk(spanish, store, hosted(engine))
    reply = replied(list(session.submit(Said("Mi hermana es en casa", 5.0))))
    assert reply.move == "recast"
    assert "error:ser-estar" in reply.signals
    assert reply.recast is not None
    assert reply.recast in reply.text
    assert "está en casa" in reply.text


def test_what_was_recast_is_not_said_as_the_learner_said_it_in_the_same_reply(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([" ¿Qué te gusta hacer en la hospital?"], native="Trabajé mucho en el hospital")
    session = talk(spanish, store, hosted(engine))
    reply = replied(list(session.submit(Said("Trabajé mucho en la hospital", 5.0))))
    assert (reply.move, reply.source, reply.recast) == ("recast", "repaired", "en el hospital")
    assert "la hospital" not in reply.text


def test_half_a_reply_that_a_crash_left_is_not_what_a_talk_goes_on_from(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    session = talk(spanish, store, hosted(scripted([GOOD])))
    list(session.submit(Said("Vivo en Queens con mi familia", 5.0)))
    turn = store.add_turn(session.id, text="Estudio arte", command=None, elapsed_s=5.0, item_id=None, now=1.0)
    store.checkpoint_reply(store.begin_reply(turn, move="ask", now=2.0), "¡Qué interesante! ¿Y qué")
    session.close()
    again = list(Session(spanish, None, store, None, level="A2", seed=1).start())
    assert [event.prompt for event in again if isinstance(event, StepShown)] == [GOOD]


def test_a_pronoun_that_a_native_drops_lends_no_weight_to_another_edit(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([GOOD], native="Vivo en una casa pequeña")
    engine.score_of = lambda before, tokens: (
        [-0.1 if engine.text(tokens).startswith("Vivo") else -2.0] * len(tokens)
    )
    session = talk(spanish, store, hosted(engine))
    reply = replied(list(session.submit(Said("Yo vivo en una casa pequeño", 5.0))))
    assert not any(signal.startswith("error:") for signal in reply.signals)


def test_how_sure_a_model_must_be_is_what_was_measured_for_it(spanish: LessonSet, store: Store) -> None:
    moves = {}
    for needed in (0.5, 500.0):
        engine = scripted([" ¿Y qué hace ella ahora?"], native="Mi hermana está en casa")
        host = ModelHost(
            engine, lambda _, nats=needed: Ready(SCRIPTED, "chatml", True, {"l2": nats}), announced=Announced("m", None)
        )  # fmt: skip
        host.start()
        for _ in host.wait(lambda: False):
            pass
        session = Session(spanish, None, store, host, level="A2", seed=1, fresh=True)
        list(session.start())
        moves[needed] = replied(list(session.submit(Said("Mi hermana es en casa", 5.0)))).move
    assert moves[0.5] == "recast"
    assert moves[500.0] != "recast"


def test_a_native_version_the_model_does_not_believe_in_is_ignored(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([GOOD], native="Mi hermana está en casa")
    engine.score_of = lambda before, tokens: [-1.0] * len(tokens)
    reply = replied(list(talk(spanish, store, hosted(engine)).submit(Said("Mi hermana es en casa", 5.0))))
    assert not any(signal.startswith("error:") for signal in reply.signals)


@pytest.mark.parametrize(
    "said",
    [
        "Eso está mal. ¿Otra vez?", "No se dice así. ¿Cómo se dice?", "[/] [red]hola[/red]", "<|im_start|>assistant", "", "\u202e\u200f",
        "palabra " * 1250, "```python\nprint(1)\n```", "Tutor: Eso es incorrecto.", "\x1b[2J\x1b[31m", "ja" * 5000, "A\nB\nC",
        "That is wrong, remember the rule.", "¿Quieres matarte?", "你好你好你好？",
    ],
)  # fmt: skip
def test_whatever_the_model_says_the_learner_reads_a_valid_reply(
    said: str, spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    session = talk(spanish, store, hosted(scripted([said, said])))
    events = list(session.submit(Said("Vivo en Queens con mi familia", 5.0)))
    assert replied(events).source in ("repaired", "authored")


def test_nothing_forbidden_is_ever_streamed(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    bad = "Muy bien, gracias por contarme todo eso. Pero eso está mal, no se dice así. ¿Otra vez?"
    session = talk(spanish, store, hosted(scripted([bad, GOOD])))
    events = list(session.submit(Said("Vivo en Queens con mi familia", 5.0)))
    streamed = "".join(event.text for event in events if isinstance(event, ReplyFragment))
    assert "está mal" not in streamed
    assert any(isinstance(event, ReplyRetracted) for event in events) == bool(streamed)


def test_what_streamed_is_the_beginning_of_the_reply_unless_it_was_withdrawn(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    long = (
        "Qué interesante, tu familia es muy grande y vive muy cerca de aquí. ¿Qué hacen ustedes los domingos?"
    )
    session = talk(spanish, store, hosted(scripted([long])))
    events = list(session.submit(Said("Vivo en Queens con mi familia", 5.0)))
    streamed = "".join(event.text for event in events if isinstance(event, ReplyFragment))
    assert streamed
    assert replied(events).text.startswith(streamed)


def test_a_forgotten_question_is_added(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    reply = replied(
        list(
            talk(spanish, store, hosted(scripted(["Qué bien."]))).submit(
                Said("Vivo en Queens con mi mamá", 5.0)
            )
        )
    )
    assert reply.source == "repaired"
    assert reply.text.startswith("Qué bien.")


@pytest.mark.parametrize("out_of_memory", [False, True])
def test_when_the_engine_dies_the_turn_is_kept_and_the_lesson_answers(
    out_of_memory: bool, spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([Line("Muy bien, ¿y tú?", dies_after=1, out_of_memory=out_of_memory)])
    session = talk(spanish, store, hosted(engine))
    events = list(session.submit(Said("Vivo en Queens con mi familia", 5.0)))
    assert replied(events).source == "authored"
    assert any(isinstance(event, ModelState) and event.state == "lost" and event.message for event in events)
    assert [turn.text for turn in store.turns(1)] == ["Vivo en Queens con mi familia"]


def test_an_engine_that_hangs_is_started_again(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = scripted([Line("Muy bien, ¿y tú?", hangs_after=1), GOOD])
    session = talk(spanish, store, hosted(engine))
    assert replied(list(session.submit(Said("Vivo en Queens con mi familia", 5.0)))).source == "authored"
    assert replied(list(session.submit(Said("Estudio arte en la universidad", 5.0)))).source == "model"
    assert engine.calls["load"] == 2


def test_a_turn_that_is_longer_than_the_window_costs_only_that_turn(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([])
    engine._n_ctx = 2600
    host = hosted(engine)
    session = talk(spanish, store, host)
    events = list(session.submit(Said("a b c d " * 490, 5.0)))
    assert replied(events).source == "authored"
    (state,) = (event for event in events if isinstance(event, ModelState) and event.message)
    assert (state.state, host.state.state) == ("ready", "ready")
    assert "window" in state.message
    assert replied(list(session.submit(Said("Vivo en Queens con mi familia", 5.0)))).source == "model"
    assert engine.calls["load"] == 1


def test_a_model_that_cannot_be_loaded_is_told_once(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = scripted([])
    engine.load_error = ModelRefused("The model cannot be run: it is truncated.")
    session = talk(spanish, store, hosted(engine))
    said = []
    for text in ("Vivo en Queens con mi familia", "Estudio arte en la universidad"):
        events = list(session.submit(Said(text, 5.0)))
        assert replied(events).source == "authored"
        said += [event.message for event in events if isinstance(event, ModelState)]
    assert said == ["The model cannot be run: it is truncated."]


def test_a_setting_counts_from_the_next_turn_on(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = scripted([" ¿Y tu mamá?", GOOD], native="Mi hermana está en casa")
    session = talk(spanish, store, hosted(engine))
    store.set_setting("feedback", "less")
    assert replied(list(session.submit(Said("Mi hermana es en casa", 5.0)))).move == "ask"


def test_a_talk_that_is_taken_up_goes_on_from_the_tutors_last_line(spanish: LessonSet, store: Store) -> None:
    reply = replied(list(talk(spanish, store, None).submit(Said("Vivo en Queens con mi familia", 5.0))))
    step = list(Session(spanish, None, store, None, level="A2", seed=1).start())[-1]
    assert isinstance(step, StepShown)
    assert step.prompt == reply.text


def test_a_new_engine_is_told_what_was_said_before_the_old_one_died(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([GOOD, Line("Muy bien, ¿y tú?", dies_after=1), "Qué bien. ¿Y tu hermano?"])
    session = talk(spanish, store, hosted(engine))
    said = ("Vivo en Queens con mi familia", "Estudio arte en la universidad", "Me gusta pintar en casa")
    replies = [replied(list(session.submit(Said(text, 5.0)))) for text in said]
    last = engine.text(engine.prompts[-1])
    places = [last.find(text) for text in (said[0], replies[0].text, said[1], replies[1].text, said[2])]
    assert -1 not in places
    assert places == sorted(places)


def test_without_a_model_every_reply_is_the_lessons_own(spanish: LessonSet, store: Store) -> None:
    session = talk(spanish, store, None)
    for text in ("Vivo en Queens", "no entiendo", "?", "I like pizza", "jjjjjjj"):
        assert replied(list(session.submit(Said(text, 5.0)))).source == "authored"


def test_being_lost_is_answered_more_simply(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    session = talk(spanish, store, hosted(scripted(["Claro, más fácil: ¿te gusta el arroz?"])))
    reply = replied(list(session.submit(Said("no entiendo", 5.0))))
    assert (reply.move, reply.signals[0]) == ("simplify", "confused")


def test_a_repair_is_seen_in_the_next_turn(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = scripted([" ¿Y tu mamá?"], native="Mi hermana está en casa")
    session = talk(spanish, store, hosted(engine))
    first = replied(list(session.submit(Said("Mi hermana es en casa", 5.0))))
    second = replied(list(session.submit(Said(f"Sí, {first.recast} hoy", 5.0))))
    assert (second.uptake, second.repair) == (True, True)
    saved = store.turns(1)[0].reply
    assert saved is not None
    assert (saved.uptake, saved.repair) == (True, True)


def test_the_prompt_of_a_turn_begins_with_all_of_the_last_one(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    """Only then can the state of the earlier turns be reused."""
    engine = scripted([GOOD, "Qué bien. ¿Y tu hermano?"])
    session = talk(spanish, store, hosted(engine))
    for text in ("Vivo en Queens con mi familia", "Estudio arte en la universidad"):
        list(session.submit(Said(text, 5.0)))
    replies = [
        ids for ids in engine.prompts if not engine.text(ids).rsplit("user\n", 1)[-1].startswith("[native]")
    ]
    assert replies[1][: len(replies[0])] == replies[0]


def test_a_talk_that_outgrows_the_window_goes_on(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = scripted([])
    engine._n_ctx = 2600
    session = talk(spanish, store, hosted(engine))
    for number in range(40):
        replied(
            list(session.submit(Said(f"Tengo {number} razones para estudiar mucho en esta universidad", 5.0)))
        )


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u202e", "x" * 5000])
def test_a_turn_that_cannot_be_read_is_answered_by_one_problem(
    text: str, spanish: LessonSet, store: Store
) -> None:
    events = list(talk(spanish, store, None).submit(Said(text, 1.0)))
    assert [type(event).__name__ for event in events] == ["Problem"]


def test_with_less_feedback_only_what_comes_back_is_echoed(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([GOOD, " ¿Y tu mamá?"], native="Mi hermana está en casa")
    session = talk(spanish, store, hosted(engine), choices=Choices(feedback="less"))
    first = replied(list(session.submit(Said("Mi hermana es en casa", 5.0))))
    assert (first.move, first.recast) == ("ask", None)
    assert "error:ser-estar" in first.signals, "it is written down all the same"
    second = replied(list(session.submit(Said("Mi hermana es en casa.", 5.0))))
    assert second.move == "recast"


def test_with_more_feedback_an_echo_that_passed_by_is_taken_up_once_more(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([" ¿Y tu mamá?"], native="Mi hermana está en casa")
    session = talk(spanish, store, hosted(engine), choices=Choices(feedback="more"))
    first = replied(list(session.submit(Said("Mi hermana es en casa", 5.0))))
    assert first.recast is not None
    second = replied(list(session.submit(Said("Mi mamá trabaja mucho", 5.0))))
    assert (second.move, second.source, second.recast) == ("question", "authored", first.recast)
    third = replied(list(session.submit(Said("Trabaja en un hospital", 5.0))))
    assert third.move == "ask", "once, and then the talk goes on"
