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
from tutor_app.pedagogy.edits import Edit, differ_in_ending, edits, tokens
from tutor_app.pedagogy.language import (
    LITTLE,
    compiled,
    kinds,
    language,
    length,
    primary,
    script_share,
    words,
    zipf,
)
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

SPELLINGS = frozenset({"accent", "spelling", "sound-alike"})
JOINS = frozenset({"y", "e", "et"})
NAME_ZIPF = 4.0
"""How common a name must be in the language before its usual spelling is offered …"""
NAME_MARGIN = 0.7
"""… and how much commoner than the learner's (Zipf scale, so five times)."""
SLIP_ZIPF = 3.0
"""Once in a million words: a form as common as that is no rarity itself."""

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
    ours = len(_SENTENCE_END.findall(learner.rstrip())) or 1
    ends = [match.end() for match in _SENTENCE_END.finditer(native)]
    return native[: ends[ours - 1]].strip() if len(ends) > ours else native.strip()


def sentences_to_check(text: str, tag: str, most: int = MAX_SENTENCES) -> list[str]:
    """The sentences of a turn that are worth reformulating, the longest `most` of them, in order."""
    parts = [part.strip() for part in _SENTENCE.findall(text)]
    fit = [part for part in parts if worth_reformulating(part, tag)]
    longest = sorted(fit, key=lambda part: -length(part, tag))[:most]
    return [part for part in fit if part in longest]


def finished(text: str) -> tuple[str, str]:
    """A text that is being written, cut after its last whole sentence."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    cut = ends[-1] if ends else 0
    return text[:cut].strip(), text[cut:].strip()


_SENTENCE = regex.compile(r"[^.!?…。！？؟\n]+(?:[.!?…。！？؟]+|\n|$)")
_SENTENCE_END = regex.compile(r"[.!?…]+(?=\s|$)|[。！？؟]+")


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
        and not _spells_a_name(edit, learner, tag)
        and not _of_a_name(edit, learner, tag)
        and not _loses_the_plural(edit, tag)
        and not _gender_of_people(edit, found, learner, tag)
    ]
    if len(kept) < len(found):  # a moved word is only shown in the whole sentence, which has the others too
        kept = [edit for edit in kept if edit.tag != "word-order"]
    if not kept or len(kept) > MAX_KEPT:
        return NOTHING
    result, ranges = _apply(learner, native, kept, tag, complete=len(kept) == len(found))
    ordered = sorted(kept, key=lambda edit: -WEIGHT.get(edit.tag, 0.0))
    for best in ordered:
        target = as_model(_phrase(result, *ranges[kept.index(best)], tag), best.right, tag)
        if target:
            certain = all(_known_slip(edit, tag, track) for edit in kept)
            return Finding(tuple(ordered), result, target, _phrase_at(learner, best, tag), certain)
    return NOTHING  # it cannot be shown without something else that is wrong


def believed(finding: Finding, margin_nats: float, needed_nats: float) -> bool:
    """Whether the tutor acts on a finding that the model prefers to the learner's own sentence by `margin_nats`."""
    return bool(finding.kept) and margin_nats >= (0.0 if finding.known_slips else needed_nats)


def _spells_a_name(edit: Edit, learner: str, tag: str) -> bool:
    """Whether the edit only spells somebody's or something's name otherwise ("Malia", "Adele"): names are as they are.

    A name that the language itself mostly writes the other way is mended ("Mexico"), but not after "me llamo".
    """
    if edit.tag not in SPELLINGS or len(edit.wrong) != 1 or len(edit.right) != 1 or edit.start == 0:
        return False
    written = tokens(learner, tag).written
    if not written[edit.start][:1].isupper() or _SENTENCE_END.search(_before(learner, edit, tag)):
        return False
    if edit.start and written[edit.start - 1].casefold() in language(tag).classes.get("naming", ()):
        return True
    known = zipf(edit.right[0], tag)
    return known < NAME_ZIPF or known - zipf(edit.wrong[0], tag) < NAME_MARGIN


def _of_a_name(edit: Edit, learner: str, tag: str) -> bool:
    """Whether the edit only gives a name its article or takes it away ("en el Disney Channel", "del Perú"): either is said."""
    data = language(tag)
    contractions = {"al": ("a", "el"), "del": ("de", "el")} if primary(tag) == "es" else {}
    if not contractions:  # French names have an article or have none
        return False
    before, after = (
        [part for word in side for part in contractions.get(word, (word,))]
        for side in (edit.wrong, edit.right)
    )
    articles = set(data.classes.get("article", ())) - set(contractions)
    others = [[word for word in side if word not in articles] for side in (before, after)]
    if others[0] != others[1] or len(before) == len(after):
        return False
    written = tokens(learner, tag).written
    return (
        0 < edit.end < len(written)
        and written[edit.end][:1].isupper()
        and not _SENTENCE_END.search(_between(learner, edit.end - 1, edit.end, tag))
    )


