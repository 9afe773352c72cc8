"""Does the tutor notice a word that became another one, and does it leave a native voice in peace?

    python -m tests.benchmarks pronunciation [--data-dir D] [--languages es,fr,zh] [--voices N] [--cache FOLDER]
                                             [--only pairs|sentences] [--sentences N]

Kokoro says both words of each pair of the contrast tables in a sentence, with voices other than the one the tutor
compares with. Each recording is judged twice: against the sentence it says (nothing may be flagged) and against the
sentence with the other word (it should be). Wants `tutor models pull kokoro`; the speech is kept in the cache, since
making it takes most of the time. The comparison is symmetric, so a word that is called clear in its own sentence is the
one that is caught in the other; what is measured on its own is how often the two signals agree on the wrong side. The
limits in `tutor_app.speech.clarity`, and which French contrasts are silent, were set on these same pairs. French has one voice of its own: the others are an Italian, a Portuguese and a
Spanish one that speak French sounds.

Those sentences have two to five words. `sentences` in the result is for whole ones: what the lessons' own steps let
learners say aloud, then other sentences, with the words that the app itself would look at. Each voice says the sentence
(nothing may be flagged), and once more with the first of those words swapped. No limit was set on them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from lessons.load import builtin_sets_dir, load_set
from lessons.schema import SpeakStep
from tests.benchmarks._sentences import sentences
from tutor_app.cli.context import data_dir
from tutor_app.speech.contrasts import Contrast, pair_site, table
from tutor_app.speech.pronunciation import Judged, Pronunciation
from tutor_app.speech.voice import Voice
from tutor_app.speech.voices import VoiceChoice

OWN = {"es": "e", "fr": "f", "zh": "z"}
"""How the names of a language's own voices begin; the others bring the accent of another language with them."""
SENTENCES = {"es": "digo {}.", "fr": "je dis {}.", "zh": "我说{}。"}
MELODY = {"zh": "他想{}这个。"}
"""Tones are compared inside a sentence: at its end they sink into the sentence's own melody."""
LEARNERS = {"es": ("em_alex", "if_sara"), "fr": ("if_sara", "pm_alex"), "zh": ("zm_yunxi", "zf_xiaoxiao")}
TUTOR = {"es": "ef_dora", "fr": "ff_siwis", "zh": "zf_xiaobei"}
SETS = {"es": ("es-l2", "es-heritage"), "fr": ("fr-l2",), "zh": ("zh-heritage",)}


