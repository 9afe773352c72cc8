"""What a learner is shown for each kind of unit."""

from __future__ import annotations

from dataclasses import replace

from lessons.schema import ReflectStep, SpokenItem, TalkStep, WriteStep
from tutor_app.pedagogy import author
from tutor_app.pedagogy.assess import present
from tutor_app.session.events import StepShown
from tutor_app.session.plan import Unit, masked
from tutor_app.session.turns import Setting


def opening(unit: Unit | None, at: Setting) -> str:
    """The tutor's first line of a talk, in a lesson or (None) without one."""
    if unit is None:
        return author.phrase(at.tag, "hello", at.seed)
    assert isinstance(unit.step, TalkStep)
    return author.without_emphasis(unit.step.opening).text


def shown(unit: Unit | None, number: int, total: int, at: Setting, *, voice: bool) -> StepShown:
    """What the learner is to do now."""
    if unit is None:
        return StepShown("talk", "talk", "talk", opening(None, at))
    step = unit.step
    support_wanted = at.choices.support != "never"
    support = step.support if support_wanted else ""
    base = StepShown(unit.id, step.id, step.kind, step.prompt, step.prompt, support, number=number, of=total)
    if unit.note is not None:
        text = f"{unit.note.title}. {unit.note.text}"
        return replace(
            base, kind="reflect", prompt=unit.note.ask, text=text, task=unit.note.title, support=""
        )
    if isinstance(step, TalkStep):
        return replace(base, prompt=opening(unit, at), scenario=step.scenario, goal=step.goal)
    if isinstance(step, ReflectStep):
        return replace(base, prompt=author.without_emphasis(step.question).text)
    if isinstance(step, WriteStep):
        return replace(base, goal=step.goal, choices=())
    assert unit.item is not None
    item, presented = unit.item, present(unit.item, at.seed)
    say = item.say if isinstance(item, SpokenItem) else ""
    text = getattr(step, "text", "")
    if say and not voice:
        text = masked(say) if step.kind == "dictation" else say
    return replace(
        base, prompt=item.prompt, gloss=item.gloss if support_wanted else "", text=text, choices=presented.choices, left=presented.left,
        say=say if voice else "", review=unit.review,
        check=at.lesson is not None and at.lesson.check is not None,
    )  # fmt: skip
