"""Where a searched word stands in a line, however it is accented. Pure."""

from __future__ import annotations

from textual.content import Content, Span

from tutor_app.progress.text import folded
from tutor_app.ui.text import clean

BEFORE, AFTER = 30, 90
"""Characters of a long line that are shown before and after the first place."""


def places(text: str, wanted: str) -> list[tuple[int, int]]:
    """(start, end) in `text` of everything that is `wanted` without case, accents and harakat."""
    sought = folded(wanted).strip()
    if not sought:
        return []
    bare, origin = "", []
    for place, character in enumerate(text):
        piece = folded(character)
        bare += piece
        origin += [place] * len(piece)
    found, start = [], bare.find(sought)
    while start >= 0:
        end = start + len(sought)
        stop = origin[end] if end < len(origin) else len(text)
        found.append((origin[start], stop))
        start = bare.find(sought, end)
    return found


def found_line(text: str, wanted: str) -> Content:
    """One line of a transcript with what was searched for bold and underlined; a long line is cut around it."""
    flat = " ".join(clean(text).split())
    first = next(iter(places(flat, wanted)), (0, 0))
    start = max(0, first[0] - BEFORE) if len(flat) > BEFORE + AFTER else 0
    end = min(len(flat), first[1] + AFTER)
    shown = f"{'…' if start else ''}{flat[start:end]}{'…' if end < len(flat) else ''}"
    spans = [Span(left, right, "bold underline $text-accent") for left, right in places(shown, wanted)]
    return Content(shown).add_spans(spans)
