"""Sounds in which nobody speaks: 16 kHz, float32, the same for the same seed."""

from __future__ import annotations

import numpy as np

from tutor_app.speech.audio import Samples
from tutor_app.speech.pcm import RATE_HZ


def at_level(sound: np.ndarray, level_db: float) -> Samples:
    """`sound` with this root mean square, in dB of full scale."""
    now = float(np.sqrt(np.mean(np.square(sound)))) or 1.0
    return np.clip(sound / now * 10 ** (level_db / 20), -1, 1).astype(np.float32)


def seconds(duration_s: float) -> np.ndarray:
    return np.arange(int(duration_s * RATE_HZ)) / RATE_HZ


def silence(duration_s: float, seed: int) -> Samples:
    """A microphone in a quiet room: hiss at -72 dB."""
    return at_level(np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ)), -72)


def white(duration_s: float, seed: int, level_db: float = -22) -> Samples:
    return at_level(np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ)), level_db)


def fan(duration_s: float, seed: int, level_db: float = -28) -> Samples:
    """Low noise that falls off with frequency, the blades' hum, and a slow swell."""
    random, t = np.random.default_rng(seed), seconds(duration_s)
    spectrum = np.fft.rfft(random.standard_normal(len(t)))
    frequency = np.fft.rfftfreq(len(t), 1 / RATE_HZ)
    rumble = np.fft.irfft(spectrum / np.maximum(frequency, 60), len(t))
    hum = sum(np.sin(2 * np.pi * 118 * k * t + k) / k**2 for k in (1, 2, 3, 4))
    swell = 1 + 0.2 * np.sin(2 * np.pi * 0.3 * t)
    return at_level((rumble / np.std(rumble) + 0.6 * hum) * swell, level_db)


def tones(duration_s: float, seed: int, level_db: float = -20) -> Samples:
    """Beeps of a machine: three notes, on and off."""
    t, notes = seconds(duration_s), np.random.default_rng(seed).choice([440, 523, 660, 880, 1000], 3)
    tune = sum(np.sin(2 * np.pi * note * t) * (np.floor(t * 2 + i) % 3 == 0) for i, note in enumerate(notes))
    return at_level(np.asarray(tune), level_db)


def music(duration_s: float, seed: int, level_db: float = -20) -> Samples:
    """Plucked chords with overtones, a melody with vibrato, and a drum."""
    random, t = np.random.default_rng(seed), seconds(duration_s)
    out = np.zeros(len(t))
    for beat, start in enumerate(np.arange(0, duration_s, 0.5)):
        since = np.maximum(t - start, 0) * (t >= start)
        sounding = np.exp(-3 * since) * (t >= start)
        root = 110 * 2 ** (random.choice([0, 3, 5, 7]) / 12)
        for note in (root, root * 1.26, root * 1.5):
            out += sounding * sum(np.sin(2 * np.pi * note * k * since) / k**1.5 for k in range(1, 7))
        tune = root * 4 * 2 ** (random.choice([0, 2, 4, 7, 9]) / 12)
        vibrato = 2 * np.pi * tune * since + 3 * np.sin(2 * np.pi * 5.5 * since)
        out += 0.8 * np.exp(-2 * since) * (t >= start) * np.sin(vibrato)
        if beat % 2:
            out += 0.7 * np.exp(-40 * since) * (t >= start) * random.standard_normal(len(t))
    return at_level(out, level_db)


def clicks(duration_s: float, seed: int) -> Samples:
    """Keys being typed, in hiss."""
    random, sound = np.random.default_rng(seed), np.array(silence(duration_s, seed))
    for _ in range(int(duration_s * 6)):
        start = int(random.integers(0, len(sound) - 400))
        sound[start : start + 400] += random.standard_normal(400) * np.exp(-np.arange(400) / 60) * 0.2
    return np.clip(sound, -1, 1).astype(np.float32)


ALL = {"silence": silence, "white noise": white, "fan": fan, "tones": tones, "music": music, "typing": clicks}
