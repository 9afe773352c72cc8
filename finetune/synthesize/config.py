"""What `tutor-finetune synthesize` is told in YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from finetune.config import Settings, read
from finetune.synthesize.people import Situations
from lessons.schema import Track

Code = Literal["es", "fr", "zh", "ar", "en"]


class Native(Settings):
    """The reformulation task."""

    unchanged_share: float = Field(default=0.4, gt=0, lt=1)
    """Sentences that are fine, dialectal or mixed and stay as they are. Learners' essays have more of them (three in
    five), but each teaches less; how sure the app wants to be is set afterwards, by a threshold."""
    longest: int = Field(default=20, ge=4)
    """Words of the longest sentence: a turn of a talk is no longer, and a long one costs several short ones."""
    most: int = Field(default=6_000, ge=1)
    """Rows of one language and track."""


class SynthesizeConfig(Settings):
    """`tutor-finetune synthesize`: how many dialogues, of whom, in which situations."""

    seed: int = 0
    """The same seed gives the same files, byte for byte."""
    sets: Path | None = None
    """Folder with lesson sets; the built-in ones when not given."""
    cowsl2h: Path | None = None
    """`sentences.jsonl.gz`: Spanish learners. Without it Spanish learners speak from lessons and banks."""
    mucgec: Path | None = None
    """`sentences.tsv.gz`: Chinese learners."""
    talks: dict[Code, dict[Track, int]] = Field(min_length=1)
    """Language → track → conversations."""
    turns: tuple[int, int] = (3, 7)
    """Fewest and most learner turns of a conversation."""
    lesson_share: float = Field(default=0.5, ge=0, le=1)
    """Of the conversations that take place in a lesson; the others are free talk."""
    item_share: float = Field(default=0.1, ge=0, le=1)
    """Conversations about one item of a lesson, with recasts and the hint ladder, for each one of talk."""
    situations: Situations = Situations()
    native: Native = Native()
    similarity: float = Field(default=0.6, gt=0, le=1)
    """No two conversations share more of their tutor's five-word runs than this (Jaccard, estimated)."""


def load(path: Path, overrides: tuple[str, ...] = ()) -> SynthesizeConfig:
    """The config in `path`, with `key=value` overrides. Raises FinetuneError naming the setting that is wrong."""
    config = read(SynthesizeConfig, path, overrides)
    for name in ("sets", "cowsl2h", "mucgec"):
        given = getattr(config, name)
        if given is not None:
            setattr(config, name, path.parent / given)
    return config
