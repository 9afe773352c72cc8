"""Arabic on terminals that draw every cell from left to right."""

from __future__ import annotations

import dataclasses
import unicodedata

import pytest

from tests.ui import script
from tests.ui.conftest import driven
from tutor_app.ui.bidi import Mode, has_rtl, visual_line


def drawn(text: str, mode: Mode) -> str:
    return "".join(piece for _, _, piece in visual_line(text, mode))


# The expected lines of `visual` are those of python-bidi 0.6.12, which agreed on all 3,273 lines of the Arabic sets.
@pytest.mark.parametrize(
    ("logical", "visual"),
    [
        ("سلام", "مالس"),
        ("الشيء هنا.", ".انه ءيشلا"),
        ("عندي 25 كتابا", "اباتك 25 يدنع"),
        ("this: هنا", "this: انه"),
        ("كلمة (owner) هنا", "انه (owner) ةملك"),
        ("plain English", "plain English"),
    ],
)
def test_lines_are_drawn_as_the_unicode_algorithm_orders_them(logical: str, visual: str) -> None:
    assert drawn(logical, "visual") == visual


def test_vowel_signs_stay_on_their_letters() -> None:
    pieces = [piece for _, _, piece in visual_line("كِتَابٌ", "visual")]
    assert pieces == ["بٌ", "ا", "تَ", "كِ"]


def test_words_keep_their_letters_in_reading_order_when_the_terminal_turns_them() -> None:
    assert drawn("من أنت؟", "words") == "أنت؟ من"


def test_shaped_letters_take_the_form_of_their_place_and_lam_alef_is_one() -> None:
    shaped = [unicodedata.name(piece[0]) for _, _, piece in visual_line("سلام", "visual-shaped")]
    assert shaped == [
        "ARABIC LETTER MEEM ISOLATED FORM",
        "ARABIC LIGATURE LAM WITH ALEF FINAL FORM",
        "ARABIC LETTER SEEN INITIAL FORM",
    ]


def test_nothing_is_lost_or_doubled_by_turning_a_line_round() -> None:
    text = "أَهْلًا (hi), عُمْرِي ٢٠ سَنَة! ok?"
    pieces = sorted((start, end) for start, end, _ in visual_line(text, "visual"))
    assert "".join(text[start:end] for start, end in pieces) == text
    assert has_rtl(text)
    assert not has_rtl("¿Qué tal? 你好")


async def test_what_is_drawn_follows_the_setting_and_what_is_copied_does_not() -> None:
    step = dataclasses.replace(script.TALK, prompt="من أنت؟")
    session = dataclasses.replace(script.lesson_session(), opening=[script.STARTED, step])
    service = script.service(make_session=lambda: session, kept={"arabic_display": "visual"})
    async with driven(service) as ui:
        await ui.open_lesson()
        assert ui.lines[-1]._words.render().plain == "؟تنأ نم"
        await ui.pilot.press("ctrl+o")
        assert ui.app.clipboard == "من أنت؟"