def main() -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="pronunciation")
    parser.add_argument("--data-dir", type=Path, default=data_dir())
    parser.add_argument("--languages", default="es,fr,zh")
    parser.add_argument("--voices", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tutor-pronunciation")
    parser.add_argument("--only", choices=("pairs", "sentences"))
    parser.add_argument("--sentences", type=int, default=12, help="whole sentences in each language")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    voice = CachedVoice(options.data_dir, options.cache)
    listener = Pronunciation(options.data_dir, voice)
    rows: list[dict[str, Any]] = []
    whole: list[dict[str, Any]] = []
    try:
        for language in options.languages.split(","):
            for contrast in table(language) if options.only != "sentences" else ():
                rows += measured(listener, voice, language, contrast, options.voices)
            for text in spoken_in_lessons(language, options.sentences) if options.only != "pairs" else ():
                whole += in_a_sentence(listener, voice, language, text, options.voices)
    finally:
        listener.close()
        voice.close()
    return report(rows, whole)


class CachedVoice(Voice):
    """The real voice, whose speech is kept on disk."""

    def __init__(self, data_dir: Path, cache: Path) -> None:
        super().__init__(data_dir)
        self._cache = cache

    def make(self, text: str, language: str, voice: VoiceChoice, *, slow: bool = False) -> bytes:
        name = hashlib.sha256(f"{voice.id}/{language}/{slow}/{text}".encode()).hexdigest()[:24]
        path = self._cache / f"{name}.pcm"
        if not path.is_file():
            path.write_bytes(super().make(text, language, voice, slow=slow))
        return path.read_bytes()


def measured(
    listener: Pronunciation, voice: CachedVoice, language: str, contrast: Contrast, voices: int
) -> list[dict[str, Any]]:
    """Each word of each pair by each voice, judged against both sentences."""
    if language not in TUTOR or not contrast.remarks:
        return []
    folder = voice.voices.kokoro_folder
    tutor = VoiceChoice("kokoro", TUTOR[language], folder)
    sentence = (MELODY if contrast.melody else SENTENCES)[language]
    rows = []
    for pair in contrast.pairs:
        for name in LEARNERS[language][:voices]:
            for word, other in (pair, pair[::-1]):
                said = voice.make(sentence.format(word), language, VoiceChoice("kokoro", name, folder))
                for meant, instead in ((word, other), (other, word)):
                    text = sentence.format(meant)
                    site = pair_site(text, meant, instead, contrast.id, melody=contrast.melody)
                    found = listener.judge(said, text, language, tutor, [site])
                    rows += [row(language, name, word, each) for each in found]
        print(f"{language} {contrast.id} {pair}", file=sys.stderr)
    return rows


def spoken_in_lessons(language: str, most: int) -> list[str]:
    """Sentences to be said aloud, from the lessons first, each once."""
    found = [
        item.say
        for name in SETS.get(language, ())
        for lesson in load_set(builtin_sets_dir() / name).lessons
        for step in lesson.steps
        if isinstance(step, SpeakStep)
        for item in step.items
    ]
    found += [sentence.text for sentence in sentences() if sentence.language == language]
    return list(dict.fromkeys(found))[:most]


def in_a_sentence(
    listener: Pronunciation, voice: CachedVoice, language: str, text: str, voices: int
) -> list[dict[str, Any]]:
    """The words that the app would look at, in a sentence that is said right, and one in which the first is swapped."""
    folder = voice.voices.kokoro_folder
    tutor = VoiceChoice("kokoro", TUTOR[language], folder)
    sites = listener.sites(text, language)
    rows = []
    for name in LEARNERS[language][:voices] if sites else ():
        learner = VoiceChoice("kokoro", name, folder)
        said = voice.make(text, language, learner)
        found = listener.judge(said, text, language, tutor, sites)
        rows += [row(language, name, each.site.word, each) | {"text": text} for each in found]
        said = voice.make(sites[0].other, language, learner)
        found = listener.judge(said, text, language, tutor, sites[:1])
        rows += [row(language, name, each.site.other_word, each) | {"text": text} for each in found]
    print(f"{language} {text}", file=sys.stderr)
    return rows


def row(language: str, voice: str, said: str, judged: Judged) -> dict[str, Any]:
    return {
        "language": language, "contrast": judged.site.contrast, "voice": voice, "said": said,
        "meant": judged.site.word, "native": said == judged.site.word, "mark": judged.mark,
        "recogniser": judged.recogniser, "ear": judged.ear,
    }  # fmt: skip


def report(rows: list[dict[str, Any]], whole: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares by contrast, by language and in all, for the pairs and for whole sentences."""
    return {
        "benchmark": "pronunciation",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "results": grouped(rows),
        "sentences": grouped(whole),
        "flagged_natives": [each for each in rows + whole if each["native"] and each["mark"] == "again"],
        "missed": [each for each in rows + whole if not each["native"] and each["mark"] != "again"],
    }


def grouped(rows: list[dict[str, Any]]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in rows:
        groups[f"{each['language']} {each['contrast']}"].append(each)
        groups[each["language"]].append(each)
        groups["all"].append(each)
        if each["voice"].startswith(OWN[each["language"]]):
            groups["all, own voices"].append(each)
    return {name: shares(found) for name, found in sorted(groups.items())}


def shares(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What share of native words was flagged, of swapped words caught, and of flags right."""
    native = [each for each in rows if each["native"]]
    swapped = [each for each in rows if not each["native"]]
    wrong = sum(each["mark"] == "again" for each in native)
    caught = sum(each["mark"] == "again" for each in swapped)
    return {
        "native_words": len(native),
        "native_flagged": round(wrong / max(1, len(native)), 3),
        "native_clear": round(sum(each["mark"] == "clear" for each in native) / max(1, len(native)), 3),
        "swapped_words": len(swapped),
        "swapped_flagged": round(caught / max(1, len(swapped)), 3),
        "swapped_called_clear": sum(each["mark"] == "clear" for each in swapped),
        "precision": round(caught / (caught + wrong), 3) if caught + wrong else None,
    }
