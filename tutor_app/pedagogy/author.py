"""Replies that no model wrote: from the lesson's own lines, and from each language's small bank of phrases.

They are what a learner gets without a model, when the model's words break a rule twice, and for what needs no
model at all (hints, praise for a right answer). Every choice among phrases follows from a seed, so that the same
lesson replays the same way; in a talk, a question that was asked in the last replies (`previous`) is passed over.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from lessons.schema import AnyItem, CultureNote, ErrorPattern, ReflectStep, TalkStep, WriteStep
from tutor_app.pedagogy.clean import questions
from tutor_app.pedagogy.language import language, primary, words
from tutor_app.pedagogy.repetition import SHORT_QUESTION, freshest, without_lead_in

_EMPHASIS = regex.compile(r"\*(.+?)\*")
_ASKS = regex.compile(r"[?？؟]")


@dataclass(frozen=True)
class Line:
    """Something the tutor says."""

    text: str
    recast: str | None = None
    """The form to be made salient, as it stands in `text`."""


def without_emphasis(text: str) -> Line:
    """An instructor's line: the form in *asterisks* becomes the recast, and the asterisks go."""
    match = _EMPHASIS.search(text)
    return Line(_EMPHASIS.sub(r"\1", text), match.group(1) if match else None)


def phrase(tag: str, kind: str, seed: int, /, *, previous: Sequence[str] = (), **values: str) -> str:
    """One of the language's phrases of this kind, chosen by `seed`, filled in."""
    bank = [one.format(**values) for one in language(tag).phrases[kind]]
    return _chosen(bank, f"{kind}/{seed}", previous, tag)


def in_turn(tag: str, kind: str, number: int) -> str:
    """The phrases of this kind one after the other, so that none is heard twice in a row."""
    bank = language(tag).phrases[kind]
    return bank[number % len(bank)]


def _chosen(lines: Sequence[str], seed: str, previous: Sequence[str], tag: str) -> str:
    """What `seed` chooses of `lines`; where that was just asked, what it chooses of the others."""
    chance = random.Random(seed)
    first, fresh = chance.choice(lines), freshest(lines, previous, tag)
    return first if first in fresh else chance.choice(fresh)


def asking(text: str, tag: str, seed: int, ready: Sequence[str] = ()) -> str:
    """`text`, followed by a question when it has none."""
    if _ASKS.search(text):
        return text
    question = random.Random(f"ask/{seed}").choice(list(ready) or language(tag).phrases["again"])
    return joined(tag, text, question)


def joined(tag: str, *parts: str) -> str:
    """Sentences one after the other, with a space where the language has spaces."""
    said = ""
    for part in (part.strip() for part in parts if part.strip()):
        close = primary(tag) == "zh" and not (said[-1:].isascii() or part[:1].isascii())
        said += part if close or not said else f" {part}"
    return said


def hint(item: AnyItem, level: int, tag: str, seed: int, error: ErrorPattern | None = None) -> Line:
    """Rung `level` (1–4) of the item's ladder, or of the error's own."""
    ladder = error.hints if error is not None and error.hints is not None else item.hints
    return Line(asking(without_emphasis(ladder[level - 1]).text, tag, seed))


def recast(error: ErrorPattern, tag: str, seed: int) -> Line:
    """The instructor's recast, then the question that needs the form again."""
    line = without_emphasis(error.recast)
    question = without_emphasis(error.question).text
    return Line(asking(joined(tag, line.text, question), tag, seed), line.recast)


def compare(error: ErrorPattern, tag: str, seed: int) -> Line:
    """Only the question: the learner compares two forms."""
    line = without_emphasis(error.question)
    return Line(asking(line.text, tag, seed), line.recast)


def simplified(item: AnyItem, tag: str, seed: int, *, gloss: bool) -> Line:
    """The item said more simply: its meaning in the support language where the level allows, or the first hint."""
    lead = phrase(tag, "simplify", seed)
    if gloss and item.gloss:
        return Line(asking(joined(tag, lead, item.gloss), tag, seed))
    return Line(asking(joined(tag, lead, without_emphasis(item.hints[0]).text), tag, seed))


def right(tag: str, seed: int, *, dialect_name: str = "") -> Line:
    """The answer is right; when it belongs to a named variety, that is said with respect."""
    if dialect_name:
        return Line(phrase(tag, "dialect", seed, dialect=dialect_name))
    return Line(phrase(tag, "next", seed))


def near(kind: str, form: str, tag: str, seed: int) -> Line:
    """Nearly: the form is shown, and the learner looks at the accent or writes it once more."""
    return Line(phrase(tag, "accent" if kind == "accent" else "typo", seed, form=form), form)


