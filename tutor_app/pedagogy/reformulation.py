"""From a free sentence and the model's native version of it to the one thing worth recasting.

In free talk nobody wrote the expected answer. The model gives the learner's sentence back as a native speaker
of the learner's own variety would say it; this module decides what of that to believe. It keeps an edit only
if a rule can name it, drops what touches dialect, English words or taste, and gives up altogether when the
model rewrote the sentence instead of adjusting it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from lessons.schema import Track
from tutor_app.pedagogy import excerpt
from tutor_app.pedagogy.edits import SENTENCE_END, SPELLINGS, Edit, edits, tokens
from tutor_app.pedagogy.language import length, script_share, zipf
from tutor_app.pedagogy.left_alone import left_alone
from tutor_app.pedagogy.showing import as_model

IGNORED = frozenset({"style", "word-choice", "code-switch", "dialect"})
"""Kinds that are never acted on: taste, dialect, and mixing languages are not errors."""

IGNORED_WHEN = {"l2": frozenset[str](), "heritage": frozenset({"article", "preposition", "word-order"})}
"""What a track leaves alone besides: heritage speakers' articles and prepositions are more often variation
than error (Table 4 of the measured profiles; their corrections in COWS-L2H follow one norm)."""

MAX_CHANGED_SHARE = 0.4
"""A version that changes more of the words than this is another sentence, and tells nothing."""
MAX_KEPT = 3
"""More edits than this in one sentence: the model is rewriting."""
MIN_WORDS = 3.0
"""Shorter turns are answers such as "sí, mucho": there is nothing to reformulate."""
MAX_WORDS = 40.0
"""A longer sentence is left alone: too much in it may be meant."""
MAX_SENTENCES = 2
"""Sentences of a turn that are looked at; one form at a time is enough to notice."""

SLIP_ZIPF = 3.0
"""Once in a million words: a form as common as that is no rarity itself …"""
SLIP_COMMONER = 0.7
"""… and so much commoner on the Zipf scale (five times) than what was written that it was meant."""

WEIGHT = {
    "ser-estar": 1.0, "gender": 1.0, "number": 1.0, "verb-form": 1.0, "por-para": 1.0, "personal-a": 0.9,
    "auxiliary": 1.0, "measure-word": 1.0, "aspect": 0.9, "ba": 0.9, "sound-alike": 0.9, "agreement": 1.0,
    "article": 0.8, "preposition": 0.7, "definite": 0.8, "word-order": 0.7, "spelling": 0.8, "accent": 0.6,
    "pronoun": 0.7, "negation": 0.8, "de": 0.8, "subject-pronoun": 0.5,
}  # fmt: skip
"""How much an edit of this kind is believed and how much it is worth recasting, from 0 to 1; the kinds that a
small model gets right most often come first (measured on COWS-L2H, see tests/benchmarks/talk.py)."""


@dataclass(frozen=True)
class Finding:
    """What the tutor believes about one free sentence."""

    kept: tuple[Edit, ...]
    """Edits that are acted on, the weightiest first; the first of them that can be shown is the target."""
    native: str
    """The learner's sentence with only the kept edits applied."""
    target: str
    """What to recast: the changed words with their neighbours, as a tutor would write them; empty without an edit."""
    original: str
    """The same stretch as the learner wrote it."""
    known_slips: bool = False
    """Every kept edit is one that the language's word frequencies make certain as well ("ensenan", of a heritage
    speaker also "dia"): a second witness, so the model need not be as sure."""

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(edit.tag for edit in self.kept))


NOTHING = Finding((), "", "", "")


def worth_reformulating(text: str, tag: str) -> bool:
    """Whether a turn is long enough, and enough in the language, for a native version to mean anything."""
    return MIN_WORDS <= length(text, tag) <= MAX_WORDS and script_share(text, tag) > 0.5


