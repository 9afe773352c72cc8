"""Which moves a tutor's words make, told from their surface: what every count of corrections and questions rests on.

Checked against people's labels on CIMA (Stasaski et al. 2020), tutors of Italian writing English; `cima` gives the F1.
Labels there come from crowd workers and are several for a reply, and its tutors correct openly in 29 % of replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import regex

from finetune.records import Tally
from finetune.sources.shapes import good_rows
from tutor_app.pedagogy.validator import Situation, asks, correction

LABELS = ("question", "hint", "correction", "confirmation", "other")
"""Order of `tutorActions` in CIMA: the first is true of 83 % of replies with a question mark and of 7 % of those
without, and "Correct!" has only the fourth."""
MOVES = LABELS[:4]

_AFFIRMS = regex.compile(
    r"^\W*(yes|yep|yeah|correct|right|exactly|perfect|great|wonderful|excellent|bravo|brava|good job|nice|well done|"
    r"very good|good|awesome|fantastic|amazing|absolutely|that'?s (right|correct|it)|you('re| are) (right|correct)|"
    r"you got it|you'?ve got)\b|\b(that is|that'?s|you are|you'?re|it is|it'?s) (all |absolutely |exactly )?(correct|right)\b|"
    r"^\W*(great|good|nice|excellent) (job|work)\b"
)
_CORRECTS = regex.compile(
    r"\b(almost|not quite|close|nearly|incorrect|wrong|not correct|isn'?t (right|correct)|not right|mistake|should(n'?t)? be|"
    r"should(n'?t)? (say|use|come|go)|need(s)? to be|don'?t (need|forget)|didn'?t|forgot|left out|missing|mixed up|"
    r"instead of|extra|unnecessary|try again|comes? (after|before|first)|follows? the noun|wrong order|order of|"
    r"correct (answer|way|phrase|word|form) (is|would)|it is not|is not|isn'?t|you would (say|use)|change|careful|oops|check)\b|"
    r"^\W*no\b"
)
_HINTS = regex.compile(
    r"[\"“”'‘’].+[\"“”'‘’]|\b(is|means|would be|means|called|are) (the )?(e |l['’]|il |la |al |rosa|blu|verde|viola|giall|ross|"
    r"alber|scatol|gatt|can[ei]|conigl|bors|tavol|lett|dentr|dietr|sott|vicin|accant|di front)|\bremember\b|\bhint\b|\bword for\b|"
    r"\b(adjectives?|noun|masculine|feminine|prepositional|vowel|gender|prepended|article)\b|\bin italian\b.*\b(is|comes?|follow)|"
    r"\b(starts|begins|rhymes|sounds) (with|like)\b|\bthink (of|about)\b|=|^\W*(e |il |la |l['’])"
)


@dataclass(frozen=True)
class Agreement:
    """How the rules and the people agree on one label."""

    label: str
    precision: float
    recall: float
    f1: float
    always: float
    """F1 of saying it of every reply, which needs no rules."""
    share: float
    """Of the replies, by the people."""


def moves(reply: str, language: str = "en") -> frozenset[str]:
    """The moves an English tutor's reply makes; the correction and the question are the validator's own rules first."""
    seen = reply.casefold()
    at = Situation(language, "l2", "B1")
    found = set()
    if asks(reply, at) is None:
        found.add("question")
    if correction(reply, at) is not None or _CORRECTS.search(seen):
        found.add("correction")
    if _AFFIRMS.search(seen):
        found.add("confirmation")
    if _HINTS.search(seen):
        found.add("hint")
    return frozenset(found)


def labelled(paths: list[Path]) -> list[tuple[str, str, frozenset[str]]]:
    """(context, reply, the people's labels) of every reply. Raises FinetuneError for a wrong file."""
    found = []
    for _, row in good_rows(paths, Tally(), ("key", "tutorResponses", "tutorActions")):
        for reply, actions in zip(row["tutorResponses"], row["tutorActions"], strict=False):
            named = frozenset(label for label, yes in zip(LABELS, actions, strict=False) if yes)
            found.append((str(row["key"]), str(reply), named))
    return found


def agreement(rows: Sequence[tuple[str, str, frozenset[str]]]) -> list[Agreement]:
    """F1 by label."""
    told = [moves(reply) for _, reply, _ in rows]
    result = []
    for label in MOVES:
        tp = sum(label in mine and label in theirs for mine, (_, _, theirs) in zip(told, rows, strict=True))
        mine = sum(label in one for one in told)
        theirs = sum(label in one for _, _, one in rows)
        precision, recall = tp / mine if mine else 0.0, tp / theirs if theirs else 0.0
        share = theirs / len(rows) if rows else 0.0
        result.append(Agreement(
            label, precision, recall, 2 * tp / (mine + theirs) if mine + theirs else 0.0, 2 * share / (1 + share), share,
        ))  # fmt: skip
    return result
