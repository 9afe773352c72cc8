"""Whether the tutor says or asks again what it said or asked a moment ago, and which of its lines it should say.

`previous` is everywhere the tutor's replies in one talk, oldest first.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex
from rapidfuzz.distance import LCSseq

from tutor_app.pedagogy.clean import questions
from tutor_app.pedagogy.language import words

LAST_REPLIES = 4
"""So many replies back, nothing is said or asked again."""
MAX_SAME = 0.8
"""A reply that shares this much of its words, in order, with an earlier one says the same thing again …"""
SHORT_REPLY = 6
"""… but a shorter one, in words, only if all are the same: "¿Y tu mamá?" and "¿Y tu papá?" are two questions."""
SHORT_QUESTION = 3
"""Words. A question of fewer ("¿Y tú?") asks something else after other words, so it may come back sooner:"""
SHORT_BACK = 2
"""when it was not asked in so many replies."""

_LEAD_IN = regex.compile(r"^[^:：]*[:：]\s*")
"""Words that make no other question of the one they announce ("Plus simplement : …")."""
_ASIDE = regex.compile(r"[(（][^)）]*[)）]")
"""A translation for beginners ("¿Y tú? (And you?)") asks nothing of its own."""


def says_again(reply: str, previous: Sequence[str], tag: str) -> bool:
    """Whether `reply` is nearly the same words, in order, as one of the last replies."""
    mine = words(reply, tag)
    return any(_alike(mine, words(before, tag)) for before in previous[-LAST_REPLIES:])


def _alike(mine: Sequence[str], before: Sequence[str]) -> bool:
    if not mine or not before:
        return False
    longer = max(len(mine), len(before))
    return LCSseq.similarity(mine, before) / longer >= (MAX_SAME if longer >= SHORT_REPLY else 1.0)


def asked_ago(line: str, previous: Sequence[str], tag: str) -> int | None:
    """How many replies ago the last question of `line` was asked word for word; None when it may be asked now."""
    asked = questions(_ASIDE.sub(" ", line))
    if not asked or not previous:
        return None
    mine = words(asked[-1], tag)
    back = SHORT_BACK if len(mine) < SHORT_QUESTION else LAST_REPLIES
    recent = previous[-back:]
    return next((ago for ago, one in enumerate(reversed(recent), 1) if mine in _asked(one, tag)), None)


def _asked(reply: str, tag: str) -> set[tuple[str, ...]]:
    """The questions of a reply in words, each also without its lead-in."""
    asked = questions(_ASIDE.sub(" ", reply))
    return {words(text, tag) for text in (*asked, *(_LEAD_IN.sub("", one) for one in asked))}


def without_lead_in(line: str) -> str:
    """`line` without the words that only announce it."""
    return _LEAD_IN.sub("", line, count=1).strip()


def freshest(lines: Sequence[str], previous: Sequence[str], tag: str) -> list[str]:
    """Those of `lines` that may be asked now, in their order; when none may, those that were asked longest ago."""
    if not previous:
        return list(lines)  # Chinese words would wait for the segmenter
    ages = [asked_ago(line, previous, tag) or LAST_REPLIES + 1 for line in lines]
    return [line for line, age in zip(lines, ages, strict=True) if age == max(ages)]
