"""Reading aloud in the app: what is read when, what the keys do, and what happens where nothing can be heard."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.ui.conftest import Driven, driven
from tests.ui.test_speaking import PCM, WORDS, hearing, with_ear
from tutor_app.errors import TutorError
from tutor_app.session.events import Reply, StepShown, WordSound
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.reader import Reader
from tutor_app.ui import wording_voice
from tutor_app.ui.widgets.speak_bar import SpeakBar
from tutor_app.ui.widgets.voice_bar import VoiceBar

AGAIN = WordSound("carro", "again", "caro", "rr is rolled.")


@dataclass
class ScriptedReader:
    """Says nothing and remembers what it was to say."""

    reads_aloud: bool = True
    slow: bool = False
    recorded: frozenset[str] = frozenset()
    trouble: TutorError | None = None
    waits: threading.Event | None = None
    words: tuple[WordSound, ...] = ()
    said: list[tuple[str, bool]] = field(default_factory=list)
    played: list[bytes] = field(default_factory=list)
    stops: int = 0

    def unasked(self, text: str) -> bool:
        return self.reads_aloud or text in self.recorded

    def say(self, text: str, *, slow: bool = False, on_sound: Callable[[], None] | None = None) -> bool:
        self.said.append((text, slow))
        if self.trouble is not None:
            raise self.trouble
        if on_sound is not None:
            on_sound()
        if self.waits is not None:
            self.waits.wait(30)
        return True

    def play(self, recording: bytes) -> None:
        self.played.append(recording)

    def remarks(self, recording: bytes, text: str) -> tuple[WordSound, ...]:
        return self.words

    def stop(self) -> None:
        self.stops += 1
        if self.waits is not None:
            self.waits.set()


def with_reader(ui: Driven, reader: ScriptedReader) -> ScriptedReader:
    ui.service.scripted_reader = cast("Reader", reader)
    return reader


def voice_bar(ui: Driven) -> VoiceBar:
    return ui.app.screen.query_one(VoiceBar)


async def show(ui: Driven, step: StepShown) -> None:
    """A step, as the session would bring it."""
    from tutor_app.ui.messages import SessionEvent

    ui.app.screen.post_message(SessionEvent(step))
    await ui.pilot.pause()


def dictation(say: str = "Buenos días.") -> StepShown:
    return StepShown("d1", "d", "dictation", "Escucha y escribe.", say=say)


def speaking() -> StepShown:
    return StepShown("s1", "s", "speak", "Di la frase.", say="El carro es rojo.")


async def test_a_dictation_is_read_at_once_and_never_shown() -> None:
    async with driven() as ui:
        reader = with_reader(ui, ScriptedReader())
        await ui.open_lesson()
        await show(ui, dictation())
        await ui.heard.wait(VoiceBar.Over)
        assert reader.said[-1] == ("Buenos días.", False)
        assert not any("Buenos días" in line.text for line in ui.lines)


async def test_the_tutors_reply_is_read_too() -> None:
    async with driven() as ui:
        reader = with_reader(ui, ScriptedReader())
        await ui.open_lesson()
        await ui.say("Hola")
        await ui.pilot.pause()
        replies = [
            message.event for message in ui.heard.of(_session_event()) if isinstance(message.event, Reply)
        ]
        assert replies
        assert (replies[-1].text, False) in reader.said


def _session_event() -> type:
    from tutor_app.ui.messages import SessionEvent

    return SessionEvent


async def test_the_key_says_it_again_and_then_slowly() -> None:
    async with driven() as ui:
        reader = with_reader(ui, ScriptedReader(reads_aloud=False))
        await ui.open_lesson()
        await show(ui, dictation())
        assert not any(text == "Buenos días." for text, _ in reader.said), "nothing is read unasked"
        assert wording_voice.PRESS_TO_HEAR in ui.said("note")
        for count in (1, 2, 3):
            await ui.pilot.press("f12")
            await ui.heard.wait(VoiceBar.Over, count)
        assert reader.said[-3:] == [("Buenos días.", False), ("Buenos días.", True), ("Buenos días.", False)]


async def test_the_key_is_for_the_dictation_also_after_a_reply() -> None:
    async with driven() as ui:
        reader = with_reader(ui, ScriptedReader())
        await ui.open_lesson()
        await ui.heard.wait(VoiceBar.Over)  # the tutor's opening
        reader.said.clear()
        await show(ui, dictation())
        await ui.heard.wait(VoiceBar.Over, 2)
        reply = Reply("¿Qué palabra oyes primero?", "hint", (), "authored", 1)
        ui.app.screen.post_message(_session_event()(reply))
        await ui.heard.wait(VoiceBar.Over, 3)
        await ui.pilot.press("f12")
        await ui.heard.wait(VoiceBar.Over, 4)
        assert [text for text, _ in reader.said] == ["Buenos días.", reply.text, "Buenos días."]


async def test_a_recording_is_heard_where_a_robots_voice_would_wait_for_the_key() -> None:
    async with driven() as ui:
        reader = with_reader(ui, ScriptedReader(reads_aloud=False, recorded=frozenset({"Buenos días."})))
        await ui.open_lesson()
        await show(ui, dictation())
        await ui.heard.wait(VoiceBar.Over)
        assert reader.said == [("Buenos días.", False)]
        assert wording_voice.PRESS_TO_HEAR not in ui.said("note")


async def test_escape_silences_before_it_does_anything_else() -> None:
    async with driven() as ui:
        reader = with_reader(ui, ScriptedReader(waits=threading.Event()))
        await ui.open_lesson()
        await show(ui, dictation())
        await ui.heard.wait(VoiceBar.Sounding)
        await ui.pilot.pause()
        assert str(voice_bar(ui).content) == wording_voice.SOUNDING
        lesson = ui.app.screen
        await ui.pilot.press("escape")
        assert reader.stops >= 1
        assert ui.app.screen is lesson, "no question about leaving"
        assert not voice_bar(ui).speaking


async def test_without_a_loudspeaker_the_dictation_is_shown_masked_and_can_be_done() -> None:
    async with driven() as ui:
        trouble = SpeechError("No loudspeaker or headphones were found. Read the text instead.")
        with_reader(ui, ScriptedReader(trouble=trouble))
        await ui.open_lesson()
        await show(ui, dictation())
        await ui.heard.wait(VoiceBar.Over)
        await ui.pilot.pause()
        assert str(trouble) in ui.said("problem")
        assert wording_voice.SHOWN_INSTEAD.format(text="B····· d····") in ui.said("note")


async def test_without_a_loudspeaker_the_tutors_lines_are_read_without_a_note_at_each() -> None:
    async with driven() as ui:
        trouble = SpeechError("No loudspeaker or headphones were found. Read the text instead.")
        with_reader(ui, ScriptedReader(trouble=trouble))
        await ui.open_lesson()
        for said in ("Hola", "Bien, gracias"):
            await ui.say(said)
            await ui.heard.wait(VoiceBar.Over)
            await ui.pilot.pause()
        assert ui.said("problem").count(str(trouble)) == 1


async def test_where_nothing_speaks_a_step_to_be_heard_says_so_once() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        for _ in range(2):
            await show(ui, StepShown("d1", "d", "dictation", "Escucha.", text="B····· d····"))
        assert ui.said("note").count(wording_voice.NO_VOICE) == 1
        await ui.pilot.press("f12")
        assert not voice_bar(ui).speaking


async def test_what_the_learner_said_is_played_after_the_tutor_and_remarked_on_gently() -> None:
    async with driven() as ui:
        with_ear(ui, hearing())
        reader = with_reader(ui, ScriptedReader(words=(AGAIN, WordSound("rojo", "clear", "", ""))))
        await ui.open_lesson()
        await show(ui, speaking())
        await ui.pilot.press("f4")
        await ui.heard.wait(SpeakBar.Progressed)
        await ui.pilot.press("f4")
        await ui.heard.wait(SpeakBar.Heard)
        await ui.pilot.pause()
        assert ui.composer.text == WORDS
        assert reader.played == [], "nothing is compared before the learner sends it"
        await ui.press("enter")
        await ui.heard.wait(VoiceBar.Remarked)
        await ui.pilot.pause()
        assert reader.played == [PCM]
        notes = ui.said("note")
        assert wording_voice.CLEAR.format(words="rojo") in notes
        remark = next(note for note in notes if "carro" in note)
        assert remark.startswith("Listen again")
        assert "wrong" not in remark


async def test_speaking_to_the_microphone_silences_the_tutor() -> None:
    async with driven() as ui:
        with_ear(ui, hearing())
        reader = with_reader(ui, ScriptedReader(waits=threading.Event()))
        await ui.open_lesson()
        await show(ui, speaking())
        await ui.heard.wait(VoiceBar.Sounding)
        await ui.pilot.press("f4")
        await ui.heard.wait(SpeakBar.Progressed)
        assert reader.stops >= 1
        await ui.pilot.press("f4")


@pytest.mark.parametrize(
    ("setting", "natural", "environment", "read"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("on", False, {}, True),
        ("off", True, {}, False),
        ("auto", True, {"TUTOR_LAB": "1"}, False),
        ("on", True, {"TUTOR_LAB": "1"}, True),
        ("on", True, {"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}, False),
    ],
)
def test_lines_are_read_unasked_only_where_that_is_welcome(
    setting: str, natural: bool, environment: dict[str, str], read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tutor_app.session.reading import reads_aloud
    from tutor_app.speech.voices import VoiceChoice

    for name in ("TUTOR_LAB", "TEXTUAL_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    voice = VoiceChoice("kokoro" if natural else "espeak", "one")
    assert reads_aloud({"read_aloud": setting}, natural=voice.natural) is read
