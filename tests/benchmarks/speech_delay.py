"""How soon after the last word the transcript is there.

Utterances of about 3, 8 and 20 s are fed to the recogniser's process at the speed at which they are spoken, and the
learner presses the key as soon as they have said the last word: the worst case, since a recording that ends by
silence has its words before it ends. Compared with transcribing after the end: `whole` is the same model and decoder
on all of the recording, `defaults` is faster-whisper's own `transcribe`. Milliseconds, median over languages and runs.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks._sentences import sentences
from tutor_app.speech.audio import Samples, to_pcm
from tutor_app.speech.pcm import RATE_HZ, SAMPLE_BYTES, to_text

LENGTHS_S = (3, 8, 20)
LANGUAGES = ("es", "fr", "zh")
BETWEEN_S = 0.25
"""Between two sentences that are put together."""
BLOCK = RATE_HZ // 20
RUNS = 2


def main() -> dict[str, Any]:
    """Delays by length of the utterance."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from faster_whisper import WhisperModel

    from tutor_app.speech.hear import TALK_BEAM, Recogniser, threads
    from tutor_app.speech.recognisers import Recognisers
    from tutor_app.speech.whisper import Whisper

    home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / ".cache" / "linguist-benchmarks"
    folder = Recognisers(home).ensure().folder
    recogniser = Recogniser(home)
    recogniser.load()
    plain = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads())
    whisper = Whisper(folder, threads())
    result: dict[str, Any] = {}
    try:
        for length in LENGTHS_S:
            made = [utterance(length, language) for language in LANGUAGES]
            live, whole, defaults = [], [], []
            for sound, language in made * runs():  # the three in turn, so that other load meets them alike
                live.append(delay(recogniser, sound, language))
                whole.append(timed(lambda: whisper.hear(sound, [language], TALK_BEAM, whole_window=True)))  # noqa: B023
                defaults.append(timed(lambda: list(plain.transcribe(sound)[0])))  # noqa: B023
            ours = statistics.median(live)
            result[f"{length} s"] = {
                "lengths_s": [round(len(sound) / RATE_HZ, 1) for sound, _ in made],
                "while_speaking_ms": round(ours),
                "while_speaking_worst_ms": round(max(live)),
                "whole_ms": round(statistics.median(whole)),
                "defaults_ms": round(statistics.median(defaults)),
                "sooner_than_whole": round(statistics.median(whole) / ours, 1),
                "sooner_than_defaults": round(statistics.median(defaults) / ours, 1),
            }
    finally:
        recogniser.close()
    return {"cores": os.cpu_count(), "load_1min": round(os.getloadavg()[0], 2), "delay": result}


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def runs() -> int:
    """How often each is measured: the second argument, `RUNS` without."""
    return int(sys.argv[2]) if len(sys.argv) > 2 else RUNS


def utterance(length_s: float, language: str) -> tuple[Samples, str]:
    """Different sentences put together until they are as long as asked for, without silence at the end.

    Never the same one twice: Whisper writes only one of two equal sentences.
    """
    parts: list[Samples] = []
    used: set[str] = set()
    gap = np.zeros(int(BETWEEN_S * RATE_HZ), dtype=np.float32)
    for sentence in sentences():
        if sentence.language != language or sentence.text in used:
            continue
        used.add(sentence.text)
        sound = trimmed(sentence.sound())
        if sum(map(len, parts)) + len(sound) / 2 > length_s * RATE_HZ and parts:
            break
        parts += [gap, sound] if parts else [sound]
    return np.concatenate(parts), language


def trimmed(sound: Samples) -> Samples:
    """Without the quiet before and after."""
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    return sound[loud[0] : loud[-1] + 1]


def delay(recogniser: Any, sound: Samples, language: str) -> float:
    """Milliseconds from the last sample to the transcript, fed as it is spoken."""
    child, pcm = recogniser.child, to_pcm(sound)
    number = child.open("listen", languages=[language], beam=5)
    step = BLOCK * SAMPLE_BYTES
    began = time.perf_counter()
    for sent in range(0, len(pcm), step):
        due = began + (sent + step) / (RATE_HZ * SAMPLE_BYTES)
        time.sleep(max(0.0, due - time.perf_counter()))
        child.tell("sound", target=number, pcm=to_text(pcm[sent : sent + step]))
    ended = time.perf_counter()
    child.tell("finish", target=number)
    for event in child.events(number, 120):
        if event["event"] == "done":
            assert event["text"]
    return 1000 * (time.perf_counter() - ended)
