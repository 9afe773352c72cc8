"""Microphones, and one that is a file. For the recorder's child process only: it loads the audio library."""

from __future__ import annotations

import queue
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote

import miniaudio
import numpy as np

from tutor_app.speech.audio import read_audio, to_pcm
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pcm import RATE_HZ, SAMPLE_BYTES

BLOCK_S = 0.05
"""Sound is handed on this often: a level meter looks live at 20 Hz."""
BLOCK_BYTES = int(RATE_HZ * BLOCK_S) * SAMPLE_BYTES
STALLED_S = 2.0
"""A microphone that sends nothing more for this long was unplugged."""
FIRST_S = 30.0
"""Until its first sound. A Bluetooth headset changes from music to speech first, which takes some of them several seconds;
the app waits as long (`listening.OPEN_S`)."""
FILE = "file:"

NO_MICROPHONE = "No microphone was found. Plug one in and press the key again, or type the answer."
UNPLUGGED = "The microphone stopped sending sound. If it was unplugged, plug it in and record again, or type the answer."
BUSY = "The microphone is used by another program. Close that program (a call, a recorder) and record again."
DENIED = "This terminal may not use the microphone. Allow it in the privacy settings of your system, then start again."

_BUSY = (miniaudio.lib.MA_BUSY, miniaudio.lib.MA_ALREADY_IN_USE, miniaudio.lib.MA_UNAVAILABLE)
_NOT_REAL = ("discard all samples", "monitor of ")
"""Beginnings of names that are no microphone: ALSA's null device, and what the loudspeaker plays."""


def names() -> list[str]:
    """The microphones by name, the system's default first where it says so."""
    try:
        found = [str(device["name"]) for device in miniaudio.Devices().get_captures()]
    except miniaudio.MiniaudioError:
        return []  # no sound system at all
    return [name for name in dict.fromkeys(found) if not name.lower().startswith(_NOT_REAL)]


def sound(device: str) -> Iterator[bytes]:
    """Blocks of 16-bit sound at 16 kHz from a microphone, until the iterator is closed.

    Before its first sound they may be empty, so that whoever waits can stop waiting.

    `device`: a name of `names`, empty for the system's default, or `file:PATH?speed=1&after=silence`, which plays a
    file as if it was spoken: `speed` 0 is as fast as it is read, `after` is what follows it: `silence` (faint
    noise), `nothing` (zeros), `unplugged`. Raises SpeechError with what to do.
    """
    return _file(device.removeprefix(FILE)) if device.startswith(FILE) else _microphone(device)


def _microphone(name: str) -> Iterator[bytes]:
    blocks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def take() -> Generator[None, bytes, None]:
        while True:
            blocks.put(bytes((yield)))

    known = names()
    if not known:
        raise SpeechError(NO_MICROPHONE)
    if name and name not in known:
        raise SpeechError(
            f"The microphone {name!r} is not here any more. Plug it in, or choose another in Settings."
        )
    taker = take()
    next(taker)
    try:
        device = miniaudio.CaptureDevice(
            miniaudio.SampleFormat.SIGNED16, 1, RATE_HZ, buffersize_msec=round(BLOCK_S * 1000),
            device_id=_identifier(name), app_name="Linguist",
        )  # fmt: skip
    except miniaudio.MiniaudioError as error:
        raise SpeechError(refusal(error)) from error
    try:
        device.stop_callback = lambda: blocks.put(None)
        device.start(taker)
        silent_s, limit_s = 0.0, FIRST_S
        while True:
            try:
                block = blocks.get(timeout=STALLED_S)
            except queue.Empty:
                silent_s += STALLED_S
                block = b"" if silent_s < limit_s else None
            if block is None:
                raise SpeechError(UNPLUGGED)
            if block:
                silent_s, limit_s = 0.0, STALLED_S
            yield block
    except miniaudio.MiniaudioError as error:
        raise SpeechError(refusal(error)) from error
    finally:
        device.stop_callback = None
        device.close()


def _identifier(name: str) -> object:
    """The library's id of a microphone; None for the default."""
    if not name:
        return None
    return next(
        (device["id"] for device in miniaudio.Devices().get_captures() if device["name"] == name), None
    )


def refusal(error: miniaudio.MiniaudioError) -> str:
    """Why a microphone could not be opened, for the learner."""
    code = error.args[1] if len(error.args) > 1 else miniaudio.lib.MA_ERROR
    if code in _BUSY:
        return BUSY
    if code == miniaudio.lib.MA_ACCESS_DENIED:
        return DENIED
    if code in (miniaudio.lib.MA_NO_DEVICE, miniaudio.lib.MA_NO_BACKEND, miniaudio.lib.MA_DOES_NOT_EXIST):
        return NO_MICROPHONE
    return (
        f"The microphone cannot be opened (error {code}). Another program may be using it: close that, choose "
        "another microphone in Settings, or type the answer."
    )


@dataclass(frozen=True)
class _Script:
    """What the address of a file says."""

    path: Path
    speed: float
    after: str


def _script(address: str) -> _Script:
    path, _, query = address.partition("?")
    options = {key: values[-1] for key, values in parse_qs(query).items()}
    return _Script(Path(unquote(path)), float(options.get("speed", "1")), options.get("after", "silence"))


def _file(address: str) -> Iterator[bytes]:
    script = _script(address)
    if script.after == "busy":
        raise SpeechError(BUSY)
    spoken = to_pcm(read_audio(script.path))
    hiss = np.random.default_rng(0)
    began, sent = time.monotonic(), 0
    while True:
        block = spoken[sent : sent + BLOCK_BYTES]
        if len(block) < BLOCK_BYTES:
            if script.after == "unplugged":
                raise SpeechError(UNPLUGGED)
            missing = (BLOCK_BYTES - len(block)) // SAMPLE_BYTES
            faint = (
                hiss.integers(-8, 9, missing).astype("<i2")
                if script.after == "silence"
                else bytes(2 * missing)
            )
            block += bytes(faint)
        sent += BLOCK_BYTES
        if script.speed:
            due = began + sent / (RATE_HZ * SAMPLE_BYTES) / script.speed
            time.sleep(max(0.0, due - time.monotonic()))
        yield block
