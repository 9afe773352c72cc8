"""What the model is told: one system part a lesson, and at the end of each learner's turn the move asked for.

The system part and the example turns after it are byte-identical for a whole lesson and come first, so that
their state in the model can be kept, saved and restored; nothing that changes stands before them. What is asked
of a turn stays in the history for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import yaml
from pydantic import BaseModel, ConfigDict

from lessons.schema import Lesson, Level, SetInfo, Step, TalkStep, Track
from tutor_app.pedagogy.language import DATA, language, primary
from tutor_app.pedagogy.templates import Message
from tutor_app.pedagogy.validator import MAX_WORDS

BRIEF_WORDS = 24
"""Words of the lesson that the brief names; more would only slow the first turn down."""
ASKED_SHARE = 0.6
"""The model is asked for this share of the longest reply allowed, since it overshoots."""
NATIVE = "[native]"
"""Begins a hidden turn that asks for the learner's sentence as a native speaker would say it."""

Direction = str
"""What a turn asks for, without brackets: `ask`, `recast: estoy cansado`, `simplify: ¿Qué comes?` …"""


class Examples(BaseModel):
    """`data/examples/<language>.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    native: list[tuple[str, str]]
    native_heritage: list[tuple[str, str]]
    dialogue: list[tuple[str, Direction, str]]
    dialogue_heritage: list[tuple[str, Direction, str]]


@cache
def examples(tag: str) -> Examples:
    """Example turns for a language; none for one that has no file."""
    path = DATA / "examples" / f"{primary(tag)}.yaml"
    if not path.is_file():
        return Examples(native=[], native_heritage=[], dialogue=[], dialogue_heritage=[])
    return Examples.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader))


@dataclass(frozen=True)
class Brief:
    """What one lesson or talk adds to the persona."""

    language: str
    track: Track
    level: Level
    title: str
    scenario: str = ""
    goal: str = ""
    words: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    trained: bool = False
    """The model went through our own training, so it needs no example turns."""


def brief_of(info: SetInfo, lesson: Lesson | None, level: Level, *, trained: bool = False) -> Brief:
    """The brief of a lesson, or of a free talk when there is none.

    What is due for review is not in it: that changes from day to day, and the prefix could not be restored.
    """
    if lesson is None:
        return Brief(info.language, info.track, level, "free talk", trained=trained)
    talk: Step | None = next((step for step in lesson.steps if isinstance(step, TalkStep)), None)
    return Brief(
        info.language,
        info.track,
        lesson.level,
        lesson.title,
        talk.scenario if isinstance(talk, TalkStep) else "",
        talk.goal if isinstance(talk, TalkStep) else "",
        tuple(dict.fromkeys(word.word for word in lesson.vocabulary))[:BRIEF_WORDS],
        tuple(form.name for form in lesson.forms),
        trained,
    )


def prefix(brief: Brief) -> list[Message]:
    """The fixed beginning: the system message and, for a model without our training, example turns."""
    messages = [Message("system", system_text(brief))]
    if brief.trained:
        return messages
    shown = examples(brief.language)
    heritage = brief.track == "heritage"
    pairs = [*shown.native_heritage, *shown.native[:4]] if heritage else shown.native
    dialogue = [*shown.dialogue_heritage, *shown.dialogue[1:]] if heritage else shown.dialogue
    for learner, native in pairs:
        messages += [Message("user", native_request(learner)), Message("assistant", native)]
    for learner, direction, reply in dialogue:
        messages += [Message("user", learner_turn(learner, direction)), Message("assistant", reply)]
    return messages


def system_text(brief: Brief) -> str:
    """Persona, language, track, level and lesson, in plain English that a small model follows."""
    data = language(brief.language)
    limit = int(MAX_WORDS[brief.level] * ASKED_SHARE)
    unit = "characters" if primary(brief.language) == "zh" else "words"
    limit = int(limit / 0.6) if unit == "characters" else limit
    learner = (
        "grew up hearing the language at home, mixes it with English, and speaks a variety of it that is as good "
        "as any other; treat mixing as a skill"
        if brief.track == "heritage"
        else "starts from English and needs short, clear sentences"
    )
    lines = [
        f"You are a warm, patient tutor of {data.name} in a talk with a university student of level {brief.level} "
        f"who {learner}.",
        f"Answer in {data.name}, in one or two short sentences, at most {limit} {unit}, with easy words. React to "
        "what the student says, then ask one short question about it. Speak as a friend; never judge, correct, "
        "explain grammar or translate.",
        "Each student message ends with what to do, in brackets. [ask]: react and ask. [recast: X]: say X in your "
        "reply as it stands, then ask something that needs it again. [simplify: X]: ask X in easier words. "
        "[check]: make sure you are understood. [culture: X]: react, then ask X. [hint: X]: offer X as a "
        "beginning and ask.",
        f"{NATIVE} asks for the student's sentence as a native speaker of the student's own variety would say it: "
        "change as few words as possible, and nothing when it is fine.",
    ]
    if brief.scenario:
        lines.append(
            f'The talk, as the student reads it (there "you" is the student): {brief.scenario} Goal: {brief.goal}'
        )
    if brief.words:
        lines.append(f"Words of the lesson: {', '.join(brief.words)}.")
    if brief.forms:
        lines.append(f"Forms to bring up: {', '.join(brief.forms)}.")
    return "\n".join(lines)


def opened(line: str) -> list[Message]:
    """A talk that the tutor began with `line`. No talk begins with the learner, in training neither."""
    return [Message("user", "[ask]"), Message("assistant", line)]


def answered(learner: str, direction: Direction, reply: str) -> list[Message]:
    """A turn that is over."""
    return [Message("user", learner_turn(learner, direction)), Message("assistant", reply)]


def native_request(text: str) -> str:
    """A hidden turn: the learner's sentence, to be given back as a native speaker would say it."""
    return f"{NATIVE} {one_line(text)}"


def learner_turn(text: str, direction: Direction) -> str:
    """The learner's words, and after them what the tutor is to do."""
    return f"{one_line(text)}\n[{direction}]"


def one_line(text: str) -> str:
    """The learner's text with line breaks folded and brackets disarmed, so that it cannot pose as a direction."""
    return " ".join(text.replace("[", "(").replace("]", ")").split())


def windowed(
    history: Sequence[Message], sizes: Sequence[int], fixed_tokens: int, n_ctx: int, reserve_tokens: int
) -> list[Message]:
    """The newest whole turns that fit beside the fixed prefix.

    `sizes[i]` is the length of `history[i]` in tokens, template included; `reserve_tokens` is kept free for this
    turn and its reply. Old turns go in pairs, learner first, and in halves of what fits: dropping one pair a
    turn would shift the whole history every time and throw its cached state away.
    """
    room = n_ctx - fixed_tokens - reserve_tokens
    if sum(sizes) <= room:
        return list(history)
    kept = 0
    start = len(history)
    while start >= 2 and kept + sizes[start - 1] + sizes[start - 2] <= room // 2:
        kept += sizes[start - 1] + sizes[start - 2]
        start -= 2
    return list(history[start:])
