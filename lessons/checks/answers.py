"""Can the item be answered, and do its error patterns catch errors only."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import regex

from lessons.checks.sheet import Note, Sheet, Where, accepted_texts, each_item
from lessons.patterns import check_pattern, is_regex, matches, normalise, without_punctuation
from lessons.schema import (
    GAP,
    AnyItem,
    ChoiceItem,
    ErrorPattern,
    ItemStep,
    ListenItem,
    MatchItem,
    OpenStep,
    OrderItem,
    SpokenItem,
)

MIN_ERRORS = 2
SOUND_KINDS = frozenset({"flac", "mp3", "ogg", "wav"})
"""Endings of the sound files that the tutor can play; a pack may hold others."""

_COMMON = "gender number agreement article tense spelling preposition word-order register"
TAGS: dict[str, frozenset[str]] = {
    "es": frozenset(
        f"{_COMMON} ser-estar mood preterite-imperfect subject-pronoun por-para personal-a gustar false-friend "
        "accent sound-alike person".split()
    ),
    "zh": frozenset(
        [
            "measure-word",
            "aspect",
            "ba",
            "character",
            "word-order",
            "word-choice",
            "register",
            "tone",
            "adverb",
            "negation",
        ]
    ),
    "ar": frozenset(
        [
            "gender",
            "number",
            "idafa",
            "sun-letter",
            "definite",
            "agreement",
            "verb-form",
            "root-pattern",
            "tashkeel",
            "spelling",
            "word-order",
            "pronoun",
            "preposition",
            "negation",
        ]
    ),
    "fr": frozenset(
        f"{_COMMON} partitive auxiliary negation pronoun contraction false-friend accent".split()
    ),
}
"""The tags in use, so that a slip of the pen in one does not split a learner's statistics."""

_GAP_RUN = regex.compile(r"_{2,}")
_SPACES_AND_PUNCTUATION = regex.compile(r"[\s\p{P}]+")


def check(sheet: Sheet) -> Iterator[Note]:
    """Items that nobody can answer, and error patterns that are broken or too greedy."""
    yield from check_answers(sheet)
    for where, _, item in each_item(sheet.lesson):
        yield from _patterns(where, item, sheet)


def check_answers(sheet: Sheet) -> Iterator[Note]:
    """Items that nobody can answer."""
    for where, step, item in each_item(sheet.lesson):
        yield from _answerable(where, step, item, sheet)
        yield from _audio(where, item, sheet)


def _answerable(where: Where, step: ItemStep | OpenStep, item: AnyItem, sheet: Sheet) -> Iterator[Note]:
    if isinstance(item, MatchItem):
        yield from _pairs(where, item, sheet)
        return
    language = sheet.language
    if isinstance(item, ChoiceItem | ListenItem) and item.choices:
        yield from _choices(where, item, language)
    if isinstance(item, OrderItem):
        built = _letters("".join(item.tokens), language)
        if all(built != _letters(text, language) for text in accepted_texts(item)):
            fix = "write the tokens in the order of an accepted answer, with every word of it"
            yield Note((*where, "tokens"), "order-answer", "the tokens do not give any accepted answer", fix)
    if step.kind == "cloze":
        runs = _GAP_RUN.findall(item.prompt)
        if runs != [GAP]:
            message = f"a cloze needs exactly one gap of three underscores; this one has {len(runs)}"
            yield Note((*where, "prompt"), "cloze-gap", message, f"mark the one gap with {GAP}")
    if step.kind == "dictation" and isinstance(item, SpokenItem):
        heard = without_punctuation(item.say, language)
        if heard not in [without_punctuation(text, language) for text in accepted_texts(item)]:
            yield Note(
                (*where, "accept"),
                "dictation-answer",
                "what is dictated is not accepted",
                "put `say` first in `accept`",
            )
    seen: set[str] = set()
    for at, answer in enumerate(item.accept):
        plain = normalise(answer.text, language)
        if not plain:
            yield Note(
                (*where, "accept", at),
                "answer-empty",
                "an answer of punctuation only can never be given",
                "write words",
            )
        elif plain in seen:
            message = f"the answer {answer.text!r} is there twice (case and end punctuation do not count)"
            yield Note((*where, "accept", at), "answer-twice", message, "delete one", "warning")
        seen.add(plain)


def _choices(where: Where, item: ChoiceItem | ListenItem, language: str) -> Iterator[Note]:
    offered = [normalise(choice, language) for choice in item.choices]
    accepted = {normalise(text, language) for text in accepted_texts(item)}
    for at, text in enumerate(accepted_texts(item)):
        if normalise(text, language) not in offered:
            yield Note(
                (*where, "accept", at),
                "choice-answer",
                f"the answer {text!r} is not a choice",
                "make it one of `choices`",
            )
    if set(offered) <= accepted:
        yield Note((*where, "choices"), "choice-all", "every choice is right", "add a choice that is not")
    if len(set(offered)) < len(offered):
        yield Note((*where, "choices"), "choice-twice", "two choices are the same", "delete one")


