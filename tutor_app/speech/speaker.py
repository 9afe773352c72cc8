"""The child process that speaks: `python -m tutor_app.speech.speaker`.

Requests: `say` (text, aloud, sentence by sentence), `play` (a recording), `file` (one on the disk), `make` (text as a
sound for somebody else to use), `stop` (be silent at once), `outputs` (the loudspeakers). Before `done` come `sounding`
when the first word can be heard, `made` for every piece of a text, and `playing` now and then while it is heard.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from tutor_app.llm.lines import Line
from tutor_app.llm.machine import cores
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import RATE_HZ, from_text, to_text
from tutor_app.speech.process import Request, serve
from tutor_app.speech.sentences import pieces

if TYPE_CHECKING:
    from tutor_app.speech.audio import Samples
    from tutor_app.speech.playback import Player
    from tutor_app.speech.synthesis import Sound, Synthesiser

KEPT_SAMPLES = 24_000 * 120
"""Speech that is kept to be repeated at once: two minutes, 11 MB."""
TAIL_S = 5.0
"""Longer than anything may take to leave the loudspeaker once it has been handed over."""
ALIVE_S = 5.0
"""How often it is said that something still sounds: who hears nothing of us for long takes us for dead."""


class Speaker:
    """Answers requests; `stop` is answered while another runs."""

    def __init__(self, line: Line) -> None:
        # Loaded before the first request is read, so that both threads find the libraries ready.
        from tutor_app.speech import audio, playback, synthesis

        self._audio, self._playback, self._synthesis = audio, playback, synthesis
        self._line = line
        self._engines: dict[tuple[str, str], Synthesiser] = {}
        self._kept: OrderedDict[tuple[str, ...], Sound] = OrderedDict()
        self._player: Player | None = None
        self._stopped: set[int] = set()
        self._lock = threading.Lock()

    def at_once(self, request: Request) -> bool:
        """Silence does not wait."""
        if request["op"] != "stop":
            return False
        with self._lock:
            self._stopped.add(request["target"])
            if self._player is not None:
                self._player.stop()
        return True

    def run(self, request: Request) -> None:
        """Speak, play, or make a sound."""
        number = request["id"]
        match request["op"]:
            case "say":
                self._say(request)
                self._line.send(number, "done", spoken=number not in self._stopped)
            case "play":
                self._play(number, self._audio.from_pcm(from_text(request["pcm"])))
                self._line.send(number, "done", spoken=number not in self._stopped)
            case "file":
                self._play(number, self._audio.read_audio(Path(request["path"])))
                self._line.send(number, "done", spoken=number not in self._stopped)
            case "make":
                sound = self._joined(request)
                samples = self._synthesis.resampled(sound, RATE_HZ)
                self._line.send(number, "done", pcm=to_text(self._audio.to_pcm(samples)))
            case "outputs":
                self._line.send(number, "done", names=self._playback.outputs())
            case op:
                raise SpeechError(f"The voice does not know {op!r}.")

    # -- speaking --------------------------------------------------------------------------------------------

    def _say(self, request: Request) -> None:
        """The first sentence sounds while the second is made."""
        self._playback.need_loudspeaker()  # before the work of making a sound that nobody would hear
        number = request["id"]
        player: Player | None = None
        seconds = 0.0
        try:
            for piece in pieces(request["text"]):
                if number in self._stopped:
                    return
                sound = self._made(piece, request)
                if player is None:
                    player = self._open(number, sound.rate_hz)
                    self._line.send(number, "sounding")
                player.put(self._synthesis.resampled(sound, player.rate_hz))
                seconds += len(sound.samples) / sound.rate_hz
        finally:
            if player is not None:
                self._close(number, player, seconds)

    def _play(self, number: int, samples: Samples) -> None:
        player = self._open(number, RATE_HZ)
        self._line.send(number, "sounding")
        player.put(samples)
        self._close(number, player, len(samples) / RATE_HZ)

    def _open(self, number: int, rate_hz: int) -> Player:
        player = self._playback.Player(rate_hz)
        with self._lock:
            self._player = player
            if number in self._stopped:  # told while the device was being opened
                player.stop()
        return player

    def _close(self, number: int, player: Player, seconds: float) -> None:
        left_s = seconds + TAIL_S
        while not player.finished(min(ALIVE_S, left_s)) and left_s > ALIVE_S:
            left_s -= ALIVE_S
            self._line.send(number, "playing")
        player.close()
        with self._lock:
            self._player = None

    # -- making ----------------------------------------------------------------------------------------------

    def _joined(self, request: Request) -> Sound:
        import numpy as np

        made = [self._made(piece, request) for piece in pieces(request["text"])]
        if not made:
            raise SpeechError("There is nothing to say in this.")
        return self._synthesis.Sound(np.concatenate([sound.samples for sound in made]), made[0].rate_hz)

    def _made(self, text: str, request: Request) -> Sound:
        """The sound of a piece, from before when it was spoken already."""
        speed = float(request["speed"])
        key = (text, request["engine"], request["voice"], request["language"], f"{speed:.2f}")
        if (sound := self._kept.get(key)) is None:
            engine = self._engine(request["engine"], request.get("path") or "")
            sound = self._kept[key] = engine.speak(text, request["language"], request["voice"], speed)
        self._line.send(request["id"], "made")
        self._kept.move_to_end(key)
        while sum(len(each.samples) for each in self._kept.values()) > KEPT_SAMPLES and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return sound

    def _engine(self, name: str, path: str) -> Synthesiser:
        if (name, path) not in self._engines:
            match name:
                case "kokoro":
                    self._engines[name, path] = self._synthesis.Kokoro(Path(path), min(4, cores()[1]))
                case "piper":
                    self._engines[name, path] = self._synthesis.Piper(Path(path))
                case "espeak":
                    self._engines[name, path] = self._synthesis.Espeak()
                case _:
                    raise SpeechError(f"There is no voice engine {name!r}.")
        return self._engines[name, path]


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"  # whatever the libraries want, they have it here or not at all
    serve(Speaker)
