"""Sound as it travels between our processes: 16 kHz, one channel, 16 bits. Needs no library.

The app's own process handles sound only in this form, so that it never loads an audio library.
"""

from __future__ import annotations

import base64
import binascii
import io
import wave

RATE_HZ = 16_000
"""What Whisper and Silero were trained on."""
SAMPLE_BYTES = 2


def seconds(pcm: bytes) -> float:
    """How long it sounds."""
    return len(pcm) / (SAMPLE_BYTES * RATE_HZ)


def to_text(pcm: bytes) -> str:
    """For a JSON line."""
    return base64.b64encode(pcm).decode("ascii")


def from_text(text: str) -> bytes:
    """What `to_text` wrote. Raises ValueError for anything else."""
    try:
        pcm = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
    if len(pcm) % SAMPLE_BYTES:
        raise ValueError("half a sample at the end")
    return pcm


def wav(pcm: bytes, rate_hz: int = RATE_HZ) -> bytes:
    """A WAV file of it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return out.getvalue()
