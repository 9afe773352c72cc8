"""How much is misheard, and what is invented, by our settings and by faster-whisper's defaults on the same files.

errors      per cent of words (es, fr) or characters (zh) that are wrong, by setting and signal-to-noise ratio;
            48 sentences of Kokoro, seven voices, three speeds. `defaults, same script` is the defaults' Chinese
            put into simplified characters first, so that only what was misheard counts
invented    words written for sounds in which nobody speaks
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks._sentences import errors, noisy, sentences, units
from tests.speech import noises
from tutor_app.speech.audio import Samples

SNRS: tuple[float | None, ...] = (None, 10.0, 5.0)
NOISE_S = 8.0
SEEDS = range(3)
LANGUAGES = ("es", "fr", "zh")
Hear = Callable[[Samples, str], str]


def main() -> dict[str, Any]:
    """A table by setting, language and noise."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from faster_whisper import WhisperModel

    from tutor_app.speech.hear import TALK_BEAM, threads
    from tutor_app.speech.recognisers import Recognisers
    from tutor_app.speech.transcribing import LiveTranscriber
    from tutor_app.speech.whisper import Whisper, in_script

    home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / ".cache" / "linguist-benchmarks"
    folder = Recognisers(home).ensure().folder
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
    table: dict[str, Any] = {}
    seconds = dict.fromkeys(settings, 0.0)
    length = 0.0
    for snr in SNRS[: int(sys.argv[2])] if len(sys.argv) > 2 else SNRS:
        tally: Counter[tuple[str, str, str]] = Counter()
        for number, sentence in enumerate(sentences()):
            sound = sentence.sound() if snr is None else noisy(sentence.sound(), snr, number)
            length += len(sound) / 16_000
            for name, hear in settings.items():
                began = time.perf_counter()
                heard = hear(sound, sentence.language)
                seconds[name] += time.perf_counter() - began
                readings = {name: heard}
                if name == "defaults":
                    readings["defaults, same script"] = in_script(heard, sentence.language, "zh-Hans")
                for reading, text in readings.items():
                    wrong, said = errors(sentence.text, text, sentence.language)
                    tally[reading, sentence.language, "wrong"] += wrong
                    tally[reading, sentence.language, "said"] += said
        table["clean" if snr is None else f"{snr:.0f} dB"] = {
            reading: {
                language: round(100 * tally[reading, language, "wrong"] / tally[reading, language, "said"], 1)
                for language in LANGUAGES
            }
            for reading in ("defaults", "defaults, same script", "chosen")
        }
    return {
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "model": folder.name,
        "errors_percent": table,
        "work_for_a_second": {name: round(took / length, 3) for name, took in seconds.items()},
        "invented_words": invented(settings),
    }


def invented(settings: dict[str, Hear]) -> dict[str, dict[str, int]]:
    """Words written for each kind of noise, over `SEEDS` and languages (`defaults` choose their own)."""
    found: dict[str, dict[str, int]] = {}
    for kind, make in noises.ALL.items():
        found[kind] = {}
        for name, hear in settings.items():
            asked = LANGUAGES if name == "chosen" else ("",)
            heard = [hear(make(NOISE_S, seed), language) for seed in SEEDS for language in asked]
            found[kind][name] = sum(len(units(text, "es")) for text in heard)
    return found
