"""Replies as they are shown."""

from __future__ import annotations

import pytest

from tutor_app.pedagogy.clean import first_sentence, presentable, questions


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("¡Ah, «el problema»! Y cuál es su trabajo?", "¡Ah, «el problema»! ¿Y cuál es su trabajo?"),
        ("Qué comes?", "¿Qué comes?"),
        ("Ya veo. ¿Qué comes?", "Ya veo. ¿Qué comes?"),
        ("Y tú, ¿qué comes?", "Y tú, ¿qué comes?"),
        ("¿Sí? Y qué más?", "¿Sí? ¿Y qué más?"),
        ("Dices «sí». Qué bien... Y tú? Adiós", "Dices «sí». Qué bien... ¿Y tú?"),
    ],
)
def test_a_spanish_question_is_opened(said: str, shown: str) -> None:
    assert presentable(said, "es-MX") == shown


def test_other_languages_open_no_question() -> None:
    assert presentable("Et toi, tu manges quoi ?", "fr") == "Et toi, tu manges quoi ?"


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("Ya veo. ¿Y tú?", "Ya veo."),
        ("Bueno... Ya veo. ¿Y tú?", "Bueno..."),
        ("Cuesta 3.50 hoy. ¿Lo quieres?", "Cuesta 3.50 hoy."),
        ("«¡Qué bien!» Ya veo.", "«¡Qué bien!»"),
        ("¡Ah, «está en casa»! ¿Y ella?", "¡Ah, «está en casa»!"),
        ("Tu aimes ça ? Moi aussi.", "Tu aimes ça ?"),
        ("好。你呢？", "好。"),
        ("「好。」你呢？", "「好。」"),
        ("جميل! وأنت؟ نعم.", "جميل!"),
        ("Ya veo", "Ya veo"),
    ],
)
def test_the_first_sentence_ends_with_its_own_mark(said: str, first: str) -> None:
    assert first_sentence(said) == first


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Ya veo. ¿Con quién vives? ¿Y tú?", ["Con quién vives?", "Y tú?"]),
        ("Y tú, ¿qué comes? Bien.", ["qué comes?"]),
        ("Je vois. Et toi ?", ["Et toi ?"]),
        ("好。你呢？", ["你呢？"]),
        ("جميل! وأنت؟", ["وأنت؟"]),
        ("Ya veo.", []),
    ],
)
def test_questions_are_told_from_what_is_said_before_them(said: str, asked: list[str]) -> None:
    assert questions(said) == asked
