"""The ear of a session, where speech is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from tutor_app.session.events import Heard


def hearer(data_dir: Path) -> Callable[[Path, str], Heard] | None:
    """What turns an audio file into text, or None where `linguist-tutor[speech]` is not installed."""
    if (
        importlib.util.find_spec("tutor_app.speech.hear") is None
        or importlib.util.find_spec("faster_whisper") is None
    ):
        return None
    module = importlib.import_module("tutor_app.speech.hear")
    make: Callable[[Path], Callable[[Path, str], Heard]] = module.hearer
    return make(data_dir)
