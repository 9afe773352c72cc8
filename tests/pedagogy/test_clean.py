"""Replies as they are shown."""

from __future__ import annotations

import pytest

from tutor_app.pedagogy.clean import presentable


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
