"""WAXAL transcriptions of African languages: `id`, `transcription`, `language`; text columns only.

A transcription becomes a small task, in turn: fill the gap, or put the words in order.
"""

from __future__ import annotations

import random
from pathlib import Path

from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows
from tutor_app.pedagogy.templates import Message

WORDS = (5, 25)
"""Shorter transcriptions make no task, longer ones are several sentences."""


def examples(paths: list[Path], tally: Tally, *, seed: int = 0) -> Examples:
    """Cloze and word-order tasks; the same row gives the same task under the same seed."""
    for place, row in good_rows(paths, tally, ("transcription", "language")):
        words = str(row["transcription"]).split()
        if not WORDS[0] <= len(words) <= WORDS[1]:
            tally.drop("length")
            continue
        name = str(row.get("id") or place)
        rng = random.Random(f"{seed}/{name}")
        tally.kept += 1
        yield Example(name, "waxal", _cloze(words, rng) if rng.random() < 0.5 else _order(words, rng))


def _cloze(words: list[str], rng: random.Random) -> tuple[Message, ...]:
    at = rng.randrange(len(words))
    gap = " ".join([*words[:at], "___", *words[at + 1 :]])
    return Message("user", f"{gap}\n[fill the gap]"), Message("assistant", " ".join(words))


def _order(words: list[str], rng: random.Random) -> tuple[Message, ...]:
    shuffled = rng.sample(words, len(words))
    return Message("user", f"{' / '.join(shuffled)}\n[put in order]"), Message("assistant", " ".join(words))
