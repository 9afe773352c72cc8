"""Text from outside is made safe, and what matters in it is made visible."""

from __future__ import annotations

import pytest

from tutor_app.ui.letters import letters_for, next_variant
from tutor_app.ui.text import clean, gauge, one_line, salient, words_of


def test_clean_takes_escapes_overrides_and_lone_surrogates_but_keeps_marks_that_belong_to_words() -> None:
    assert clean("a\x1b[31mb\x07\u202ec\ud800\x9bd") == "a[31mbcd"
    assert clean("line\r\nnext\ttab") == "line\nnext\ttab"
    assert clean("می\u200cخواهم كِتَابٌ") == "می\u200cخواهم كِتَابٌ"


def test_one_line_is_cut_with_an_ellipsis() -> None:
    assert one_line("a  b\n c", 10) == "a b c"
    assert one_line("x" * 20, 5) == "xxxx…"


@pytest.mark.parametrize(
    ("text", "form", "shown"),
    [
        ("Entonces estás cansada.", "estás cansada", "Entonces «estás cansada»."),
        ("estar, estás", "estás", "estar, «estás»"),
        ("Dices «estás», ¿no?", "estás", "Dices «estás», ¿no?"),
        ("你把书放在桌子上。", "把书放在", "你「把书放在」桌子上。"),
        ("Elle est allée. Allée où ?", "allée", "Elle est «allée». «Allée» où ?"),
        ("nothing here", "estás", "nothing here"),
        ("nothing here", None, "nothing here"),
    ],
)
def test_the_recast_form_stands_between_marks_as_a_whole_word(
    text: str, form: str | None, shown: str
) -> None:
    assert salient(text, form).plain == shown


def test_markup_in_a_line_is_only_text() -> None:
    assert salient("use [b]ser[/b] or [/]", "ser").plain == "use [b]«ser»[/b] or [/]"


def test_a_gauge_reads_without_colour() -> None:
    assert gauge(0.5, 6).plain == "━━━───"
    assert gauge(7.0, 4).plain == "━━━━"


def test_words_of_a_line_begin_with_those_of_the_lesson() -> None:
    assert words_of("Tengo la maleta roja, la roja.", ["la maleta"]) == [
        "la maleta",
        "Tengo",
        "la",
        "maleta",
        "roja",
    ]
    assert words_of("我们学中文", ["中文"]) == ["中文", "我", "们", "学", "中", "文"]


def test_letters_come_round_again_and_keep_their_case() -> None:
    assert [next_variant(a, "fr") for a in "eéèêë"] == ["é", "è", "ê", "ë", "e"]
    assert next_variant("N", "es-MX") == "Ñ"
    assert next_variant("?", "es") == "¿"
    assert next_variant("x", "es") is None


@pytest.mark.parametrize("language", ["es", "fr", "zh", "ar"])
def test_no_letter_is_offered_twice_under_one_key(language: str) -> None:
    offered = [(letter.key, letter.text) for letter in letters_for(language)]
    assert offered
    assert len(offered) == len(set(offered))


def test_every_arabic_letter_has_a_key() -> None:
    alphabet = set("ابتثجحخدذرزسشصضطظعغفقكلمنهويءةىآأإؤئ")
    assert alphabet <= {letter.text for letter in letters_for("ar")}
