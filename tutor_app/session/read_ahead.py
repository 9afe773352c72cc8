"""What a turn will need of the model, done while the learner still looks at what they wrote.

On two cores a turn of talk takes two to four seconds: the hidden reformulation, reading the turn in, the reply. All of
that depends on the learner's text alone, and nobody uses the model while they write. Nothing here is shown, stored or
counted, and a turn that was not read ahead is answered in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lessons.schema import TalkStep, WriteStep
from tutor_app.pedagogy import reformulation
from tutor_app.pedagogy.reformulation import MAX_SENTENCES, NOTHING, worth_reformulating
from tutor_app.session import turns
from tutor_app.session.open_steps import SENTENCES_READ
from tutor_app.session.plan import Position
from tutor_app.session.talk import plan_talk, to_be_reformulated
from tutor_app.session.turns import Setting, Turn
from tutor_app.session.tutor import Tutor


def read_ahead(
    turn: Turn,
    step: TalkStep | WriteStep | None,
    position: Position,
    at: Setting,
    tutor: Tutor,
    previous: tuple[str, ...],
    *,
    whole: bool,
    wanted: Callable[[], bool],
) -> None:
    """Read a turn as far as it is there; `whole`: the learner seems to be done with it.

    `wanted()` False: what is not begun yet is left to the turn. Raises EngineStopped when it was stopped, and EngineError.
    """
    most = SENTENCES_READ if isinstance(step, WriteStep) else MAX_SENTENCES
    sentences, rest = (turn.text, "") if whole else reformulation.finished(turn.text)
    finding = NOTHING
    if to_be_reformulated(turn) and wanted():
        finding = tutor.reformulate(sentences, most)
        if worth_reformulating(rest, at.tag) and not finding.kept and wanted():
            tutor.read_sentence(rest)
    if isinstance(step, WriteStep):
        return
    if not whole:
        if rest and wanted():  # after its full stop a turn is read in with what is asked for, in one go
            tutor.read_turn(turn.text)
        return
    ahead = replace(position)
    turns.count_turn(ahead, turn)
    plan = plan_talk(turn, step, ahead, at, finding, previous)
    if plan.request is not None and wanted():
        tutor.prepare(plan.request)
