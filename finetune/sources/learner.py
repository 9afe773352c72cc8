"""Learner sentences as the hidden reformulation task (DESIGN section 7), in the app's own words.

Rows: `learner`, `corrected`, `errors`, `group`, `writer`. A gold correction is one norm among several: where it
touches a word of dialect, or mixes what the learner meant, the sentence is left out rather than "repaired".
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import regex
from rapidfuzz.distance import Levenshtein

from finetune.errors import FinetuneError
from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows
from lessons.schema import Track
from tutor_app.pedagogy.edits import edits
from tutor_app.pedagogy.prompts import Brief, native_request, prefix
from tutor_app.pedagogy.reformulation import worth_reformulating
from tutor_app.pedagogy.templates import Message

HELD_BACK = 5
"""One writer in so many is never trained on."""
LEFT_ALONE = frozenset({"dialect", "code-switch"})


def is_held_back(writer: str) -> bool:
    """Whether this writer is kept for evaluation and never trained on."""
    return zlib.crc32(writer.encode()) % HELD_BACK == 0


def mucgec(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """(writer, sentence, its corrections) of MuCGEC's `sentences.tsv.gz`; each sentence has a writer of its own.

    Raises FinetuneError when nothing in the file is of that shape.
    """
    found = False
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for cells in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(cells) >= 3:
                found = True
                yield f"mucgec/{cells[0]}", tidy(cells[1]), [tidy(cell) for cell in cells[2:] if cell.strip()]
    if not found:
        raise FinetuneError(f"{path} holds no sentence.")


def nearest(text: str, versions: list[str]) -> str:
    """The correction that changes least."""
    return min(versions, key=lambda one: Levenshtein.distance(text, one))


def tidy(text: str) -> str:
    """Without invisible characters and doubled spaces."""
    return " ".join(regex.sub(r"[\p{Cf}]", "", text).split())


def examples(
    paths: list[Path],
    tally: Tally,
    *,
    language: str = "es",
    unchanged_share: float = 0.5,
    held_back: bool = False,
) -> Examples:
    """Learner sentence → the least that a native speaker would change; `unchanged_share` of them are fine as they are.

    `held_back` gives the writers kept for evaluation instead.
    """
    changed = same = 0
    for place, row in good_rows(paths, tally, ("learner", "corrected", "writer", "group")):
        learner, native = str(row["learner"]).strip(), str(row["corrected"]).strip()
        if is_held_back(str(row["writer"])) is not held_back:
            tally.drop("writer of the other part")
            continue
        if "*" in learner or not worth_reformulating(learner, language):
            tally.drop("masked or of unsuitable length")
            continue
        if learner == native:
            if row.get("errors") or same > unchanged_share / max(1e-9, 1 - unchanged_share) * (changed + 1):
                tally.drop("more unchanged sentences than asked for")
                continue
            same += 1
        else:
            if any(edit.tag in LEFT_ALONE for edit in edits(learner, native, language)):
                tally.drop("correction of dialect or mixed language")
                continue
            changed += 1
        track: Track = "heritage" if row["group"] == "heritage" else "l2"
        system = prefix(Brief(language, track, "A2", "free talk", trained=True))
        tally.kept += 1
        yield Example(
            place,
            "learner",
            (*system, Message("user", native_request(learner)), Message("assistant", native)),
        )
