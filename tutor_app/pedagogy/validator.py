"""The eight rules that every reply passes before a learner sees it, whoever wrote it (DESIGN section 7).

`validate` judges a whole reply; `unacceptable_beginning` judges what has been written so far, so that a reply
can be shown while it is made without ever showing what would have to be taken back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import regex

from lessons.patterns import contains
from lessons.schema import Level, Track
from tutor_app.pedagogy.clean import questions
from tutor_app.pedagogy.language import (
    compiled,
    is_english,
    language,
    length,
    plain,
    primary,
    script_share,
    words,
    zipf,
)  # fmt: skip
from tutor_app.pedagogy.repetition import asked_ago, says_again, without_lead_in

Rule = Literal["correction", "reveal", "asks", "length", "language", "vocabulary", "form", "unsafe"]

MAX_WORDS: dict[Level, float] = {"A1": 35, "A2": 45, "B1": 60}
MAX_ENGLISH: dict[Track, dict[Level, float]] = {
    "l2": {"A1": 0.5, "A2": 0.25, "B1": 0.1},
    "heritage": {"A1": 0.6, "A2": 0.6, "B1": 0.6},
}
"""Share of English words in a reply. Heritage tutors answer mixed language in kind, so they may mix."""
RARE_SHARE = 0.12
"""Share of words that may be rarer than the level allows; one always may."""
MAX_UNKNOWN = 0.34
"""Share of words that are neither of the language nor English: then the reply is in a third language."""
MIN_SCRIPT = 0.5
PARROT_WORDS = 4
"""So many words of the learner's in a row, outside quotes, are a repetition and not an answer."""

_QUESTION = regex.compile(r"[?？؟]")
_URL = regex.compile(r"(https?://|www\.|\b[\w-]+\.(com|org|net|edu|io)\b)", regex.IGNORECASE)
_TEMPLATE = regex.compile(
    r"<[|/]?[\w|]{2,}[|]?>|\[/?INST\]|<<SYS>>|\[(native|ask|check|affirm|recast|question|hint|explore|simplify|culture|reflect)\b|={2,}|\[=\]",
    regex.IGNORECASE,
)
# A gap to fill ("s__") is written with two or more underscores; a single one is markup.
_MARKUP = regex.compile(r"[*`#~^|<>\\{}\[\]]|(?<!_)_(?!_)|^\s*[-•]\s|^\s*\d+[.)]\s", regex.MULTILINE)
_CONTROL = regex.compile(r"[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd\p{Co}\p{Cs}]")
_LABEL = regex.compile(r"^\s*([\p{L}\p{M}]{2,14})\s*[:：]")
_QUOTED = regex.compile(r"«[^»]*»|「[^」]*」|“[^”]*”|\"[^\"]*\"")
_EMPTY_PARENTHESES = regex.compile(r"\(\s*\)|（\s*）")


@dataclass(frozen=True)
class Situation:
    """What a reply is judged against."""

    language: str
    track: Track
    level: Level
    hidden: tuple[str, ...] = ()
    """Accepted answers that may not appear yet; empty from hint level 4 on and once the item is over."""
    attempted: tuple[str, ...] = ()
    """Forms the learner already tried to say: a recast may contain them although they are the answer."""
    allowed_words: frozenset[str] = frozenset()
    """The lesson's own words and the learner's, casefolded: always within the level."""
    previous: tuple[str, ...] = ()
    """The tutor's replies in this talk so far, oldest first; only the last few count."""
    returns: bool = False
    """The reply is to come back to what was asked, so that only the last reply once more would be a repetition."""
    unclear: str = ""
    """What the learner did not understand: the same words again would not help."""
    learner: str = ""
    """What the learner just wrote."""
    support: str = "en"


@dataclass(frozen=True)
class Violation:
    rule: Rule
    reason: str
    """For whoever writes the reply again: what to do differently."""


