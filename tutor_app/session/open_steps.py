"""How a turn is answered where nobody wrote the expected answer: talk, writing, reflection."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from lessons.patterns import contains
from lessons.schema import Move, ReflectStep, Step, TalkStep, WriteStep
from tutor_app.pedagogy import author, policy
from tutor_app.pedagogy.language import length, words
from tutor_app.pedagogy.policy import Decision
from tutor_app.pedagogy.reformulation import NOTHING, Finding
from tutor_app.pedagogy.repetition import without_lead_in
from tutor_app.pedagogy.validator import Situation
from tutor_app.session.bring_up import Reminder, next_reminder
from tutor_app.session.events import ReplyFragment, ReplyRetracted, ReplyStarted
from tutor_app.session.plan import Position, Unit
from tutor_app.session.turns import Outcome, Setting, Turn, history, signal_list
from tutor_app.session.tutor import Request, Tutor, authored

DRAFTS = 2
"""Texts asked for in a writing task before it is over."""
SENTENCES_READ = 6
"""Of a text, the longest; each takes the model about a second, and writing is not waited for as talk is."""

Asking = Generator[ReplyStarted | ReplyFragment | ReplyRetracted, None, Outcome]


def answer_talk(
    turn: Turn,
    step: TalkStep | None,
    position: Position,
    at: Setting,
    tutor: Tutor | None,
    previous: tuple[str, ...],
) -> Asking:
    """A turn of free talk, in a lesson or without one. `previous`: the tutor's last replies in it, oldest first."""
    finding: Finding = NOTHING
    if tutor is not None and not turn.confused and not turn.off_task:
        finding = tutor.reformulate(turn.text)
    past = history(position, culture=_culture_due(step, position, at))
    told = signal_list(turn, finding.tags, past)
    if at.choices.feedback == "less" and not any(signal.startswith("repeat_error:") for signal in told):
        finding = NOTHING  # it is written down in the signals; it is only not picked up
    decision = policy.decide(
        told, past, "talk", track=at.info.track, may=_TALK_MOVES, foreseen=bool(finding.target)
    )
    passed_by = _passed_by(turn, position, at) if decision.move in ("ask", "check") else ""
    if passed_by:
        decision = replace(decision, move="question", elicit=True)
    yield ReplyStarted(decision.move)
    seed, number = at.seed + position.replies, position.turn
    if passed_by:
        line = author.Line(author.phrase(at.tag, "model", seed, previous=previous, form=passed_by), passed_by)
        if tutor is not None:
            tutor.remember(turn.text, direction(decision, passed_by, "", at, step), line.text)
        return Outcome(authored(line), decision, target=(passed_by,))
    if step is not None and number >= step.turns and decision.move in ("ask", "check", "culture", "reflect"):
        return Outcome(
            authored(author.closing(step, at.tag, seed)), replace(decision, move="reflect"), over=True
        )
    note = (
        next((note for note in at.lesson.culture if step and note.id == step.culture), None)
        if at.lesson
        else None
    )
    simpler = decision.move in ("simplify", "hint")
    asked = _next_question(step, position, at, simpler=simpler, previous=previous)
    unclear = author.unclear(previous[-1], at.tag) if _lost(decision, step, previous) else ""
    reminder = next_reminder(at.reminders, position) if step is None and decision.move == "ask" else None
    if reminder is not None:
        asked = author.phrase(at.tag, "bring_up", seed, previous=previous, word=reminder.words)
    if decision.move == "culture" and note is not None:
        asked = author.without_emphasis(note.ask).text
    line = author.talk_reply(
        at.tag, seed, move=decision.move, question=asked, starters=step.starters if step is not None else (),
        target=finding.target, original=finding.original, previous=previous,
    )  # fmt: skip
    if decision.move == "culture" and note is not None:
        line = author.culture(note, at.tag, seed)
    if unclear:
        line = author.said_simpler(unclear, at.tag, seed, previous)
        asked = without_lead_in(line.text)
    by_hand = tutor is None or decision.move in ("hint", "question", "explore")
    by_hand = by_hand or (
        step is not None and decision.move == "simplify"
    )  # the instructor wrote it more simply
    draft = authored(line)
    if not by_hand and tutor is not None:
        opening = (
            author.phrase(at.tag, "echo", seed, form=finding.target) if decision.move == "recast" else ""
        )
        # Nobody planned a free talk's next question: one that stays with what was said serves better than a new topic.
        planned = step is not None or reminder is not None or simpler
        questions: tuple[str, ...] = (
            (asked,) if planned else (author.phrase(at.tag, "ask", seed, previous=previous), asked)
        )
        if unclear and not author.easier_wordings(unclear, at.tag):
            questions = ()  # the model is rather asked once more than its question dropped
        request = Request(
            turn.text, direction(decision, finding.target, unclear or asked, at, step or reminder),
            situation(turn, at, previous, decision.move, finding, unclear), line, questions,
            finding.target if decision.move == "recast" else "", opening,
            asked if (step or reminder) is not None and decision.move != "recast" else "", seed,
        )  # fmt: skip
        draft = yield from tutor.compose(request)
    elif tutor is not None:
        tutor.remember(
            turn.text, direction(decision, finding.target, unclear or asked, at, step or reminder), draft.text
        )
    target = (finding.target,) if finding.target else ()
    return Outcome(draft, decision, target=target, brought=reminder.card_id if reminder else None)


