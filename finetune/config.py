"""What a trainer writes in YAML, checked before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from finetune.errors import FinetuneError
from finetune.sources import NAMES


class Settings(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Kept(Settings):
    """One dataset, wherever it is used."""

    kind: str
    """Which reader: chat, dialogues, learner, lmsys, magpie, openhermes, prosocial or waxal."""
    paths: list[Path] = Field(min_length=1)
    """Files or folders, relative to the config."""
    options: dict[str, Any] = {}
    """For its reader, such as `languages: [Spanish]` for lmsys, or `held_back: true` for learner."""


class Source(Kept):
    """One dataset in the mixture."""

    share: float = Field(gt=0, le=1)
    """Of the trained tokens."""
    repeat: int = Field(default=1, ge=1)
    """Passes over it that are allowed."""


class DataConfig(Settings):
    """`tutor-finetune data`: which conversations, in which shares."""

    tokenizer: Path
    """`tokenizer.json` of the base model, or the folder it is in."""
    family: str = "chatml"
    """Its prompt template: a name in assets/templates."""
    total_tokens: int = Field(default=2_000_000, ge=1)
    """Trained tokens altogether."""
    seed: int = 0
    """The same seed gives the same stream."""
    reweight: bool = False
    """Whether the other sources fill in for one that runs out."""
    sources: dict[str, Source] = Field(min_length=1)
    near_duplicates: float | None = Field(default=0.8, gt=0, le=1)
    """Conversations that share more of their five-word runs than this with one before are left out (Jaccard); with null
    none are looked for."""
    evaluation: dict[str, Kept] = {}
    """What models will be measured on: nothing like it is trained on."""
    workers: int = Field(default=0, ge=0)
    """Processes that tokenise beside the first; any number gives the same files."""

    @field_validator("evaluation")
    @classmethod
    def _can_be_told(cls, evaluation: dict[str, Kept], info: ValidationInfo) -> dict[str, Kept]:
        if evaluation and info.data.get("near_duplicates", 0) is None:
            raise ValueError(
                "what is like it can only be kept out with near_duplicates, a number from 0 to 1"
            )
        return evaluation


S = TypeVar("S", bound=Settings)


def read(kind: type[S], path: Path, overrides: tuple[str, ...] = ()) -> S:
    """The settings in `path`, with `key=value` overrides. Raises FinetuneError naming the setting that is wrong."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FinetuneError(f"{path} cannot be read: {_problem(error)}.") from error
    if not isinstance(data, dict):
        raise FinetuneError(f"{path} is not a mapping of settings.")
    for override in overrides:
        set_override(data, override)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise FinetuneError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def load(path: Path, overrides: tuple[str, ...] = ()) -> DataConfig:
    """The data config in `path`. Raises FinetuneError naming the setting that is wrong."""
    config = read(DataConfig, path, overrides)
    named = [("sources", *one) for one in config.sources.items()]
    kept = [("evaluation", *one) for one in config.evaluation.items()]
    for where, name, source in (*named, *kept):
        if source.kind not in NAMES:
            raise FinetuneError(
                f"{path}: {where}.{name}.kind: no reader {source.kind!r}; there are {', '.join(NAMES)}."
            )
        source.paths = [path.parent / one for one in source.paths]
    config.tokenizer = path.parent / config.tokenizer
    return config


def set_override(data: dict[str, Any], override: str) -> None:
    """Change one setting, `key=value` with dots between levels. Raises FinetuneError when it cannot be."""
    key, found, value = override.partition("=")
    if not found:
        raise FinetuneError(f"--set {override}: write key=value, for example --set total_tokens=100000.")
    *parents, last = key.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise FinetuneError(f"--set {override}: {parent!r} has no settings of its own.")
    try:
        data[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise FinetuneError(
            f"--set {override}: {value} is no YAML ({_problem(error)}); put quotes around it."
        ) from error


def _problem(error: Exception) -> str:
    """What is wrong, in one line; the parser of YAML would show the place as well, in five."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f"line {mark.line + 1}: {problem}" if mark and problem else str(error).splitlines()[0]
