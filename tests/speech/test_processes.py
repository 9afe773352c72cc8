"""Speech libraries stay out of the app's own process, and nothing of speech is loaded before somebody speaks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tutor_app.speech.errors import SpeechError
from tutor_app.speech.keeping import keep_recording
from tutor_app.speech.process import SpeechChild

APP_SIDE = "tutor_app.speech.listening, tutor_app.speech.hear, tutor_app.speech.check, tutor_app.ui.app"


def test_the_apps_side_of_speech_loads_no_speech_library() -> None:
    code = (
        f"import sys, {APP_SIDE}; "
        "print(sorted({'faster_whisper', 'ctranslate2', 'miniaudio', 'onnxruntime', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_app_starts_without_anything_of_speech() -> None:
    code = "import sys, tutor_app.ui.app; print([n for n in sys.modules if n.startswith('tutor_app.speech')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_child_that_cannot_start_is_said_with_its_last_words() -> None:
    child = SpeechChild("tutor_app.no_such_module", "The ear")
    with pytest.raises(SpeechError, match=r"The ear stopped unexpectedly \(.*no_such_module"):
        child.ask("hear")
    child.close()


def test_a_child_for_which_there_is_no_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(command: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("tutor_app.speech.process.Child", refuse)
    with pytest.raises(SpeechError, match="The ear could not be started: Cannot allocate memory"):
        SpeechChild("tutor_app.speech.recorder", "The ear").ask("devices")


def test_kept_recordings_are_private_and_go_with_the_learner(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from tutor_app.progress.learners import folder_of
    from tutor_app.progress.removal import delete_learner
    from tutor_app.progress.store import create_learner

    learner = create_learner(tmp_path, "Ana")
    path = keep_recording(folder_of(tmp_path, learner.id), b"\x01\x00" * 800, 1, 1_700_000_000.5)
    assert path.read_bytes()[:4] == b"RIFF"
    assert path.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    delete_learner(tmp_path, learner.id)
    assert not path.exists()
