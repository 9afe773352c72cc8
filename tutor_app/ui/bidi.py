"""Arabic and Hebrew for terminals that draw every cell from left to right, one line at a time.

    visual_line(text, mode)  -> (start, end, drawn) pieces of the line, in the order in which they are drawn
    has_rtl(text)            -> whether there is anything to do

Modes, as in the setting: `logical` (the terminal does it), `words` (it turns letters round but not words),
`visual` (it does nothing), `visual-shaped` (nor does it join letters). What is stored, copied or sent stays in
logical order. This is the part of the Unicode bidirectional algorithm (UAX 9) that sentences need: no embeddings,
which `clean` has taken out. A letter and its vowel signs stay together, since they are turned round as one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Mode = Literal["logical", "words", "visual", "visual-shaped"]
MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
LAM, TATWEEL = "\u0644", "\u0640"


@dataclass
class _Cluster:
    """A letter with its marks (a whole word in mode `words`), and how it runs."""

    start: int
    end: int
    text: str
    kind: str
    """R, L, N (number) or O (anything else)."""
    level: int = 0


def has_rtl(text: str) -> bool:
    """Whether anything in `text` runs from right to left."""
    return any(
        unicodedata.bidirectional(character) in ("R", "AL") for character in text if character > "\u0590"
    )


def visual_line(text: str, mode: Mode) -> list[tuple[int, int, str]]:
    """Pieces of one line from left to right: where each comes from in `text`, and what is drawn for it."""
    clusters = _clusters(text)
    if mode == "visual-shaped":
        clusters = _shaped(clusters)
    if mode == "words":
        clusters = _words(clusters)
    _set_levels(clusters)
    return [
        (each.start, each.end, each.text.translate(MIRRORED) if each.level % 2 else each.text)
        for each in _reordered(clusters)
    ]


def _clusters(text: str) -> list[_Cluster]:
    clusters: list[_Cluster] = []
    for place, character in enumerate(text):
        kind = unicodedata.bidirectional(character)
        if kind in ("NSM", "BN") and clusters:
            clusters[-1].end = place + 1
            clusters[-1].text += character
        else:
            short = {"R": "R", "AL": "R", "L": "L", "EN": "N", "AN": "N"}.get(kind, "O")
            clusters.append(_Cluster(place, place + 1, character, short))
    return clusters


def _words(clusters: list[_Cluster]) -> list[_Cluster]:
    """Right-to-left letters that touch become one piece, their order left to the terminal."""
    joined: list[_Cluster] = []
    for each in clusters:
        if joined and each.kind == "R" and joined[-1].kind == "R":
            joined[-1].end = each.end
            joined[-1].text += each.text
        else:
            joined.append(each)
    return joined


def _set_levels(clusters: list[_Cluster]) -> None:
    """Even levels run to the right, odd ones to the left."""
    strong = [each.kind for each in clusters if each.kind in "RL"]
    base = "R" if strong and strong[0] == "R" else "L"
    before = base
    runs: list[str] = []
    for each in clusters:
        if each.kind in "RL":
            before = each.kind
        runs.append(
            "" if each.kind == "O" else ("R" if before == "R" else "L") if each.kind == "N" else each.kind
        )
    for place, each in enumerate(clusters):
        run = runs[place] or _between(runs, place, base)
        if each.kind == "N" and run == "R":
            each.level = 2
        elif base == "R":
            each.level = 1 if run == "R" else 2
        else:
            each.level = 1 if run == "R" else 0


def _between(runs: list[str], place: int, base: str) -> str:
    """How what has no direction of its own runs: as both its neighbours do, else as the line."""
    left = next((run for run in reversed(runs[:place]) if run), base)
    right = next((run for run in runs[place + 1 :] if run), base)
    return left if left == right else base


def _reordered(clusters: list[_Cluster]) -> list[_Cluster]:
    """Rule L2: from the highest level down, turn each run of that level or higher round."""
    order = list(clusters)
    for level in range(max((each.level for each in order), default=0), 0, -1):
        start = 0
        while start < len(order):
            if order[start].level < level:
                start += 1
                continue
            end = start
            while end < len(order) and order[end].level >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = end
    return order


@lru_cache(maxsize=1)
def _forms() -> dict[str, dict[str, str]]:
    """Letter (or lam and alef) → form → presentation character, from the Unicode data itself."""
    forms: dict[str, dict[str, str]] = {}
    for code in range(0xFE80, 0xFEFD):
        form, *letters = unicodedata.decomposition(chr(code)).split()
        if form.startswith("<"):
            forms.setdefault("".join(chr(int(each, 16)) for each in letters), {})[form.strip("<>")] = chr(
                code
            )
    return forms


def _shaped(clusters: list[_Cluster]) -> list[_Cluster]:
    """Each letter in the form its neighbours give it; lam and alef become one piece."""
    merged = _with_lam_alef(clusters)
    for place, each in enumerate(merged):
        forms = _forms().get(_letters(each))
        if forms is None:
            continue
        before = place > 0 and _joins_on(merged[place - 1]) and _joins_back(each)
        after = place + 1 < len(merged) and _joins_on(each) and _joins_back(merged[place + 1])
        name = ("medial" if after else "final") if before else ("initial" if after else "isolated")
        drawn = forms.get(name) or forms.get("final" if before else "isolated")
        if drawn:
            each.text = drawn + "".join(mark for mark in each.text if unicodedata.combining(mark))
    return merged


def _with_lam_alef(clusters: list[_Cluster]) -> list[_Cluster]:
    merged: list[_Cluster] = []
    for each in clusters:
        if merged and _letters(merged[-1]) == LAM and LAM + _letters(each) in _forms():
            last = merged[-1]
            marks = "".join(mark for mark in last.text + each.text if unicodedata.combining(mark))
            merged[-1] = _Cluster(last.start, each.end, LAM + _letters(each) + marks, "R")
        else:
            merged.append(each)
    return merged


def _letters(cluster: _Cluster) -> str:
    return "".join(character for character in cluster.text if not unicodedata.combining(character))


def _joins_on(cluster: _Cluster) -> bool:
    """Whether the next letter is joined to this one."""
    letters = _letters(cluster)
    shaped = next((base for base, forms in _forms().items() if letters in forms.values()), letters)
    return letters == TATWEEL or "initial" in _forms().get(shaped, {})


def _joins_back(cluster: _Cluster) -> bool:
    """Whether this letter is joined to the one before."""
    letters = _letters(cluster)
    return letters == TATWEEL or "final" in _forms().get(letters, {})
