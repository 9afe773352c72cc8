"""LMSYS-Chat-1M (Zheng et al., arXiv 2309.11998): real conversations with many models.

Its licence forbids passing the text on, so only ids are ever listed. Flagged and redacted conversations and those
in which a model talks about itself are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finetune.records import Example, Examples, Tally
from finetune.sources.shapes import good_rows, messages

IDENTITY = re.compile(
    r"\b(as an ai|ai language model|language model trained|i am (chatgpt|claude|vicuna|llama|koala|alpaca)|openai|anthropic|lmsys)\b",
    re.IGNORECASE,
)


def examples(paths: list[Path], tally: Tally, *, languages: list[str] | None = None) -> Examples:
    """Conversations fit for training; `languages` are the dataset's own names ("Spanish")."""
    for _, row in good_rows(paths, tally, ("conversation_id", "conversation")):
        reason = _unfit(row, languages)
        turns = messages(row["conversation"], "role", "content") if not reason else None
        if turns is not None and any(IDENTITY.search(m.content) for m in turns if m.role == "assistant"):
            reason = "model identity"
        if reason or turns is None:
            tally.drop(reason or "not a conversation")
            continue
        tally.kept += 1
        yield Example(str(row["conversation_id"]), "lmsys", turns)


def _unfit(row: Mapping[str, Any], languages: list[str] | None) -> str:
    if row.get("redacted"):
        return "redacted"
    if any(isinstance(one, dict) and one.get("flagged") for one in row.get("openai_moderation") or ()):
        return "flagged"
    if languages is not None and row.get("language") not in languages:
        return "other language"
    return ""