def skipped(form: str, tag: str, seed: int) -> Line:
    return Line(phrase(tag, "skipped", seed, form=form), form)


def talk_question(
    step: TalkStep | None,
    turn: int,
    tag: str,
    seed: int,
    *,
    simpler: bool = False,
    previous: Sequence[str] = (),
) -> str:
    """The question that carries the talk on at this turn (counted from 0), or the next one that was not just asked.

    A simpler one comes back to what was asked, and is that of the turn in any case.
    """
    if step is None:
        bank = list(language(tag).phrases["topics"])
        random.Random(f"topics/{seed}").shuffle(bank)
        at = turn % len(bank)
    else:
        bank = step.simpler if simpler else step.questions
        at = min(turn, len(bank) - 1)
    onward = [without_emphasis(one).text for one in (*bank[at:], *bank[:at])]
    return onward[0] if simpler else freshest(onward, previous, tag)[0]


def unclear(reply: str, tag: str) -> str:
    """What whoever did not understand `reply` is to hear in easier words: its question, or all of it round a "¿Y tú?"."""
    asked = questions(reply)
    if not asked or len(words(asked[-1], tag)) < SHORT_QUESTION:
        return without_lead_in(reply)
    start = reply.rfind(asked[-1])
    return reply[start - 1 :] if reply[start - 1 : start] == "¿" else reply[start:]


def easier_wordings(asked: str, tag: str) -> list[str]:
    """What the language's file has for `asked`, which is a topic's question or an easier wording of it."""
    mine = words(asked, tag)
    for topic, wordings in language(tag).simpler.items():
        if any(mine == words(one, tag) for one in (topic, *wordings)):
            return wordings
    return []


def said_simpler(asked: str, tag: str, seed: int, previous: Sequence[str] = ()) -> Line:
    """`asked` in easier words where the language's file has some, else an easier question about something else."""
    known = easier_wordings(asked, tag)
    wordings = known or [one for wordings in language(tag).simpler.values() for one in wordings]
    lead = phrase(tag, "simplify" if known else "other_question", seed)
    return Line(joined(tag, lead, _chosen(wordings, f"simpler/{seed}", previous, tag)))


def talk_reply(
    tag: str,
    seed: int,
    *,
    move: str,
    question: str,
    starters: Sequence[str] = (),
    target: str = "",
    original: str = "",
    previous: Sequence[str] = (),
) -> Line:
    """A whole turn of free talk without a model; `question` carries the talk on."""
    match move:
        case "recast" if target:
            return Line(joined(tag, phrase(tag, "echo", seed, form=target), question), target)
        case "question" | "explore" if target and original and original != target:
            return Line(phrase(tag, "notice", seed, previous=previous, a=original, b=target), target)
        case "simplify":
            return Line(joined(tag, phrase(tag, "simplify", seed), question))
        case "hint":
            if not starters:
                return Line(phrase(tag, "listen", seed, previous=previous))
            return begun(random.Random(f"starter/{seed}").choice(list(starters)), tag, seed, previous)
        case _:
            return Line(joined(tag, phrase(tag, "affirm", seed), question))


def begun(starter: str, tag: str, seed: int, previous: Sequence[str] = ()) -> Line:
    """A way to begin an answer, offered as a hint."""
    begins = without_emphasis(starter).text.rstrip("… .")
    return Line(phrase(tag, "starter", seed, previous=previous, starter=begins))


def closing(step: TalkStep | None, tag: str, seed: int) -> Line:
    """The tutor's last line of a talk."""
    if step is None:
        return Line(phrase(tag, "closing", seed))
    line = without_emphasis(step.closing)
    return Line(asking(line.text, tag, seed), line.recast)


def culture(note: CultureNote, tag: str, seed: int) -> Line:
    """The question that links the note to the learner's own life."""
    return Line(asking(without_emphasis(note.ask).text, tag, seed))


def reflect(step: ReflectStep, tag: str, seed: int) -> Line:
    return Line(
        asking(joined(tag, phrase(tag, "affirm", seed), without_emphasis(step.follow_up).text), tag, seed)
    )


def about_writing(step: WriteStep, turn: int, tag: str, seed: int, *, target: str = "") -> Line:
    """A question about what the learner wrote, to invite a second draft; a form to recast is said before it."""
    question = without_emphasis(step.questions[min(turn, len(step.questions) - 1)]).text
    begins = phrase(tag, "echo", seed, form=target) if target else phrase(tag, "affirm", seed + turn)
    return Line(asking(joined(tag, begins, question), tag, seed), target or None)
