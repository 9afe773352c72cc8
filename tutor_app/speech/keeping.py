"""Recordings that a learner wants to keep, in their own folder, which goes away with their data."""

from __future__ import annotations

from pathlib import Path

from tutor_app.llm.files import replace_file
from tutor_app.progress.recordings import recording_of
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import wav


def keep_recording(learner_folder: Path, pcm: bytes, session_id: int, now: float) -> Path:
    """Write a recording of a session as a WAV file. Raises SpeechError when the disk will not have it."""
    path = recording_of(learner_folder, session_id, now)
    try:
        replace_file(path, wav(pcm))
        path.chmod(0o600)
    except OSError as error:
        raise SpeechError(f"The recording could not be kept: {error.strerror}.") from error
    return path
