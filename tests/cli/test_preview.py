"""An instructor's folder in the app."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lessons.load import builtin_sets_dir
from tutor_app.cli.lesson_preview import PreviewService
from tutor_app.errors import TutorError
from tutor_app.session.events import Asked, Reply, StepShown


def test_the_set_in_the_folder_is_shown_and_read_again_after_a_save(tmp_path: Path) -> None:
    folder = tmp_path / "es-l2"
    shutil.copytree(builtin_sets_dir() / "es-l2", folder)
    service = PreviewService(tmp_path / "home", folder)
    try:
        service.create_learner("Preview", {"language": "es", "track": "l2"})
        assert [found.id for found in service.sets()] == ["es-l2"]
        lesson = folder / "lessons" / "01-hola.yaml"
        text = lesson.read_text(encoding="utf-8")
        opening = "¡Hola! Soy Inés."
        assert opening in text
        lesson.write_text(text.replace(opening, "¡Hola! Soy Marta."), encoding="utf-8")
        session = service.start_lesson("es-l2", "hola")
        step = list(session.start())[-1]
        assert isinstance(step, StepShown)
        assert "Soy Marta" in step.prompt
        reply = next(event for event in session.submit(Asked("hint")) if isinstance(event, Reply))
        assert reply.source == "authored"
        assert service.active_model() is None
    finally:
        service.close()


def test_a_slip_that_was_saved_meanwhile_is_told_in_the_words_of_lint(tmp_path: Path) -> None:
    folder = tmp_path / "es-l2"
    shutil.copytree(builtin_sets_dir() / "es-l2", folder)
    service = PreviewService(tmp_path / "home", folder)
    try:
        service.create_learner("Preview", {"language": "es", "track": "l2"})
        lesson = folder / "lessons" / "01-hola.yaml"
        lesson.write_text(lesson.read_text(encoding="utf-8").replace("title:", "titel:", 1), encoding="utf-8")
        with pytest.raises(TutorError, match="titel"):
            service.sets()
        with pytest.raises(TutorError, match="01-hola"):
            service.start_lesson("es-l2", "hola")
    finally:
        service.close()
