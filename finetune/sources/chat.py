"""Any folder of chat JSONL or Parquet: `messages` [{role, content}] or `conversations` [{from, value}]."""

from __future__ import annotations

from pathlib import Path

from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows, messages


def examples(paths: list[Path], tally: Tally, *, name: str = "chat") -> Examples:
    """Conversations as they stand."""
    for place, row in good_rows(paths, tally, ()):
        turns = messages(row.get("messages"), "role", "content") or messages(
            row.get("conversations"), "from", "value"
        )
        if turns is None:
            tally.drop("not a conversation")
            continue
        tally.kept += 1
        yield Example(str(row.get("id") or place), name, turns)
