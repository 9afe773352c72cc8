"""Our own sentences of `data/*.yaml`: varieties that nothing is wrong with, and a panel against forgetting."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from tutor_app.pedagogy.language import primary

DATA = Path(__file__).parent / "data"


class Variety(BaseModel):
    """A sentence that is right in one variety."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variety: str
    """BCP 47, such as es-DO."""
    text: str


class Ending(BaseModel):
    """A beginning and two ends, of which only one makes sense."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: str
    right: str
    wrong: str


class Authored(BaseModel):
    """One file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dialect: list[Variety]
    code_switched: list[str]
    texts: list[str]
    endings: list[Ending]
    unmarked_errors: frozenset[str] = frozenset()
    """Sentences of learner corpora that pass for correct and are not: the first 16 hexadecimal digits of their sha256."""

    def passes_wrongly(self, sentence: str) -> bool:
        """Whether somebody read this sentence and found an error that the corpus does not mark."""
        return hashlib.sha256(sentence.encode()).hexdigest()[:16] in self.unmarked_errors


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages with a file, sorted."""
    return tuple(sorted(path.stem for path in DATA.glob("*.yaml")))


@cache
def authored(tag: str) -> Authored:
    """The sentences of a language; none of one without a file."""
    path = DATA / f"{primary(tag)}.yaml"
    if not path.is_file():
        return Authored(dialect=[], code_switched=[], texts=[], endings=[])
    return Authored.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