def _pairs(where: Where, item: MatchItem, sheet: Sheet) -> Iterator[Note]:
    for side, name in ((0, "left"), (1, "right")):
        texts = [normalise(pair[side], sheet.language) for pair in item.pairs]
        for at, text in enumerate(texts):
            if text in texts[:at]:
                message = (
                    f"two pairs have the same {name} side, so a right answer would count as a wrong pair"
                )
                yield Note((*where, "pairs", at), "match-twice", message, "make the sides different")


def _letters(text: str, language: str) -> str:
    return _SPACES_AND_PUNCTUATION.sub("", normalise(text, language))


def _patterns(where: Where, item: AnyItem, sheet: Sheet) -> Iterator[Note]:
    if len(item.errors) < MIN_ERRORS:
        message = f"{len(item.errors)} error patterns; learners make at least {MIN_ERRORS} kinds"
        yield Note(where, "errors-few", message, "add what your students really write here")
    earlier: list[str] = []
    for at, error in enumerate(item.errors):
        here: Where = (*where, "errors", at, "pattern")
        if reason := check_pattern(error.pattern):
            yield Note(
                here,
                "pattern-broken",
                f"the pattern {error.pattern!r} {reason}",
                "mend it, or write plain text",
            )
            continue
        yield from _tag((*where, "errors", at, "tag"), error, sheet)
        if isinstance(item, MatchItem):
            yield from _pair_pattern(here, item, error, sheet)
        else:
            yield from _catches(here, item, error, earlier, sheet)
        earlier.append(error.pattern)


def _catches(
    here: Where, item: AnyItem, error: ErrorPattern, earlier: list[str], sheet: Sheet
) -> Iterator[Note]:
    language, pattern = sheet.language, error.pattern
    for text in accepted_texts(item):
        if matches(pattern, text, language):
            message = f"the error pattern {pattern!r} matches the accepted answer {text!r}"
            yield Note(here, "pattern-accepts", message, "make the pattern narrower")
    plain = not is_regex(pattern) and "*" not in pattern
    if plain and any(matches(other, pattern, language) for other in earlier):
        message = f"an earlier pattern already catches {pattern!r}, so this one is never used"
        yield Note(here, "pattern-shadowed", message, "put the more specific pattern first", "warning")
    choices = item.choices if isinstance(item, ChoiceItem | ListenItem) else []
    if choices and not any(matches(pattern, choice, language) for choice in choices):
        yield Note(
            here,
            "pattern-idle",
            f"no choice matches the pattern {pattern!r}",
            "write it as one of the choices",
            "warning",
        )


def _pair_pattern(here: Where, item: MatchItem, error: ErrorPattern, sheet: Sheet) -> Iterator[Note]:
    if is_regex(error.pattern) or "*" in error.pattern:
        return
    left, equals, right = error.pattern.partition("=")
    pairs = [[normalise(side, sheet.language) for side in pair] for pair in item.pairs]
    made = [normalise(left, sheet.language), normalise(right, sheet.language)]
    if not equals or made[0] not in [pair[0] for pair in pairs] or made[1] not in [pair[1] for pair in pairs]:
        fix = "write `left = right` with a left and a right side of this item"
        yield Note(here, "match-pattern", f"the pattern {error.pattern!r} is no pair of this item", fix)
    elif made in pairs:
        yield Note(
            here,
            "pattern-accepts",
            f"the error pattern {error.pattern!r} is a right pair",
            "name a wrong pair",
        )


def _tag(here: Where, error: ErrorPattern, sheet: Sheet) -> Iterator[Note]:
    known = TAGS.get(sheet.language, frozenset())
    if (
        known
        and error.tag not in known
        and (close := difflib.get_close_matches(error.tag, sorted(known), 1, 0.8))
    ):
        yield Note(
            here,
            "tag-spelling",
            f"the tag {error.tag!r} looks like {close[0]!r}",
            f"write {close[0]}",
            "warning",
        )


def _audio(where: Where, item: AnyItem, sheet: Sheet) -> Iterator[Note]:
    if isinstance(item, MatchItem) or item.audio is None:
        return
    if not isinstance(item, SpokenItem):
        yield Note(
            (*where, "audio"),
            "audio-unheard",
            "nothing is heard in this kind of step",
            "leave `audio` out, or make it a listen, dictation or speak item",
            "warning",
        )
    elif item.audio not in sheet.media:
        yield Note(
            (*where, "audio"),
            "audio-missing",
            f"media/{item.audio} is not there",
            "add the file, or leave `audio` out",
        )
    elif item.audio.rpartition(".")[2].lower() not in SOUND_KINDS:
        yield Note(
            (*where, "audio"),
            "audio-kind",
            f"media/{item.audio} cannot be played",
            "save it as WAV, FLAC, MP3 or OGG (Vorbis)",
        )
