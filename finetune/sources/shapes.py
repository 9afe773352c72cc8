"""The two shapes that chat datasets come in, turned into messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError
from finetune.records import Tally
from finetune.rows import rows
from tutor_app.pedagogy.templates import Message, Role

BAD_SHARE = 0.05
"""Share of unreadable rows above which the file is not what the source expects."""
BAD_AT_LEAST = 20
"""A few bad rows at the beginning of a file say nothing about its share."""
ROLES: dict[str, Role] = {
    "system": "system", "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant",
}  # fmt: skip


def good_rows(
    paths: list[Path], tally: Tally, needed: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows that have the needed columns. Raises FinetuneError when too many have not, naming the first."""
    first = ""
    for place, row in rows(paths):
        tally.read += 1
        missing = [key for key in needed if row is None or row.get(key) is None]
        if not missing and row is not None:
            yield place, row
            continue
        tally.drop("unreadable")
        first = (
            first or f"{place} has no {missing[0]!r}" if row is not None else f"{place} is not a JSON object"
        )
        bad = tally.dropped["unreadable"]
        if bad >= BAD_AT_LEAST and bad > BAD_SHARE * tally.read:
            raise FinetuneError(
                f"{bad} of {tally.read} rows are not of the expected shape; {first}. Is this the right dataset?"
            )


def messages(turns: object, role_key: str, text_key: str) -> tuple[Message, ...] | None:
    """Alternating turns that begin with the user (after an optional system message) and end with the assistant.

    None when the conversation is not of that form; a last user turn without an answer is cut off.
    """
    if not isinstance(turns, list):
        return None
    found: list[Message] = []
    for turn in turns:
        if not isinstance(turn, dict):
            return None
        role, text = ROLES.get(str(turn.get(role_key))), turn.get(text_key)
        if role is None or not isinstance(text, str) or not text.strip():
            return None
        found.append(Message(role, text.strip()))
    body = found[1:] if found and found[0].role == "system" else found
    if body and body[-1].role == "user":
        body, found = body[:-1], found[:-1]
    alternates = all(message.role == ("user", "assistant")[i % 2] for i, message in enumerate(body))
    return tuple(found) if body and alternates else None
