"""A tutor's reply put together from the bank: a reaction to what was meant, then one question about it.

Candidates are drawn in an order that follows from the seed, and the first that the app's validator accepts in its
situation is the reply; what no candidate can satisfy is not trained on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from finetune.synthesize.bank import LEVELS, Bank, ByLevel, Topic, bank, found, searched
from lessons.patterns import contains
from lessons.schema import Level
from tutor_app.pedagogy import author
from tutor_app.pedagogy.clean import up_to_question
from tutor_app.pedagogy.language import length, plain
from tutor_app.pedagogy.validator import Situation, validate

TRIES = 24
"""Candidates for one reply."""
SHORT = 9.0
"""Words: a shorter sentence gets a plain reaction at any level."""
AIM: dict[Level, float] = {"A1": 20, "A2": 30, "B1": 45}
"""Words that a reply should not exceed: the validator's own limits are for the exception."""


@dataclass(frozen=True)
class About:
    """What a learner's sentence speaks of."""

    topic: str | None
    thing: str | None = None
    """In the tutor's words: "tu hermana"."""


def about(text: str, tag: str, given: str | None = None) -> About:
    """Topic and thing of a sentence; `given` is the topic known from elsewhere."""
    data = bank(tag)
    seen = plain(text, tag)
    if given is not None and data.topics[given].third_person:
        return About(given)
    for name, topic in data.topics.items():
        if topic.third_person:
            continue
        for thing, surfaces in topic.fill.items():
            if any(searched(surface, tag).search(seen) for surface in surfaces):
                return About(name, thing)
    for name, topic in data.topics.items():
        if not topic.third_person and found(topic.words, text, tag):
            return About(name)
    return About(given)


@dataclass(frozen=True)
class Wanted:
    """What a reply has to do."""

    learner: str
    situation: Situation
    level: Level
    """Of the questions; above the situation's own when a run of good turns asks for more."""
    topic: str | None = None
    opening: str = ""
    target: str = ""
    tags: tuple[str, ...] = ()
    carry: str = ""
    own: tuple[str, ...] = ()
    """Questions that the lesson has for this very form."""
    formal: bool = False
    """The talk is put formally: no familiar form of address in what is added."""


