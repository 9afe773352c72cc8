"""What was said, as text: the app's end of the recogniser. Starts no process before something is to be heard."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tutor_app.llm.machine import cores
from tutor_app.llm.protocol import Progress
from tutor_app.session.events import Heard
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.process import SpeechChild
from tutor_app.speech.recognisers import Recognisers

MODULE = "tutor_app.speech.recogniser"
LOAD_S = 120.0
"""A large model on a slow disk."""
HEAR_S = 600.0
DRILL_BEAM = 1
"""Guesses kept while decoding. One is as good as five on short answers and twice as fast."""
TALK_BEAM = 5
NOTHING_HEARD = (
    "No speech was heard. Speak a little louder or closer to the microphone, or type the answer instead."
)


def threads() -> int:
    """Cores for recognition: all real ones up to four, more do not help Whisper."""
    return min(4, cores()[0])


def languages(language: str, track: str) -> tuple[str, ...]:
    """What a learner may speak, in BCP 47: their language, and English for those who mix the two."""
    return (language, "en") if track == "heritage" and language != "en" else (language,)


class Recogniser:
    """The recogniser of a data folder, loaded when first needed. Any thread may call it."""

    def __init__(self, data_dir: Path) -> None:
        self._recognisers = Recognisers(data_dir)
        self.child = SpeechChild(MODULE, "The recogniser")
        self._lock = threading.Lock()
        self._loaded: tuple[int | None, str] | None = None

    def load(self, on_progress: Progress | None = None) -> float:
        """Have the selected model in memory; the seconds that took. Raises TutorError."""
        with self._lock:
            model = self._recognisers.ensure(None, on_progress)
            if self._loaded is not None and self._loaded == (self.child.pid, model.id):
                return 0.0
            done = self.child.ask("load", LOAD_S, folder=os.fspath(model.folder), threads=threads())
            self._loaded = (self.child.pid, model.id)
            return float(done["load_s"])

    def hear(self, path: Path, spoken: Sequence[str], beam: int = TALK_BEAM) -> Heard:
        """What is said in an audio file. Raises TutorError: no model, no such file, broken, or nobody speaks."""
        self.load()
        done = self.child.ask(
            "hear", HEAR_S, path=os.fspath(path.absolute()), languages=list(spoken), beam=beam
        )
        return self.heard(done, done["seconds"])

    def real_time_factor(self) -> float:
        """Seconds of work for a second of speech on this machine. Raises TutorError."""
        self.load()
        return float(self.child.ask("time", LOAD_S, beam=TALK_BEAM)["rtf"])

    @staticmethod
    def heard(done: dict[str, object], seconds: float) -> Heard:
        """The event of a transcript. Raises SpeechError when nobody spoke."""
        if not done["text"]:
            raise SpeechError(NOTHING_HEARD)
        return Heard(str(done["text"]), str(done["language"]), float(str(done["confidence"])), seconds)

    def close(self) -> None:
        """End the process."""
        self.child.close()


def hearer(data_dir: Path, track: str) -> Callable[[Path, str], Heard]:
    """What `Session` hears audio files with: called with a path and the set's language."""
    recogniser = Recogniser(data_dir)

    def hear(path: Path, language: str) -> Heard:
        return recogniser.hear(path, languages(language, track))

    return hear
