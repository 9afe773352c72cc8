"""How each kind of unit answers a turn: what it judged, which move follows, and the words.

Functions that get the session's state and return an `Outcome`; those that may ask the model are generators of
the fragments it streams. Nothing here writes to disk.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from lessons.patterns import contains
from lessons.schema import (
    GAP,
    AnyItem,
    ErrorPattern,
    Lesson,
    Level,
    MatchItem,
    Move,
    ReflectStep,
    SetInfo,
    TalkStep,
    WriteStep,
)
from tutor_app.pedagogy import author, policy, signals
from tutor_app.pedagogy.assess import Assessment, Presented, answers, assess
from tutor_app.pedagogy.language import length, plain, words
from tutor_app.pedagogy.policy import Decision, History
from tutor_app.pedagogy.reformulation import NOTHING, Finding
from tutor_app.pedagogy.uptake import Asked as AskedFor
from tutor_app.pedagogy.validator import Situation
from tutor_app.session.events import Attempt, ReplyFragment, ReplyRetracted, ReplyStarted
from tutor_app.session.plan import Position, Unit, forms_at
from tutor_app.session.tutor import Draft, Request, Tutor, authored

LAST_CHANCE = 2
"""Answers after hint 4 until the tutor goes on by itself: nobody is kept at an item."""
DRAFTS = 2
"""Texts asked for in a writing task before it is over."""

Asking = Generator[ReplyStarted | ReplyFragment | ReplyRetracted, None, "Outcome"]


@dataclass(frozen=True)
class Setting:
    """What does not change during a lesson."""

    info: SetInfo
    lesson: Lesson | None
    level: Level
    own_words: frozenset[str]
    seed: int

    @property
    def tag(self) -> str:
        return self.info.language

    @property
    def gloss(self) -> bool:
        """Whether the tutor may fall back on the support language."""
        return self.level == "A1" or self.info.track == "heritage"


@dataclass(frozen=True)
class Outcome:
    """What a turn led to."""

    draft: Draft
    decision: Decision
    attempt: Attempt | None = None
    target: tuple[str, ...] = ()
    """The form the reply offers or asks for."""
    over: bool = False
    solved: bool = False
    explanation: str = ""


@dataclass(frozen=True)
class Turn:
    """What the learner did, and what can be told from it alone."""

    text: str
    elapsed_s: float | None
    confused: bool
    slow: bool
    off_task: bool
    code_switched: bool
    earlier: tuple[str, ...] = field(default=())


def read(
    text: str, elapsed_s: float | None, pace: list[tuple[int, float]], tag: str, earlier: tuple[str, ...]
) -> Turn:
    """The signals of the turn itself."""
    return Turn(
        text,
        elapsed_s,
        signals.confused(text, tag),
        signals.slow(text, elapsed_s, pace),
        signals.off_task(text, tag),
        signals.code_switched(text, tag),
        earlier,
    )


def count_turn(position: Position, turn: Turn) -> None:
    """A turn in an open step. Being lost costs no turn, except every second time, so that every step ends."""
    if turn.confused:
        position.simplified += 1
    if not turn.confused or position.simplified % 2 == 0:
        position.turn += 1


def history(
    position: Position, *, run: int | None = None, attempts: int | None = None, culture: bool = False
) -> History:
    return History(
        hint_level=position.hint_level,
        attempts=position.attempts if attempts is None else attempts,
        run=position.run if run is None else run,
        tags=tuple(position.tags),
        moves=tuple(position.moves),  # type: ignore[arg-type]  # only ever filled with moves
        turns=position.turn,
        culture_due=culture,
    )


def signal_list(turn: Turn, tags: tuple[str, ...], past: History) -> tuple[str, ...]:
    return policy.signal_list(
        confused=turn.confused, slow=turn.slow, off_task=turn.off_task, code_switched=turn.code_switched,
        tags=tags, history=past,
    )  # fmt: skip


# -- items ---------------------------------------------------------------------------------------------------


def answer_item(turn: Turn, shown: Presented, unit: Unit, position: Position, at: Setting) -> Outcome:
    """A turn at an item. Every line is authored: the instructor foresaw it, and it comes at once."""
    item, seed = shown.item, at.seed + position.replies
    said = _inside_gap(turn.text, item, at)
    judged = assess(shown, said, at.tag, at.info.track)
    if position.asked and not judged.correct and not turn.confused:
        judged = _repaired(judged, said, item, position, at)
    tried = judged.correct or not (turn.confused or turn.off_task)
    attempts = position.attempts + tried
    run = (position.run + 1 if judged.correct else 0) if tried else position.run
    past = history(position, run=run, attempts=attempts)
    tags = judged.tags if tried and not judged.correct else ()
    told = signal_list(replace(turn, confused=turn.confused and not judged.correct), tags, past)
    decision = policy.decide(
        told, past, "item", track=at.info.track, may=item.may, correct=judged.correct,
        foreseen=judged.error is not None or judged.near_miss is not None,
    )  # fmt: skip
    line = _item_line(decision, judged, item, unit, position, at, seed)
    given_up = not judged.correct and decision.move == "hint" and position.hint_level >= policy.MAX_HINT
    exhausted = given_up and attempts > LAST_CHANCE
    if exhausted:
        line = _given_up(item, at, seed)
    over = judged.correct or exhausted
    attempt = (
        _attempt(unit, judged, turn.text, shown_answer=over or decision.hint_level == policy.MAX_HINT, at=at)
        if tried
        else None
    )
    return Outcome(authored(line), decision, attempt, _targets(item, judged.error), over, judged.correct)


def _item_line(
    decision: Decision,
    judged: Assessment,
    item: AnyItem,
    unit: Unit,
    position: Position,
    at: Setting,
    seed: int,
) -> author.Line:
    error = judged.error
    match decision.move:
        case "affirm":
            if judged.near_miss == "accent" and judged.accepted is not None:
                return author.near("accent", judged.accepted.text, at.tag, seed)
            name = _dialect_name(judged, at)
            return author.right(at.tag, seed, dialect_name=name)
        case "recast" | "question" if error is None and judged.near_miss and judged.accepted is not None:
            return author.near(judged.near_miss, judged.accepted.text, at.tag, seed)
        case "recast" if error is not None:
            return author.recast(error, at.tag, seed)
        case "question" | "explore" if error is not None:
            return author.compare(error, at.tag, seed)
        case "simplify":
            return author.simplified(item, at.tag, seed, gloss=at.gloss)
        case _:
            return author.hint(item, max(decision.hint_level, 1), at.tag, seed, error)


def hint_for(item: AnyItem, unit: Unit, position: Position, at: Setting) -> Outcome:
    """The learner asked for a hint: one rung up."""
    decision = policy.decide(
        (), history(position), "item", track=at.info.track, may=item.may, asked_for="hint"
    )
    line = author.hint(item, decision.hint_level, at.tag, at.seed + position.replies)
    return Outcome(authored(line), decision, target=_targets(item, None))


def skip_item(item: AnyItem, position: Position, at: Setting) -> Outcome:
    """On to the next: the answer is given as an idea, not as a verdict."""
    return Outcome(
        authored(_given_up(item, at, at.seed + position.replies)),
        Decision("affirm", signals=("ok",)),
        over=True,
    )


def _given_up(item: AnyItem, at: Setting, seed: int) -> author.Line:
    if isinstance(item, MatchItem):  # its pairs are too long for a sentence; they are shown beside
        return author.Line(author.phrase(at.tag, "onward", seed))
    return author.skipped(answers(item)[0], at.tag, seed)


def explain(unit: Unit | None, position: Position, at: Setting) -> Outcome:
    """What the item that just ended was about: examples to look at, and the instructor's explanation beside."""
    seed = at.seed + position.replies
    forms = [form for form in at.lesson.forms if form.id in forms_at(at.lesson, unit)] if at.lesson else []
    if unit is None or not (forms or (unit.item is not None and unit.item.explain)):
        return Outcome(authored(author.Line(author.phrase(at.tag, "listen", seed))), Decision("explore"))
    text = unit.item.explain if unit.item is not None and unit.item.explain else ""
    explanation = "\n".join(
        part for part in (text, *(form.explain for form in forms[:1] if not text)) if part
    )
    examples = list(forms[0].examples) if forms else list(answers(unit.item))[:2] if unit.item else []
    pair = [author.without_emphasis(example).text for example in examples[:2]]
    line = author.Line(author.phrase(at.tag, "notice", seed, a=pair[0], b=pair[-1]), pair[-1])
    return Outcome(authored(line), Decision("explore"), explanation=explanation)


