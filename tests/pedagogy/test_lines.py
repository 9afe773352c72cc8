"""Cleaning a model's words, the tutor's own lines, and what the learner took up."""

from __future__ import annotations

import pytest

from tutor_app.pedagogy import author
from tutor_app.pedagogy.clean import clean, up_to_question, whole_sentences
from tutor_app.pedagogy.uptake import Asked, practised, taken_up


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("¡Hola!<|im_end|>", "¡Hola!"), ("Tutor: ¡Hola!", "¡Hola!"), ("**¡Hola!**", "¡Hola!"), ('"¡Hola!"', "¡Hola!"),
        ("[ask] ¡Hola!", "¡Hola!"), ("¡Hola! [recast: x]", "¡Hola!"), ("¡Ho\u202ela!", "¡Hola!"), ("a\n\n b", "a b"),
        ("«Hola» y «adiós»", "«Hola» y «adiós»"), ("a\x1b[31mb", "a[31mb"), ("", ""), ("¡¡Hola!", "¡Hola!"),
    ],
)  # fmt: skip
def test_packaging_is_taken_off_and_words_are_left(raw: str, said: str) -> None:
    assert clean(raw, "es") == said


def test_a_sentence_that_was_cut_off_is_dropped() -> None:
    assert whole_sentences("Hola. ¿Qué tal? Yo cre") == "Hola. ¿Qué tal?"
    assert whole_sentences("Yo cre") == "Yo cre"


def test_nothing_is_said_after_the_last_question() -> None:
    assert up_to_question("Hola. ¿Y tú? Bien.") == "Hola. ¿Y tú?"


def test_the_emphasised_form_of_a_line_becomes_the_recast() -> None:
    line = author.without_emphasis("¡Ah, *eres de* Lima! ¿Y tú?")
    assert (line.text, line.recast) == ("¡Ah, eres de Lima! ¿Y tú?", "eres de")


@pytest.mark.parametrize("tag", ["es", "fr", "zh", "ar"])
@pytest.mark.parametrize("move", ["recast", "question", "explore", "simplify", "hint", "ask", "check"])
def test_every_talk_line_asks_something(tag: str, move: str) -> None:
    line = author.talk_reply(tag, 1, move=move, question="¿Y tú?", target="b", original="a")
    assert any(mark in line.text for mark in "?？؟")


def test_chinese_sentences_join_without_a_space_unless_a_neighbour_is_latin() -> None:
    assert author.joined("zh", "好。", "你呢？") == "好。你呢？"
    assert author.joined("zh", "at home.", "你呢？") == "at home. 你呢？"


def test_a_phrase_follows_from_its_seed() -> None:
    assert author.phrase("es", "next", 4) == author.phrase("es", "next", 4)


RECAST = Asked("recast", ("está en casa",), "mi hermana es en casa")


def test_producing_the_form_is_repair_and_uptake() -> None:
    assert taken_up(RECAST, "Sí, mi hermana está en casa hoy", "es", confused=False) == (True, True)


def test_reacting_without_the_form_is_uptake_only() -> None:
    assert taken_up(RECAST, "mi hermana está a casa", "es", confused=False) == (True, False)
    assert taken_up(RECAST, "no entiendo", "es", confused=True) == (True, False)


def test_talking_about_something_else_is_neither() -> None:
    assert taken_up(RECAST, "Tengo dos gatos", "es", confused=False) == (False, False)


def test_moves_that_offer_no_form_can_not_be_taken_up() -> None:
    assert taken_up(Asked("ask", ()), "sí", "es", confused=False) == (None, None)
    assert taken_up(None, "sí", "es", confused=False) == (None, None)


def test_a_form_is_practised_when_one_of_its_words_is_used() -> None:
    assert practised("Yo soy de Quito", ["soy", "eres"], "es")
    assert not practised("Vivo en Quito", ["soy", "eres"], "es")
