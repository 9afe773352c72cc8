"""The tutor's voice: the app's end of the process that speaks. Starts no process before something is to be said."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import from_text, to_text
from tutor_app.speech.process import SpeechChild
from tutor_app.speech.voices import VoiceChoice, Voices

MODULE = "tutor_app.speech.speaker"
NORMAL = 1.0
SLOW = 0.7
"""Slower than this, the joints of the words fall apart."""
MAKE_S = 120.0
"""A long sentence on a slow machine, with the voice still to be loaded. Every sentence, and every few seconds of sound, is
an event, so that a whole text may take longer."""
LONGEST_TEXT = 4000


class Voice:
    """Speaks and plays in its own process. Any thread may call it; what is said next ends what is being said."""

    def __init__(self, data_dir: Path) -> None:
        self.voices = Voices(data_dir)
        self.child = SpeechChild(MODULE, "The voice")
        self._lock = threading.Lock()
        self._speaking: int | None = None

    def choice(self, language: str, wanted: str = "") -> VoiceChoice | None:
        """What would speak this language; None when nothing can."""
        found = self.voices.of(language)
        return next((voice for voice in found if voice.id == wanted), found[0] if found else None)

    def say(
        self,
        text: str,
        language: str,
        *,
        slow: bool = False,
        wanted: str = "",
        on_sound: Callable[[], None] | None = None,
    ) -> bool:
        """Read `text` aloud and return when it is over; False when `stop` or another call cut it short.

        `on_sound` is called when the first word can be heard. Raises SpeechError: no voice, no loudspeaker.
        """
        voice = self.voices.choose(language, wanted)
        return self._heard("say", on_sound, **self._request(voice, text, language, slow))

    def play(self, pcm: bytes) -> None:
        """Play a recording (16 kHz, one channel, 16 bits) and return when it is over. Raises SpeechError."""
        self._heard("play", None, pcm=to_text(pcm))

    def play_file(self, path: Path, *, on_sound: Callable[[], None] | None = None) -> bool:
        """Play somebody's recording and return when it is over; as `say` otherwise. Raises SpeechError."""
        return self._heard("file", on_sound, path=os.fspath(path))

    def _heard(self, op: str, on_sound: Callable[[], None] | None, **fields: object) -> bool:
        """Have something sound, in place of what sounds now, and wait for its end; False when it was cut short."""
        with self._lock:
            self.stop()
            number = self._speaking = self.child.open(op, **fields)
        for event in self.child.events(number, MAKE_S):
            if event["event"] == "sounding" and on_sound is not None:
                on_sound()
            if event["event"] == "done":
                return bool(event["spoken"])
        return False

    def make(self, text: str, language: str, voice: VoiceChoice, *, slow: bool = False) -> bytes:
        """The sound of `text`, 16 kHz, one channel, 16 bits; nothing is heard. Raises SpeechError."""
        done = self.child.ask("make", MAKE_S, **self._request(voice, text, language, slow))
        return from_text(done["pcm"])

    def stop(self) -> None:
        """Be silent at once."""
        number, self._speaking = self._speaking, None
        if number is not None:
            self.child.tell("stop", target=number)

    def outputs(self) -> Sequence[str]:
        """Names of the loudspeakers. Raises SpeechError."""
        names: list[str] = self.child.ask("outputs")["names"]
        return names

    def close(self) -> None:
        """End the process."""
        self.child.close()

    @staticmethod
    def _request(voice: VoiceChoice, text: str, language: str, slow: bool) -> dict[str, object]:
        if not text.strip():
            raise SpeechError("There is nothing to say.")
        return {
            "text": text[:LONGEST_TEXT],
            "language": language,
            "engine": voice.engine,
            "voice": voice.name,
            "path": os.fspath(voice.path) if voice.path is not None else "",
            "speed": SLOW if slow else NORMAL,
        }
