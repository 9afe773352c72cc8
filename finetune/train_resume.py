"""Whose checkpoints are in a folder, so that no run takes up another's and signs for its weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError
from finetune.train_base import Lineage, sha256_file
from finetune.train_config import TrainConfig
from finetune.train_report import write_text

RUN = "run.json"
"""Stands beside the checkpoints: what decided their weights."""
MAY_CHANGE = frozenset({
    "steps", "minutes",  # a run may be made longer or shorter
    "evaluate_every", "save_every", "keep", "threads", "gradient_checkpointing",  # the same weights, otherwise made
    "name", "base_id", "licence", "languages", "track", "save_dtype",  # said, or done, when all is over
    "accept_untrained_end",
})  # fmt: skip
"""Settings that a run which is taken up may be given anew. Any other makes another run."""
BY_CONTENT = frozenset({"base", "inherits", "data", "family"})
"""Settings that name files, or may be left out: compared by what they come to, since a folder may have moved."""


def deciding(config: TrainConfig, stands_on: Lineage) -> dict[str, Any]:
    """What decides the weights: settings, base, stages below and data. Raises FinetuneError when data is missing."""
    try:
        data = [sha256_file(config.data / name) for name in ("report.json", "train.jsonl")]
    except OSError as error:
        raise FinetuneError(
            f"{error.filename} cannot be read ({error.strerror}). Run `tutor-finetune data` first."
        ) from error
    settings = config.model_dump(mode="json", exclude=set(MAY_CHANGE | BY_CONTENT))
    return settings | {
        "base": stands_on.base_sha256,
        "inherits": [one.sha256 for one in stands_on.below],
        "data": data,
        "family": stands_on.family,
    }


def last_checkpoint(folder: Path, run: dict[str, Any]) -> Path | None:
    """The newest checkpoint that is whole (the trainer's state is written last), or None.

    Raises FinetuneError when another run than `run` left it.
    """
    found = _whole(folder)
    if not found:
        return None
    before = _read(folder / RUN)
    other = sorted(key for key in before.keys() | run.keys() if before.get(key) != run.get(key))
    if other:
        why = (
            f"made with another `{'`, `'.join(other)}`" if before else "of a run that left no word of itself"
        )
        raise FinetuneError(
            f"The checkpoints in {folder} are {why}: give --restart to delete them and begin anew, or another --out."
        )
    return max(found, key=lambda one: int(one.name.rpartition("-")[2]))


def begin(folder: Path, run: dict[str, Any]) -> None:
    """Make `folder` that of `run`, without another's whole checkpoints: a kill before the first would bring them back.

    Whatever else lies there stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for one in _whole(folder):
        shutil.rmtree(one)
    write_text(folder / RUN, json.dumps(run, indent=2) + "\n")


def _whole(folder: Path) -> list[Path]:
    return [one for one in folder.glob("checkpoint-*") if (one / "trainer_state.json").is_file()]


def _read(path: Path) -> dict[str, Any]:
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}
