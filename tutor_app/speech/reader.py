"""The tutor's voice and ear for sounds in one lesson: language, learner's choices and processes in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tutor_app.session.events import WordSound
from tutor_app.session.reading import PACE, chosen_voice, in_a_browser, reads_aloud
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
    recordings: Mapping[str, Path] = field(default_factory=dict)
    """Sentence → the instructor's recording of it, which is heard in place of the voice."""
    plays_recordings: bool = False
    """Whether those are heard without being asked for."""

    def unasked(self, text: str) -> bool:
        """Whether a line is heard as soon as it is there."""
        return self.plays_recordings if text in self.recordings else self.reads_aloud

    def say(self, text: str, *, slow: bool = False, on_sound: Callable[[], None] | None = None) -> bool:
        """Read aloud; False when it was cut short. A recording has one pace. Raises SpeechError."""
        if (file := self.recordings.get(text)) is not None:
            return self.voice.play_file(file, on_sound=on_sound)
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
    voice: Voice,
    pronunciation: Pronunciation | None,
    language: str,
    settings: Mapping[str, object],
    recordings: Mapping[str, Path],
) -> Reader | None:
    """For a lesson in `language`; None when nothing speaks it here, or nobody here would hear it."""
    found = chosen_voice(settings, voice, language)
    if found is None or in_a_browser():
        return None
    return Reader(
        voice, pronunciation, language, found.id, reads_aloud(settings, natural=found.natural),
        settings.get(PACE) == "slow", recordings, reads_aloud(settings, natural=True),
    )  # fmt: skip
