"""Background, placement, PIN, reviews and hand-in: what a learner meets around the lessons."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from textual.widgets import Button, Input, OptionList, RadioSet, Select, SelectionList, Static

from tests.ui import script
from tests.ui.conftest import Driven, driven
from tests.ui.fake_service import FakePlacement
from tutor_app.session.events import ModelState
from tutor_app.session.overview import REVIEW
from tutor_app.ui import wording_path
from tutor_app.ui.messages import (
    HandedIn,
    LearnerOpened,
    LearnersFound,
    ModelChanged,
    PinWanted,
    PlacementReady,
    PlacementStep,
    PractisedFound,
    SetsFound,
    TurnOver,
)  # fmt: skip
from tutor_app.ui.screens.background import BackgroundScreen
from tutor_app.ui.screens.hand_in import HandInScreen
from tutor_app.ui.screens.home import HomeScreen
from tutor_app.ui.screens.pin import PinDialog, PinKept, PinScreen
from tutor_app.ui.screens.placement import PlacedScreen, PlacementScreen
from tutor_app.ui.screens.settings import SettingsScreen
from tutor_app.ui.screens.welcome import WelcomeScreen
from tutor_app.ui.widgets.slider import Slider

TASKS = (script.CLOZE, script.CHOICE, script.ORDER)


async def settings(ui: Driven) -> SettingsScreen:
    await ui.home()
    await ui.pilot.press("f10")
    await ui.heard.wait(SetsFound, 2)
    await ui.pilot.pause()
    screen = ui.app.screen
    assert isinstance(screen, SettingsScreen)
    return screen


async def test_the_path_follows_the_answers_until_the_learner_chooses_it() -> None:
    new = dataclasses.replace(script.ANA, settings={"language": "es"})
    async with driven(script.service(people=[new])) as ui:
        await ui.heard.wait(LearnerOpened)
        await ui.pilot.pause()
        screen = ui.app.screen
        assert isinstance(screen, BackgroundScreen)
        track = screen.query_one("#track", RadioSet)
        assert track.pressed_index == 0
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert track.pressed_index == 1
        assert "grew up" in str(screen.query_one("#suggestion", Static).content)
        track.focus()
        await ui.pilot.press("up", "enter")
        await ui.pilot.pause()
        screen.query_one("#answer-school", RadioSet).focus()
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert track.pressed_index == 0, "what was chosen stays"


async def test_escape_leaves_the_other_questions_out_and_keeps_what_was_answered() -> None:
    new = dataclasses.replace(script.ANA, settings={"language": "es"})
    async with driven(script.service(people=[new])) as ui:
        await ui.heard.wait(LearnerOpened)
        await ui.pilot.pause()
        await ui.pilot.press("enter", "escape")
        await ui.home()
        assert ui.service.kept == {"language": "es", "background.home": "everyone", "track": "heritage"}


async def test_somebody_new_can_go_from_the_questions_to_the_placement_and_home() -> None:
    new = dataclasses.replace(script.ANA, settings={"language": "es"})
    service = script.service(people=[new], make_placement=lambda: FakePlacement(TASKS))
    async with driven(service) as ui:
        await ui.heard.wait(LearnerOpened)
        await ui.pilot.pause()
        ui.app.screen.query_one("#find", Button).press()
        await ui.heard.wait(PlacementStep)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, PlacementScreen)
        await ui.write("es")
        await ui.pilot.press("enter")
        await ui.heard.wait(PlacementStep, 2)
        await ui.pilot.pause()
        await ui.pilot.press("2")
        await ui.heard.wait(PlacementStep, 3)
        await ui.pilot.pause()
        await ui.pilot.press("f5")
        await ui.heard.wait(PlacementStep, 4)
        await ui.pilot.pause()
        assert service.placements[0].answers == ["es", "está", ""]
        placed = ui.app.screen
        assert isinstance(placed, PlacedScreen)
        assert placed.query_one("#level", RadioSet).pressed_index == 1
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, HomeScreen)
        assert service.kept["start_level.es-l2"] == "A2"


async def test_a_placement_can_be_ended_at_once_and_its_result_changed() -> None:
    service = script.service(make_placement=lambda: FakePlacement(TASKS))
    async with driven(service) as ui:
        await ui.home()
        ui.app.open_placement()
        await ui.heard.wait(PlacementReady)
        await ui.heard.wait(PlacementStep)
        await ui.pilot.pause()
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        placed = ui.app.screen
        assert isinstance(placed, PlacedScreen)
        placed.query_one("#level", RadioSet).focus()
        await ui.pilot.press("down", "enter", "tab", "enter")
        await ui.pilot.pause()
        assert service.kept["start_level.es-l2"] == "A2"
        assert isinstance(ui.app.screen, HomeScreen)


async def test_a_learner_with_a_pin_is_asked_for_it_and_may_try_again() -> None:
    service = script.service(people=[script.ANA], pins={"ana": "1234"})
    async with driven(service) as ui:
        await ui.heard.wait(PinWanted)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, PinDialog)
        await ui.pilot.press(*"9999", "enter")
        await ui.heard.wait(PinWanted, 2)
        await ui.pilot.pause()
        assert ui.app.learner is None
        assert "does not fit" in str(ui.app.screen.query(Static)[1].content)
        await ui.pilot.press(*"1234", "enter")
        await ui.home()
        assert isinstance(ui.app.screen, HomeScreen)


async def test_turning_back_at_the_pin_leads_to_the_list_of_learners() -> None:
    service = script.service(people=[script.ANA, script.BEN], pins={"ana": "1234"})
    async with driven(service) as ui:
        await ui.heard.wait(LearnersFound)
        await ui.pilot.pause()
        await ui.pilot.press("enter")
        await ui.heard.wait(PinWanted)
        await ui.pilot.pause()
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, WelcomeScreen)
        assert ui.app.learner is None


async def test_a_pin_is_set_changed_and_removed_in_the_settings() -> None:
    async with driven() as ui:
        await settings(ui)
        ui.app.open_pin()
        await ui.pilot.pause()
        screen = ui.app.screen
        assert isinstance(screen, PinScreen)
        assert "does not encrypt" in str(screen.query(Static)[1].content)
        await ui.pilot.press(*"1234", "enter", *"4321", "enter", "enter")
        await ui.pilot.pause()
        assert str(screen.query_one("#trouble", Static).content) == wording_path.PIN_DIFFER
        screen.query_one("#again", Input).value = "1234"
        screen.query_one("#keep", Button).press()
        await ui.heard.wait(PinKept)
        await ui.pilot.pause()
        assert ui.service.pins == {"ana": "1234"}
        ui.app.open_pin()
        await ui.pilot.pause()
        await ui.pilot.press(*"1234")
        ui.app.screen.query_one("#remove", Button).press()
        await ui.heard.wait(PinKept, 2)
        assert ui.service.pins == {"ana": ""}


async def test_the_daily_amount_is_a_slider_that_keys_move() -> None:
    async with driven() as ui:
        screen = await settings(ui)
        slider = screen.query_one(Slider)
        assert slider.value == 15
        slider.focus()
        await ui.pilot.press("right", "right", "left", "right")
        await ui.pilot.pause()
        assert ui.service.kept["daily_reviews"] == 25
        await ui.pilot.press("home", "left")
        await ui.pilot.pause()
        assert ui.service.kept["daily_reviews"] == 0
        assert wording_path.DAILY_OFF in str(slider.render())


async def test_where_to_begin_can_be_changed_in_the_settings() -> None:
    begun = dataclasses.replace(script.SPANISH, start_level="A1")
    async with driven(script.service(lesson_sets=[begun])) as ui:
        screen = await settings(ui)
        choice = screen.query_one("#start-level", Select)
        assert choice.value == "A1"
        choice.value = "A2"
        await ui.pilot.pause()
        assert ui.service.kept["start_level.es-l2"] == "A2"


async def test_the_settings_lead_to_background_placement_and_hand_in() -> None:
    async with driven(script.service(make_placement=lambda: FakePlacement(TASKS))) as ui:
        screen = await settings(ui)
        screen.query_one("#actions", OptionList).focus()
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, BackgroundScreen)
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert ui.app.screen == screen
        await ui.pilot.press("down", "enter")
        await ui.heard.wait(PlacementStep)
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, PlacementScreen)


async def test_what_is_due_is_a_way_on_home_with_a_key() -> None:
    due = dataclasses.replace(script.SPANISH, review_items=3, waiting=90)
    async with driven(script.service(lesson_sets=[due])) as ui:
        await ui.home()
        assert "not counted" in str(ui.app.screen.query_one("#due", Static).content)
        await ui.pilot.press("r")
        await ui.heard.wait(TurnOver)
        await ui.pilot.pause()
        assert ui.service.opened == [("es-l2", REVIEW)]


async def test_a_level_that_was_reached_is_told_on_home() -> None:
    reached = dataclasses.replace(script.SPANISH, level="A2", level_reached=True)
    async with driven(script.service(lesson_sets=[reached])) as ui:
        await ui.home()
        said = [str(notice.message) for notice in ui.app._notifications]
        assert any("all of A1" in text and "A2" in text for text in said)


async def test_the_file_is_cared_for_when_home_is_shown() -> None:
    async with driven() as ui:
        await ui.home()
        await ui.app.workers.wait_for_complete(
            [worker for worker in ui.app.workers if worker.group == "care"]
        )
        assert ui.service.cares == 1


async def test_a_hand_in_is_written_only_of_what_was_agreed_to(tmp_path: Path) -> None:
    service = script.service(practised_sets={"es-l2": "Spanish", "es-heritage": "Heritage"})
    async with driven(service) as ui:
        await ui.home()
        ui.app.push_screen(HandInScreen(tmp_path))
        await ui.heard.wait(PractisedFound)
        await ui.pilot.pause()
        screen = ui.app.screen
        screen.query_one("#agree", Button).press()
        await ui.pilot.pause()
        assert str(screen.query_one("#said", Static).content) == wording_path.HAND_IN_NO_SET
        assert service.handed_in == []
        screen.query_one(SelectionList).focus()
        await ui.pilot.press("home", "space", "tab", "down", "enter")
        await ui.pilot.pause()
        assert "what you answered" in str(screen.query_one("#agreement", Static).content)
        screen.query_one("#name", Input).value = "Ana B."
        screen.query_one("#agree", Button).press()
        await ui.heard.wait(HandedIn)
        await ui.pilot.pause()
        (target, sets, share, name, key) = service.handed_in[0]
        assert (target.parent, sets, share, name, key) == (tmp_path, ("es-l2",), "answers", "Ana B.", None)
        assert "not sealed" in str(screen.query_one("#said", Static).content)


async def test_a_hand_in_does_not_write_over_a_file(tmp_path: Path) -> None:
    service = script.service(practised_sets={"es-l2": "Spanish"})
    async with driven(service) as ui:
        await ui.home()
        ui.app.push_screen(HandInScreen(tmp_path))
        await ui.heard.wait(PractisedFound)
        await ui.pilot.pause()
        taken = tmp_path / "taken.handin"
        taken.write_text("mine", encoding="utf-8")
        ui.app.screen.query_one("#file", Input).value = str(taken)
        ui.app.screen.query_one("#agree", Button).press()
        await ui.pilot.pause()
        assert service.handed_in == []
        assert "already" in str(ui.app.screen.query_one("#said", Static).content)


@pytest.mark.parametrize(
    "written", ["~nobody-of-this-name/x.handin", "/etc/passwd/x.handin", f"/tmp/{'x' * 300}"]
)
async def test_a_hand_in_where_no_file_can_be_is_refused_in_a_sentence(written: str, tmp_path: Path) -> None:
    service = script.service(practised_sets={"es-l2": "Spanish"})
    async with driven(service) as ui:
        await ui.home()
        ui.app.push_screen(HandInScreen(tmp_path))
        await ui.heard.wait(PractisedFound)
        await ui.pilot.pause()
        ui.app.screen.query_one("#file", Input).value = written
        ui.app.screen.query_one("#agree", Button).press()
        await ui.pilot.pause()
        assert service.handed_in == []
        assert written in str(ui.app.screen.query_one("#said", Static).content)


async def test_when_memory_runs_out_the_smaller_model_is_offered_once() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        assert ui.service.on_state is not None
        lost = ModelState("lost", 0.0, "Memory ran out.", "gemma3-270m")
        for count in (1, 2):
            before = len(ui.heard.of(ModelChanged))
            ui.service.on_state(dataclasses.replace(lost, fraction=count / 10))
            await ui.heard.wait(ModelChanged, before + 1)
            await ui.pilot.pause()
        offers = list(ui.app.screen.query(Button).filter(".offer"))
        assert [button.name for button in offers] == ["gemma3-270m"]
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert ui.service.used == "gemma3-270m"
