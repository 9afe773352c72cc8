"""The child process that records: `python -m tutor_app.speech.recorder`.

Requests: `devices`, and `record`, which sends `sound` events until `stop` or `LIMIT_S`. It has a process of its own
because the libraries under it print to the terminal, may hang on a broken device, and must not wait for anything.
"""

from __future__ import annotations

import threading

from tutor_app.llm.lines import Line
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import seconds, to_text
from tutor_app.speech.process import Request, serve

LIMIT_S = 30.0
"""Longest recording."""
ZEROS_S = 1.0
"""A real microphone is never perfectly silent this long."""
NO_PERMISSION = (
    "Only perfect silence comes from the microphone. Allow this terminal to use it (on macOS: System Settings, "
    "Privacy & Security, Microphone), check its mute switch, or choose another in Settings."
)


class Recorder:
    """Answers requests."""

    def __init__(self, line: Line) -> None:
        from tutor_app.speech import audio, microphone

        self._audio, self._microphone = audio, microphone
        self._line = line
        self._stops: dict[int, threading.Event] = {}

    def at_once(self, request: Request) -> bool:
        """Stop a recording."""
        if request["op"] == "record":
            self._stops[request["id"]] = threading.Event()
        if request["op"] != "stop":
            return False
        if (stop := self._stops.get(request["target"])) is not None:
            stop.set()
        return True

    def run(self, request: Request) -> None:
        """List the microphones, or record until told to stop."""
        match request["op"]:
            case "devices":
                self._line.send(request["id"], "done", names=self._microphone.names())
            case "record":
                try:
                    self._record(request["id"], request["device"])
                finally:
                    del self._stops[request["id"]]
            case op:
                raise SpeechError(f"The recorder does not know {op!r}.")

    def _record(self, number: int, device: str) -> None:
        stop, elapsed_s, zeros_s, lived = self._stops[number], 0.0, 0.0, False
        for block in self._microphone.sound(device):
            if not block and not stop.is_set():
                continue
            elapsed_s += seconds(block)
            lived = lived or any(block)
            zeros_s = 0.0 if any(block) else zeros_s + seconds(block)
            level = self._audio.loudness_db(self._audio.from_pcm(block))
            self._line.send(number, "sound", pcm=to_text(block), level_db=round(level, 1))
            if zeros_s >= ZEROS_S and not lived:
                raise SpeechError(NO_PERMISSION)
            if stop.is_set() or elapsed_s >= LIMIT_S - 1e-6:
                break
        self._line.send(number, "done", seconds=round(elapsed_s, 2))


if __name__ == "__main__":
    serve(Recorder)
