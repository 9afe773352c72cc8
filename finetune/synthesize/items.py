"""Conversations about one item of a lesson: what the instructor wrote, in the app's order.

A foreseen mistake is recast and asked for again, where the instructor wrote a recast. Who then says the same once more,
or is lost, climbs the hint ladder a rung a turn, and the answer is in nobody's words before its fourth rung.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from finetune.records import Tally
from finetune.synthesize.bank import bank
from finetune.synthesize.config import SynthesizeConfig
from finetune.synthesize.talk import Dialogue, Move, words_of
from lessons.schema import AnyItem, ErrorPattern, Lesson, LessonSet, MatchItem, items_of
from tutor_app.pedagogy import author
from tutor_app.pedagogy.assess import answers
from tutor_app.pedagogy.clean import up_to_question
from tutor_app.pedagogy.language import words
from tutor_app.pedagogy.prompts import brief_of, learner_turn, prefix
from tutor_app.pedagogy.templates import Message
from tutor_app.pedagogy.validator import Situation, validate

if TYPE_CHECKING:
    from finetune.synthesize.run import World

TOP = 4
"""The rung that models the answer."""


def ladders(world: World, config: SynthesizeConfig, rng: random.Random, tally: Tally) -> Iterator[Dialogue]:
    """Every item with a mistake that can be typed in, in random order; ends when the lessons do."""
    todo = [
        (one, lesson, item, error)
        for one in world.sets
        for lesson in one.lessons
        for step in lesson.steps
        for item in items_of(step)
        if not isinstance(item, MatchItem)
        for error in item.errors
        if not error.pattern.startswith("/") and "*" not in error.pattern
    ]
    rng.shuffle(todo)
    for number, (one, lesson, item, error) in enumerate(todo, 1):
        made = _ladder(f"{one.info.id}-item-{number}", one, lesson, item, error, rng, tally)
        if made is not None:
            yield made


def _ladder(
    name: str, lessons: LessonSet, lesson: Lesson, item: AnyItem, error: ErrorPattern, rng: random.Random, tally: Tally
) -> Dialogue | None:  # fmt: skip
    tag, info = lessons.info.language, lessons.info
    brief = brief_of(info, lesson, lesson.level, trained=True)
    messages = [
        *prefix(brief),
        Message("user", "[ask]"),
        Message("assistant", author.without_emphasis(item.prompt).text),
    ]
    talk = Dialogue(name, tag, info.track, lesson.level, lesson.id, messages, [len(messages) - 1])
    own = words_of(lesson, tag)
    previous = messages[-1].content
    recast = author.without_emphasis(error.recast).recast
    rungs = rng.randint(1, TOP)
    plan: list[tuple[str, str, int]] = []
    if recast is not None:
        plan.append((error.pattern, "recast", 0))
    plan += [(rng.choice([error.pattern, *bank(tag).confused]), "hint", rung) for rung in range(1, rungs + 1)]
    for said, move, rung in plan:
        if move == "recast" and recast is not None:
            echo = author.phrase(tag, "echo", rng.randrange(99), form=recast)
            question = author.without_emphasis(error.question).text
            text, direction = (
                author.asking(author.joined(tag, echo, question), tag, rng.randrange(99)),
                f"recast: {recast}",
            )
        else:
            line = author.hint(item, rung, tag, rng.randrange(99))
            told = author.without_emphasis(item.hints[rung - 1]).text
            text, direction = line.text, f"hint: {told}"
        text = up_to_question(text)  # as the app cuts what a model says
        situation = Situation(
            tag, info.track, lesson.level,
            hidden=() if rung == TOP else answers(item),
            attempted=(recast,) if move == "recast" and recast is not None else (),
            allowed_words=own | frozenset(words(said, tag)), previous=(previous,), returns=True,
            learner=said, support=info.support_language,
        )  # fmt: skip
        if validate(text, situation) or (direction and validate(f"{direction.split(':', 1)[1]}?", situation)):
            tally.drop("a line of an item that the validator refuses here")
            break
        talk.messages += [Message("user", learner_turn(said, direction)), Message("assistant", text)]
        talk.moves.append(Move(move, text, True, move == "recast", said))
        talk.origins.append("lessons")
        previous = text
    return talk if talk.moves else None
