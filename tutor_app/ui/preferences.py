"""What a learner may choose, with its words on the settings screen. Kept by the service under these keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tutor_app.session.choices import DAILY, START_LEVEL
from tutor_app.session.choices import FEEDBACK as FEEDBACK_KEY
from tutor_app.session.choices import SUPPORT as SUPPORT_KEY
from tutor_app.session.reading import PACE as PACE_KEY
from tutor_app.session.reading import READ_ALOUD as READ_ALOUD_KEY
from tutor_app.session.reading import WHICH as WHICH_KEY
from tutor_app.ui import wording_speech, wording_voice

__all__ = ["ALL", "BY_KEY", "DAILY", "LANGUAGE", "START_LEVEL", "TRACK", "Choice"]


@dataclass(frozen=True)
class Choice:
    """One setting with a closed list of values; the first is the default."""

    key: str
    label: str
    values: tuple[tuple[str, str], ...]
    """(value, its words)."""
    help: str

    @property
    def default(self) -> str:
        return self.values[0][0]

    def of(self, settings: Mapping[str, object]) -> str:
        """The learner's value, or the default when there is none or it is unknown."""
        value = settings.get(self.key)
        return value if isinstance(value, str) and value in dict(self.values) else self.default


THEME = Choice(
    "theme",
    "Theme",
    (
        ("linguist-dark", "Dark"),
        ("linguist-light", "Light"),
        ("linguist-contrast", "High contrast"),
        ("linguist-ansi-dark", "Your terminal's colours (dark)"),
        ("linguist-ansi-light", "Your terminal's colours (light)"),
    ),
    "Nothing is shown by colour alone, so any theme works.",
)
SUPPORT = Choice(
    SUPPORT_KEY,
    "Help in English",
    (
        ("auto", "When the level calls for it"),
        ("always", "Always"),
        ("never", "Only the language I learn"),
    ),
    "Meanings and instructions in English beside the language you learn.",
)
FEEDBACK = Choice(
    FEEDBACK_KEY,
    "How much the tutor picks up",
    (
        ("normal", "What matters most now"),
        ("less", "Less: keep the talk going"),
        ("more", "More: every chance to notice"),
    ),
    "The tutor never marks you wrong. This is how often it echoes a form for you to notice.",
)
DENSITY = Choice(
    "density",
    "Text in the panels",
    (
        ("comfortable", "Comfortable: more space"),
        ("compact", "Compact: more text"),
    ),
    "Letter size itself is your terminal's: usually Ctrl and plus.",
)
READINGS = Choice(
    "readings",
    "Pinyin and transliteration",
    (("shown", "Shown"), ("hidden", "Hidden")),
    "How words are read, beside Chinese and Arabic words. Hide it when you want to test yourself.",
)
ARABIC = Choice(
    "arabic_display",
    "Arabic on this terminal",
    (
        ("logical", "My terminal handles Arabic"),
        ("words", "Words come in the wrong order"),
        ("visual", "Everything runs backwards, letters joined or not"),
        ("visual-shaped", "Backwards and letters not joined"),
    ),
    "Only how it is drawn; what is saved and copied never changes.",
)

READ_ALOUD = Choice(
    READ_ALOUD_KEY, wording_voice.READ_LABEL, wording_voice.READ_VALUES, wording_voice.READ_HELP
)
PACE = Choice(PACE_KEY, wording_voice.PACE_LABEL, wording_voice.PACE_VALUES, wording_voice.PACE_HELP)
VOICE = Choice(WHICH_KEY, wording_voice.VOICE_LABEL, wording_voice.VOICE_VALUES, wording_voice.VOICE_HELP)

ALL = (THEME, SUPPORT, FEEDBACK, DENSITY, READINGS, READ_ALOUD, PACE, VOICE, ARABIC)
BY_KEY = {choice.key: choice for choice in ALL}

RECORDINGS = Choice("recordings", wording_speech.KEEP, wording_speech.KEEP_VALUES, wording_speech.KEEP_HELP)
MICROPHONE = "microphone"
"""Setting key: name of the microphone; empty or absent for the system's default."""

LANGUAGE = "language"
"""Setting key: BCP 47 code of the language the learner came for."""
TRACK = "track"
"""Setting key: `heritage` or `l2`."""
