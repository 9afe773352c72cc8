"""Where in a stream of sound somebody speaks: Silero's voice detector, fed as the sound comes.

For child processes only: it loads onnxruntime. The model is the one that faster-whisper carries; its own wrapper
starts anew with every call, so its session is driven here with the state kept.
"""

from __future__ import annotations

import numpy as np
from faster_whisper.vad import get_vad_model

from tutor_app.speech.audio import Samples
from tutor_app.speech.pcm import RATE_HZ

WINDOW = 512
"""Samples that are judged at a time: 32 ms."""
WINDOW_S = WINDOW / RATE_HZ
CONTEXT = 64
"""Samples before a window that are seen with it."""


class VoiceDetector:
    """Gives a probability of speech for each 32 ms of one stream."""

    def __init__(self) -> None:
        self._session = get_vad_model().session
        self._h = np.zeros((1, 1, 128), dtype=np.float32)
        self._c = np.zeros((1, 1, 128), dtype=np.float32)
        self._context = np.zeros(CONTEXT, dtype=np.float32)
        self._rest = np.zeros(0, dtype=np.float32)

    def feed(self, samples: Samples) -> list[float]:
        """Probabilities of the windows that are complete now; what is left waits for more."""
        sound = np.concatenate([self._rest, samples])
        count = len(sound) // WINDOW
        self._rest = sound[count * WINDOW :]
        if not count:
            return []
        windows = sound[: count * WINDOW].reshape(count, WINDOW)
        before = np.concatenate([self._context[np.newaxis], windows[:-1, -CONTEXT:]])
        self._context = windows[-1, -CONTEXT:]
        output, self._h, self._c = self._session.run(
            None, {"input": np.concatenate([before, windows], axis=1), "h": self._h, "c": self._c}
        )
        return [float(value) for value in np.ravel(output)]
