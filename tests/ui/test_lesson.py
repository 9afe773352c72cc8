"""A whole lesson, and what a learner may do in the middle of it."""

from __future__ import annotations

import dataclasses

import pytest

from tests.ui import script
from tests.ui.conftest import driven
from tests.ui.fake_service import FakeSession, Gate
from tutor_app.progress.records import SavedReply, SavedTurn
from tutor_app.session.events import (
    Asked,
    ModelState,
    Problem,
    ReplyFragment,
    ReplyRetracted,
    ReplyStarted,
    Said,
)
from tutor_app.ui import wording
from tutor_app.ui.messages import (
    FragmentsWaiting,
    ModelChanged,
    Refused,
    SessionClosed,
    SessionEvent,
    SessionFailed,
)
from tutor_app.ui.screens.dialogs import KeepDialog, LeaveDialog
from tutor_app.ui.screens.home import HomeScreen
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.screens.summary import SummaryScreen
from tutor_app.ui.widgets.choice_pad import ChoicePad
from tutor_app.ui.widgets.match_pad import MatchPad
from tutor_app.ui.widgets.order_pad import OrderPad


async def test_a_whole_lesson_by_keyboard_ends_in_its_summary() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        assert ui.said("tutor") == [script.TALK.prompt]
        await ui.say("Hola Lucía. Soy muy cansada.")
        assert ui.said("tutor")[-1] == script.RECAST.text
        await ui.say("Soy de Chicago.")
        await ui.say("está")
        await ui.press("f2")
        assert ui.said("tutor")[-1] == script.HINT.text
        await ui.say("es")
        assert isinstance(ui.app.focused, ChoicePad)
        assert not ui.panel.query_one("#step-hints").display, "hints belong to the item they were given for"
        await ui.press("2")
        assert isinstance(ui.app.focused, OrderPad)
        await ui.press("2", "1", "4", "3", "enter")
        assert isinstance(ui.app.focused, MatchPad)
        await ui.press("1", "c", "2", "a", "3", "b", "enter")
        await ui.say("Esta contenta.")
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, SummaryScreen)
        assert [turn.text for turn in ui.session.turns if isinstance(turn, Said)] == [
            "Hola Lucía. Soy muy cansada.",
            "Soy de Chicago.",
            "está",
            "es",
            "está",
            "somos estudiantes de Chicago",
            "1c 2a 3b",
            "Esta contenta.",
        ]
        assert ui.session.closed.is_set()
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, HomeScreen)


async def test_the_recast_form_stands_out_by_weight_line_and_marks() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.say("Soy cansada")
        content = ui.lines[-1]._words.content
        assert "«estás cansada»" in content.plain
        style = next(span.style for span in content.spans if "bold" in str(span.style))
        assert "underline" in str(style)
        assert ui.lines[-1].text == script.RECAST.text, "what is copied has no marks"


async def test_the_time_an_answer_took_counts_from_the_moment_the_step_was_shown() -> None:
    now = [10.0]
    async with driven(clock=lambda: now[0]) as ui:
        await ui.open_lesson()
        now[0] = 14.5
        await ui.say("Hola")
        assert ui.session.turns == [Said("Hola", 4.5)]


async def test_hint_and_explain_and_skip_have_keys() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.press("f2")
        await ui.press("f3")
        assert "●○○○" in str(ui.panel.query_one("#step-hints").content)
        await ui.press("f5")
        assert ui.session.turns == [Asked("hint"), Asked("explain"), Asked("skip")]


def _opening_behind(gate: Gate) -> FakeSession:
    session = script.lesson_session()
    return dataclasses.replace(session, opening=[gate, *session.opening])


async def test_one_can_write_and_send_before_the_lesson_has_opened() -> None:
    gate = Gate()
    async with driven(script.service(make_session=lambda: _opening_behind(gate))) as ui:
        await ui.home()
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        await ui.write("Hola Lucía")
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert ui.said("learner") == ["Hola Lucía"]
        assert wording.WAITING_START in ui.lines[-1]._words.content.plain
        await ui.pass_gate(gate, turns=2)
        assert ui.session.turns == [Said("Hola Lucía", None)]


async def test_escape_gives_a_waiting_line_back_to_the_writing_box() -> None:
    gate = Gate()
    async with driven(script.service(make_session=lambda: _opening_behind(gate))) as ui:
        await ui.home()
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        await ui.write("Hola")
        await ui.pilot.press("enter")
        await ui.write("Luc")
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert ui.composer.text == "Hola Luc"
        assert ui.said("learner") == []
        await ui.pass_gate(gate, turns=1)
        assert ui.session.turns == []


