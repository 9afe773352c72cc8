"""The loudspeaker. For child processes only: it loads the audio library.

Sound is given in pieces while earlier ones are still heard.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator

import miniaudio
import numpy as np

from tutor_app.speech.errors import SpeechError
from tutor_app.speech.synthesis import Samples

BUFFER_MS = 100
DEAD = ("null", "discard all samples")
"""What a machine without a sound card calls the output that it has nevertheless."""
NO_LOUDSPEAKER = "No loudspeaker or headphones were found, so nothing can be heard. Read the text instead."


def outputs() -> list[str]:
    """Names of the loudspeakers; empty on a machine without any."""
    try:
        found = miniaudio.Devices().get_playbacks()
    except miniaudio.MiniaudioError:
        return []
    return [name for each in found if not (name := str(each["name"])).lower().startswith(DEAD)]


def need_loudspeaker() -> None:
    """Raise SpeechError when nothing could be heard.

    `$TUTOR_LOUDSPEAKER=none` takes the time of playing and makes no sound, for tests.
    """
    if not _silent() and not outputs():
        raise SpeechError(NO_LOUDSPEAKER)


def _silent() -> bool:
    return os.environ.get("TUTOR_LOUDSPEAKER") == "none"


class Player:
    """Plays what is put into it. `put` and `stop` may come from different threads."""

    def __init__(self, rate_hz: int) -> None:
        """Open the loudspeaker. Raises SpeechError when there is none."""
        need_loudspeaker()
        self.rate_hz = rate_hz
        self._waiting: deque[Samples] = deque()
        self._changed = threading.Condition()
        self._whole = self._over = False
        try:
            self._device = miniaudio.PlaybackDevice(
                miniaudio.SampleFormat.FLOAT32, 1, rate_hz, BUFFER_MS,
                backends=[miniaudio.Backend.NULL] if _silent() else None,
            )  # fmt: skip
            stream = self._stream()
            next(stream)
            self._device.start(stream)
        except miniaudio.MiniaudioError as error:
            raise SpeechError(f"The loudspeaker cannot be used ({error}). Read the text instead.") from error

    def put(self, samples: Samples) -> None:
        """Play this after what is waiting."""
        with self._changed:
            self._waiting.append(np.asarray(samples, dtype=np.float32))

    def finished(self, limit_s: float) -> bool:
        """Wait until all that was put in is heard, or `stop`; False when that takes longer than `limit_s`."""
        with self._changed:
            self._whole = True
            return self._changed.wait_for(lambda: self._over, limit_s)

    def close(self) -> None:
        """Let go of the loudspeaker; what is not heard by now is not heard."""
        self._device.close()

    def stop(self) -> None:
        """Be silent at once."""
        with self._changed:
            self._waiting.clear()
            self._end()

    def _end(self) -> None:
        self._over = True
        self._changed.notify_all()

    def _stream(self) -> Generator[bytes, int, None]:
        """What the library asks for, silence when nothing waits."""
        frames = yield b""
        while True:
            frames = yield self._take(frames).tobytes()

    def _take(self, frames: int) -> Samples:
        out = np.zeros(frames, dtype=np.float32)
        filled = 0
        with self._changed:
            while filled < frames and self._waiting:
                head = self._waiting.popleft()
                count = min(len(head), frames - filled)
                out[filled : filled + count] = head[:count]
                filled += count
                if count < len(head):
                    self._waiting.appendleft(head[count:])
            if not filled and self._whole:
                self._end()  # one block of silence after the last sound: it has left the buffer
        return out
