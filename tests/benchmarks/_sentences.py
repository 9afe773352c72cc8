"""Synthetic sentences with their words, noise to put over them, and how far a transcript is from what was said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import regex
from rapidfuzz.distance import Levenshtein

from tests.speech.noises import fan
from tutor_app.speech.audio import Samples, read_audio

FOLDER = Path(__file__).parents[1] / "speech" / "audio" / "said"


@dataclass(frozen=True)
class Sentence:
    """One recording."""

    file: str
    language: str
    voice: str
    speed: float
    text: str

    def sound(self) -> Samples:
        """At 16 kHz."""
        return read_audio(FOLDER / self.file)


def sentences() -> list[Sentence]:
    """All of them, in a fixed order."""
    return [Sentence(**each) for each in json.loads((FOLDER / "said.json").read_text(encoding="utf-8"))]


def noisy(sound: Samples, snr_db: float, seed: int) -> Samples:
    """`sound` with a fan in the room, this many dB below the voice."""
    noise = fan(len(sound) / 16_000 + 0.1, seed)[: len(sound)]
    gain = np.sqrt(np.mean(sound**2) / np.mean(noise**2) / 10 ** (snr_db / 10))
    return np.clip(sound + noise * gain, -1, 1).astype(np.float32)


def units(text: str, language: str) -> list[str]:
    """What errors are counted in: words, or characters for Chinese; without punctuation and capitals."""
    text = regex.sub(r"[^\p{L}\p{N}\s']", "", text.lower().replace("’", "'"))
    return list(regex.sub(r"\s", "", text)) if language == "zh" else text.split()


def errors(said: str, heard: str, language: str) -> tuple[int, int]:
    """(units that are wrong, missing or too many; units that were said)."""
    wanted = units(said, language)
    return Levenshtein.distance(wanted, units(heard, language)), len(wanted)