def _reply_behind(gate: Gate) -> FakeSession:
    session = script.lesson_session()
    first = [ReplyStarted("ask"), ReplyFragment("Me gusta "), gate, script.RECAST]
    return dataclasses.replace(session, answers=[first, *session.answers[1:]])


async def test_escape_stops_a_reply_and_keeps_what_there_was_with_a_mark() -> None:
    gate = Gate()
    async with driven(script.service(make_session=lambda: _reply_behind(gate))) as ui:
        await ui.open_lesson()
        await ui.write("Hola")
        await ui.pilot.press("enter")
        await ui.heard.wait(FragmentsWaiting)
        await ui.pilot.pause()
        await ui.turn(lambda: ui.pilot.press("escape"))
        assert ui.session.stops == 1
        assert wording.STOPPED in ui.lines[-1]._words.content.plain
        assert isinstance(ui.app.screen, LessonScreen)


async def test_what_is_typed_while_the_tutor_writes_stays_in_the_box() -> None:
    gate = Gate()
    async with driven(script.service(make_session=lambda: _reply_behind(gate))) as ui:
        await ui.open_lesson()
        await ui.write("Hola")
        await ui.pilot.press("enter")
        await ui.heard.wait(FragmentsWaiting)
        await ui.pilot.press(*"abc", "enter")
        assert ui.composer.text == "abc"
        await ui.pass_gate(gate, turns=2)
        assert ui.composer.text == "abc"
        assert ui.session.turns == [Said("Hola", 0.0)]


async def test_a_withdrawn_reply_leaves_no_words_behind() -> None:
    session = script.lesson_session()
    first = [
        ReplyStarted("ask"),
        ReplyFragment("Eso está mal"),
        ReplyRetracted(),
        *script.streamed(script.RECAST),
    ]
    service = script.service(make_session=lambda: dataclasses.replace(session, answers=[first]))
    async with driven(service) as ui:
        await ui.open_lesson()
        await ui.say("Hola")
        assert ui.said("tutor") == [script.TALK.prompt, script.RECAST.text]


async def test_leaving_in_the_middle_of_a_reply_saves_and_does_not_wait_for_it() -> None:
    gate = Gate()
    async with driven(script.service(make_session=lambda: _reply_behind(gate))) as ui:
        await ui.open_lesson()
        await ui.write("Hola")
        await ui.pilot.press("enter")
        await ui.heard.wait(FragmentsWaiting)
        ui.app.screen.action_leave()
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, LeaveDialog)
        await ui.pilot.press("enter")
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert ui.session.closed.is_set()
        assert not gate.opened.is_set()
        assert not isinstance(ui.app.screen, LessonScreen)


@pytest.mark.parametrize("key", ["f1", "f7", "f10", "leave"])
@pytest.mark.parametrize("answer", ["escape", "enter"])
async def test_a_lesson_that_ends_below_another_screen_closes_when_that_one_does(
    key: str, answer: str
) -> None:
    gate = Gate()
    session = dataclasses.replace(script.lesson_session(), answers=[[gate, script.RECAST, script.SUMMARY]])
    async with driven(script.service(make_session=lambda: session)) as ui:
        await ui.open_lesson()
        lesson = ui.app.screen
        assert isinstance(lesson, LessonScreen)
        await ui.write("Hola")
        await ui.pilot.press("enter")
        if key == "leave":
            lesson.action_leave()
        else:
            await ui.pilot.press(key)
        await ui.pilot.pause()
        gate.open()
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert lesson in ui.app.screen_stack
        assert ui.app.screen is not lesson
        await ui.pilot.press(answer if key == "leave" else "escape")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, SummaryScreen)
        assert isinstance(ui.app.screen_stack[-2], HomeScreen)


async def test_quitting_in_the_middle_of_a_reply_ends_the_session_too() -> None:
    gate = Gate()
    async with driven(script.service(make_session=lambda: _reply_behind(gate))) as ui:
        await ui.open_lesson()
        await ui.write("Hola")
        await ui.pilot.press("enter")
        await ui.heard.wait(FragmentsWaiting)
        await ui.pilot.press("ctrl+q")
    assert ui.session.closed.wait(5)
    assert not gate.opened.is_set()


async def test_a_turn_that_waits_for_the_model_says_so() -> None:
    gate = Gate()
    session = script.lesson_session()
    ready = Gate()
    first = [ModelState("loading", 0.3), gate, ModelState("ready"), ready, *script.streamed(script.RECAST)]
    service = script.service(make_session=lambda: dataclasses.replace(session, answers=[first]))
    async with driven(service) as ui:
        await ui.open_lesson()
        await ui.write("Hola")
        await ui.pilot.press("enter")
        await ui.heard.wait(SessionEvent, 3)
        await ui.pilot.pause()
        assert ui.lines[-1]._words.content.plain == wording.WAITING_MODEL
        gate.open()
        await ui.heard.wait(SessionEvent, 4)
        await ui.pilot.pause()
        assert ui.lines[-1]._words.content.plain == wording.THINKING
        await ui.pass_gate(ready, turns=2)
        assert ui.said("tutor")[-1] == script.RECAST.text


