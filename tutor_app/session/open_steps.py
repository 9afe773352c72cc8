"""How a text of the learner's own and a reflection are answered; of talk, see `talk`."""

from __future__ import annotations

from dataclasses import replace

from lessons.schema import Move, ReflectStep, Step, WriteStep
from tutor_app.pedagogy import author
from tutor_app.pedagogy.language import length
from tutor_app.pedagogy.policy import Decision
from tutor_app.pedagogy.reformulation import NOTHING
from tutor_app.session.drafts import Answering, authored
from tutor_app.session.events import ReplyStarted
from tutor_app.session.plan import Position, Unit
from tutor_app.session.talk import Asking, hint_in_talk, to_be_reformulated
from tutor_app.session.turns import Outcome, Setting, Turn, history, signal_list

DRAFTS = 2
"""Texts asked for in a writing task before it is over."""
SENTENCES_READ = 6
"""Of a text, the longest; each takes the model about a second, and writing is not waited for as talk is."""


def answer_writing(
    turn: Turn, step: WriteStep, position: Position, at: Setting, tutor: Answering | None
) -> Asking:
    """A text of the learner's own: a question about it, then a second draft, then a model to compare with.

    The model only reads: one form of the text that it would say otherwise is recast, and comes up in review.
    """
    seed, number = at.seed + position.replies, position.turn
    if not to_be_reformulated(turn):
        told = signal_list(turn, (), history(position))
        yield ReplyStarted("hint")
        return replace(
            hint_in_talk(step, position, at), decision=Decision("hint", hint_level=1, signals=told)
        )
    finding = tutor.reformulate(turn.text, SENTENCES_READ) if tutor is not None else NOTHING
    told = signal_list(turn, finding.tags, history(position))
    enough = length(turn.text, at.tag) >= step.min_words * (0.6 if at.tag.startswith("zh") else 1.0)
    if (number >= DRAFTS and enough) or number > DRAFTS:
        yield ReplyStarted("affirm")
        line = author.Line(author.phrase(at.tag, "next", seed))
        return Outcome(
            authored(line), Decision("affirm", signals=told), over=True, solved=enough, explanation=step.model
        )
    target = finding.target if at.choices.feedback != "less" else ""
    line = author.about_writing(step, number - 1, at.tag, seed, target=target)
    move: Move = "recast" if target else "question" if enough else "ask"
    yield ReplyStarted(move)
    return Outcome(authored(line), Decision(move, signals=told), target=(target,) if target else ())


def _asked_in(step: Step) -> str:
    return step.question if isinstance(step, ReflectStep) else step.prompt


def answer_reflection(turn: Turn, unit: Unit, position: Position, at: Setting) -> Outcome:
    """No right answer: one follow-up, then on."""
    seed = at.seed + position.replies
    told = signal_list(turn, (), history(position))
    last = unit.note is not None or position.turn >= 2 or not isinstance(unit.step, ReflectStep)
    if turn.confused:
        question = unit.note.ask if unit.note is not None else _asked_in(unit.step)
        text = author.joined(
            at.tag, author.phrase(at.tag, "simplify", seed), author.without_emphasis(question).text
        )
        return Outcome(
            authored(author.Line(author.asking(text, at.tag, seed))), Decision("simplify", signals=told)
        )
    if last:
        text = author.joined(
            at.tag, author.phrase(at.tag, "affirm", seed), author.phrase(at.tag, "next", seed)
        )
        return Outcome(authored(author.Line(text)), Decision("affirm", signals=told), over=True)
    assert isinstance(unit.step, ReflectStep)
    return Outcome(authored(author.reflect(unit.step, at.tag, seed)), Decision("reflect", signals=told))
