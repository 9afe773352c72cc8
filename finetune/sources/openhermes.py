"""OpenHermes-2.5: `conversations` [{from, value, weight?}], `source`, `category`. Code is left out."""

from __future__ import annotations

from pathlib import Path

from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows, messages

CODE = ("coding", "code", "programming", "glaive-code-assist", "evolinstruct_70k")


def examples(paths: list[Path], tally: Tally) -> Examples:
    """Instructions with their answers, without programming."""
    for place, row in good_rows(paths, tally, ("conversations",)):
        about = f"{row.get('category') or ''} {row.get('source') or ''}".casefold()
        if any(word in about for word in CODE) or "```" in str(row["conversations"]):
            tally.drop("code")
            continue
        turns = messages(row["conversations"], "from", "value")
        if turns is None:
            tally.drop("not a conversation")
            continue
        tally.kept += 1
        yield Example(str(row.get("id") or place), "openhermes", turns)
