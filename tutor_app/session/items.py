"""How a turn at an item is answered. Every line is authored: the instructor foresaw it, and it comes at once."""

from __future__ import annotations

from dataclasses import replace

from lessons.patterns import contains
from lessons.schema import GAP, AnyItem, ErrorPattern, MatchItem
from tutor_app.pedagogy import author, policy
from tutor_app.pedagogy.assess import Assessment, Presented, answers, assess
from tutor_app.pedagogy.language import plain
from tutor_app.pedagogy.policy import Decision
from tutor_app.session.drafts import authored
from tutor_app.session.events import Attempt
from tutor_app.session.plan import Position, Unit, forms_at
from tutor_app.session.turns import Outcome, Setting, Turn, history, signal_list

LAST_CHANCE = 2
"""Answers after hint 4 until the tutor goes on by itself: nobody is kept at an item."""


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
    fresh = replace(
        turn,
        confused=turn.confused and not judged.correct,
        repeated=turn.repeated and not judged.correct,
    )
    told = signal_list(fresh, tags, past)
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


def explain(unit: Unit | None, position: Position, at: Setting, previous: tuple[str, ...]) -> Outcome:
    """What the item that just ended was about: examples to look at, and the instructor's explanation beside."""
    seed = at.seed + position.replies
    lesson = (unit.lesson if unit is not None else None) or at.lesson
    forms = [form for form in lesson.forms if form.id in forms_at(lesson, unit)] if lesson else []
    if unit is None or not (forms or (unit.item is not None and unit.item.explain)):
        line = author.Line(author.phrase(at.tag, "listen", seed, previous=previous))
        return Outcome(authored(line), Decision("explore"))
    text = unit.item.explain if unit.item is not None and unit.item.explain else ""
    explanation = "\n".join(
        part for part in (text, *(form.explain for form in forms[:1] if not text)) if part
    )
    examples = list(forms[0].examples) if forms else list(answers(unit.item))[:2] if unit.item else []
    pair = [author.without_emphasis(example).text for example in examples[:2]]
    line = author.Line(
        author.phrase(at.tag, "notice", seed, previous=previous, a=pair[0], b=pair[-1]), pair[-1]
    )
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