def _loses_the_plural(edit: Edit, tag: str) -> bool:
    """Whether the edit mends a spelling and takes the plural away with it ("los musulmánes", "los musulmán").

    In Spanish, where an s is heard; a French one that goes or comes is the point.
    """
    if edit.tag not in SPELLINGS or len(edit.wrong) != 1 or len(edit.right) != 1 or primary(tag) != "es":
        return False
    return edit.wrong[0].endswith("s") and not edit.right[0].endswith("s")


def _gender_of_people(edit: Edit, found: Sequence[Edit], learner: str, tag: str) -> bool:
    """Whether the edit changes the gender in which somebody speaks of themself or of a person ("soy estudiante graduada").

    That is theirs to know. Of oneself speaks what follows a verb that says so, as long as nothing else that it could be
    said of is named in between, or before a verb that has no person.
    """
    bent = {e.start for e in found if _bends(e, tag)}
    if edit.start not in bent:
        return False
    compared = tokens(learner, tag).compared
    own = kinds(compared[edit.start], tag)
    if own & {"we", "alone"}:
        return True
    before = [kinds(word, tag) for word in compared[: edit.start]]
    if "people" in own:  # "mi novia", unless something before says who it is ("ella es mi amigo")
        return not any(
            kind & {"article", "subject-pronoun"} and "speaker-pronoun" not in kind and at not in bent
            for at, kind in enumerate(before)
        )
    if primary(tag) == "ar":  # the sentence has no verb that would end what is said of oneself
        at = edit.start - 1
        while at in bent:
            at -= 1
        return at >= 0 and "speaker" in before[at]
    if "article" in own and edit.end not in bent and not _either_gender(compared[edit.end :], tag):
        return False
    anyone = False
    for at, kind in reversed(list(enumerate(before))):
        if _SENTENCE_END.search(_between(learner, at, at + 1, tag)):
            break
        if "speaker" in kind:
            return True
        if "speaker-pronoun" in kind:
            return anyone
        if kind & {"article", "possessive", "quantifier", "subject-pronoun"} and at not in bent:
            return False
        if "of-anyone" in kind:
            anyone = True
            if {"me", "nos", "m'"} & set(compared[max(0, at - 2) : at]):
                return True  # "me pone nerviosa", "me hace sentir orgullosa", whoever it is that does
            if at and not before[at - 1]:
                return False  # "mamá era", "María estaba"
        elif not anyone and kind & {"preposition", "ser", "estar", "irregular"}:
            return False
        elif not anyone and compared[at].endswith(("ando", "iendo", "yendo")):
            return False  # "estoy comprando ropa barato"
    return anyone


def _bends(edit: Edit, tag: str) -> bool:
    """Whether the edit changes one word's gender, by its ending or as an article."""
    if len(edit.wrong) != 1 or len(edit.right) != 1:
        return False
    own = kinds(edit.wrong[0], tag)
    if "article" in own:
        return edit.tag == "gender"
    named = edit.tag in ("gender", "sound-alike") or own & {"people", "we"}
    return bool(named) and differ_in_ending(edit.wrong[0], edit.right[0], language(tag).agreement_endings)


def _either_gender(following: Sequence[str], tag: str) -> bool:
    return bool(following) and any(pattern.search(following[0]) for pattern in compiled(tag, "either_gender"))


def _between(learner: str, one: int, other: int, tag: str) -> str:
    spans = tokens(learner, tag).spans
    return learner[spans[one][1] : spans[other][0]]


def _known_slip(edit: Edit, tag: str, track: Track) -> bool:
    """Whether one word is replaced by a much commoner one that it can only be a slip of.

    Of somebody who learns from English a missing accent is most often a keyboard's.
    """
    if edit.tag not in SPELLINGS or (edit.tag == "accent" and track == "l2"):
        return False
    if len(edit.wrong) != 1 or len(edit.right) != 1:
        return False
    known = zipf(edit.right[0], tag)
    return known >= SLIP_ZIPF and known - zipf(edit.wrong[0], tag) >= NAME_MARGIN


def _before(learner: str, edit: Edit, tag: str) -> str:
    """What stands between the word before an edit and the edit."""
    return _between(learner, edit.start - 1, edit.start, tag)


