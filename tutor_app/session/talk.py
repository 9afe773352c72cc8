"""How a turn of talk is answered: what is to be said is planned first, without a model, and then said.

A plan depends on nothing but the turn, where the talk stands and what the hidden reformulation found, so that it can
also be made before the learner has sent the turn (`read_ahead`).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from lessons.patterns import contains
from lessons.schema import CultureNote, Move, TalkStep, WriteStep
from tutor_app.pedagogy import author, policy
from tutor_app.pedagogy.language import words
from tutor_app.pedagogy.policy import Decision
from tutor_app.pedagogy.reformulation import NOTHING, Finding
from tutor_app.pedagogy.repetition import without_lead_in
from tutor_app.pedagogy.validator import Situation
from tutor_app.session.bring_up import Reminder, next_reminder
from tutor_app.session.drafts import Answering, Request, authored
from tutor_app.session.events import ReplyFragment, ReplyRetracted, ReplyStarted
from tutor_app.session.plan import Position
from tutor_app.session.turns import Outcome, Setting, Turn, history, signal_list

Asking = Generator[ReplyStarted | ReplyFragment | ReplyRetracted, None, Outcome]

_TALK_MOVES: tuple[Move, ...] = (
    "ask", "check", "affirm", "recast", "question", "hint", "explore", "simplify", "culture", "reflect",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What a turn of talk will be answered with."""

    decision: Decision
    line: author.Line
    """What is said when no model is asked."""
    request: Request | None = None
    """What is asked of the model; None when the line is better."""
    direction: str = ""
    """As what the model will remember the line; empty when the talk is over."""
    target: tuple[str, ...] = ()
    brought: int | None = None

    @property
    def over(self) -> bool:
        """Whether the tutor closes the talk."""
        return not self.direction


def answer_talk(
    turn: Turn,
    step: TalkStep | None,
    position: Position,
    at: Setting,
    tutor: Answering | None,
    previous: tuple[str, ...],
) -> Asking:
    """A turn of free talk, in a lesson or without one. `previous`: the tutor's last replies in it, oldest first."""
    finding = NOTHING
    if tutor is not None and to_be_reformulated(turn):
        finding = tutor.reformulate(turn.text)
    plan = plan_talk(turn, step, position, at, finding, previous)
    yield ReplyStarted(plan.decision.move)
    draft = authored(plan.line)
    if tutor is not None and plan.request is not None:
        draft = yield from tutor.compose(plan.request)
    elif tutor is not None and not plan.over:
        tutor.remember(turn.text, plan.direction, draft.text)
    return Outcome(draft, plan.decision, target=plan.target, over=plan.over, brought=plan.brought)


def to_be_reformulated(turn: Turn) -> bool:
    """Whether the turn says something that a native speaker might say otherwise."""
    return not turn.confused and not turn.off_task


def plan_talk(
    turn: Turn,
    step: TalkStep | None,
    position: Position,
    at: Setting,
    finding: Finding,
    previous: tuple[str, ...],
) -> Plan:
    """What to answer. `position` has counted this turn; `finding` is what was found in it."""
    past = history(position, culture=_culture_due(step, position, at))
    told = signal_list(turn, finding.tags, past)
    if at.choices.feedback == "less" and not any(signal.startswith("repeat_error:") for signal in told):
        finding = NOTHING  # it is written down in the signals; it is only not picked up
    decision = policy.decide(
        told, past, "talk", track=at.info.track, may=_TALK_MOVES, foreseen=bool(finding.target)
    )
    seed = at.seed + position.replies
    if decision.move in ("ask", "check") and (form := _passed_by(turn, position, at)):
        decision = replace(decision, move="question", elicit=True)
        line = author.Line(author.phrase(at.tag, "model", seed, previous=previous, form=form), form)
        return Plan(decision, line, direction=direction(decision, form, "", at, step), target=(form,))
    may_close = decision.move in ("ask", "check", "culture", "reflect")
    if step is not None and position.turn >= step.turns and may_close:
        return Plan(replace(decision, move="reflect"), author.closing(step, at.tag, seed))
    return _CarriedOn(turn, step, position, at, finding, previous, decision, seed).plan()


