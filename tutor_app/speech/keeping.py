"""Recordings that a learner wants to keep, in their own folder, which goes away with their data."""

from __future__ import annotations

import time
from pathlib import Path

from tutor_app.llm.files import replace_file
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import wav

FOLDER = "audio"


def keep_recording(learner_folder: Path, pcm: bytes, now: float) -> Path:
    """Write a recording as a WAV file named after the time. Raises SpeechError when the disk will not have it."""
    stamp = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(now))
    path = learner_folder / FOLDER / f"{stamp}-{int(now * 1000) % 1000:03}.wav"
    try:
        replace_file(path, wav(pcm))
        path.chmod(0o600)
    except OSError as error:
        raise SpeechError(f"The recording could not be kept: {error.strerror}.") from error
    return path