def _lost(decision: Decision, step: TalkStep | None, previous: Sequence[str]) -> bool:
    """Whether what was said last has to be said in easier words that no instructor wrote."""
    return step is None and decision.move == "simplify" and bool(previous)


def _passed_by(turn: Turn, position: Position, at: Setting) -> str:
    """A form that was recast just before and not taken up, for those who want every chance to notice; else empty."""
    before = position.asked
    if at.choices.feedback != "more" or not before or before["move"] != "recast" or turn.confused:
        return ""
    target = str(before["target"][0])
    return "" if contains(turn.text, target, at.tag) else target


_TALK_MOVES: tuple[Move, ...] = (
    "ask", "check", "affirm", "recast", "question", "hint", "explore", "simplify", "culture", "reflect",
)  # fmt: skip


def direction(
    decision: Decision, target: str, question: str, at: Setting, carried: TalkStep | Reminder | None
) -> str:
    """What the model is asked to do, as in the example turns of its prompt.

    `carried`: what the question comes from; without it the model finds its own.
    """
    match decision.move:
        case "recast":
            return f"recast: {target}"
        case "simplify" | "culture":
            return f"{decision.move}: {question}"
        case "check":
            return "check"
        case _ if carried is not None and question:
            return f"ask: {question}"
        case _:
            return "ask"


def situation(
    turn: Turn,
    at: Setting,
    previous: tuple[str, ...],
    move: Move,
    finding: Finding = NOTHING,
    unclear: str = "",
) -> Situation:
    """What the reply is judged against."""
    own = at.own_words | frozenset(words(turn.text, at.tag)) | frozenset(words(finding.native, at.tag))
    return Situation(
        at.tag, at.info.track, at.level, allowed_words=own, previous=previous, returns=move in policy.RETURNING,
        unclear=unclear, learner=turn.text,
        attempted=(finding.target,) if finding.target else (), support=at.info.support_language,
    )  # fmt: skip


def _next_question(
    step: TalkStep | None, position: Position, at: Setting, *, simpler: bool, previous: tuple[str, ...]
) -> str:
    """The question that carries the talk on. `position.turn` counts this turn, so the first is asked after one."""
    number = max(position.turn - 1, 0)
    return author.talk_question(step, number, at.tag, at.seed, simpler=simpler, previous=previous)


def _culture_due(step: TalkStep | None, position: Position, at: Setting) -> bool:
    return (
        step is not None
        and step.culture is not None
        and step.culture not in position.told
        and at.lesson is not None
    )


def hint_in_talk(
    step: TalkStep | WriteStep | None, position: Position, at: Setting, previous: tuple[str, ...] = ()
) -> Outcome:
    """A way to begin."""
    seed = at.seed + position.replies
    starters = step.starters if step is not None else ()
    if starters:
        line = author.begun(starters[position.hint_level % len(starters)], at.tag, seed, previous)
    else:
        line = author.Line(author.phrase(at.tag, "listen", seed, previous=previous))
    level = min(position.hint_level + 1, policy.MAX_HINT)
    return Outcome(authored(line), Decision("hint", hint_level=level))


def answer_writing(
    turn: Turn, step: WriteStep, position: Position, at: Setting, tutor: Tutor | None
) -> Asking:
    """A text of the learner's own: a question about it, then a second draft, then a model to compare with.

    The model only reads: one form of the text that it would say otherwise is recast, and comes up in review.
    """
    seed, number = at.seed + position.replies, position.turn
    if turn.confused or turn.off_task:
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
