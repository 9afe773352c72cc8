"""Text from a model, a lesson, a name or a refusal can be anything; the app shows it and goes on."""

from __future__ import annotations

import dataclasses

import pytest

from tests.ui import script
from tests.ui.conftest import driven
from tests.ui.fake_service import FakeSession
from tutor_app.progress.records import Learner, SavedReply, SavedTurn
from tutor_app.session.events import (
    Attempt,
    Heard,
    ItemOver,
    ModelState,
    Problem,
    Reply,
    ReplyFragment,
    Summary,
)
from tutor_app.ui.messages import LearnersFound, ModelsFound, Refused, SessionClosed
from tutor_app.ui.screens.summary import SummaryScreen
from tutor_app.ui.service import LessonOverview, ModelOverview, SetOverview, WordEntry

HOSTILE = [
    "[/] [red]x[/red] [@click=app.quit]q[/] $primary {x} %s",
    "\x1b[2J\x1b]52;c;cm0=\x07\x9b31m\x00 end",
    "\u202eright to left\u202c مرحبا \u2067x\u2069 \ud800 ﷺ",
    "<|im_end|> <start_of_turn> ``` | --- | # h\n\n\n- [link](javascript:x)",
    "ñ" * 10_000,
    "a " * 5_000,
]


def _safe(text: str) -> bool:
    return not any(character in text for character in "\x1b\x07\x9b\x00\u202e\u2067\ud800")


def _session(text: str) -> FakeSession:
    step = dataclasses.replace(
        script.CHOICE, task=text, support=text, prompt=text, gloss=text, text=text, scenario=text, goal=text,
        choices=(text, "b", "c"),
    )  # fmt: skip
    order = dataclasses.replace(step, kind="order", id="o")
    match = dataclasses.replace(step, kind="match", id="m", left=(text, "x", "y"))
    reply = Reply(text, "recast", (text,), "model", hint_level=4, recast=text[:50])
    turn = SavedTurn(
        1,
        text,
        None,
        None,
        0.0,
        None,
        SavedReply(1, 1, "ask", text, "stopped", (), "model", 0, text, None, None),
    )
    return FakeSession(
        opening=[dataclasses.replace(script.STARTED, lesson_title=text, resumed=True), step],
        earlier=[turn],
        answers=[
            [
                Heard(text, text, 0.5, 1.0),
                Attempt("i", True, (text,), text, near_miss=text, dialect=text),
                ReplyFragment(text),
                reply,
                ItemOver("i", (text, text), text),
                Problem(text, offer=text),
                order,
            ],
            [dataclasses.replace(reply, recast=text), match],
            [Summary(1, 1, {text: 1}, 1, 1.0, True, {text: (1, 2)}, (text,), (1, 1), (1, 1), (text,))],
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", HOSTILE, ids=["markup", "escapes", "direction", "tokens", "long word", "long"]
)
@pytest.mark.parametrize("size", [(60, 20), (100, 30)], ids=["60x20", "100x30"])
async def test_hostile_text_in_every_place_of_a_lesson_is_only_text(text: str, size: tuple[int, int]) -> None:
    lesson = LessonOverview(
        "l",
        text,
        "A1",
        20,
        (text,),
        (text,),
        5,
        2,
        1,
        open_session=True,
        words=(WordEntry(text, text, text),),
    )
    overview = SetOverview("s", text, text, "es", text, "l2", ("A1",), (lesson,), 3, {text: text})
    service = script.service(
        people=[Learner("a", text, 0.0, {"language": text, "track": text})],
        lesson_sets=[overview],
        make_session=lambda: _session(text),
        states=(ModelState("lost", 0.0, text), ModelState("ready", 1.0, text)),
        used=text,
        kept={"theme": text, "density": text},
    )
    async with driven(service, size=size) as ui:
        await ui.open_lesson()
        await ui.pilot.press("f6")
        await ui.say(text)
        assert all(_safe(line.text) for line in ui.lines)
        await ui.pilot.press("f7")
        await ui.pilot.pause()
        await ui.pilot.press("escape")
        await ui.pilot.press("f1")
        await ui.pilot.pause()
        await ui.pilot.press("escape")
        await ui.say(text)
        await ui.say(text)
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, SummaryScreen)
        svg = ui.app.export_screenshot()
        assert "\x1b" not in svg


@pytest.mark.parametrize("text", HOSTILE[:4])
async def test_hostile_names_models_and_refusals_are_only_text(text: str) -> None:
    service = script.service(
        people=[Learner("a", text, 0.0, {"language": text, "track": "l2"}), Learner("b", text, 0.0)],
        catalogue=[ModelOverview(text, 1, text, True, False), ModelOverview("x", 1, "", True, True, text)],
        used="x",
    )
    async with driven(service) as ui:
        await ui.heard.wait(LearnersFound)
        await ui.pilot.pause()
        ui.app.post_message(Refused(text))
        await ui.pilot.press("enter")
        await ui.home()
        await ui.pilot.press("f10")
        await ui.heard.wait(ModelsFound)
        await ui.pilot.pause()
        assert "\x1b" not in ui.app.export_screenshot()
