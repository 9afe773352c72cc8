"""Real sentences of writers that nobody was trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from finetune.records import Tally
from finetune.sources.learner import LEFT_ALONE, is_held_back, mucgec, nearest
from finetune.sources.shapes import good_rows
from lessons.schema import Track
from tutor_app.pedagogy.edits import edits
from tutor_app.pedagogy.language import length, primary

ERRORS = (1, 2)
"""Errors of a sentence with errors: more of them, and it is no longer clear which edit belongs to which."""
BANDS = {"A1": ("1", "2"), "A2": ("2", "3"), "B1": ("3", "21", "22", "31"), "C1": ("23", "24", "32", "33")}
"""Courses of COWS-L2H whose essays stand for a level: first year, second year, and the composition courses."""


@dataclass(frozen=True)
class Sentence:
    """One sentence of a learner."""

    id: str
    writer: str
    track: Track
    course: str
    essay: str
    learner: str
    corrected: str
    errors: int
    """Stretches that were corrected."""
    rights: tuple[str, ...]
    """What they were corrected to, where something was put there."""

    @property
    def wrong(self) -> bool:
        return self.learner != self.corrected


@dataclass(frozen=True)
class Held:
    """The writers kept back."""

    sentences: tuple[Sentence, ...]

    def sample(self, count: int, track: Track, *, wrong: bool, words: tuple[int, int], language: str, seed: int) -> list[Sentence]:  # fmt: skip
        """So many sentences with errors, or without; a smaller sample is the beginning of a larger one."""
        fit = (
            one
            for one in shuffled(
                (one for one in self.sentences if one.track == track and one.wrong == wrong), seed
            )
            if words[0] <= _words(one.learner, language) <= words[1]
            # Telling edits takes milliseconds a sentence, so no more of them are looked at than are wanted.
            and (not wrong or (ERRORS[0] <= one.errors <= ERRORS[1] and not _touches_variety(one, language)))
        )
        return list(islice(fit, count))

    def essays(self, count: int, level: str, turns: int, seed: int) -> list[list[Sentence]]:
        """The first `turns` sentences of so many essays from courses of a level, each with at least one error."""
        texts: dict[str, list[Sentence]] = {}
        for one in self.sentences:
            if one.course.split()[-1].rstrip("YN") in BANDS[level] and 4 <= len(one.learner.split()) <= 25:
                texts.setdefault(one.essay, []).append(one)
        fit = [
            text[:turns]
            for text in texts.values()
            if len(text) >= turns and any(one.wrong for one in text[:turns])
        ]
        first = {text[0].id: text for text in fit}
        return [first[one.id] for one in shuffled([text[0] for text in fit], seed)[:count]]


def _words(text: str, language: str) -> float:
    """Chinese has no spaces; elsewhere they are what the samples were drawn by from the beginning."""
    return length(text, language) if primary(language) == "zh" else len(text.split())


def held_back(paths: list[Path]) -> Held:
    """Every unmasked sentence of those writers, in the order of the files. Raises FinetuneError for a wrong file.

    A file whose name ends in `.tsv.gz` is MuCGEC's.
    """
    found = [one for path in paths if path.name.endswith(".tsv.gz") for one in _mucgec(path)]
    rest = [path for path in paths if not path.name.endswith(".tsv.gz")]
    for place, row in good_rows(rest, Tally(), ("learner", "corrected", "writer", "group", "errors")):
        learner, corrected = str(row["learner"]).strip(), str(row["corrected"]).strip()
        if "*" in learner or not is_held_back(str(row["writer"])):
            continue
        if (learner != corrected) != bool(row["errors"]):
            continue
        track: Track = "heritage" if row["group"] == "heritage" else "l2"
        writer = f"{row['group']}/{row['writer']}"
        found.append(
            Sentence(
                place, writer, track, str(row.get("course", "")), f"{writer}/{row.get('prompt', '')}", learner, corrected,
                len(row["errors"]), tuple(right for error in row["errors"] if (right := str(error.get("right", "")).strip())),
            )
        )  # fmt: skip
    return Held(tuple(found))


def _mucgec(path: Path) -> Iterator[Sentence]:
    """Chinese learners' sentences for either track, and their corrections as sentences with nothing wrong in them."""
    for writer, learner, versions in mucgec(path):
        if not is_held_back(writer):
            continue
        right = nearest(learner, versions)
        changed = edits(learner, right, "zh")
        rights = tuple("".join(edit.right) for edit in changed if edit.right)
        tracks: tuple[Track, ...] = ("heritage", "l2")
        for track in tracks:
            where = f"{writer}/{track}"
            if changed:
                yield Sentence(where, writer, track, "", writer, learner, right, len(changed), rights)
            yield Sentence(f"{where}/right", writer, track, "", writer, right, right, 0, ())


@lru_cache(maxsize=4096)
def _touches_variety(one: Sentence, language: str) -> bool:
    """Whether the gold correction "repairs" dialect or mixed language, which is no error here."""
    return any(edit.tag in LEFT_ALONE for edit in edits(one.learner, one.corrected, language))


def shuffled(sentences: Iterable[Sentence], seed: int) -> list[Sentence]:
    """In an order that depends on each sentence's own id, so that adding data moves nothing else."""
    return sorted(sentences, key=lambda one: hashlib.sha256(f"{seed}/{one.id}".encode()).digest())
