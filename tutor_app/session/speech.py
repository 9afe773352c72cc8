"""The ear of a session, where speech is installed. Nothing is loaded or started before somebody speaks."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tutor_app.session.events import Heard

if TYPE_CHECKING:
    from tutor_app.speech.listening import Ear
    from tutor_app.speech.pronunciation import Pronunciation
    from tutor_app.speech.voice import Voice

NEEDED = ("faster_whisper", "miniaudio")


def installed() -> bool:
    """Whether `linguist-tutor[speech]` is; looks for the libraries without loading them."""
    return all(importlib.util.find_spec(name) is not None for name in NEEDED)


def hearer(data_dir: Path, track: str = "") -> Callable[[Path, str], Heard] | None:
    """What turns an audio file into text, or None where `linguist-tutor[speech]` is not installed.

    On the heritage track English is heard too, rather than translated.
    """
    if not installed():
        return None
    from tutor_app.speech import hear

    return hear.hearer(data_dir, track)


def ear(data_dir: Path) -> Ear | None:
    """Microphone and recogniser, or None where `linguist-tutor[speech]` is not installed."""
    if not installed():
        return None
    from tutor_app.speech.listening import Ear

    return Ear(data_dir)


def voice(data_dir: Path) -> Voice | None:
    """The tutor's voice, or None where `linguist-tutor[speech]` is not installed."""
    if importlib.util.find_spec("miniaudio") is None:
        return None
    from tutor_app.speech.voice import Voice

    return Voice(data_dir)


def pronunciation(data_dir: Path, speaking: Voice | None) -> Pronunciation | None:
    """What listens to single sounds, or None where `linguist-tutor[speech]` is not installed."""
    if speaking is None or not installed():
        return None
    from tutor_app.speech.pronunciation import Pronunciation

    return Pronunciation(data_dir, speaking)
