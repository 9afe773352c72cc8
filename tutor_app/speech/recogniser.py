"""The child process that recognises speech: `python -m tutor_app.speech.recogniser`.

Requests: `load` (a model folder), `hear` (an audio file), `listen` (sound that is still being spoken, sent as
`sound` requests until `finish` or `discard`), `time` (how fast this machine is).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tutor_app.llm.lines import Line
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import RATE_HZ, from_text
from tutor_app.speech.process import Request, serve

if TYPE_CHECKING:
    from tutor_app.speech.transcribing import LiveTranscriber, Transcript
    from tutor_app.speech.whisper import Whisper

TIMED_S = 10.0


class Recogniser:
    """Answers requests; sound is taken in by the reading thread, so that it is never late."""

    def __init__(self, line: Line) -> None:
        # Loaded before the first request is read, so that both threads find the libraries ready.
        from tutor_app.speech import audio, transcribing, whisper

        self._audio, self._transcribing, self._whisper_module = audio, transcribing, whisper
        self._line = line
        self._whisper: Whisper | None = None
        self._loaded: tuple[str, int] | None = None
        self._live: dict[int, LiveTranscriber] = {}

    def at_once(self, request: Request) -> bool:
        """Take sound in, and begin and end recordings."""
        match request["op"]:
            case "listen":
                self._live[request["id"]] = self._transcriber(
                    request, lambda text: self._line.send(request["id"], "text", text=text)
                )
                return False  # the decoding is for the main thread
            case "sound":
                if (live := self._live.get(request["target"])) is not None:
                    live.feed(self._audio.from_pcm(from_text(request["pcm"])))
                    self._line.send(request["target"], "voice", heard=live.heard, pause_s=live.pause_s)
            case "finish":
                if (live := self._live.get(request["target"])) is not None:
                    live.finish()
            case "discard":
                if (live := self._live.get(request["target"])) is not None:
                    live.discard()
            case _:
                return False
        return True

    def run(self, request: Request) -> None:
        """Load, hear a file, or decode a recording until it is finished."""
        match request["op"]:
            case "load":
                self._line.send(
                    request["id"], "done", load_s=self._load(request["folder"], request["threads"])
                )
            case "hear":
                sound = self._audio.read_audio(Path(request["path"]))
                live = self._transcriber(request)
                live.feed(sound)
                live.finish()
                self._answer(request["id"], live.work(), len(sound) / RATE_HZ)
            case "listen":
                self._decode(request["id"])
            case "time":
                self._line.send(
                    request["id"],
                    "done",
                    rtf=round(self._ready().timed(TIMED_S, request["beam"]) / TIMED_S, 4),
                )
            case op:
                raise SpeechError(f"The recogniser does not know {op!r}.")

    def _decode(self, number: int) -> None:
        try:
            self._answer(number, self._live[number].work())
        finally:
            self._live.pop(number, None)

    def _answer(self, number: int, transcript: Transcript | None, seconds: float = 0.0) -> None:
        found = transcript or self._transcribing.Transcript("", "", 0.0, 0.0)
        self._line.send(
            number, "done", text=found.text, language=found.language, confidence=found.confidence,
            speech_s=found.speech_s, seconds=round(seconds, 2),
        )  # fmt: skip

    def _transcriber(self, request: Request, on_text: object = None) -> LiveTranscriber:
        languages: Sequence[str] = request["languages"]
        listener = on_text if callable(on_text) else (lambda text: None)
        return self._transcribing.LiveTranscriber(self._ready, languages, request["beam"], listener)

    def _ready(self) -> Whisper:
        if self._whisper is None:
            raise SpeechError("No speech model is loaded.")
        return self._whisper

    def _load(self, folder: str, threads: int) -> float:
        """Load a model unless it is the one in memory; the seconds it took."""
        if self._loaded == (folder, threads):
            return 0.0
        began = time.perf_counter()
        self._whisper = self._loaded = None
        self._whisper = self._whisper_module.Whisper(Path(folder), threads)
        self._loaded = (folder, threads)
        return round(time.perf_counter() - began, 3)


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = (
        "1"  # whatever the libraries want, they have it in the folder or not at all
    )
    serve(Recogniser)
