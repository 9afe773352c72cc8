"""Choosing and creating a learner, and what home offers."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping

import pytest
from textual.widgets import Button, Input, OptionList, Static

from tests.ui import script
from tests.ui.conftest import driven
from tests.ui.fake_service import Gate
from tutor_app.errors import TutorError
from tutor_app.progress.records import Learner
from tutor_app.session.events import Asked, ModelState, Said
from tutor_app.ui import wording, wording_path
from tutor_app.ui.home_text import about_lesson, due_words, lesson_prompt
from tutor_app.ui.messages import (
    LearnerOpened,
    LearnersFound,
    ModelChanged,
    Refused,
    SessionClosed,
    TurnOver,
)
from tutor_app.ui.screens.background import BackgroundScreen
from tutor_app.ui.screens.home import HomeScreen, next_way
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.screens.new_learner import NewLearnerScreen
from tutor_app.ui.screens.summary import SummaryScreen
from tutor_app.ui.screens.welcome import WelcomeScreen
from tutor_app.ui.service import SettingValue
from tutor_app.ui.widgets.status_bar import StatusBar


async def test_with_nobody_there_the_form_opens_and_keys_alone_fill_it() -> None:
    async with driven(script.service(people=[])) as ui:
        await ui.heard.wait(LearnersFound)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, NewLearnerScreen)
        await ui.pilot.press(*"Mei", "enter", "down", "enter", "tab", "enter")
        await ui.heard.wait(LearnerOpened)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, BackgroundScreen)
        await ui.pilot.press("enter", *["tab"] * 6, "enter")
        await ui.home()
        assert isinstance(ui.app.screen, HomeScreen)
        learner = ui.service.learner()
        assert learner is not None
        assert learner.name == "Mei"
        assert learner.settings == {"language": "zh"}
        assert ui.service.kept == {"language": "zh", "background.home": "everyone", "track": "heritage"}


async def test_a_learner_named_on_the_command_line_is_asked_only_what_is_not_known() -> None:
    luz = dataclasses.replace(script.ANA, name="Luz", settings={})
    async with driven(script.service(people=[luz])) as ui:
        await ui.heard.wait(LearnerOpened)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, NewLearnerScreen)
        await ui.pilot.press("tab", "enter")
        await ui.heard.wait(LearnerOpened, 2)
        await ui.pilot.pause()
        await ui.pilot.press(*["tab"] * 4, "down", "enter", "tab", "tab", "enter")
        await ui.home()
        assert isinstance(ui.app.screen, HomeScreen)
        assert ui.service.kept == {"language": "es", "track": "heritage"}
        assert len(ui.service.people) == 1


async def test_a_name_is_asked_for_once_more_when_it_is_missing() -> None:
    async with driven(script.service(people=[])) as ui:
        await ui.heard.wait(LearnersFound)
        await ui.pilot.pause()
        await ui.pilot.click("#begin")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, NewLearnerScreen)
        assert isinstance(ui.app.focused, Input)
        assert ui.service.people == []


async def test_two_presses_on_begin_make_one_learner_and_a_refusal_lets_one_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, tried, go_on = script.service(people=[]), threading.Event(), threading.Event()
    make = service.create_learner

    def refuse_once(name: str, settings: Mapping[str, SettingValue]) -> Learner:
        if not tried.is_set():
            tried.set()
            raise TutorError("The disk is full.")
        go_on.wait(10)
        return make(name, settings)

    monkeypatch.setattr(service, "create_learner", refuse_once)
    async with driven(service) as ui:
        await ui.heard.wait(LearnersFound)
        await ui.pilot.pause()
        begin = ui.app.screen.query_one("#begin", Button)
        begin.active_effect_duration = 0  # for its length a key is ignored
        await ui.pilot.press(*"Mei", "enter", "tab", "enter")
        await ui.heard.wait(Refused)
        await ui.pilot.pause()
        assert isinstance(ui.app.focused, Button)
        await ui.pilot.press("enter", "enter")
        go_on.set()
        await ui.heard.wait(LearnerOpened)
        await ui.app.workers.wait_for_complete()
        assert [person.name for person in service.people] == ["Mei"]


async def test_the_only_learner_goes_straight_home() -> None:
    async with driven() as ui:
        await ui.home()
        assert isinstance(ui.app.screen, HomeScreen)
        assert "Ana" in str(ui.app.screen.query_one("#greeting", Static).content)


async def test_a_repaired_file_is_told_about_whatever_its_message_holds() -> None:
    service = script.service()
    service.noticed = "Your file was damaged and repaired. [/] A copy is kept."
    async with driven(service) as ui:
        await ui.home()
        notices = [str(notice.message) for notice in ui.app._notifications]
        assert service.noticed in notices


async def test_one_of_several_learners_is_chosen_and_changed_again() -> None:
    async with driven(script.service(people=[script.ANA, script.BEN])) as ui:
        await ui.heard.wait(LearnersFound)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, WelcomeScreen)
        await ui.pilot.press("down", "enter")
        await ui.home()
        assert ui.service.learner() == script.BEN
        await ui.pilot.press("l")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, WelcomeScreen)
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, HomeScreen)


async def test_enter_on_home_continues_where_the_learner_was() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        assert ui.service.opened == [("es-l2", "02-de-donde")]


async def test_free_talk_has_a_key_and_ends_in_a_summary() -> None:
    session = dataclasses.replace(script.lesson_session(), commands={"quit": [script.SUMMARY]})
    async with driven(script.service(make_session=lambda: session)) as ui:
        await ui.home()
        await ui.pilot.press("t")
        await ui.heard.wait(TurnOver)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, LessonScreen)
        ui.app.screen.action_leave()
        await ui.pilot.pause()
        await ui.pilot.press("enter")
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert ui.service.opened == [("es-l2", None)]
        assert session.turns == [Asked("quit")]
        assert isinstance(ui.app.screen, SummaryScreen)
        said = [str(part.content) for part in ui.app.screen.query(".part").results(Static)]
        assert wording.SUMMARY_TALK in said
        assert wording.SUMMARY_PAUSED not in said, "it is over for good"


async def test_a_talk_that_is_left_while_the_tutor_writes_ends_in_its_summary_too() -> None:
    gate = Gate()
    session = dataclasses.replace(
        script.lesson_session(),
        answers=[[gate, script.RECAST]],
        commands={"quit": [script.SUMMARY]},
        summary=None,
    )
    async with driven(script.service(make_session=lambda: session)) as ui:
        await ui.home()
        await ui.pilot.press("t")
        await ui.heard.wait(TurnOver)
        await ui.write("Hola")
        await ui.pilot.press("enter")
        assert isinstance(ui.app.screen, LessonScreen)
        ui.app.screen.action_leave()
        await ui.pilot.pause()
        await ui.pilot.press("enter")
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert session.turns == [Said("Hola", 0.0), Asked("quit")]
        assert not gate.opened.is_set(), "it was not waited for"
        assert isinstance(ui.app.screen, SummaryScreen)


async def test_a_review_ends_in_a_summary_of_its_own() -> None:
    session = dataclasses.replace(script.lesson_session(), answers=[[script.RECAST, script.SUMMARY]])
    waiting = dataclasses.replace(script.SPANISH, review_items=2)
    async with driven(script.service(make_session=lambda: session, lesson_sets=[waiting])) as ui:
        await ui.home()
        await ui.pilot.press("r")
        await ui.heard.wait(TurnOver)
        await ui.say("Hola")
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, SummaryScreen)
        title = str(ui.app.screen.query_one("#bar-title", Static).content)
        assert title == f"{wording_path.REVIEW_TITLE} · Spanish"
        said = [str(part.content) for part in ui.app.screen.query(".part").results(Static)]
        assert wording.SUMMARY_REVIEW in said


async def test_a_lesson_opens_by_mouse() -> None:
    async with driven() as ui:
        await ui.home()
        await ui.pilot.click("#ways", offset=(6, 0))
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, LessonScreen)


async def test_the_model_loads_once_after_the_first_paint_and_every_screen_shows_how_it_is() -> None:
    async with driven() as ui:
        await ui.home()
        assert ui.service.loads == 1
        assert ui.service.on_state is not None
        ui.service.on_state(ModelState("loading", 0.42))
        await ui.heard.wait(ModelChanged, 2)
        await ui.pilot.pause()
        shown = ui.app.screen.query_one(StatusBar).query_one("#bar-model", Static).content
        assert "42 %" in str(shown)


async def test_home_without_lessons_says_what_to_do() -> None:
    async with driven(script.service(lesson_sets=[])) as ui:
        await ui.home()
        assert str(ui.app.screen.query_one("#about-text", Static).content) == wording.NO_LESSONS
        assert ui.app.screen.query_one("#ways", OptionList).option_count == 0


def test_the_next_thing_is_what_was_left_open_then_what_is_recommended() -> None:
    found = next_way([script.SPANISH])
    assert found is not None
    assert found.lesson == script.LESSONS[1]
    closed = tuple(dataclasses.replace(lesson, open_session=False) for lesson in script.LESSONS)
    advised = dataclasses.replace(
        script.SPANISH, lessons=closed, next_lesson="03-familia", next_why="It is next."
    )
    found = next_way([advised])
    assert found is not None
    assert found.lesson is not None
    assert (found.lesson.id, found.why) == ("03-familia", "It is next.")
    assert next_way([]) is None


def test_the_state_of_a_lesson_is_a_sign_and_not_only_a_colour() -> None:
    signs = [lesson_prompt(lesson, compact=True).plain[0] for lesson in script.LESSONS]
    assert signs == ["✓", "◐", "○", "○"]


def test_prerequisites_are_advice_and_readings_can_be_hidden() -> None:
    assert "Easier after" in about_lesson(script.LESSONS[2], readings=True).plain
    assert due_words(0) == wording.DUE_NONE
    assert "3" in due_words(3)
    assert "not counted" in due_words(3, waiting=200)
    assert "200" not in due_words(3, waiting=200)
