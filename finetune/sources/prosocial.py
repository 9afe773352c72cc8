"""ProsocialDialog (Kim et al., arXiv 2205.12688): `context`, `response`, `dialogue_id`, `response_id`; CC BY 4.0.

Contexts are toxic by design: they are only ever read, and the loss counts on the response alone, as everywhere.
"""

from __future__ import annotations

from pathlib import Path

from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows
from tutor_app.pedagogy.templates import Message


def examples(paths: list[Path], tally: Tally) -> Examples:
    """Single exchanges; the id names the dialogue, so that a split can keep dialogues together."""
    for place, row in good_rows(paths, tally, ("context", "response")):
        context, response = str(row["context"]).strip(), str(row["response"]).strip()
        if not context or not response:
            tally.drop("empty")
            continue
        tally.kept += 1
        name = f"{row.get('dialogue_id', place)}/{row.get('response_id', 0)}"
        yield Example(name, "prosocial", (Message("user", context), Message("assistant", response)))
