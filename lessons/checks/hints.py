"""Does the hint ladder lead, step by step, without giving the answer away before its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from lessons.checks.sheet import Note, Sheet, Where, accepted_texts, each_item
from lessons.leaks import gives_away
from lessons.patterns import contains, matches, normalise, without_punctuation
from lessons.schema import AnyItem, ErrorPattern, MatchItem

QUESTION_MARK = regex.compile("[?？؟]")
RUNGS = ("nudge", "cue", "choice", "model")

_OFFERS = regex.compile(
    r"\b(?:o|u|ou|or|oder)\b|/|\||还是|還是|或|\b(?:أو|أم)\b|،\s*أ|"
    r"(?:[\"«“*][^\"»”*]+[\"»”*].*){2}|(?:_+[^_]+){2}",
    regex.IGNORECASE,
)
_MARKED = regex.compile(r"\*([^*]+)\*")


def check(sheet: Sheet) -> Iterator[Note]:
    """Answers that leak, ladders out of order, and tutor lines that leave the learner with nothing to say."""
    for where, _step, item in each_item(sheet.lesson):
        answers = accepted_texts(item)
        yield from _leaks_before(where, item, answers, sheet)
        yield from _ladder((*where, "hints"), item.hints, item, answers, sheet)
        for at, error in enumerate(item.errors):
            here: Where = (*where, "errors", at)
            yield from _reply(here, error, sheet)
            if error.hints:
                yield from _ladder((*here, "hints"), error.hints, item, answers, sheet)


def _leaks_before(where: Where, item: AnyItem, answers: Sequence[str], sheet: Sheet) -> Iterator[Note]:
    for name, text in (("prompt", item.prompt), ("gloss", item.gloss)):
        if leaked := _leaked(text, answers, sheet.language):
            message = f"the {name} gives away the answer {leaked!r}"
            yield Note((*where, name), f"leak-{name}", message, "ask for it without saying it")


def _ladder(
    where: Where, hints: Sequence[str], item: AnyItem, answers: Sequence[str], sheet: Sheet
) -> Iterator[Note]:
    for at, hint in enumerate(hints):
        if not QUESTION_MARK.search(hint):
            message = f"hint {at + 1} asks nothing, so the learner has no next thing to say"
            yield Note((*where, at), "hint-asks", message, "end it with a question")
        if at < 3 and (leaked := _leaked(hint, answers, sheet.language)):
            message = f"hint {at + 1} ({RUNGS[at]}) gives away the answer {leaked!r} before hint 4"
            yield Note((*where, at), "leak-hint", message, "point to it: first letters, a frame, the meaning")
        if at and normalise(hint, sheet.language) in [normalise(text, sheet.language) for text in hints[:at]]:
            yield Note(
                (*where, at), "hint-twice", f"hint {at + 1} repeats an earlier one", "let each hint help more"
            )
    if not _OFFERS.search(hints[2]):
        early = next((at for at in (0, 1) if _OFFERS.search(hints[at])), None)
        if early is None:
            fix = "offer two or three alternatives: `s__ o est__`?"
            yield Note((*where, 2), "hint-choice", "hint 3 offers no choice", fix, "warning")
        else:
            message = f"hint {early + 1} offers a choice and hint 3 does not: the ladder is out of order"
            yield Note((*where, 2), "hint-order", message, "order: nudge, cue, choice, model")
    yield from _model((*where, 3), hints[3], item, answers, sheet)


def _model(where: Where, hint: str, item: AnyItem, answers: Sequence[str], sheet: Sheet) -> Iterator[Note]:
    language = sheet.language
    if isinstance(item, MatchItem):
        if not any(contains(hint, side, language) for pair in item.pairs for side in pair):
            yield Note(
                where, "hint-model", "hint 4 shows no pair of the item", "write one pair out", "warning"
            )
    elif not contains(hint, answers[0], language):
        message = f"hint 4 (model) does not hold the first accepted answer {answers[0]!r}"
        yield Note(where, "hint-model", message, "say the whole answer in it, then ask the learner to use it")


def _reply(where: Where, error: ErrorPattern, sheet: Sheet) -> Iterator[Note]:
    if not QUESTION_MARK.search(error.question):
        message = "the question asks nothing, so the learner has no next thing to say"
        yield Note((*where, "question"), "question-asks", message, "end it with a question mark")
    marked = _MARKED.findall(error.recast)
    if not marked:
        fix = "put *asterisks* round the good form"
        yield Note((*where, "recast"), "recast-marked", "the recast does not mark the form", fix)
    elif all(matches(error.pattern, form, sheet.language) for form in marked):
        # Of several, one may be the learner's own: "*dígame* a un profesor, *dime* a mí".
        message = f"the recast says {marked[0]!r}, which the error pattern itself matches"
        yield Note((*where, "recast"), "recast-error", message, "mark the good form", "warning")
    if without_punctuation(error.recast, sheet.language) == without_punctuation(
        error.question, sheet.language
    ):
        yield Note(
            (*where, "question"),
            "question-twice",
            "the question repeats the recast",
            "ask for the form again",
        )


def _leaked(text: str, answers: Sequence[str], language: str) -> str | None:
    return next((answer for answer in answers if text and gives_away(text, answer, language)), None)
