"""The tutor's voice and ear for sounds in one lesson: language, learner's choices and processes in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tutor_app.session.events import WordSound
from tutor_app.session.reading import PACE, chosen_voice, reads_aloud
from tutor_app.speech.pronunciation import Pronunciation
from tutor_app.speech.voice import Voice


@dataclass(frozen=True)
class Reader:
    """Methods wait and belong in a thread, but for `stop`."""

    voice: Voice
    pronunciation: Pronunciation | None
    language: str
    voice_id: str
    reads_aloud: bool
    """Whether lines are read without being asked for."""
    slow: bool

    def say(self, text: str, *, slow: bool = False, on_sound: Callable[[], None] | None = None) -> bool:
        """Read aloud; False when it was cut short. Raises SpeechError."""
        return self.voice.say(text, self.language, slow=slow, wanted=self.voice_id, on_sound=on_sound)

    def play(self, recording: bytes) -> None:
        """Play what the learner said. Raises SpeechError."""
        self.voice.play(recording)

    def remarks(self, recording: bytes, text: str) -> tuple[WordSound, ...]:
        """What can be said of how it sounded. Raises TutorError."""
        if self.pronunciation is None:
            return ()
        return self.pronunciation.remarks(recording, text, self.language)

    def stop(self) -> None:
        """Be silent at once."""
        self.voice.stop()


def reader(
    voice: Voice, pronunciation: Pronunciation | None, language: str, settings: Mapping[str, object]
) -> Reader | None:
    """For a lesson in `language`; None when nothing speaks it here."""
    found = chosen_voice(settings, voice, language)
    if found is None:
        return None
    return Reader(
        voice, pronunciation, language, found.id, reads_aloud(settings, found), settings.get(PACE) == "slow"
    )
