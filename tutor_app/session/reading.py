"""Whether lines are read aloud, and by which voice: the learner's choice, what is installed, and where we are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor_app.speech.voice import Voice
    from tutor_app.speech.voices import VoiceChoice

READ_ALOUD = "read_aloud"
"""Setting key: `auto`, `on` or `off`."""
PACE = "reading_pace"
"""Setting key: `normal` or `slow`."""
WHICH = "reading_voice"
"""Setting key: `1`, `2` or `3`, the first, second or third voice of a language."""


def in_a_lab(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether others sit around ($TUTOR_LAB is set), where nothing sounds before the learner asks for it."""
    return environment.get("TUTOR_LAB", "").lower() not in ("", "0", "no", "false")


def in_a_browser(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the app is shown in a browser: what it says would sound in the room of the server."""
    return "web" in environment.get("TEXTUAL_DRIVER", "")


def reads_aloud(settings: Mapping[str, object], *, natural: bool) -> bool:
    """Whether something is heard without being asked for; `natural`: it is a person, or a voice that sounds like one."""
    chosen = settings.get(READ_ALOUD, "auto")
    if chosen == "off" or in_a_browser():
        return False
    return chosen == "on" or (natural and not in_a_lab())


def chosen_voice(settings: Mapping[str, object], voice: Voice, language: str) -> VoiceChoice | None:
    """The voice that a learner chose among those of a language; None when nothing speaks it."""
    found: Sequence[VoiceChoice] = voice.voices.of(language)
    number = str(settings.get(WHICH, "1"))
    at = int(number) - 1 if number in ("1", "2", "3") else 0
    return found[at] if at < len(found) and found[at].natural else next(iter(found), None)