def reply(wanted: Wanted, rng: random.Random, used: set[str]) -> str | None:
    """A reaction and a question; None when none of the candidates may be said. `used` lines are avoided."""
    tag = wanted.situation.language
    subject = about(wanted.learner, tag, wanted.topic)
    for attempt in range(TRIES):
        parts = list(_parts(wanted, subject, rng, used if attempt < TRIES // 2 else set()))
        text = author.joined(tag, *parts)
        if not wanted.carry:
            text = up_to_question(text)  # as the app cuts it
        if fits(text, wanted.situation, wanted.target):
            used.update(parts)
            return text
    return None


def fits(text: str, situation: Situation, target: str = "") -> bool:
    """Whether the reply may be said here, and is not longer than a good one would be."""
    if length(text, situation.language) > AIM[situation.level] or validate(text, situation):
        return False
    return not target or contains(text, target, situation.language)


def _parts(wanted: Wanted, subject: About, rng: random.Random, used: set[str]) -> Iterator[str]:
    tag, data = wanted.situation.language, bank(wanted.situation.language)
    topic = data.topics[subject.topic] if subject.topic is not None else None
    sad = found(data.negative, wanted.learner, tag)
    good = not sad and found(data.positive, wanted.learner, tag)
    if wanted.opening:
        yield wanted.opening
        if (topic is not None or sad or good) and rng.random() < 0.45:
            yield _reaction(data, topic, subject, wanted, rng, used, sad=sad, good=good)
        yield _elicit(data, topic, subject, wanted, rng, used, sad=sad)
        return
    yield _reaction(data, topic, subject, wanted, rng, used, sad=sad, good=good)
    if wanted.carry:
        yield wanted.carry
        return
    if wanted.level == "B1" and topic is not None and topic.more and not sad and rng.random() < 0.35:
        yield _pick(topic.more, rng, used)
    yield _question(data, topic, subject, wanted.level, rng, used, sad=sad)


def _reaction(
    data: Bank, topic: Topic | None, subject: About, wanted: Wanted, rng: random.Random, used: set[str], *,
    sad: bool, good: bool,
) -> str:  # fmt: skip
    if wanted.formal:
        every = [*data.sad] if sad else [*(topic.react if topic else ()), *data.neutral.A1, *data.neutral.B1]
        calm = [
            line for line in every if "{" not in line and not regex.search(data.familiar, line.casefold())
        ]
        return _pick(calm or data.sad, rng, used)
    if sad:
        return _pick(data.sad, rng, used)
    draw = rng.random()
    if topic is not None and draw < 0.6:
        lines = _filled(topic.react, subject.thing, data.contractions)
        named = [line for line, had in lines if had]
        plain_lines = [line for line, had in lines if not had]
        pool = named if named and rng.random() < 0.6 else plain_lines
        if pool:
            return _pick(pool, rng, used)
    if good and draw < 0.85:
        return _pick(data.warm, rng, used)
    # A short sentence about a cat deserves no "that makes me think".
    short = length(wanted.learner, wanted.situation.language) < SHORT
    return _pick(
        _levelled(data.neutral, "A2" if short and wanted.level == "B1" else wanted.level, rng), rng, used
    )


def _question(
    data: Bank, topic: Topic | None, subject: About, level: Level, rng: random.Random, used: set[str], *,
    sad: bool,
) -> str:  # fmt: skip
    if sad and rng.random() < 0.6:
        return _pick(data.sad_ask, rng, used)
    if topic is not None and rng.random() < 0.85:
        lines = _filled(_levelled(topic.ask, level, rng), subject.thing, data.contractions)
        named = [line for line, had in lines if had]
        others = [line for line, had in lines if not had]
        pool = named if named and (rng.random() < 0.6 or not others) else others
        if pool:
            return _pick(pool, rng, used)
    return _pick(_levelled(data.ask, level, rng), rng, used)


def _elicit(
    data: Bank, topic: Topic | None, subject: About, wanted: Wanted, rng: random.Random, used: set[str], *,
    sad: bool,
) -> str:  # fmt: skip
    """A question that needs the recast form again, as far as the bank or the lesson knows one."""
    if wanted.own and rng.random() < 0.5:
        return _pick(list(wanted.own), rng, used)
    seen = plain(wanted.target, wanted.situation.language)
    tag = wanted.situation.language
    matching = [
        one.ask
        for one in data.elicit
        if (not one.tags or set(one.tags) & set(wanted.tags))
        and (not one.match or searched(one.match, tag).search(seen))
        and (one.tags or one.match)
    ]
    if matching and rng.random() < 0.65:
        return _pick(rng.choice(matching), rng, used)
    return _question(data, topic, subject, wanted.level, rng, used, sad=sad)


def _levelled(lines: ByLevel, level: Level, rng: random.Random) -> list[str]:
    """Lines of this level, or one time in three of those below."""
    own, below = lines.at(level)
    if own and (not below or rng.random() < 0.67):
        return own
    return below or own or lines.at(LEVELS[-1])[0]


def _filled(lines: list[str], thing: str | None, contractions: dict[str, str]) -> list[tuple[str, bool]]:
    """Every line that can be said, and whether it names the thing."""
    said = []
    for line in lines:
        named = "{n}" in line or "{N}" in line
        if named and thing is None:
            continue
        name = thing or ""
        full = line.replace("{n}", name).replace("{N}", name[:1].upper() + name[1:])
        for apart, together in contractions.items() if named else ():
            full = full.replace(apart, together)
        said.append((full, named))
    return said


def _pick(lines: list[str], rng: random.Random, used: set[str]) -> str:
    fresh = [line for line in lines if line not in used]
    return rng.choice(fresh or lines)
