"""What threads tell the screens. Workers never touch widgets: they post one of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.message import Message

from tutor_app.progress.records import Learner
from tutor_app.session.events import Event, ModelState, StepShown, Summary
from tutor_app.ui.service import ModelOverview, Placement, SetOverview


@dataclass
class SessionEvent(Message):
    """One event of the session, in order."""

    event: Event


class FragmentsWaiting(Message):
    """More of the reply can be taken from the runner. Says nothing itself, so a second one adds nothing."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FragmentsWaiting)


@dataclass
class TurnOver(Message):
    """The session has nothing more to say to the last turn (or to the start, when `turn` is 0)."""

    turn: int


@dataclass
class SessionFailed(Message):
    """The session cannot go on; `sentence` says what happened and what to do."""

    sentence: str


@dataclass
class SessionClosed(Message):
    """Ended and saved."""

    summary: Summary | None


@dataclass
class ModelChanged(Message):
    """The engine's state; an older one is worth nothing."""

    state: ModelState

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ModelChanged)


@dataclass
class LearnersFound(Message):
    learners: Sequence[Learner]


@dataclass
class LearnerOpened(Message):
    learner: Learner


@dataclass
class PinWanted(Message):
    """A learner's file is opened with a PIN; `sentence` says what was wrong with the last one, if one was given."""

    learner_id: str
    name: str
    sentence: str = ""


@dataclass
class PlacementReady(Message):
    """A placement with the items of this set can begin."""

    overview: SetOverview
    placement: Placement


@dataclass
class PlacementStep(Message):
    """What the placement asks next; None when enough is known."""

    step: StepShown | None


@dataclass
class PractisedFound(Message):
    """Set id → title of what can be handed in."""

    sets: Mapping[str, str]


@dataclass
class HandedIn(Message):
    """The hand-in is written, or why it is not."""

    said: str
    done: bool


@dataclass
class SetsFound(Message):
    sets: Sequence[SetOverview]


@dataclass
class ModelsFound(Message):
    models: Sequence[ModelOverview]


@dataclass
class Broke(Message):
    """A fault of the program's own in a thread."""

    error: Exception


@dataclass
class Refused(Message):
    """Something asked of the service could not be done; `sentence` is for the learner."""

    sentence: str
