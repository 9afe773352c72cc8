"""A reply in the making: what is wanted of it, what came of it, and what can be done to words that will nearly do."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, Protocol

from lessons.patterns import contains
from tutor_app.pedagogy import author
from tutor_app.pedagogy.clean import first_sentence, up_to_question
from tutor_app.pedagogy.language import length, primary, words
from tutor_app.pedagogy.reformulation import MAX_SENTENCES, Finding
from tutor_app.pedagogy.validator import Situation, Violation, validate
from tutor_app.session.events import ReplyFragment, ReplyRetracted

HELD_BACK = 4
"""Words not shown yet while a reply streams: longer than the longest phrase that would have to be taken back."""
BEFORE_A_QUESTION = ".!。！…¿"
SETTLED_WORDS = 3
"""A question of at least so many words ends a reply; a shorter one ("¿Sí?") may only lead to it."""


@dataclass(frozen=True)
class Request:
    """What is wanted of one reply."""

    learner: str
    direction: str
    situation: Situation
    fallback: author.Line
    questions: tuple[str, ...]
    """Asked when the model forgot to, or asked what it just asked: the first that will do. The last is the one planned."""
    target: str = ""
    """The form to be recast; it has to stand in the reply."""
    original: str = ""
    """The same stretch as the learner wrote it; it must not stand beside its recast."""
    opening: str = ""
    """Words the reply begins with, said before the model is asked; it goes on from there."""
    carry: str = ""
    """The instructor's question that carries the talk on: it follows the model's first sentence."""
    seed: int = 0


@dataclass(frozen=True)
class Draft:
    """A reply that may be shown."""

    text: str
    source: Literal["model", "repaired", "authored"]
    recast: str | None = None
    ttft_ms: float = 0.0
    total_ms: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    stopped: bool = False
    violations: tuple[Violation, ...] = ()
    """What was wrong with the model's first words; empty when they were used."""


Composing = Generator[ReplyFragment | ReplyRetracted, None, Draft]


class Answering(Protocol):
    """What a turn needs of a tutor: the one with a model, or one that training data are made with."""

    def reformulate(self, text: str, most: int = MAX_SENTENCES) -> Finding:
        """What a native speaker of the learner's variety would have said differently, as far as it is believed.

        Of several sentences (the longest `most`), the first one with something to recast.
        """
        ...

    def compose(self, request: Request) -> Composing:
        """The reply, shown as it is made."""
        ...

    def remember(self, learner: str, direction: str, reply: str) -> None:
        """Add a turn that is over to the conversation."""
        ...


def authored(line: author.Line) -> Draft:
    """A reply that needs no model."""
    return Draft(line.text, "authored", line.recast)


def whole_or(text: str, fallback: str, situation: Situation) -> str:
    """A reply that was stopped: what was said of it when that is presentable, else the lesson's own line."""
    return text if text and not [v for v in validate(text, situation) if v.rule != "asks"] else fallback


def has(text: str, target: str, situation: Situation) -> bool:
    return contains(text, target, situation.language)


def recasts(text: str, request: Request) -> bool:
    """Whether the form to be recast is there, if there is one, and not what it recasts as well ("en la hospital")."""
    tag, target, original = request.situation.language, request.target, request.original
    if not target:
        return True
    shown_twice = original and contains(text, original, tag) and not contains(target, original, tag)
    return has(text, target, request.situation) and not shown_twice


def asks(text: str) -> bool:
    """Whether there is a question in it."""
    return any(mark in text for mark in "?？؟")


def settled(text: str, tag: str) -> bool:
    """Whether the reply has asked its question, so that more would only be rambling."""
    asked = up_to_question(text)
    if not asks(asked) or length(re.split(f"[{BEFORE_A_QUESTION}]", asked)[-1], tag) < SETTLED_WORDS:
        return False
    closed = asked.count("«") == asked.count("»") and asked.count('"') % 2 == 0
    return closed or text[len(asked) :].strip() != ""


def but_last_words(text: str, tag: str) -> str:
    """`text` without its last few words, which might still become something that must not be shown."""
    if primary(tag) == "zh":
        return text[: -HELD_BACK * 2]
    cut = text.rsplit(" ", HELD_BACK)
    return cut[0] if len(cut) > HELD_BACK else ""


def mend(text: str, request: Request) -> str | None:
    """`text` with what is easily put right: its question, its recast, its length. None when that is not enough."""
    situation = request.situation
    tag = situation.language
    candidates = []
    body = text
    if request.target and not has(body, request.target, situation):
        body = author.joined(tag, author.phrase(tag, "echo", request.seed, form=request.target), body)
    candidates.append(body)
    for question in request.questions:
        candidates.append(author.joined(tag, statements(body), question))
        candidates.append(author.joined(tag, first_sentence(body), question))
        if request.target:
            echo = author.phrase(tag, "echo", request.seed, form=request.target)
            candidates.append(author.joined(tag, echo, question))
    for candidate in candidates:
        if not words(candidate, tag) or validate(candidate, situation):
            continue
        if recasts(candidate, request):
            return candidate
    return None


def statements(text: str) -> str:
    """The sentences before the first question."""
    asked = up_to_question(text)
    if asked == text and not asks(text):
        return text
    start = min(index for index in (text.find(mark) for mark in "?？؟") if index >= 0)
    cut = max(text.rfind(mark, 0, start) for mark in BEFORE_A_QUESTION)
    return text[: cut + 1].rstrip("¿ ") if cut > 0 else ""
