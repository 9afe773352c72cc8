"""Learner text made comparable: for searching, for ids, for counting questions."""

from __future__ import annotations

import re
import unicodedata

_TATWEEL = "\u0640"  # lengthens a line of Arabic, means nothing
_QUESTION_MARKS = "?？؟"


def storable(text: str) -> str:
    """`text` as SQLite can hold it: what is no character (a lone surrogate, NUL) becomes a replacement mark.

    Such come from terminals that are not UTF-8.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8") if _odd(text) else text


def _odd(text: str) -> bool:
    return any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def folded(text: str) -> str:
    """`text` without case, accents, harakat and width differences, for finding it again."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c) and c != _TATWEEL
    )
    return unicodedata.normalize("NFC", bare.casefold())


def asks(text: str) -> bool:
    """Whether the learner asked something, by its punctuation; keys (hint, explain) are counted apart."""
    return any(mark in text for mark in _QUESTION_MARKS)


def slug(name: str) -> str:
    """A folder name for a person: ASCII letters, digits and hyphens; `learner` when nothing of it is ASCII."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:32].strip("-") or "learner"