def _inside_gap(text: str, item: AnyItem, at: Setting) -> str:
    """A cloze may be answered with the whole sentence: then only what stands in the gap is judged."""
    if GAP not in item.prompt:
        return text
    before, after = (plain(part, at.tag) for part in item.prompt.split(GAP, 1))
    said = plain(text, at.tag)
    if (
        (before or after)
        and len(said) > len(before) + len(after)
        and said.startswith(before)
        and said.endswith(after)
    ):
        return said[len(before) : len(said) - len(after) or None].strip()
    return text


def _repaired(judged: Assessment, said: str, item: AnyItem, position: Position, at: Setting) -> Assessment:
    """After a recast or a question the learner may use the form in a sentence of their own: that is repair."""
    if isinstance(item, MatchItem) or judged.error is not None:
        return judged
    fits = next((a for a in item.accept if len(a.text) > 2 and contains(said, a.text, at.tag)), None)
    return Assessment(True, accepted=fits) if fits is not None else judged


def _attempt(unit: Unit, judged: Assessment, given: str, *, shown_answer: bool, at: Setting) -> Attempt:
    assert unit.item is not None
    accepted = judged.accepted
    return Attempt(
        unit.id, judged.correct, () if judged.correct and not judged.near_miss else judged.tags, given, judged.near_miss,
        not shown_answer, answers(unit.item) if shown_answer else (),
        accepted.dialect if accepted is not None and judged.correct else None,
    )  # fmt: skip


