"""Is English inside a heritage learner's Spanish written, or is it translated or left out without a word?

    python -m tests.benchmarks speech_mixed [DATA-DIR [SENTENCES]]

24 sentences by three voices of Kokoro that speak the English in them too; 8 were made after every limit had been set.
`pinned` reads all of it as Spanish, `both` is what a heritage learner gets, `defaults` is faster-whisper's own
`transcribe`, which chooses the language.

words_wrong      per cent of words that are wrong
english_written  per cent of the English words that are in the transcript
silent_loss      sentences in which fewer than half of a clause's words (three or more) are written, with a confidence
                 at which the learner is not told to look twice
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks._sentences import FOLDER, errors, units
from tutor_app.speech.audio import Samples, read_audio
from tutor_app.ui.widgets.speak_bar import UNSURE

MIXED = FOLDER.parent / "mixed"
CLAUSE = 3
Hear = Callable[[Samples], tuple[str, float]]
"""Words, and confidence."""


def main() -> dict[str, Any]:
    """A row for each setting, for the sentences seen before and those that were not."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from faster_whisper import WhisperModel

    from tutor_app.speech.hear import TALK_BEAM, languages, threads
    from tutor_app.speech.recognisers import Recognisers
    from tutor_app.speech.transcribing import LiveTranscriber
    from tutor_app.speech.whisper import Whisper

    home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / ".cache" / "linguist-benchmarks"
    folder = Recognisers(home).ensure().folder
    plain = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads())
    whisper = Whisper(folder, threads())

    def defaults(sound: Samples) -> tuple[str, float]:
        found = list(plain.transcribe(sound)[0])
        text = " ".join(segment.text for segment in found)
        return text, float(np.exp(np.mean([segment.avg_logprob for segment in found]))) if found else 0.0

    def ours(track: str) -> Hear:
        def hear(sound: Samples) -> tuple[str, float]:
            live = LiveTranscriber(lambda: whisper, languages("es", track), TALK_BEAM)
            live.feed(sound)
            live.finish()
            found = live.work()
            return (found.text, found.confidence) if found is not None else ("", 0.0)

        return hear

    settings: dict[str, Hear] = {"defaults": defaults, "pinned": ours("l2"), "both": ours("heritage")}
    rows = json.loads((MIXED / "mixed.json").read_text(encoding="utf-8"))
    rows = rows[-int(sys.argv[2]) :] if len(sys.argv) > 2 else rows
    result: dict[str, Any] = {}
    heard: dict[str, dict[str, str]] = {row["file"]: {} for row in rows}
    for name, hear in settings.items():
        took, found = 0.0, []
        for row in rows:
            sound = read_audio(MIXED / row["file"])
            began = time.perf_counter()
            text, confidence = hear(sound)
            took += time.perf_counter() - began
            heard[row["file"]][name] = f"{text} ({confidence:.2f})"
            found.append((row, text, confidence))
        result[name] = {
            "seen": shares([each for each in found if not each[0]["unseen"]]),
            "unseen": shares([each for each in found if each[0]["unseen"]]),
            "seconds": round(took, 1),
        }
    return {
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "model": folder.name,
        "results": result,
        "heard": heard,
    }


def shares(found: list[tuple[dict[str, Any], str, float]]) -> dict[str, Any]:
    """The three figures over some sentences."""
    wrong = said = written = english = lost = 0
    for row, text, confidence in found:
        mistakes, length = errors(row["text"], text, "es")
        wrong, said = wrong + mistakes, said + length
        there = set(units(text, "es"))
        missed = False
        for clause in row["english"]:
            spoken = units(clause, "es")
            kept = sum(word in there for word in spoken)
            written, english = written + kept, english + len(spoken)
            missed = missed or (len(spoken) >= CLAUSE and kept < len(spoken) / 2)
        lost += missed and confidence >= UNSURE
    return {
        "sentences": len(found),
        "words_wrong": round(100 * wrong / max(1, said), 1),
        "english_written": round(100 * written / max(1, english), 1),
        "silent_loss": lost,
    }
