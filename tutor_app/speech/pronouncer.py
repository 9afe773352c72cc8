"""The child process that listens to single sounds: `python -m tutor_app.speech.pronouncer`.

Requests: `load` (a recogniser's folder), `sites` (the words of a sentence worth listening to), `judge` (a recording,
with examples of the sentence and of what is easily said instead).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from tutor_app.llm.lines import Line
from tutor_app.speech.clarity import Opinion, mark, recogniser
from tutor_app.speech.contrasts import sites
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import from_text
from tutor_app.speech.process import Request, serve

if TYPE_CHECKING:
    from tutor_app.speech.acoustics import Frames
    from tutor_app.speech.audio import Samples
    from tutor_app.speech.whisper import Whisper

MOST_KEPT = 1000
_MARKS = regex.compile(r"[^\p{L}\p{M}\p{N}’' ]+")


class Pronouncer:
    """Answers requests in order."""

    def __init__(self, line: Line) -> None:
        from tutor_app.speech import acoustics, audio, whisper

        self._acoustics, self._audio, self._whisper_module = acoustics, audio, whisper
        self._line = line
        self._whisper: Whisper | None = None
        self._loaded = ""
        self._weighed: dict[tuple[int, str, str], tuple[float, int]] = {}

    def at_once(self, request: Request) -> bool:
        return False

    def run(self, request: Request) -> None:
        """Load, look for words, or judge them."""
        number = request["id"]
        match request["op"]:
            case "load":
                if self._loaded != request["folder"]:
                    self._whisper = self._whisper_module.Whisper(Path(request["folder"]), request["threads"])
                    self._loaded = request["folder"]
                self._line.send(number, "done")
            case "sites":
                found = sites(request["text"], request["language"])
                self._line.send(number, "done", sites=[asdict(site) for site in found])
            case "judge":
                self._line.send(number, "done", words=self._judge(request))
            case op:
                raise SpeechError(f"The listener does not know {op!r}.")

    def _judge(self, request: Request) -> list[dict[str, Any]]:
        """For each site: the mark or null, and both signals."""
        language = request["language"].split("-")[0]
        recording = self._sound(request)
        example = self._audio.from_pcm(from_text(request["example"]))
        heard, shown = self._acoustics.frames(recording), self._acoustics.frames(example)
        if heard is None or shown is None:
            return []
        return [
            self._opinion(site, request["text"], language, (recording, heard), (example, shown))
            for site in request["sites"]
        ]

    def _sound(self, request: Request) -> Samples:
        if "path" in request:
            return self._audio.read_audio(Path(request["path"]))
        return self._audio.from_pcm(from_text(request["pcm"]))

    def _opinion(
        self,
        site: dict[str, Any],
        text: str,
        language: str,
        recording: tuple[Samples, Frames],
        example: tuple[Samples, Frames],
    ) -> dict[str, Any]:
        other_sound = self._audio.from_pcm(from_text(site["sound"]))
        other = self._acoustics.frames(other_sound)
        texts = [spoken(text, language), spoken(site["other"], language)]
        (wanted, tokens), (instead, others) = self._weigh(recording[0], language, texts)
        odds = [
            scores[0][0] - scores[1][0]
            for scores in (self._weigh(sound, language, texts) for sound in (example[0], other_sound))
        ]
        ear = None
        if other is not None:
            compare = self._acoustics.nearer_melody if site["melody"] else self._acoustics.nearer
            ear = compare(recording[1], example[1], other)
        opinion = Opinion(wanted, instead, min(tokens, others), odds[0], odds[1], ear)
        return {
            "mark": mark(opinion),
            "recogniser": recogniser(opinion),
            "ear": ear,
            "opinion": asdict(opinion),
        }

    def _weigh(self, sound: Samples, language: str, texts: list[str]) -> list[tuple[float, int]]:
        """How likely each text is; what was asked before of the same sound is known."""
        if self._whisper is None:
            raise SpeechError("No speech model is loaded.")
        keys = [(hash(sound.tobytes()), language, text) for text in texts]
        if len(self._weighed) > MOST_KEPT:
            self._weighed.clear()
        if not all(key in self._weighed for key in keys):
            self._weighed |= dict(zip(keys, self._whisper.weigh(sound, language, texts), strict=True))
        return [self._weighed[key] for key in keys]


def spoken(text: str, language: str) -> str:
    """A sentence as the recogniser would begin to write it: no punctuation, a space first where words have spaces."""
    plain = " ".join(_MARKS.sub(" ", text).split())
    return plain if language == "zh" else f" {plain[:1].upper()}{plain[1:]}"


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"  # whatever the libraries want, they have it here or not at all
    serve(Pronouncer)