@dataclass(frozen=True)
class _CarriedOn:
    """A reply after which the talk goes on."""

    turn: Turn
    step: TalkStep | None
    position: Position
    at: Setting
    finding: Finding
    previous: tuple[str, ...]
    decision: Decision
    seed: int

    def plan(self) -> Plan:
        at, finding, move = self.at, self.finding, self.decision.move
        unclear = self._unclear()
        reminder = next_reminder(at.reminders, self.position) if self.step is None and move == "ask" else None
        carried = self.step or reminder
        asked, line = self._question_and_line(unclear, reminder)
        told = direction(self.decision, finding.target, unclear or asked, at, carried)
        target = (finding.target,) if finding.target else ()
        brought = reminder.card_id if reminder else None
        if move in ("hint", "question", "explore") or (self.step is not None and move == "simplify"):
            # The instructor wrote it, and wrote it more simply.
            return Plan(self.decision, line, direction=told, target=target, brought=brought)
        request = Request(
            self.turn.text, told, situation(self.turn, at, self.previous, move, finding, unclear), line,
            self._questions(carried, asked, unclear),
            target=finding.target if move == "recast" else "",
            original=finding.original if move == "recast" else "",
            opening=author.phrase(at.tag, "echo", self.seed, form=finding.target) if move == "recast" else "",
            carry=asked if carried is not None and move != "recast" else "",
            seed=self.seed,
        )  # fmt: skip
        return Plan(self.decision, line, request, told, target, brought)

    def _unclear(self) -> str:
        """What of the last line has to be said in easier words that no instructor wrote; empty when nothing has."""
        if self.step is not None or self.decision.move != "simplify" or not self.previous:
            return ""
        return author.unclear(self.previous[-1], self.at.tag)

    def _question_and_line(self, unclear: str, reminder: Reminder | None) -> tuple[str, author.Line]:
        """The question that carries the talk on, and the whole reply as it is said without a model."""
        step, at, seed, move, previous = self.step, self.at, self.seed, self.decision.move, self.previous
        if unclear:
            line = author.said_simpler(unclear, at.tag, seed, previous)
            return without_lead_in(line.text), line
        note = _culture_note(step, at) if move == "culture" else None
        if note is not None:
            return author.without_emphasis(note.ask).text, author.culture(note, at.tag, seed)
        if reminder is not None:
            asked = author.phrase(at.tag, "bring_up", seed, previous=previous, word=reminder.words)
        else:
            number = max(self.position.turn - 1, 0)  # this turn is counted: the first is asked after one
            simpler = move in ("simplify", "hint")
            asked = author.talk_question(step, number, at.tag, at.seed, simpler=simpler, previous=previous)
        line = author.talk_reply(
            at.tag, seed, move=move, question=asked, starters=step.starters if step is not None else (),
            target=self.finding.target, original=self.finding.original, previous=previous,
        )  # fmt: skip
        return asked, line

    def _questions(self, carried: TalkStep | Reminder | None, asked: str, unclear: str) -> tuple[str, ...]:
        """What may be asked in place of a question of the model's that will not do, the best first."""
        if unclear and not author.easier_wordings(unclear, self.at.tag):
            return ()  # the model is rather asked once more than its question dropped
        if carried is not None or self.decision.move == "simplify":
            return (asked,)
        # Nobody planned a free talk's next question: one that stays with what was said serves better than a new topic.
        return (author.phrase(self.at.tag, "ask", self.seed, previous=self.previous), asked)


def _passed_by(turn: Turn, position: Position, at: Setting) -> str:
    """A form that was recast just before and not taken up, for those who want every chance to notice; else empty."""
    before = position.asked
    if at.choices.feedback != "more" or not before or before["move"] != "recast" or turn.confused:
        return ""
    target = str(before["target"][0])
    return "" if contains(turn.text, target, at.tag) else target


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


def _culture_due(step: TalkStep | None, position: Position, at: Setting) -> bool:
    return (
        step is not None
        and step.culture is not None
        and step.culture not in position.told
        and at.lesson is not None
    )


def _culture_note(step: TalkStep | None, at: Setting) -> CultureNote | None:
    if step is None or at.lesson is None:
        return None
    return next((note for note in at.lesson.culture if note.id == step.culture), None)


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