async def test_a_request_that_failed_is_told_though_the_model_is_still_there() -> None:
    session = script.lesson_session()
    first = [ModelState("ready", 1.0, "That was too long for the model."), script.RECAST]
    service = script.service(make_session=lambda: dataclasses.replace(session, answers=[first]))
    async with driven(service) as ui:
        await ui.open_lesson()
        await ui.say("Hola")
        assert ui.said("problem") == ["That was too long for the model."]


async def test_a_problem_is_a_sentence_and_its_offer_changes_the_model() -> None:
    session = script.lesson_session()
    first = [Problem("Not enough memory for this model.", offer="gemma3-270m"), script.RECAST]
    service = script.service(make_session=lambda: dataclasses.replace(session, answers=[first]))
    async with driven(service) as ui:
        await ui.open_lesson()
        await ui.say("Hola")
        assert "Not enough memory for this model." in ui.said("problem")
        loads = len(ui.heard.of(ModelChanged))
        await ui.pilot.press("enter")
        await ui.heard.wait(ModelChanged, loads + 1)
        assert service.used == "gemma3-270m"


async def test_a_fault_in_the_session_is_told_in_one_sentence_and_home_is_a_key_away() -> None:
    session = script.lesson_session()
    service = script.service(
        make_session=lambda: dataclasses.replace(session, answers=[[RuntimeError("secret words")]])
    )
    async with driven(service) as ui:
        await ui.open_lesson()
        await ui.write("Hola")
        await ui.pilot.press("enter")
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert ui.said("problem") == [wording.SESSION_BROKE]
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, HomeScreen)


async def test_a_lesson_that_cannot_be_opened_says_why() -> None:
    async with driven(script.service(refuse_lessons="The lesson set is newer than this program.")) as ui:
        await ui.home()
        await ui.pilot.press("enter")
        await ui.heard.wait(SessionFailed)
        await ui.pilot.pause()
        assert "The lesson set is newer than this program." in ui.said("problem")


async def test_a_word_of_the_tutors_line_is_kept_with_its_sentence() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.pilot.press("f7")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, KeepDialog)
        await ui.pilot.press(*"viaje", "enter")
        await ui.pilot.pause()
        await ui.heard.wait(Refused)
        assert ui.session.saved_words == [("viaje", script.TALK.prompt)]


async def test_the_tutors_last_line_is_copied_without_marks() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.say("Soy cansada")
        await ui.pilot.press("ctrl+o")
        assert ui.app.clipboard == script.RECAST.text


def _earlier(item_id: str | None, reply: str = "¿Y tú?") -> SavedTurn:
    """A turn of an earlier sitting at this step, with its reply."""
    saved = SavedReply(1, 1, "ask", reply, "final", (), "model", 0, None, None, None) if reply else None
    return SavedTurn(1, "Hola", None, 2.0, 0.0, item_id, saved)


@pytest.mark.parametrize(
    ("earlier", "prompt", "shown"),
    [
        ((_earlier("w1"),), script.TALK.prompt, ["¿Y tú?", script.TALK.prompt]),
        ((_earlier(script.TALK.id),), script.TALK.prompt, ["¿Y tú?"]),
        ((_earlier(None),), script.TALK.prompt, ["¿Y tú?"]),
        ((_earlier(script.TALK.id),), "¿Y tú?", ["¿Y tú?"]),
        ((_earlier(script.TALK.id, reply=""),), script.TALK.prompt, [script.TALK.prompt]),
        ((), script.TALK.prompt, [script.TALK.prompt]),
    ],
    ids=["begun-by-nobody", "begun", "free-talk", "asked-once-more", "never-answered", "new"],
)
async def test_what_the_tutor_asks_is_shown_once_when_a_lesson_is_taken_up_again(
    earlier: tuple[SavedTurn, ...], prompt: str, shown: list[str]
) -> None:
    opening = [
        dataclasses.replace(script.STARTED, resumed=bool(earlier)),
        dataclasses.replace(script.TALK, prompt=prompt),
    ]
    session = dataclasses.replace(script.lesson_session(), opening=opening, earlier=earlier)
    async with driven(script.service(make_session=lambda: session)) as ui:
        await ui.open_lesson()
        assert ui.said("tutor") == shown
