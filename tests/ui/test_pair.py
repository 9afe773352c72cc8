"""Hearing a pair of words: when it is offered, what sounds, what is told, and what becomes of the try."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Button

from tests.ui import script
from tests.ui.conftest import Driven, driven
from tests.ui.test_reading_aloud import ScriptedReader, show, speaking, with_reader
from tests.ui.test_speaking import hearing, with_ear
from tutor_app.session.events import StepShown, WordSound
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pairs import order
from tutor_app.ui import wording_pairs, wording_voice
from tutor_app.ui.messages import SessionClosed, SessionEvent, TurnOver
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.screens.pair import PairOffer
from tutor_app.ui.screens.summary import SummaryScreen
from tutor_app.ui.widgets.speak_bar import SpeakBar
from tutor_app.ui.widgets.voice_bar import VoiceBar

SENTENCE, OTHER = "El carro es rojo.", "El caro es rojo."
AGAIN = WordSound("carro", "again", "caro", "rr is rolled.", OTHER)
ORDER = order(f"1 {(SENTENCE, OTHER)}")
BOTH = (SENTENCE, OTHER)


@asynccontextmanager
async def remarked(reader: ScriptedReader, size: tuple[int, int] = (60, 20)) -> AsyncIterator[Driven]:
    """A lesson in which a word was just offered to be heard again."""
    async with driven(size=size) as ui:
        with_ear(ui, hearing(), hearing())
        with_reader(ui, reader)
        await ui.open_lesson()
        await show(ui, speaking())
        await record(ui, 1)
        await ui.press("enter")
        await ui.heard.wait(VoiceBar.Remarked)
        await ui.pilot.pause()
        reader.said.clear()
        yield ui


async def record(ui: Driven, count: int) -> None:
    before = len(ui.heard.of(SpeakBar.Progressed))
    await ui.pilot.press("f4")
    await ui.heard.wait(SpeakBar.Progressed, before + 1)
    await ui.pilot.press("f4")
    await ui.heard.wait(SpeakBar.Heard, count)
    await ui.pilot.pause()


def overs(ui: Driven) -> int:
    return len(ui.heard.of(VoiceBar.Over))


async def listen(ui: Driven, *keys: str, sentences: int = 1) -> None:
    """Press keys and wait until what they make sound is over."""
    before = overs(ui)
    await ui.pilot.press(*keys)
    await ui.heard.wait(VoiceBar.Over, before + sentences)
    await ui.pilot.pause()


def told(ui: Driven) -> str:
    return str(ui.app.screen.query_one("#told").render())


def key(chosen: int) -> str:
    return str(chosen + 1)


def reader_of(*words: WordSound) -> ScriptedReader:
    return ScriptedReader(reads_aloud=False, words=words)


async def test_it_is_offered_by_a_key_and_a_button_and_gone_with_the_next_answer() -> None:
    async with remarked(reader_of(AGAIN)) as ui:
        offer = ui.app.screen.query_one(PairOffer)
        assert str(offer.label) == wording_pairs.OFFER.format(word="carro", other="caro")
        shown = [active.binding.description for active in ui.app.screen.active_bindings.values()]
        assert wording_pairs.KEY_PAIR in shown
        await ui.say("Soy Ana")
        assert not ui.app.screen.query(PairOffer)
        await ui.pilot.press("f11")
        assert isinstance(ui.app.screen, LessonScreen)


async def test_nothing_is_offered_for_a_clear_word() -> None:
    async with remarked(reader_of(WordSound("carro", "clear", "caro", ""))) as ui:
        assert not ui.app.screen.query(PairOffer)
        assert not ui.app.screen.check_action("pair", ())


@pytest.mark.parametrize("size", [(60, 20), (160, 50)])
async def test_the_same_word_heard_is_told_with_the_other_and_a_second_round_follows(
    size: tuple[int, int],
) -> None:
    async with remarked(reader := reader_of(AGAIN), size) as ui:
        await listen(ui, "ctrl+f")
        assert ui.app.screen.query("#told"), "the pair is on the screen"
        assert [text for text, _ in reader.said] == [BOTH[ORDER[0]]]
        assert told(ui) == ""
        await ui.pilot.press(key(ORDER[0]))
        word, other = ("carro", "caro") if ORDER[0] == 0 else ("caro", "carro")
        assert told(ui) == wording_pairs.HEARD.format(word=word, other=other, tip="rr is rolled.")
        assert len(reader.said) == 1, "nothing more has to be heard"
        await listen(ui, "enter")
        assert [text for text, _ in reader.said] == [BOTH[ORDER[0]], BOTH[ORDER[1]]]
        assert told(ui) == ""
        await ui.pilot.press(key(ORDER[1]))
        assert wording_pairs.SAY_IT.format(sentence=SENTENCE) in told(ui)
        back = ui.app.screen.query_one("#back", Button)
        assert ui.app.screen.region.contains_region(back.region), "all of it fits"
        await ui.pilot.press("enter")
        assert isinstance(ui.app.screen, LessonScreen)


async def test_where_the_other_word_was_heard_both_are_played_and_nothing_is_called_wrong() -> None:
    async with remarked(reader := reader_of(AGAIN)) as ui:
        await listen(ui, "ctrl+f")
        reader.said.clear()
        await listen(ui, key(1 - ORDER[0]), sentences=2)
        assert [text for text, _ in reader.said] == [SENTENCE, OTHER]
        assert "Listen to both: first carro, then caro. (rr is rolled.)" in told(ui)
        assert "wrong" not in told(ui).lower()
        assert not ui.app.screen.check_action("choose", (0,)), "one choice a round"


async def test_it_can_be_heard_again_before_choosing_and_chosen_with_the_buttons() -> None:
    async with remarked(reader := reader_of(AGAIN)) as ui:
        await listen(ui, "ctrl+f")
        await listen(ui, "f12")
        await listen(ui, "f12")
        said = BOTH[ORDER[0]]
        assert reader.said == [(said, False), (said, False), (said, True)]
        await ui.pilot.click(f"#word-{ORDER[0]}")
        await ui.pilot.pause()
        assert "Beside it" in told(ui)


async def test_the_try_afterwards_is_remarked_on_and_neither_sent_nor_kept() -> None:
    async with remarked(reader := reader_of(AGAIN)) as ui:
        turns = len(ui.session.turns)
        await listen(ui, "ctrl+f")
        assert not ui.app.screen.check_action("speak", ()), "listening comes first"
        await ui.pilot.press(key(ORDER[0]))
        await listen(ui, "enter")
        await ui.pilot.press(key(ORDER[1]))
        reader.words = (WordSound("carro", "clear", "caro", "", OTHER),)
        await record(ui, 2)
        await ui.heard.wait(VoiceBar.Remarked, 2)
        await ui.pilot.pause()
        assert told(ui) == wording_voice.CLEAR.format(words="carro")
        await ui.pilot.press("escape")
        assert isinstance(ui.app.screen, LessonScreen)
        assert len(ui.session.turns) == turns
        assert ui.composer.text == ""
        assert ui.app.screen.query_one(SpeakBar).unsent == b""
        assert ui.service.recordings == []


async def test_without_a_loudspeaker_the_reason_and_the_difference_are_shown() -> None:
    async with remarked(reader := reader_of(AGAIN)) as ui:
        reader.trouble = SpeechError("No loudspeaker was found.")
        await listen(ui, "ctrl+f")
        assert told(ui) == "No loudspeaker was found.\nrr is rolled."
        await ui.pilot.press("escape")
        assert isinstance(ui.app.screen, LessonScreen)


async def test_a_lesson_that_ends_meanwhile_closes_when_the_pair_is_left() -> None:
    async with remarked(reader_of(AGAIN)) as ui:
        lesson = ui.app.screen
        await listen(ui, "ctrl+f")
        lesson.post_message(SessionEvent(script.SUMMARY))
        lesson.post_message(TurnOver(1))
        await ui.heard.wait(SessionClosed)
        await ui.pilot.pause()
        assert ui.app.screen.query("#told"), "the pair stays until it is left"
        await ui.pilot.press("escape")
        await ui.pilot.pause()
        assert isinstance(ui.app.screen, SummaryScreen)


async def test_what_the_tutor_says_meanwhile_is_read_when_the_pair_is_left() -> None:
    async with remarked(reader := ScriptedReader(words=(AGAIN,))) as ui:
        lesson = ui.app.screen
        await listen(ui, "ctrl+f")
        reader.said.clear()
        step = StepShown("d2", "d", "dictation", "Escucha.", say="Buenas noches.")
        lesson.post_message(SessionEvent(step))
        await ui.pilot.pause()
        assert reader.said == []
        await listen(ui, "escape")
        assert reader.said == [("Buenas noches.", False)]
