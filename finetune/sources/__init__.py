"""Where conversations come from: one module a dataset, each with `examples(paths, tally, **options)`.

A row of the wrong shape is counted and skipped; when more than a limit are, the config, the file or the dataset
is not what it should be, and the run stops naming the first such row.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from finetune.records import Examples, Tally

NAMES = ("chat", "dialogues", "learner", "lmsys", "magpie", "openhermes", "prosocial", "waxal")

Read = Callable[..., Examples]


def reader(name: str) -> Read:
    """The function `examples(paths, tally, **options)` of a source."""
    read: Read = importlib.import_module(f"finetune.sources.{name}").examples
    return read


def examples(name: str, paths: list[Path], tally: Tally, options: dict[str, Any]) -> Examples:
    """Every usable conversation of a source, in the order of its files."""
    return reader(name)(paths, tally, **options)
