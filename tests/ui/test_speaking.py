"""Speaking in the app: a scripted ear for what the learner sees, a file as microphone for the whole way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.ui.conftest import Driven, driven
from tutor_app.errors import TutorError
from tutor_app.session.events import Heard
from tutor_app.speech.listening import Ear, Progress, Recording
from tutor_app.ui import preferences, wording_speech
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.screens.microphone import MicrophoneScreen
from tutor_app.ui.screens.settings import SettingsScreen
from tutor_app.ui.widgets.speak_bar import SpeakBar

ANSWER = Path(__file__).parents[1] / "speech" / "audio" / "es-market.flac"
WORDS = "Soy de Chicago"
PCM = b"\x01\x00" * 1600


@dataclass
class ScriptedListening:
    """Says that it listens, then waits until it is stopped."""

    outcome: Recording | Exception
    progress: Sequence[Progress] = (Progress("opening"), Progress("listening", 3.0, 0.5, True, "Soy de"))
    done: threading.Event = field(default_factory=threading.Event)
    discarded: bool = False

    def run(self, on_progress: Callable[[Progress], object]) -> Recording | None:
        for each in self.progress:
            on_progress(each)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        self.done.wait(30)
        return None if self.discarded else self.outcome

    def stop(self) -> None:
        self.done.set()

    def discard(self) -> None:
        self.discarded = True
        self.done.set()


@dataclass
class ScriptedEar:
    """Hands out one scripted recording after another."""

    recordings: list[ScriptedListening]
    names: Sequence[str] = ("Headset", "Camera")
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def devices(self) -> Sequence[str]:
        return self.names

    def listen(self, device: str, language: str, track: str) -> ScriptedListening:
        self.asked.append((device, language, track))
        return self.recordings[len(self.asked) - 1]

    def close(self) -> None:
        pass


def hearing(confidence: float = 0.9) -> ScriptedListening:
    return ScriptedListening(Recording(Heard(WORDS, "es", confidence, 3.0), PCM))


def bar(ui: Driven) -> SpeakBar:
    return ui.app.screen.query_one(SpeakBar)


def told(ui: Driven) -> str:
    return str(bar(ui).content)


def with_ear(ui: Driven, *recordings: ScriptedListening) -> ScriptedEar:
    ear = ScriptedEar(list(recordings))
    ui.service.heard_by = cast("Ear", ear)
    return ear


@pytest.mark.parametrize("stop", ["f4", "enter"])
async def test_what_was_heard_can_be_changed_before_it_counts(stop: str) -> None:
    async with driven() as ui:
        ear = with_ear(ui, hearing())
        await ui.open_lesson()
        await ui.pilot.press("f4")
        await ui.heard.wait(SpeakBar.Progressed)
        await ui.pilot.pause()
        assert wording_speech.LISTENING in told(ui)
        assert "0:03" in told(ui)
        assert "━━" in told(ui), "the level can be seen"
        assert "Soy de" in told(ui), "and the words so far"
        await ui.pilot.press(stop)
        await ui.heard.wait(SpeakBar.Heard)
        await ui.pilot.pause()
        assert ear.asked == [("", "es", "l2")]
        assert ui.composer.text == WORDS
        assert ui.session.turns == [], "nothing is judged before the learner confirms it"
        await ui.pilot.press("s", ".")
        await ui.press("enter")
        assert [turn.text for turn in cast("Any", ui.session.turns)] == [f"{WORDS}s."]
        assert not bar(ui).has_class("-on")


async def test_ctrl_space_is_the_second_key() -> None:
    async with driven() as ui:
        ear = with_ear(ui, hearing())
        await ui.open_lesson()
        await ui.pilot.press("ctrl+@")
        await ui.pilot.pause()
        assert bar(ui).recording
        assert len(ear.asked) == 1


async def test_escape_throws_a_recording_away_and_leaves_the_lesson_alone() -> None:
    async with driven() as ui:
        with_ear(ui, hearing())
        await ui.open_lesson()
        await ui.pilot.press("f4")
        await ui.pilot.press("escape")
        await ui.heard.wait(SpeakBar.Ended)
        await ui.pilot.pause()
        assert ui.composer.text == ""
        assert told(ui) == wording_speech.NOTHING_KEPT
        assert isinstance(ui.app.screen, LessonScreen)


async def test_why_nothing_was_heard_is_said_and_typing_goes_on() -> None:
    async with driven() as ui:
        with_ear(ui, ScriptedListening(TutorError("The microphone [b] is used by another program.")))
        await ui.open_lesson()
        await ui.pilot.press("f4")
        await ui.heard.wait(SpeakBar.Ended)
        await ui.pilot.pause()
        assert told(ui) == "! The microphone [b] is used by another program."
        await ui.say("Hola")
        assert len(ui.session.turns) == 1
        assert not bar(ui).has_class("-on")


async def test_after_a_fault_in_recording_one_can_still_send() -> None:
    async with driven() as ui:
        with_ear(ui, ScriptedListening(ValueError("mi secreto")))
        await ui.open_lesson()
        await ui.pilot.press("f4")
        await ui.heard.wait(SpeakBar.Ended)
        await ui.pilot.pause()
        assert told(ui) == f"! {wording_speech.BROKE}"
        await ui.say("Hola")
        assert len(ui.session.turns) == 1


async def test_a_learner_is_told_when_the_words_are_unsure() -> None:
    async with driven() as ui:
        with_ear(ui, hearing(confidence=0.3))
        await ui.open_lesson()
        await ui.pilot.press("f4", "f4")
        await ui.heard.wait(SpeakBar.Heard)
        await ui.pilot.pause()
        assert wording_speech.HEARD_UNSURE in told(ui)


@pytest.mark.parametrize(("choice", "kept"), [("no", []), ("yes", [PCM])])
async def test_sound_is_kept_only_when_the_learner_chose_that(choice: str, kept: list[bytes]) -> None:
    async with driven() as ui:
        with_ear(ui, hearing())
        ui.service.kept[preferences.RECORDINGS.key] = choice
        await ui.open_lesson()
        await ui.pilot.press("f4", "f4")
        await ui.heard.wait(SpeakBar.Heard)
        await ui.pilot.pause()
        assert ui.service.recordings == [], "it is not kept before it counts either"
        await ui.press("enter")
        async with asyncio.timeout(10):
            while any(worker.group == "speech-keep" for worker in ui.app.workers):
                await ui.pilot.pause()
        assert ui.service.recordings == kept


async def test_words_that_are_spoken_come_after_those_that_were_typed() -> None:
    async with driven() as ui:
        with_ear(ui, hearing())
        await ui.open_lesson()
        await ui.write("Hola.")
        await ui.pilot.press("f4")
        await ui.pilot.press("enter")  # ends the recording, sends nothing
        await ui.heard.wait(SpeakBar.Heard)
        await ui.pilot.pause()
        assert ui.composer.text == f"Hola. {WORDS}"
        assert ui.session.turns == []


async def test_without_speech_installed_there_is_no_key_for_it() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        assert "f4" not in ui.app.screen.active_bindings
        await ui.pilot.press("f4")
        assert not bar(ui).has_class("-on")


async def test_leaving_the_lesson_ends_a_recording() -> None:
    async with driven() as ui:
        ear = with_ear(ui, hearing())
        await ui.open_lesson()
        await ui.pilot.press("f4")
        ui.app.pop_screen()
        await ui.pilot.pause()
        assert ear.recordings[0].discarded


async def test_a_microphone_is_chosen_and_tried_in_the_settings() -> None:
    async with driven() as ui:
        ear = with_ear(ui, hearing())
        await ui.home()
        await ui.pilot.press("f10")
        assert isinstance(ui.app.screen, SettingsScreen)
        speaking = ui.app.screen.query_one("#speaking")
        speaking.focus()
        await ui.pilot.press("enter")
        await ui.heard.wait(MicrophoneScreen.DevicesFound)
        await ui.pilot.pause()
        await ui.pilot.press("enter", "down", "enter")
        assert ui.app.settings[preferences.MICROPHONE] == "Headset"
        await ui.pilot.press("f4", "f4")
        await ui.heard.wait(SpeakBar.Heard)
        await ui.pilot.pause()
        assert ear.asked[0][0] == "Headset"
        assert WORDS in str(cast("Any", ui.app.screen.query_one("#heard")).content)
        assert ui.service.recordings == []


@pytest.mark.model
async def test_a_spoken_answer_travels_from_microphone_to_lesson(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TUTOR_MICROPHONE", f"file:{ANSWER}?speed=4")
    ear = Ear(tmp_path)
    try:
        async with driven() as ui:
            ui.service.heard_by = ear
            await ui.open_lesson()
            await ui.pilot.press("f4")
            async with asyncio.timeout(
                120
            ):  # the model is loaded first; then it stops by itself in the silence
                while not ui.heard.of(SpeakBar.Heard):
                    await ui.pilot.pause()
            await ui.pilot.pause()
            assert "mercado" in ui.composer.text
            await ui.press("enter")
            assert len(ui.session.turns) == 1
    finally:
        ear.close()