def _apply(
    learner: str, native: str, kept: Sequence[Edit], tag: str, *, complete: bool
) -> tuple[str, list[tuple[int, int]]]:
    """The learner's sentence with the kept edits only, and where each of them stands in it (characters).

    `complete`: every edit is kept, so the native sentence is it, with its own spaces ("j'ai" becomes "je suis").
    """
    ours, theirs = tokens(learner, tag), tokens(native, tag)
    if complete:
        return native, [_span(theirs.spans, edit.target_start, edit.target_end, len(native)) for edit in kept]
    space = "" if primary(tag) == "zh" else " "
    out, position = "", 0
    ranges = []
    for edit in kept:
        start, end = _span(ours.spans, edit.start, edit.end, len(learner))
        gap = learner[position:start]
        new = space.join(theirs.written[edit.target_start : edit.target_end])
        if edit.target_start == 0 and edit.start > 0:
            new = new[:1].lower() + new[1:]  # it began the native sentence and does not begin this one
        if edit.start == edit.end:
            new = new + space if start < len(learner) else space + new
        elif not new and gap.endswith(" "):
            gap = gap[:-1]
        elif edit.start == 0 and learner[:1].isupper():
            new = new[:1].upper() + new[1:]
        out += gap
        ranges.append((len(out), len(out) + len(new.rstrip())))
        out += new
        position = end
    out += learner[position:]
    if learner[:1].isupper():
        out = out[:1].upper() + out[1:]
    return out, ranges


def _span(spans: Sequence[tuple[int, int]], start: int, end: int, size: int) -> tuple[int, int]:
    if start == end:
        at = spans[start][0] if start < len(spans) else size
        return at, at
    return spans[start][0], spans[end - 1][1]


def _phrase(text: str, start: int, end: int, tag: str) -> str:
    """The words from `start` to `end` with one neighbour on each side, inside their clause."""
    cut = tokens(text, tag)
    inside = [i for i, (a, b) in enumerate(cut.spans) if a < end and b > start] or [
        i for i, (a, _) in enumerate(cut.spans) if a >= start
    ][:1]
    if not inside:
        return text.strip()
    reach = 3 if primary(tag) == "zh" else 1
    first, last = inside[0], inside[-1]
    for _ in range(reach):
        if (
            first > 0
            and _leads_to(cut.compared[first - 1], cut.compared[first], tag)
            and not _clause_break(text[cut.spans[first - 1][1] : cut.spans[first][0]])
        ):
            first -= 1
        if last + 1 < len(cut.spans) and not _clause_break(text[cut.spans[last][1] : cut.spans[last + 1][0]]):
            last += 1
    if primary(tag) == "zh":
        first, last = _whole_words(text, cut.spans, first, last, tag)
    if primary(tag) == "fr":  # "j'ai", not "ai"
        while first > 0 and cut.spans[first - 1][1] == cut.spans[first][0]:
            first -= 1
    while first < inside[0] and cut.compared[first] in language(tag).classes.get("conjunction", ()):
        first += 1
    joined = first > 0 and cut.compared[first - 1] in JOINS
    if joined and first < inside[0] and "subject-pronoun" in kinds(cut.compared[first], tag):
        first = inside[0]  # "somos de Queens", not "yo somos de Queens" of "mi hermano y yo"
    before = {*language(tag).classes.get("determiner", ()), *language(tag).classes.get("article", ())}
    while first > 0 and first < inside[0] and cut.compared[first - 1] in before:
        first -= 1  # "mi hermana está", not "hermana está"
    while last > inside[-1] and kinds(cut.compared[last], tag) & LITTLE and last + 1 < len(cut.spans):
        # "de la" alone says nothing: go on to the word it belongs to, or leave it out at a clause's end.
        if _clause_break(text[cut.spans[last][1] : cut.spans[last + 1][0]]):
            break
        last += 1
    return text[cut.spans[first][0] : cut.spans[last][1]]


def _leads_to(before: str, word: str, tag: str) -> bool:
    """Whether `before` helps to see `word`: before an article only what surely goes with it ("a un poema", "tiene un perro")."""
    if not kinds(word, tag) & {"article", "quantifier"}:
        return True
    return bool(kinds(before, tag) & {"preposition", "ser", "estar", "negation", "irregular"})


def _whole_words(
    text: str, spans: Sequence[tuple[int, int]], first: int, last: int, tag: str
) -> tuple[int, int]:
    """The same stretch of characters, without half a word at either end ("三个饺" becomes "三个饺子")."""
    ends = set()
    position = 0
    for word in words(text, tag):
        at = text.find(word, position)
        if at < 0:
            continue  # folded otherwise than it is written
        position = at + len(word)
        ends |= {at, position}
    while first > 0 and spans[first][0] not in ends and spans[first - 1][1] == spans[first][0]:
        first -= 1
    while last + 1 < len(spans) and spans[last][1] not in ends and spans[last + 1][0] == spans[last][1]:
        last += 1
    return first, last


def _phrase_at(learner: str, edit: Edit, tag: str) -> str:
    cut = tokens(learner, tag)
    first, last = max(edit.start - 1, 0), min(max(edit.end, edit.start + 1), len(cut.spans) - 1)
    return learner[cut.spans[first][0] : cut.spans[last][1]] if cut.spans else learner


def _clause_break(between: str) -> bool:
    return any(mark in between for mark in ".,;:!?¿¡()。，！？；：、،؛؟")