def _dialect_name(judged: Assessment, at: Setting) -> str:
    wanted = judged.accepted.dialect if judged.accepted is not None else None
    if wanted is not None and wanted.startswith("zh-Han"):
        return ""  # simplified and traditional are scripts: nothing was said differently
    return next((dialect.name for dialect in at.info.dialects if dialect.id == wanted), "")


def _targets(item: AnyItem, error: ErrorPattern | None) -> tuple[str, ...]:
    found = () if isinstance(item, MatchItem) else tuple(accepted.text for accepted in item.accept)
    recast = author.without_emphasis(error.recast).recast if error is not None else None
    return (*found, recast) if recast else found


# -- talk, writing, reflection --------------------------------------------------------------------------------


def answer_talk(
    turn: Turn,
    step: TalkStep | None,
    position: Position,
    at: Setting,
    tutor: Tutor | None,
    previous: str | None,
) -> Asking:
    """A turn of free talk, in a lesson or without one."""
    finding: Finding = NOTHING
    if tutor is not None and not turn.confused and not turn.off_task:
        finding = tutor.reformulate(turn.text)
    past = history(position, culture=_culture_due(step, position, at))
    told = signal_list(turn, finding.tags, past)
    decision = policy.decide(
        told, past, "talk", track=at.info.track, may=_TALK_MOVES, foreseen=bool(finding.target)
    )
    yield ReplyStarted(decision.move)
    seed, number = at.seed + position.replies, position.turn
    if step is not None and number >= step.turns and decision.move in ("ask", "check", "culture", "reflect"):
        return Outcome(
            authored(author.closing(step, at.tag, seed)), replace(decision, move="reflect"), over=True
        )
    note = (
        next((note for note in at.lesson.culture if step and note.id == step.culture), None)
        if at.lesson
        else None
    )
    asked = _next_question(step, position, at, simpler=decision.move in ("simplify", "hint"))
    if decision.move == "culture" and note is not None:
        asked = author.without_emphasis(note.ask).text
    line = author.talk_reply(
        at.tag, seed, move=decision.move, question=asked, starters=step.starters if step is not None else (),
        target=finding.target, original=finding.original,
    )  # fmt: skip
    if decision.move == "culture" and note is not None:
        line = author.culture(note, at.tag, seed)
    by_hand = tutor is None or decision.move in ("hint", "question", "explore")
    by_hand = by_hand or (
        step is not None and decision.move == "simplify"
    )  # the instructor wrote it more simply
    draft = authored(line)
    if not by_hand and tutor is not None:
        opening = (
            author.phrase(at.tag, "echo", seed, form=finding.target) if decision.move == "recast" else ""
        )
        request = Request(
            turn.text, direction(decision, finding.target, asked, at, step), situation(turn, at, previous, finding),
            line, asked, finding.target if decision.move == "recast" else "", opening,
            asked if step is not None and decision.move != "recast" else "", seed,
        )  # fmt: skip
        draft = yield from tutor.compose(request)
    elif tutor is not None:
        tutor.remember(turn.text, direction(decision, finding.target, asked, at, step), draft.text)
    target = (finding.target,) if finding.target else ()
    return Outcome(draft, decision, target=target)


