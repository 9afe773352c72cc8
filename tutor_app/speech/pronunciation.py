"""What may be said about how a sentence sounded: the app's end of the listener. Mostly nothing.

Wants a natural voice for the language, since the recording is compared with what that voice says, and the
recogniser. Where either is missing nothing is said.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor_app.session.events import WordSound
from tutor_app.speech.clarity import Mark
from tutor_app.speech.contrasts import Site, contrast, table
from tutor_app.speech.hear import threads
from tutor_app.speech.pcm import RATE_HZ, SAMPLE_BYTES, to_text
from tutor_app.speech.process import SpeechChild
from tutor_app.speech.recognisers import Recognisers
from tutor_app.speech.voice import Voice
from tutor_app.speech.voices import VoiceChoice

MODULE = "tutor_app.speech.pronouncer"
LOAD_S = 120.0
JUDGE_S = 120.0
LONGEST_TEXT = 160
"""Characters of a sentence that is compared; a whole paragraph is not a pronunciation exercise."""
LONGEST_S = 20.0


@dataclass(frozen=True)
class Judged:
    """A word with what led to its mark, for measurements."""

    site: Site
    mark: Mark | None
    recogniser: float | None
    ear: float | None
    opinion: dict[str, Any]


class Pronunciation:
    """Listens to words. Starts no process before it is asked; any thread may call it."""

    def __init__(self, data_dir: Path, voice: Voice) -> None:
        self._recognisers = Recognisers(data_dir)
        self._voice = voice
        self.child = SpeechChild(MODULE, "The listener")
        self._lock = threading.Lock()
        self._examples: dict[tuple[str, str], bytes] = {}

    def available(self, language: str) -> bool:
        """Whether anything could be said about this language here."""
        voice = self._voice.choice(language)
        return voice is not None and voice.natural and any(each.remarks for each in table(language))

    def remarks(self, recording: bytes | Path, text: str, language: str) -> tuple[WordSound, ...]:
        """The words of `text` about which something can be said, in order. Raises TutorError.

        `recording` is an audio file, or 16 kHz, one channel, 16 bits.
        """
        too_long = isinstance(recording, bytes) and len(recording) > LONGEST_S * RATE_HZ * SAMPLE_BYTES
        voice = self._voice.choice(language)
        if len(text) > LONGEST_TEXT or too_long or voice is None or not self.available(language):
            return ()
        judged = self.judge(recording, text, language, voice, self.sites(text, language))
        said = []
        for each in judged:
            if each.mark is not None:
                site = each.site
                said.append(
                    WordSound(site.word, each.mark, site.other_word, _tip(language, site), site.other)
                )
        return tuple(said)

    def sites(self, text: str, language: str) -> list[Site]:
        """The words worth listening to. Raises TutorError."""
        found = self.child.ask("sites", LOAD_S, text=text, language=language)["sites"]
        return [Site(**each) for each in found]

    def judge(
        self, recording: bytes | Path, text: str, language: str, voice: VoiceChoice, sites: list[Site]
    ) -> list[Judged]:
        """Both signals for each word, and the mark. Raises TutorError."""
        if not sites:
            return []
        with self._lock:
            model = self._recognisers.ensure()
            self.child.ask("load", LOAD_S, folder=os.fspath(model.folder), threads=threads())
            sound: dict[str, str] = (
                {"pcm": to_text(recording)}
                if isinstance(recording, bytes)
                else {"path": os.fspath(recording.absolute())}
            )
            asked = [
                {
                    "other": site.other,
                    "melody": site.melody,
                    "sound": to_text(self._example(site.other, language, voice)),
                }
                for site in sites
            ]
            done = self.child.ask(
                "judge", JUDGE_S, text=text, language=language, sites=asked,
                example=to_text(self._example(text, language, voice)), **sound,
            )  # fmt: skip
        return [
            Judged(site, found["mark"], found["recogniser"], found["ear"], found["opinion"])
            for site, found in zip(sites, done["words"], strict=False)
        ]

    def _example(self, text: str, language: str, voice: VoiceChoice) -> bytes:
        """How the voice says it, kept since a learner tries the same sentence again."""
        if (text, voice.id) not in self._examples:
            if len(self._examples) > 50:
                self._examples.clear()
            self._examples[text, voice.id] = self._voice.make(text, language, voice)
        return self._examples[text, voice.id]

    def close(self) -> None:
        """End the process."""
        self.child.close()


def _tip(language: str, site: Site) -> str:
    found = contrast(language, site.contrast)
    return found.tip if found is not None else ""
