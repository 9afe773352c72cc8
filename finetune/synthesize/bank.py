"""A language's bank: what learners say, and what a tutor may say back, by topic (`finetune/data_banks/*.yaml`).

The banks hold our own sentences. Lines may contain `{n}`, the thing the learner spoke of in the tutor's words
("your sister"), and `{N}`, the same at the beginning of a sentence.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path

import regex
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.errors import FinetuneError
from lessons.schema import Level
from tutor_app.pedagogy.language import plain, primary

BANKS = Path(__file__).parents[1] / "data_banks"
LEVELS: tuple[Level, ...] = ("A1", "A2", "B1")


class Data(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ByLevel(Data):
    """Lines of each level; a higher level also knows those of the lower ones."""

    A1: list[str] = []
    A2: list[str] = []
    B1: list[str] = []

    def at(self, level: Level) -> tuple[list[str], list[str]]:
        """(lines of this very level, lines of the levels below)."""
        below = [line for lower in LEVELS[: LEVELS.index(level)] for line in getattr(self, lower)]
        return list(getattr(self, level)), below


class Topic(Data):
    words: list[str] = []
    """Patterns that show the topic in a learner's sentence."""
    fill: dict[str, list[str]] = {}
    """The thing in the tutor's words → how a learner mentions it."""
    react: list[str]
    ask: ByLevel
    more: list[str] = []
    """A remark of the tutor's own between reaction and question, for B1."""
    say: list[str] = []
    """Sentences that learners say, with nothing to recast."""
    third_person: bool = False
    """The learner tells about others: never ask about "your sister"."""


class Elicit(Data):
    """Questions that need a form again."""

    tags: list[str] = []
    match: str = ""
    """Pattern searched in the recast form; empty: any."""
    ask: list[str]


class Mixed(Data):
    """A turn that mixes languages or registers, and answers in kind."""

    say: str
    reply: list[str] = Field(min_length=1)


class Bank(Data):
    """One language."""

    neutral: ByLevel
    warm: list[str]
    sad: list[str]
    positive: list[str]
    negative: list[str]
    sad_ask: list[str]
    ask: ByLevel
    formal: str = ""
    """Shows that a question is put formally …"""
    familiar: str = ""
    """… so that a reaction with one of these words would not go with it."""
    contractions: dict[str, str] = {}
    """What a filled line is contracted to: " de el " → " del "."""
    check: list[str]
    simplify: list[str]
    """Leads, before the question said more simply."""
    confused: list[str]
    off_task: list[str]
    back: list[str]
    """The tutor's answer to what cannot be worked with; a statement."""
    topics: dict[str, Topic]
    elicit: list[Elicit]
    errors: list[tuple[str, str]] = []
    """(learner's sentence, native form), our own."""
    frames: list[tuple[str, str]] = []
    """The same with `{slots}`; a value `a|b` gives the learner's sentence `a` and the native form `b`."""
    slots: dict[str, list[str]] = {}
    """What fills the frames; values of one slot are interchangeable."""
    mixed: list[Mixed] = []
    register_shift: list[Mixed] = []
    dialect: list[str] = []
    """Good sentences of one variety: a reformulation leaves them as they are."""
    prompts: dict[str, str] = {}
    """Prompt of a learner corpus → topic."""


@cache
def bank(tag: str) -> Bank:
    """The bank of a language. Raises FinetuneError naming what is wrong in its file."""
    path = BANKS / f"{primary(tag)}.yaml"
    try:
        return Bank.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader))
    except OSError as error:
        raise FinetuneError(f"There is no bank of phrases for {tag!r}: {path.name} is missing.") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise FinetuneError(f"{path.name} cannot be used: {error}") from error


def framed(data: Bank) -> list[tuple[str, str]]:
    """Every sentence that the frames and their slots give, without those that come out the same twice."""
    found: dict[str, str] = {}
    for wrong, right in data.frames:
        names = list(dict.fromkeys(regex.findall(r"\{(\w+)\}", wrong + right)))
        for values in product(*(data.slots[name] for name in names)):
            halves = [value.split("|") for value in values]
            ours, theirs = wrong, right
            for name, half in zip(names, halves, strict=True):
                ours, theirs = ours.replace(f"{{{name}}}", half[0]), theirs.replace(f"{{{name}}}", half[-1])
            found.setdefault(ours, theirs)
    return list(found.items())


@cache
def searched(pattern: str, tag: str) -> regex.Pattern[str]:
    """A bank's pattern, on word boundaries where the language has them."""
    edge = "" if primary(tag) == "zh" else r"(?<![\p{L}\p{M}])"
    end = "" if primary(tag) == "zh" else r"(?![\p{L}\p{M}])"
    return regex.compile(f"{edge}(?:{plain(pattern, tag) if primary(tag) == 'ar' else pattern}){end}")


def found(patterns: list[str], text: str, tag: str) -> bool:
    """Whether one of the patterns is in `text`."""
    seen = plain(text, tag)
    return any(searched(pattern, tag).search(seen) for pattern in patterns)
