"""Dialogues told anew by a model: its own words where they keep the rules, the composed ones elsewhere.

Composed reactions fit any sentence ("¡Qué bonito día!"), and a model trained on nothing else reacts to nothing in
particular. A model with the app's example turns reacts to what was said, but forgets the rules now and then; so it
writes, the validator chooses, and what is learnt is to do the same without the examples (rejection sampling, as in
Llama 2, arXiv:2307.09288, section 3.2.3, with rules in place of a reward model).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import regex

from finetune.evaluate.asking import Ask, Speaker
from finetune.sources.shapes import messages as as_messages
from lessons.patterns import contains
from tutor_app.pedagogy import author, prompts
from tutor_app.pedagogy.clean import clean, first_sentence, presentable
from tutor_app.pedagogy.language import words
from tutor_app.pedagogy.prompts import Brief
from tutor_app.pedagogy.signals import code_switched
from tutor_app.pedagogy.templates import Message
from tutor_app.pedagogy.validator import Situation, validate

DIRECTED = regex.compile(r"\n\[(?P<move>\w+)(?:: (?P<what>[^\]]*))?\]$")
RETOLD = frozenset({"ask", "recast", "check", "culture"})
"""Moves whose words are free; a hint or a simpler question says what it is given."""
MOST_TOKENS = 60
TEMPERATURE = 0.7


def retold(
    rows: Iterable[dict[str, Any]], speaker: Speaker, counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Rows of talk.jsonl with at least one reply that the model wrote; `counts` says what became of each reply."""
    for number, row in enumerate(rows):
        turns = as_messages(row["messages"], "role", "content")
        if turns is None:
            counts["not a conversation"] += 1
            continue
        told = list(turns)
        untrained, mine = set(row.get("untrained") or ()), 0
        for index in range(2, len(told)):
            if told[index].role != "assistant" or index in untrained:
                continue
            if _is_simplified(told[index + 1 :]):
                counts["comes back in easier words"] += 1
                continue
            text, why = _reply(row, told[:index], told[index].content, speaker, number * 100 + index)
            counts[why] += 1
            if text is not None:
                told[index] = Message("assistant", text)
                mine += 1
        if mine:
            yield row | {
                "messages": [{"role": one.role, "content": one.content} for one in told],
                "retold": mine,
            }


def _is_simplified(after: list[Message]) -> bool:
    """Whether the next turn asks for the line in easier words, and quotes it."""
    directed = DIRECTED.search(after[0].content) if after else None
    return directed is not None and directed["move"] == "simplify"


def _reply(
    row: dict[str, Any], before: list[Message], composed: str, speaker: Speaker, seed: int
) -> tuple[str | None, str]:
    """The model's reply and "model", or None and why the composed one stays."""
    tag, track, level = row["language"], row["track"], row["level"]
    said = before[-1].content
    directed = DIRECTED.search(said)
    if directed is None or directed["move"] not in RETOLD:
        return None, "says what it is given"
    learner, what = said[: directed.start()], directed["what"] or ""
    if code_switched(learner, tag):
        return None, "met in kind already"
    target = what if directed["move"] == "recast" else ""
    carry = "" if target else what
    opening = first_sentence(composed) if target else ""
    if target and not contains(opening, target, tag):
        return None, "no echo to begin with"
    shown = prompts.prefix(Brief(tag, track, level, "free talk"))[1:]
    ask = Ask(
        "", "reply", (before[0], *shown, *before[1:]), opening, "", MOST_TOKENS, TEMPERATURE, seed
    )  # fmt: skip
    (answer,) = speaker.answers([ask])
    text = presentable(clean(answer.text, tag), tag)
    if carry:
        text = author.joined(tag, first_sentence(text), carry)
    own = frozenset(words(learner, tag)) | frozenset(words(composed, tag)) | frozenset(words(what, tag))
    situation = Situation(
        tag, track, level, allowed_words=own, attempted=(target,) if target else (), learner=learner,
        previous=tuple(one.content for one in before if one.role == "assistant"),
    )  # fmt: skip
    broken = validate(text, situation)
    if broken:
        return None, f"breaks a rule: {broken[0].rule}"
    return (None, "the same") if text == composed else (text, "model")