_TALK_MOVES: tuple[Move, ...] = (
    "ask", "check", "affirm", "recast", "question", "hint", "explore", "simplify", "culture", "reflect",
)  # fmt: skip


def direction(decision: Decision, target: str, question: str, at: Setting, step: TalkStep | None) -> str:
    """What the model is asked to do, as in the example turns of its prompt."""
    match decision.move:
        case "recast":
            return f"recast: {target}"
        case "simplify" | "culture":
            return f"{decision.move}: {question}"
        case "check":
            return "check"
        case _ if step is not None:
            return f"ask: {question}"
        case _:
            return "ask"


def situation(turn: Turn, at: Setting, previous: str | None, finding: Finding = NOTHING) -> Situation:
    """What the reply is judged against."""
    own = at.own_words | frozenset(words(turn.text, at.tag)) | frozenset(words(finding.native, at.tag))
    return Situation(
        at.tag, at.info.track, at.level, allowed_words=own, previous=previous, learner=turn.text,
        attempted=(finding.target,) if finding.target else (), support=at.info.support_language,
    )  # fmt: skip


def _next_question(step: TalkStep | None, position: Position, at: Setting, *, simpler: bool) -> str:
    """The question that carries the talk on. `position.turn` counts this turn, so the first is asked after one."""
    return author.talk_question(step, max(position.turn - 1, 0), at.tag, at.seed, simpler=simpler)


def _culture_due(step: TalkStep | None, position: Position, at: Setting) -> bool:
    return (
        step is not None
        and step.culture is not None
        and step.culture not in position.told
        and at.lesson is not None
    )


def hint_in_talk(step: TalkStep | WriteStep | None, position: Position, at: Setting) -> Outcome:
    """A way to begin."""
    seed = at.seed + position.replies
    starters = step.starters if step is not None else ()
    if starters:
        starter = author.without_emphasis(starters[position.hint_level % len(starters)]).text
        line = author.Line(author.phrase(at.tag, "starter", seed, starter=starter.rstrip("… .")))
    else:
        line = author.Line(author.phrase(at.tag, "listen", seed))
    level = min(position.hint_level + 1, policy.MAX_HINT)
    return Outcome(authored(line), Decision("hint", hint_level=level))


def answer_writing(turn: Turn, step: WriteStep, position: Position, at: Setting) -> Outcome:
    """A text of the learner's own: a question about it, then a second draft, then a model to compare with."""
    seed, number = at.seed + position.replies, position.turn
    told = signal_list(turn, (), history(position))
    if turn.confused or turn.off_task:
        return replace(
            hint_in_talk(step, position, at), decision=Decision("hint", hint_level=1, signals=told)
        )
    enough = length(turn.text, at.tag) >= step.min_words * (0.6 if at.tag.startswith("zh") else 1.0)
    if (number >= DRAFTS and enough) or number > DRAFTS:
        line = author.Line(author.phrase(at.tag, "next", seed))
        return Outcome(
            authored(line), Decision("affirm", signals=told), over=True, solved=enough, explanation=step.model
        )
    line = author.about_writing(step, number - 1, at.tag, seed)
    return Outcome(authored(line), Decision("question" if enough else "ask", signals=told))


def answer_reflection(turn: Turn, unit: Unit, position: Position, at: Setting) -> Outcome:
    """No right answer: one follow-up, then on."""
    seed = at.seed + position.replies
    told = signal_list(turn, (), history(position))
    last = unit.note is not None or position.turn >= 2 or not isinstance(unit.step, ReflectStep)
    if turn.confused:
        question = unit.note.ask if unit.note is not None else unit.step.support or unit.step.prompt
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


def asked_for(outcome: Outcome, said: str) -> AskedFor:
    """What the learner's next turn can take up."""
    return AskedFor(outcome.decision.move, outcome.target, said)
