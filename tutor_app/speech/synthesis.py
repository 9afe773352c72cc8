"""The engines that make speech out of text. For child processes only: they load native libraries.

Each gives float32 samples and their rate. Kokoro and espeak are libraries here; Piper is the user's own program.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tutor_app.speech.errors import SpeechError
from tutor_app.speech.voices import ESPEAK, KOKORO_MODEL, KOKORO_VOICES, piper_program

Samples = NDArray[np.float32]
PIPER_S = 60.0
ESPEAK_WPM = 165
"""Words a minute at speed 1."""
ESPEAK_SYNCHRONOUS, ESPEAK_NO_EXIT, ESPEAK_RATE, ESPEAK_UTF8, ESPEAK_CHARACTERS = 2, 0x8000, 1, 1, 1
"""Of espeak-ng's speak_lib.h."""


@dataclass(frozen=True)
class Sound:
    """What an engine made."""

    samples: Samples
    rate_hz: int


def resampled(sound: Sound, rate_hz: int) -> Samples:
    """The samples at another rate, without the frequencies that it cannot hold."""
    if sound.rate_hz == rate_hz or not len(sound.samples):
        return sound.samples
    count = round(len(sound.samples) * rate_hz / sound.rate_hz)
    spectrum = np.fft.rfft(sound.samples)
    return (np.fft.irfft(spectrum[: count // 2 + 1], count) * (count / len(sound.samples))).astype(np.float32)


class Synthesiser(Protocol):
    """Makes a piece of text sound. `speed` 1 is a calm native pace."""

    def speak(self, text: str, language: str, voice: str, speed: float) -> Sound:
        """Raises SpeechError when it cannot."""


class Kokoro:
    """Kokoro-82M in int8, by kokoro-onnx."""

    def __init__(self, folder: Path, threads: int) -> None:
        import onnxruntime
        from kokoro_onnx import Kokoro as Model

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                str(folder / KOKORO_MODEL), options, providers=["CPUExecutionProvider"]
            )
            self._model = Model.from_session(session, str(folder / KOKORO_VOICES))
        except (OSError, RuntimeError, ValueError) as error:
            raise SpeechError(f"The voice in {folder} cannot be loaded ({error}). Get it again.") from error

    def phonemes(self, text: str, language: str) -> str:
        """The sounds of a text, in the alphabet of the model."""
        if language.split("-")[0] == "zh":
            from tutor_app.speech import mandarin

            return mandarin.phonemes(text)
        name = "es" if language.lower() == "es-es" else ESPEAK.get(language.split("-")[0], "en-us")
        name = "fr-fr" if name == "fr" else name  # phonemizer calls by language what espeak calls by voice
        return str(self._model.tokenizer.phonemize(text, name))

    def speak(self, text: str, language: str, voice: str, speed: float) -> Sound:
        return self.sound(self.phonemes(text, language), voice, speed)

    def sound(self, phonemes: str, voice: str, speed: float) -> Sound:
        """Speak sounds rather than letters."""
        try:
            samples, rate_hz = self._model.create(phonemes, voice, speed, is_phonemes=True, trim=False)
        except ValueError as error:
            raise SpeechError(f"The voice cannot say this: {error}.") from error
        return Sound(np.asarray(samples, dtype=np.float32), int(rate_hz))


class Piper:
    """A voice of the user's, spoken by the user's program `piper`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        program = piper_program()
        if program is None:
            raise SpeechError("The program `piper` is not installed. Install it, or choose another voice.")
        self._program = program
        try:
            described = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
            self._rate_hz = int(described["audio"]["sample_rate"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SpeechError(f"{path.name} has no description beside it ({path.name}.json).") from error

    def speak(self, text: str, language: str, voice: str, speed: float) -> Sound:
        command = [self._program, "--model", os.fspath(self._path), "--output-raw", "--length-scale", f"{1 / speed:.3f}"]  # fmt: skip
        try:
            done = subprocess.run(
                command, input=" ".join(text.split()).encode() + b"\n", capture_output=True, timeout=PIPER_S,
                check=True, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise SpeechError(
                f"`piper` could not speak with {self._path.name}. Choose another voice."
            ) from error
        pcm = done.stdout[: len(done.stdout) // 2 * 2]
        return Sound(np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768.0, self._rate_hz)


class Espeak:
    """espeak-ng, from the package espeakng-loader: robotic, small, and there for every language."""

    def __init__(self) -> None:
        import espeakng_loader

        try:
            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = Path(espeakng_loader.get_data_path()).parent
        except (OSError, RuntimeError) as error:
            raise SpeechError(
                f"The fallback voice cannot be loaded ({error}). Read the text instead."
            ) from error
        self._rate_hz = self._library.espeak_Initialize(
            ESPEAK_SYNCHRONOUS, 0, os.fsencode(data), ESPEAK_NO_EXIT
        )
        if self._rate_hz <= 0:
            raise SpeechError("The fallback voice finds its data no more. Reinstall linguist-tutor[speech].")
        self._library.espeak_Synth.argtypes = (
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        self._made: list[Samples] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._take)  # kept: the library calls it as long as it lives
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self._made.append(np.ctypeslib.as_array(wave, (count,)).astype(np.float32) / np.float32(32768))
        return 0

    def speak(self, text: str, language: str, voice: str, speed: float) -> Sound:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechError(f"The fallback voice does not speak {language}. Read the text instead.")
        self._library.espeak_SetParameter(ESPEAK_RATE, round(ESPEAK_WPM * speed), 0)
        self._made.clear()
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, ESPEAK_CHARACTERS, 0, ESPEAK_UTF8, None, None)
        if not self._made:
            raise SpeechError("The fallback voice said nothing. Read the text instead.")
        return Sound(np.concatenate(self._made), self._rate_hz)