def only_the_sentence(native: str, learner: str) -> str:
    """The native version without what a chatty model adds to it: an answer, a question of its own."""
    native = " ".join(native.split())
    if "?" not in learner:
        start = min(
            (i for i in (native.find("¿"), native.find("?"), native.find("？"), native.find("؟")) if i > 0),
            default=-1,
        )
        if start > 0:
            cut = max(native.rfind(mark, 0, start) for mark in (". ", "! ", "。", "！", "… "))
            if cut > 0:
                native = native[: cut + 1]
    ours = len(SENTENCE_END.findall(learner.rstrip())) or 1
    ends = [match.end() for match in SENTENCE_END.finditer(native)]
    return native[: ends[ours - 1]].strip() if len(ends) > ours else native.strip()


def sentences_to_check(text: str, tag: str, most: int = MAX_SENTENCES) -> list[str]:
    """The sentences of a turn that are worth reformulating, the longest `most` of them, in order."""
    parts = [part.strip() for part in _SENTENCE.findall(text)]
    fit = [part for part in parts if worth_reformulating(part, tag)]
    longest = sorted(fit, key=lambda part: -length(part, tag))[:most]
    return [part for part in fit if part in longest]


def finished(text: str) -> tuple[str, str]:
    """A text that is being written, cut after its last whole sentence."""
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    cut = ends[-1] if ends else 0
    return text[:cut].strip(), text[cut:].strip()


_SENTENCE = regex.compile(r"[^.!?…。！？؟\n]+(?:[.!?…。！？؟]+|\n|$)")


def find(
    learner: str,
    native: str,
    tag: str,
    track: Track,
    *,
    variety: Sequence[str] = (),
    trust: frozenset[str] | None = None,
) -> Finding:
    """Compare a sentence with its native version and keep what can be believed.

    `variety` are words that belong to the learner's own way of speaking and are never touched; `trust`, when
    given, limits the kinds of edit that are kept (a weak model is trusted with fewer).
    """
    native = only_the_sentence(native, learner)
    if not native or native == learner.strip() or not worth_reformulating(learner, tag):
        return NOTHING
    found = edits(learner, native, tag)
    size = max(len(tokens(learner, tag).written), 1)
    changed = sum(
        max(len(edit.wrong), len(edit.right)) for edit in found if edit.tag not in ("accent", "style")
    )
    if changed > max(2.0, MAX_CHANGED_SHARE * size):
        return NOTHING
    own = {word.casefold() for word in variety}
    kept = [
        edit
        for edit in found
        if edit.tag not in IGNORED | IGNORED_WHEN[track]
        and (trust is None or edit.tag in trust)
        and not own & set(edit.wrong)
        and not left_alone(edit, found, learner, tag)
    ]
    if len(kept) < len(found):  # a moved word is only shown in the whole sentence, which has the others too
        kept = [edit for edit in kept if edit.tag != "word-order"]
    if not kept or len(kept) > MAX_KEPT:
        return NOTHING
    result, ranges = excerpt.apply(learner, native, kept, tag, complete=len(kept) == len(found))
    ordered = sorted(kept, key=lambda edit: -WEIGHT.get(edit.tag, 0.0))
    for best in ordered:
        target = as_model(excerpt.phrase(result, *ranges[kept.index(best)], tag), best.right, tag)
        if target:
            certain = all(_known_slip(edit, tag, track) for edit in kept)
            return Finding(tuple(ordered), result, target, excerpt.written_at(learner, best, tag), certain)
    return NOTHING  # it cannot be shown without something else that is wrong


def believed(finding: Finding, margin_nats: float, needed_nats: float) -> bool:
    """Whether the tutor acts on a finding that the model prefers to the learner's own sentence by `margin_nats`."""
    return bool(finding.kept) and margin_nats >= (0.0 if finding.known_slips else needed_nats)


def _known_slip(edit: Edit, tag: str, track: Track) -> bool:
    """Whether one word is replaced by a much commoner one that it can only be a slip of.

    Of somebody who learns from English a missing accent is most often a keyboard's.
    """
    if edit.tag not in SPELLINGS or (edit.tag == "accent" and track == "l2"):
        return False
    if len(edit.wrong) != 1 or len(edit.right) != 1:
        return False
    known = zipf(edit.right[0], tag)
    return known >= SLIP_ZIPF and known - zipf(edit.wrong[0], tag) >= SLIP_COMMONER
