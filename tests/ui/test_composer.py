"""Writing: what is sent, what stays, and what the keys of a terminal really are."""

from __future__ import annotations

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from tests.ui.conftest import driven
from tutor_app.session.events import Said
from tutor_app.ui.keys import teach_new_line_keys
from tutor_app.ui.widgets.composer import MAX_CHARACTERS
from tutor_app.ui.widgets.letter_bar import LetterBar


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter"])
async def test_a_new_line_key_breaks_the_line_and_enter_sends_the_whole(key: str) -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.write("uno")
        await ui.pilot.press(key)
        await ui.say("dos")
        assert ui.session.turns == [Said("uno\ndos", 0.0)]


async def test_enter_in_the_same_burst_as_the_letters_sends_them_all() -> None:
    async with driven() as ui:
        await ui.open_lesson()

        async def burst() -> None:
            for character in "hola":
                ui.app.post_message(events.Key(character, character))
            ui.app.post_message(events.Key("enter", "\r"))

        await ui.turn(burst)
        assert ui.session.turns == [Said("hola", 0.0)]


@pytest.mark.parametrize(
    ("sequence", "key"), [("\x1b\r", "alt+enter"), ("\n", "ctrl+j"), ("\x1b[13;2u", "shift+enter")]
)
def test_the_parser_knows_the_new_line_keys_of_terminals_without_the_kitty_protocol(
    sequence: str, key: str
) -> None:
    teach_new_line_keys()
    assert [event.key for event in XTermParser(False).feed(sequence) if isinstance(event, events.Key)] == [
        key
    ]


async def test_a_paste_of_several_lines_stays_in_the_box_without_control_characters() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        ui.app.post_message(events.Paste("¿Qué tal?\r\nb\x1b[2Jien 你好 كِتَاب"))
        await ui.pilot.pause()
        assert ui.composer.text == "¿Qué tal?\nb[2Jien 你好 كِتَاب"


async def test_the_box_holds_ten_thousand_characters_and_no_more() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        ui.app.post_message(events.Paste("x" * (MAX_CHARACTERS + 5)))
        await ui.pilot.pause()
        await ui.pilot.press("y")
        assert len(ui.composer.text) == MAX_CHARACTERS


async def test_up_brings_back_what_was_sent_but_never_over_new_words() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.say("Hola")
        await ui.pilot.press("up")
        assert ui.composer.text == "Hola"
        await ui.pilot.press("down", *"x", "up")
        assert ui.composer.text == "x"


async def test_a_key_after_a_letter_gives_its_accents_in_turn() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.write("espan")
        await ui.pilot.press("ctrl+s")
        assert ui.composer.text == "españ"
        await ui.pilot.press("ctrl+s")
        assert ui.composer.text == "espan"


async def test_letters_are_reached_by_keyboard_alone_and_other_keys_go_through() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.pilot.press("f8")
        assert isinstance(ui.app.focused, LetterBar)
        await ui.pilot.press(*"sen", "backspace", *"ny", "u", "u")
        await ui.pilot.pause()
        assert ui.composer.text == "séñyü"
        await ui.pilot.press("escape")
        assert ui.app.focused is ui.composer


async def test_empty_box_sends_nothing() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.write("  ")
        await ui.pilot.press("enter")
        await ui.pilot.pause()
        assert ui.session.turns == []
