"""Text as the pieces that are spoken one after the other, so that the first sounds while the next is made."""

from __future__ import annotations

import regex

LONGEST = 220
"""Characters of a piece; a longer sentence is divided where it pauses."""
_END = regex.compile(r"(?<=[.!?…؟]['\")»”]?)\s+|(?<=[。！？][”」』]?)|\n+")
_PAUSE = regex.compile(r"(?<=[,;:،؛])\s+|(?<=[，；：、])")
_SPOKEN = regex.compile(r"[\p{L}\p{N}]")


def pieces(text: str) -> list[str]:
    """Sentences with something to say in them; long ones in parts."""
    found: list[str] = []
    for sentence in _END.split(text):
        found += [sentence] if len(sentence) <= LONGEST else _divided(sentence)
    return [piece.strip() for piece in found if _SPOKEN.search(piece)]


def _divided(sentence: str) -> list[str]:
    """Parts of at most `LONGEST` characters, cut at pauses, else at spaces, else anywhere."""
    parts = [""]
    for bit in _PAUSE.split(sentence):
        for piece in _short(bit):
            if len(parts[-1]) + len(piece) < LONGEST:
                parts[-1] = f"{parts[-1]} {piece}".strip()
            else:
                parts.append(piece)
    return parts


def _short(text: str) -> list[str]:
    if len(text) < LONGEST:
        return [text]
    at = text.rfind(" ", 1, LONGEST)
    at = at if at > 0 else LONGEST - 1
    return [text[:at].strip(), *_short(text[at:].strip())]
