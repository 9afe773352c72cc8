"""What goes into a session and what comes out of it: plain data, the same for app, `--plain` and `--jsonl`.

The JSON of `tutor session --jsonl` is made from these by `tutor_app.jsonl`; its field names are a contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tutor_app.progress.outcomes import Gain

Command = Literal["hint", "skip", "explain", "quit"]


@dataclass(frozen=True)
class Said:
    """The learner wrote something (or confirmed what was heard)."""

    text: str
    elapsed_s: float | None = None
    """From the moment the step or reply was complete on screen until Enter; None when unknown."""


@dataclass(frozen=True)
class Spoke:
    """The learner's answer is in an audio file."""

    path: Path
    elapsed_s: float | None = None


@dataclass(frozen=True)
class Asked:
    """The learner pressed a key: hint, skip, explain, quit."""

    command: Command


TurnIn = Said | Spoke | Asked


@dataclass(frozen=True)
class SessionStarted:
    set_id: str
    set_title: str
    lesson_id: str | None
    """None in free talk."""
    lesson_title: str
    language: str
    track: str
    level: str
    model: str | None
    model_sha256: str | None
    adapters: tuple[str, ...]
    learner: str
    resumed: bool = False


@dataclass(frozen=True)
class StepShown:
    """What the learner is to do now. Comes again for each item of a step."""

    id: str
    """Id of the item, or of the step when it has no items."""
    step_id: str
    kind: str
    prompt: str
    """All that has to be read: for a talk the tutor's opening line (taken up again: the last one), for an item its prompt."""
    task: str = ""
    """What to do, from the step ("Fill the gap")."""
    support: str = ""
    """Task in the support language."""
    gloss: str = ""
    """Meaning of the prompt in the support language."""
    text: str = ""
    """The text to read, or the words to hear when there is no voice (dictation: masked)."""
    choices: tuple[str, ...] = ()
    """Choices; the shuffled pieces of an order step; the right side of a match."""
    left: tuple[str, ...] = ()
    """The left side of a match."""
    say: str = ""
    """What a voice should read aloud; empty when nothing is to be heard."""
    number: int = 1
    """Place in the lesson, from 1, counting items and open steps."""
    of: int = 1
    scenario: str = ""
    goal: str = ""
    review: bool = False
    """It comes from an earlier lesson, since it is due."""
    check: bool = False
    """Part of a check: answered once, without hints, and nothing is said about right or wrong."""


@dataclass(frozen=True)
class Heard:
    text: str
    language: str
    confidence: float
    seconds: float


@dataclass(frozen=True)
class WordSound:
    """A word that the learner said aloud, when two signals agree about it."""

    word: str
    mark: Literal["clear", "again"]
    """`again` is an invitation to listen once more, no verdict."""
    other: str
    """The word that is told from it by the sound in question."""
    tip: str
    """How the difference is made."""
    other_sentence: str = ""
    """The sentence with the other word, to be heard beside it."""


@dataclass(frozen=True)
class Sounded:
    """What can be said of how a sentence sounded; never empty, and mostly it does not come at all."""

    words: tuple[WordSound, ...]


@dataclass(frozen=True)
class Attempt:
    item: str
    correct: bool
    error_tags: tuple[str, ...]
    given: str
    near_miss: str | None = None
    """`accent`, `typo` or `case` when that is all that differs."""
    expected_hidden: bool = True
    expected: tuple[str, ...] = ()
    """Filled once the answer may be shown (right, hint 4, or skipped)."""
    dialect: str | None = None
    """The variety of the accepted form that was given, to be named with respect."""


@dataclass(frozen=True)
class ReplyStarted:
    """The tutor begins to answer; `move` is decided before the model is asked."""

    move: str


@dataclass(frozen=True)
class ReplyFragment:
    """More of the tutor's words, already checked as far as a beginning can be checked."""

    text: str


@dataclass(frozen=True)
class ReplyRetracted:
    """What was streamed is withdrawn; another reply follows."""


@dataclass(frozen=True)
class Reply:
    """The tutor's whole answer, valid by every rule."""

    text: str
    """Plain text, no markup."""
    move: str
    signals: tuple[str, ...]
    source: Literal["model", "repaired", "authored"]
    hint_level: int = 0
    recast: str | None = None
    """The recast form as it stands in `text`, to be made salient."""
    uptake: bool | None = None
    repair: bool | None = None
    ttft_ms: float = 0.0
    total_ms: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    stopped: bool = False
    """The learner pressed stop; the text may be incomplete."""


@dataclass(frozen=True)
class ItemOver:
    """The item is done; "explain" is now possible and the answers may be shown."""

    item: str
    answers: tuple[str, ...]
    model: str = ""


@dataclass(frozen=True)
class Explanation:
    """The instructor's words on a form, or a model text to compare with: after a reply, on request only."""

    text: str


@dataclass(frozen=True)
class Summary:
    items_seen: int
    items_correct: int
    moves: dict[str, int]
    due_reviews: int
    minutes: float
    finished: bool
    forms: dict[str, tuple[int, int]]
    """Form id → (right, tried)."""
    words: tuple[str, ...] = ()
    uptake: tuple[int, int] = (0, 0)
    """(moves taken up, moves that could be)."""
    repair: tuple[int, int] = (0, 0)
    check: str = ""
    """`pre` or `post` when this was one of the set's two checks."""
    gain: Gain | None = None
    """From the check before to this one, when both were taken."""


@dataclass(frozen=True)
class Problem:
    """Something went wrong that the learner should know; the session goes on."""

    message: str
    offer: str | None = None
    """A model id that would fit better, when memory was the reason."""


@dataclass(frozen=True)
class ModelState:
    """Loading, ready, lost, or none; `fraction` 0 to 1 while loading or reading the lesson."""

    state: Literal["none", "loading", "warming", "ready", "lost"]
    fraction: float = 0.0
    message: str = ""
    offer: str | None = None
    """A smaller model that is here, when memory was the reason for losing this one."""


Event = (
    SessionStarted
    | StepShown
    | Heard
    | Sounded
    | Attempt
    | ReplyStarted
    | ReplyFragment
    | ReplyRetracted
    | Reply
    | ItemOver
    | Explanation
    | Summary
    | Problem
    | ModelState
)
