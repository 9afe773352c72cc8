"""How much is misheard, and what is invented, by our settings and by faster-whisper's defaults on the same files.

    python -m tests.benchmarks speech_errors [--data-dir D] [--quick] [--snr clean,10,5]

errors      per cent of words (es, fr) or characters (zh) that are wrong, by setting and signal-to-noise ratio;
            48 sentences of Kokoro, seven voices, three speeds. `defaults, same script` is the defaults' Chinese
            put into simplified characters first, so that only what was misheard counts
voices      the same by voice, and speeds by speed, over the languages, for each noise
invented    words written for sounds in which nobody speaks

`--quick` takes every sentence once instead of twice (each voice at each of its speeds stays) and one seed of each noise:
half the time.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks._sentences import Sentence, errors, noisy, sentences, units
from tests.speech import noises
from tutor_app.speech.audio import Samples

NOISE_S = 8.0
SEEDS = 3
LANGUAGES = ("es", "fr", "zh")
SAME_SCRIPT = "defaults, same script"
Hear = Callable[[Samples, str], str]


def main() -> dict[str, Any]:
    """A table by setting, language and noise."""
    parser = argparse.ArgumentParser(prog="speech_errors")
    parser.add_argument("--data-dir", type=Path, default=Path.home() / ".cache" / "linguist-benchmarks")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--snr", default="clean,10,5")
    options = parser.parse_args()
    chosen_sentences = half(sentences()) if options.quick else sentences()
    os.environ["HF_HUB_OFFLINE"] = "1"
    from faster_whisper import WhisperModel

    from tutor_app.speech.hear import TALK_BEAM, threads
    from tutor_app.speech.recognisers import Recognisers
    from tutor_app.speech.transcribing import LiveTranscriber
    from tutor_app.speech.whisper import Whisper, in_script

    folder = Recognisers(options.data_dir).ensure().folder
    plain = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads())
    whisper = Whisper(folder, threads())

    def defaults(sound: Samples, language: str) -> str:
        return " ".join(segment.text for segment in plain.transcribe(sound)[0])

    def chosen(sound: Samples, language: str) -> str:
        live = LiveTranscriber(lambda: whisper, [language], TALK_BEAM)
        live.feed(sound)
        live.finish()
        found = live.work()
        return found.text if found is not None else ""

    settings: dict[str, Hear] = {"defaults": defaults, "chosen": chosen}
    rows: list[Row] = []
    seconds = dict.fromkeys(settings, 0.0)
    length = 0.0
    for noise in options.snr.split(","):
        for number, sentence in enumerate(chosen_sentences):
            sound = sentence.sound()
            if noise != "clean":
                sound = noisy(sound, float(noise), number)
            length += len(sound) / 16_000
            for name, hear in settings.items():
                began = time.perf_counter()
                heard = hear(sound, sentence.language)
                seconds[name] += time.perf_counter() - began
                rows.append(Row(noise, name, sentence, *errors(sentence.text, heard, sentence.language)))
                if name == "defaults":
                    same = in_script(heard, sentence.language, "zh-Hans")
                    rows.append(
                        Row(noise, SAME_SCRIPT, sentence, *errors(sentence.text, same, sentence.language))
                    )
    return {
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "model": folder.name,
        "sentences": len(chosen_sentences),
        "errors_percent": percent(rows, lambda row: (label(row.noise), row.setting, row.sentence.language)),
        "voices": percent(rows, lambda row: (row.setting, row.sentence.voice, label(row.noise))),
        "speeds": percent(rows, lambda row: (row.setting, str(row.sentence.speed), label(row.noise))),
        "work_for_a_second": {name: round(took / length, 3) for name, took in seconds.items()},
        "invented_words": invented(settings, 1 if options.quick else SEEDS),
    }


@dataclass(frozen=True)
class Row:
    """One sentence, heard once."""

    noise: str
    setting: str
    sentence: Sentence
    wrong: int
    said: int


def half(all_of_them: Sequence[Sentence]) -> list[Sentence]:
    """Every sentence once; they come in pairs, one language after the other. Keeps each voice at each of its speeds."""
    pairs = [all_of_them[at : at + 2] for at in range(0, len(all_of_them), 2)]
    turns = 2 * len(LANGUAGES) * len(LANGUAGES)
    return [pair[number % turns * 2 // turns] for number, pair in enumerate(pairs)]


def label(noise: str) -> str:
    return noise if noise == "clean" else f"{noise} dB"


def percent(rows: Sequence[Row], keys: Callable[[Row], tuple[str, ...]]) -> dict[str, Any]:
    """Per cent of words that are wrong, in tables inside tables."""
    tally: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        counts = tally.setdefault(keys(row), [0, 0])
        counts[0] += row.wrong
        counts[1] += row.said
    table: dict[str, Any] = {}
    for key, (wrong, said) in sorted(tally.items()):
        inside = table
        for name in key[:-1]:
            inside = inside.setdefault(name, {})
        inside[key[-1]] = round(100 * wrong / said, 1)
    return table


def invented(settings: dict[str, Hear], seeds: int) -> dict[str, dict[str, int]]:
    """Words written for each kind of noise, over seeds and languages (`defaults` choose their own)."""
    found: dict[str, dict[str, int]] = {}
    for kind, make in noises.ALL.items():
        found[kind] = {}
        for name, hear in settings.items():
            asked = LANGUAGES if name == "chosen" else ("",)
            heard = [hear(make(NOISE_S, seed), language) for seed in range(seeds) for language in asked]
            found[kind][name] = sum(len(units(text, "es")) for text in heard)
    return found
