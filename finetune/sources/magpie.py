"""Magpie-Pro-300K-Filtered (Xu et al., arXiv 2406.08464): `conversations` [{from, value}], `uuid`; English."""

from __future__ import annotations

from pathlib import Path

from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows, messages


def examples(paths: list[Path], tally: Tally) -> Examples:
    """Instructions with their answers."""
    for _, row in good_rows(paths, tally, ("uuid", "conversations")):
        turns = messages(row["conversations"], "from", "value")
        if turns is None:
            tally.drop("not a conversation")
            continue
        tally.kept += 1
        yield Example(str(row["uuid"]), "magpie", turns)