@dataclass(frozen=True)
class Check:
    """One rule: its name, and what finds fault with a reply."""

    rule: Rule
    judge: Callable[[str, Situation], str | None] = field(repr=False)
    early: Callable[[str, Situation], str | None] | None = field(default=None, repr=False)
    """Finds fault with a beginning, whatever follows; None where only the whole can be judged."""


def validate(reply: str, situation: Situation) -> list[Violation]:
    """Every rule the reply breaks, in the order of DESIGN section 7; empty when it may be shown."""
    return [
        Violation(check.rule, reason)
        for check in CHECKS
        if (reason := check.judge(reply, situation)) is not None
    ]


def unacceptable_beginning(text: str, situation: Situation) -> Violation | None:
    """The first rule that this beginning of a reply already breaks, whatever follows; None while it may go on."""
    for check in CHECKS:
        if check.early is None:
            continue
        if check.rule == "length" and length(text, situation.language) <= MAX_WORDS[situation.level]:
            continue
        if (reason := check.early(text, situation)) is not None and text.strip():
            return Violation(check.rule, reason)
    return None


def correction(reply: str, situation: Situation) -> str | None:
    """Rule 1: no explicit correction and no negative judgement, in any language the tutor might slip into."""
    for tag in dict.fromkeys((primary(situation.language), "en", "es", "fr", "zh", "ar")):
        for sentence in _sentences(reply):
            seen = plain(sentence, tag)
            closing = f"{seen} {sentence.strip()[-1:]}" if sentence.strip() else seen
            for pattern in compiled(tag, "correction"):
                if pattern.search(seen) or pattern.search(closing):
                    return "Do not correct or judge; answer what the learner means."
    return None


def _sentences(text: str) -> list[str]:
    """Sentences, and the whole: a phrase may straddle a comma or begin one."""
    parts = [part for part in regex.split(r"(?<=[.!?。！？؟\n])\s*", text) if part.strip()]
    return [*parts, text] if len(parts) > 1 else parts or [text]


def reveal(reply: str, situation: Situation) -> str | None:
    """Rule 2: the expected answer stays hidden, except in a recast of what the learner attempted."""
    for answer in situation.hidden:
        if not contains(reply, answer, situation.language):
            continue
        if any(contains(form, answer, situation.language) for form in situation.attempted):
            continue
        if situation.learner and contains(situation.learner, answer, situation.language):
            continue
        return "Do not say the answer; let the learner find it."
    return None


def asks(reply: str, situation: Situation) -> str | None:
    """Rule 3: the learner always has a next thing to say."""
    return None if _QUESTION.search(reply) else "End with one short question."


def fits_length(reply: str, situation: Situation) -> str | None:
    """Rule 4: length by level, in words; a Chinese character counts 0.6."""
    limit = MAX_WORDS[situation.level]
    if not reply.strip():
        return "Say something."
    return (
        f"Use fewer words: at most {int(limit * 0.6)}." if length(reply, situation.language) > limit else None
    )


def fits_language(reply: str, situation: Situation) -> str | None:
    """Rule 5: the language taught, with as much English as track and level allow, and no third language."""
    name = language(situation.language).name
    found = [word for word in words(reply, situation.language) if not word.isdigit()]
    if not found:
        return f"Write in {name}."
    english = [word for word in found if is_english(word, situation.language)]
    allowed = MAX_ENGLISH[situation.track][situation.level]
    if len(english) > max(1.0, allowed * len(found)):
        return f"Use more {name} and less English."
    if primary(situation.language) in ("zh", "ar"):
        share = script_share(" ".join(word for word in found if word not in english), situation.language)
        return None if share >= MIN_SCRIPT else f"Write in {name}."
    if script_share(reply, situation.language) < 0.95:
        return f"Write in {name} only."
    unknown = [
        word
        for word in found
        if word not in english
        and word not in situation.allowed_words
        and zipf(word, situation.language) < 1.0
    ]
    return f"Write in {name}." if len(unknown) > max(1.0, MAX_UNKNOWN * len(found)) else None


