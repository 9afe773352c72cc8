"""Audio files as 16 kHz mono float32, and back. For child processes only: it loads the audio library.

The decoders are C code that reads strangers' files: a crash there ends the child, not the lesson.
"""

from __future__ import annotations

from pathlib import Path

import miniaudio
import numpy as np
from numpy.typing import NDArray

from tutor_app.speech.errors import BadAudio
from tutor_app.speech.pcm import RATE_HZ

Samples = NDArray[np.float32]
"""Shape [samples], from -1 to 1, at 16 kHz."""

MAX_S = 300.0
"""Longest file that is listened to; an answer in a lesson is seconds long."""
MIN_S = 0.1
MAX_BYTES = 128 * 2**20
"""300 s of 48 kHz stereo in 32 bits are 110 MiB."""
BLOCK_FRAMES = RATE_HZ
"""Decoded at a time, so that a small file that unpacks to hours is given up early."""
FORMATS = "WAV, FLAC, MP3 or OGG (Vorbis)"


def read_audio(path: Path) -> Samples:
    """The sound of a file at 16 kHz in one channel.

    Raises BadAudio: no such file, not a file, empty, no audio format we read, broken, or longer than `MAX_S`.
    """
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise BadAudio(f"The audio {path} {what}.")
        size = path.stat().st_size
        if not size:
            raise BadAudio(f"The audio file {path.name} is empty.")
        if size > MAX_BYTES:
            raise BadAudio(
                f"The audio file {path.name} is too long: an answer is at most {MAX_S:.0f} seconds."
            )
        data = path.read_bytes()
    except OSError as error:
        raise BadAudio(f"The audio file {path} cannot be read: {error.strerror}.") from error
    return decode(data, path.name)


def decode(data: bytes, name: str = "recording") -> Samples:
    """The sound of a file that is in memory; `name` is for the message. Raises BadAudio like `read_audio`."""
    if (other := _other_format(data)) is not None:
        raise BadAudio(f"{name} is {other}. Save it as {FORMATS} and try again.")
    blocks: list[Samples] = []
    frames = 0
    try:
        for block in miniaudio.stream_memory(
            data, miniaudio.SampleFormat.FLOAT32, 1, RATE_HZ, frames_to_read=BLOCK_FRAMES
        ):
            blocks.append(np.array(block, dtype=np.float32))
            frames += len(block)
            if frames > MAX_S * RATE_HZ:
                raise BadAudio(f"{name} is too long: an answer is at most {MAX_S:.0f} seconds.")
    except miniaudio.MiniaudioError as error:
        raise BadAudio(f"{name} is broken: its sound cannot be read. Record it again.") from error
    if not frames:
        raise BadAudio(f"{name} has no sound in it. Record it again.")
    if frames < MIN_S * RATE_HZ:
        raise BadAudio(f"{name} is too short to hear anything in it ({frames / RATE_HZ:.2f} seconds).")
    samples = np.concatenate(blocks)
    # A float file may hold anything: what is no number is silence, what is too loud is clipped.
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)


def _other_format(data: bytes) -> str | None:
    """What it is when it is no format we read, from its first bytes; None when it may be one.

    Needed because the MP3 decoder looks for sound in anything, and sometimes finds some.
    """
    head = data[:16]
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return None
    if head[:4] == b"fLaC" or head[:3] == b"ID3":
        return None
    if head[:4] == b"OggS":
        return "OGG with Opus inside, which is not read yet" if b"OpusHead" in data[:512] else None
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return None  # the sync word of an MP3 frame
    if head[4:8] == b"ftyp":
        return "an MP4 or M4A file, which is not read"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "a WebM or Matroska file, which is not read"
    return "not an audio file"


def from_pcm(pcm: bytes) -> Samples:
    """Samples of the 16-bit form of `tutor_app.speech.pcm`."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768.0


def to_pcm(samples: Samples) -> bytes:
    """The 16-bit form of samples."""
    scaled = np.round(np.clip(samples, -1.0, 1.0) * 32767.0)
    return scaled.astype("<i2").tobytes()


def loudness_db(samples: Samples) -> float:
    """Root mean square in dB of full scale; -120 for silence."""
    if not len(samples):
        return -120.0
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(-120.0, 10.0 * float(np.log10(mean_square))) if mean_square > 0 else -120.0
