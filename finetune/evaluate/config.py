"""What `tutor-finetune evaluate` reads: which models, which tasks, how many samples."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, model_validator

from finetune.config import Settings, read
from finetune.errors import FinetuneError
from lessons.schema import Level, Track

Style = Literal["prompted", "few-shot", "trained"]
Task = Literal["reformulation", "replies", "mixed", "simplify", "hints", "drift", "forgetting"]
TASKS: tuple[Task, ...] = get_args(Task)


class Model(Settings):
    """One column of the report."""

    kind: Literal["gguf", "hf"] = "gguf"
    """`gguf` runs in the app's own engine, `hf` in transformers."""
    model: str
    """gguf: a name of `tutor models list`, or a file. hf: a model folder."""
    gguf_file: str | None = None
    """hf: the GGUF in that folder whose weights are dequantised, when it has no safetensors."""
    adapters: list[str] = Field(default=[])
    """gguf: names of adapters for this model (those they stand on come along), or files. hf: folders of PEFT."""
    style: Style | None = None
    """`few-shot` has the app's example turns in front; `prompted` and `trained` only the system part. Without it:
    trained with adapters, few-shot without."""
    family: str | None = None
    """hf: its prompt template, a name in assets/templates."""
    tracks: list[Track] = Field(default=["l2", "heritage"])
    """Learners it is for; the others are not tried."""
    threads: int | None = None
    """None: the engine chooses."""
    batch: int = Field(default=8, ge=1)
    """hf: prompts at a time."""
    margin_nats: dict[Track, float] = Field(default={})
    """How sure it must be before its version is acted on; by default what its adapter's manifest says, else
    `reformulation.margin_nats`."""
    note: str = ""
    """Shown under its name in the report."""

    @property
    def at_once(self) -> int:
        """Talks held side by side: the engine has one context, torch takes a batch."""
        return self.batch if self.kind == "hf" else 1

    @property
    def prompt_style(self) -> Style:
        return self.style or ("trained" if self.adapters else "few-shot")


class Reformulation(Settings):
    """The hidden reformulation on writers that nobody was trained on."""

    errors: int = Field(default=100, ge=0)
    """Sentences with one or two errors, for each group of learners."""
    correct: int = Field(default=100, ge=0)
    """Sentences without any."""
    words: tuple[int, int] = (4, 15)
    """Shortest and longest sentence."""
    level: Level = "A2"
    margin_nats: dict[Track, float] = Field(default={"l2": 1.0, "heritage": 2.5})
    """How much likelier than the learner's own sentence the app wants a version before it acts on it."""


class Replies(Settings):
    """What the tutor says to those sentences."""

    errors: int = Field(default=40, ge=0)
    """Of the sentences with errors in which something has to be put in, for each group: there is a form to recast."""
    one_step: bool = True
    """Also without the reformulation, to see what it brings."""
    level: Level = "A1"
    temperature: float = Field(default=0.7, ge=0)
    max_tokens: int = Field(default=100, ge=8)


class Drift(Settings):
    """Talks with a simulated learner, whose turns are the sentences of one real essay in order."""

    dialogues: int = Field(default=0, ge=0)
    """For each level; 0 leaves it out."""
    turns: int = Field(default=9, ge=2)
    levels: list[Literal["A1", "A2", "B1", "C1"]] = Field(default=["A1", "B1", "C1"])
    """C1 is B1's prompt with another name in it: the app's lessons end at B1."""
    baseline: list[Path] = Field(default=[])
    """Published dialogues to be measured beside, as in alignment-drift-llms."""


class EvaluateConfig(Settings):
    """One evaluation."""

    title: str = "Does it teach?"
    language: str = "es"
    """Of the learner data."""
    out: Path = Path("evaluation")
    """Folder for report.json and report.html, below the working directory."""
    answers: Path | None = None
    """Folder of what the models said, kept and used again; `out`/answers without it."""
    seed: int = 0
    """Chooses sentences, samples replies, and draws the intervals."""
    models: dict[str, Model] = Field(min_length=1)
    """By the name they have in the report; the first is what the others are compared with."""
    tasks: list[Task] = Field(default=list(TASKS))
    """What is measured, all of it by default."""
    learners: list[Path] = Field(default=[])
    """Learner sentences (JSONL: group, writer, course, learner, corrected, errors); only writers kept back are read."""
    cima: list[Path] = Field(default=[])
    """CIMA's dialogues, to check the classification of moves against people's labels."""
    reformulation: Reformulation = Reformulation()
    replies: Replies = Replies()
    mixed: int = Field(default=12, ge=0)
    """Authored sentences in dialect, and as many in mixed language, for each track."""
    simplify: int = Field(default=10, ge=0)
    """Questions of the lessons after which the learner does not understand."""
    hints: int = Field(default=10, ge=0)
    """Items of the lessons whose answer must not be given away, for each track."""
    drift: Drift = Drift()
    bootstrap: int = Field(default=2000, ge=100)
    """Resamples an interval is made from."""

    @model_validator(mode="after")
    def _has_learners(self) -> EvaluateConfig:
        needing = {"reformulation", "replies"} | ({"drift"} if self.drift.dialogues else set())
        if not self.learners and needing & set(self.tasks):
            raise ValueError("`learners` is empty; name the file of learner sentences, or take out "
                             f"{', '.join(sorted(needing & set(self.tasks)))} of `tasks`")  # fmt: skip
        return self


def load(
    path: Path, overrides: tuple[str, ...] = (), limit: int | None = None, only: tuple[str, ...] = ()
) -> EvaluateConfig:
    """The config in `path`; `limit` caps every sample size and `only` names the models to keep.

    Raises FinetuneError naming what is wrong.
    """
    config = read(EvaluateConfig, path, overrides)
    for name in only:
        if name not in config.models:
            raise FinetuneError(f"{path} has no model {name!r}; there are: {', '.join(config.models)}.")
    if only:
        config.models = {name: model for name, model in config.models.items() if name in only}
    for one in (config.learners, config.cima, config.drift.baseline):
        one[:] = [path.parent / given for given in one]
    for name, model in config.models.items():
        if model.kind == "hf" and model.family is None:
            raise FinetuneError(
                f"{path}: models.{name}.family: say which template of assets/templates it has."
            )
        if model.kind == "hf" or model.model.endswith(".gguf"):
            model.model = str(path.parent / model.model)
        model.adapters = [
            str(path.parent / one) if model.kind == "hf" or one.endswith(".gguf") else one for one in model.adapters
        ]  # fmt: skip
    if limit is not None:
        for settings, names in (
            (config.reformulation, ("errors", "correct")), (config.replies, ("errors",)), (config.drift, ("dialogues",)),
            (config, ("mixed", "simplify", "hints")),
        ):  # fmt: skip
            for name in names:
                setattr(settings, name, min(limit, getattr(settings, name)))
    return config