def within_vocabulary(reply: str, situation: Situation) -> str | None:
    """Rule 6: words that this level knows, or that belong to the lesson or to the learner."""
    threshold = language(situation.language).zipf[situation.level]
    names = {word.casefold() for word in regex.findall(r"(?<=[\p{Ll},;] )\p{Lu}[\p{L}\p{M}]+", reply)}
    found = words(reply, situation.language)
    rare = [
        word
        for word in dict.fromkeys(found)
        if not word.isdigit()
        and word not in situation.allowed_words
        and word not in _own_words(situation.language)
        and word not in names
        and zipf(word, situation.language) < threshold
        and not is_english(word, situation.language)
    ]
    if len(rare) <= max(1, math.ceil(RARE_SHARE * len(found))):
        return None
    return f"Use easier words than {', '.join(rare[:4])}."


@cache
def _own_words(tag: str) -> frozenset[str]:
    """The words of the tutor's own authored phrases, which every learner soon knows."""
    return frozenset(
        word for bank in language(tag).phrases.values() for phrase in bank for word in words(phrase, tag)
    )


def plain_form(reply: str, situation: Situation) -> str | None:
    """Rule 7: no role labels, template tokens, markup, links, control characters, nor what was just said or asked."""
    if (reason := plain_beginning(reply, situation)) is not None:
        return reason
    previous = situation.previous[-1:] if situation.returns else situation.previous
    if says_again(reply, previous, situation.language):
        return "Say something other than before."
    if not situation.returns and asked_ago(reply, situation.previous, situation.language):
        return "Ask something that you have not just asked."
    if situation.unclear and _unchanged(reply, situation):
        return "Ask it in other, easier words."
    return None


def _unchanged(reply: str, situation: Situation) -> bool:
    """Whether the reply only comes back to what was not understood."""
    asked = questions(reply)[-1:]
    return any(
        says_again(one, (situation.unclear,), situation.language) for one in (*asked, without_lead_in(reply))
    )


def plain_beginning(reply: str, situation: Situation) -> str | None:
    """Rule 7 for a beginning: all of it but what was said and asked before, as other words may follow."""
    if (
        _CONTROL.search(reply.replace("\n", " "))
        or _TEMPLATE.search(reply)
        or _EMPTY_PARENTHESES.search(reply)
    ):
        return "Write only the words you say."
    if _URL.search(reply):
        return "Write no links."
    if _MARKUP.search(reply):
        return "Write plain sentences without symbols or lists."
    label = _LABEL.match(reply)
    if label and label.group(1).casefold() in {*language(situation.language).labels, *language("en").labels}:
        return "Do not begin with a name or a label."
    if situation.learner and _parrots(reply, situation):
        return "Answer the student; do not say the student's own sentence."
    return None


def _parrots(reply: str, situation: Situation) -> bool:
    """Whether the reply says a stretch of the learner's own sentence as if it were the tutor's.

    Small models do, mistakes and name included. A form between quotes is a recast and meant to be recognised.
    """
    own = _QUOTED.sub(" ", reply)
    mine, theirs = words(own, situation.language), words(situation.learner, situation.language)
    longest = 0
    ends = [0] * (len(theirs) + 1)
    for word in mine:
        row = [0] * (len(theirs) + 1)
        for i, other in enumerate(theirs, 1):
            if word == other:
                row[i] = ends[i - 1] + 1
                longest = max(longest, row[i])
        ends = row
    return longest >= PARROT_WORDS


def safe(reply: str, situation: Situation) -> str | None:
    """Rule 8: nothing unsafe for a classroom."""
    for tag in dict.fromkeys((primary(situation.language), "en")):
        seen = plain(reply, tag)
        if any(pattern.search(seen) for pattern in compiled(tag, "unsafe")):
            return "Keep to what suits a classroom."
    return None


CHECKS: Sequence[Check] = (
    Check("correction", correction, correction),
    Check("reveal", reveal, reveal),
    Check("asks", asks),
    Check("length", fits_length, fits_length),
    Check("language", fits_language),
    Check("vocabulary", within_vocabulary),
    Check("form", plain_form, plain_beginning),
    Check("unsafe", safe, safe),
)
