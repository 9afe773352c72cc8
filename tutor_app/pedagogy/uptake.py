"""Did the last move do anything? Uptake: the learner reacted to it. Repair: they then produced the form.

Definitions after Lyster & Ranta (1997): uptake is a student utterance that follows the teacher's feedback and
reacts to it in some way; repair is uptake that contains the form. Both are null for moves that offer or ask for
no form, and when the learner's next turn is a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lessons.patterns import contains
from tutor_app.pedagogy.language import words

FORM_MOVES = frozenset({"recast", "question", "hint", "explore"})


@dataclass(frozen=True)
class Asked:
    """The tutor's previous move, as far as it can be taken up."""

    move: str
    target: tuple[str, ...] = ()
    """The form offered or asked for, in every accepted wording."""
    learner_before: str = ""
    """What the learner had said before it."""


def taken_up(
    previous: Asked | None, said: str, tag: str, *, confused: bool
) -> tuple[bool | None, bool | None]:
    """(uptake, repair) of the previous move, given the learner's new turn."""
    if previous is None or previous.move not in FORM_MOVES or not previous.target:
        return None, None
    repaired = any(contains(said, form, tag) for form in previous.target)
    if repaired:
        return True, True
    if confused:
        return True, False  # "I don't understand" is a reaction: the move was noticed
    return _reacts(previous, said, tag), False


def _reacts(previous: Asked, said: str, tag: str) -> bool:
    """Whether the turn touches what was offered: shares a content word with it, or changes the earlier attempt."""
    now, before = set(words(said, tag)), set(words(previous.learner_before, tag))
    offered = {word for form in previous.target for word in words(form, tag)}
    return bool(now & offered - before) or (now != before and bool(now & before) and len(now ^ before) <= 4)


def practised(text: str, surface: Sequence[str], tag: str) -> bool:
    """Whether free text uses one of the words that show a form at work."""
    return any(contains(text, word, tag) for word in surface)
