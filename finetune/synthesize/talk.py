"""A talk as the app would have led it, with the reply that a good tutor would have given.

The app's own `answer_talk` decides what every turn asks for and writes the prompt; only two things are put in its
way: the hidden reformulation is known (it came with the sentence), and the reply is composed instead of sampled.
What the model is trained on is therefore, letter by letter, what it will be asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import regex

from finetune.records import Tally
from finetune.synthesize.bank import LEVELS, bank
from finetune.synthesize.compose import Wanted, fits, reply
from finetune.synthesize.learners import Said
from lessons.schema import Lesson, Level, SetInfo, TalkStep
from tutor_app.pedagogy import author, prompts, reformulation
from tutor_app.pedagogy.language import language, words
from tutor_app.pedagogy.policy import STRONG_RUN
from tutor_app.pedagogy.reformulation import Finding
from tutor_app.pedagogy.templates import Message
from tutor_app.pedagogy.validator import validate
from tutor_app.session import steps, turns
from tutor_app.session.drafts import Composing, Draft, Request, asks, statements
from tutor_app.session.plan import Position, Unit, all_words
from tutor_app.session.talk import answer_talk, situation


@dataclass(frozen=True)
class Move:
    """One reply of the tutor, as reports count it."""

    move: str
    text: str
    trained: bool
    recast: bool
    learner: str


@dataclass
class Dialogue:
    """One finished conversation, system part included."""

    id: str
    language: str
    track: str
    level: Level
    lesson: str | None
    messages: list[Message]
    untrained: list[int]
    """Indices of tutor messages on which no loss counts: an instructor's line, or one the app says by itself."""
    moves: list[Move] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)


def words_of(lesson: Lesson, tag: str) -> frozenset[str]:
    """Every word of a lesson, as the app counts them."""
    return all_words([lesson], tag)


class NoReplyError(Exception):
    """Nothing that the bank can say is allowed here."""


class ScriptedTutor:
    """Answers as the app's tutor does (`Answering`), but knows the native form and composes what it says."""

    def __init__(self, brief: prompts.Brief, rng: random.Random) -> None:
        self._brief = brief
        self._prefix = prompts.prefix(brief)
        self._history: list[Message] = []
        self._rng = rng
        self._used: set[str] = set()
        self.said = Said("", "", "bank")
        self.level: Level = brief.level
        self.composed = False
        self.formal = False

    @property
    def messages(self) -> list[Message]:
        return [*self._prefix, *self._history]

    def begin(self, line: str) -> None:
        """The tutor opens the talk with `line`."""
        self._history = prompts.opened(line)

    def remember(self, learner: str, direction: str, reply: str) -> None:
        """Add a turn that is over."""
        self._history += prompts.answered(learner, direction, reply)

    def forget_last(self) -> None:
        """Take the last turn back."""
        self._history = self._history[:-2]

    def ask_instead(self, question: str) -> str:
        """Let the last line end with `question` in place of its own; gives the line."""
        said = statements(self._history[-1].content)
        line = author.joined(self._brief.language, said, question)
        self._history[-1] = Message("assistant", line)
        return line

    def reformulate(self, text: str, most: int = reformulation.MAX_SENTENCES) -> Finding:
        """The edits of the known native form that the app would believe."""
        if self.said.native == self.said.text:
            return reformulation.NOTHING
        finding = reformulation.find(text, self.said.native, self._brief.language, self._brief.track)
        believed = finding.kept and finding.target in finding.native
        return finding if believed else reformulation.NOTHING

    def compose(self, request: Request) -> Composing:
        """The composed reply. Raises NoReplyError when none is allowed."""
        yield from ()  # nothing is shown while it works
        text = self._composed(request)
        if text is None:
            raise NoReplyError(request.direction.split(":")[0])
        self.composed = True
        self.remember(request.learner, request.direction, text)
        return Draft(text, "model", request.target or None)

    def _composed(self, request: Request) -> str | None:
        tag, data = request.situation.language, bank(request.situation.language)
        move = request.direction.split(":", 1)[0]
        candidates: Iterator[str] = iter(())
        if move == "simplify":
            simpler = language(tag).simpler.get(request.situation.unclear, [])
            candidates = (
                author.joined(tag, self._rng.choice(data.simplify), self._rng.choice(simpler)) for _ in range(12 if simpler else 0)
            )  # fmt: skip
        elif self.said.replies and not request.target and (self.said.kind == "mixed" or not request.carry):
            candidates = iter(self._in_kind(tag, request.carry))
        elif self.said.kind == "off_task":
            asked = request.carry or request.questions[-1]
            candidates = (author.joined(tag, self._rng.choice(data.back), asked) for _ in range(6))
        elif move == "check" and not request.carry:
            candidates = (
                author.joined(tag, self._rng.choice(data.neutral.A1), self._rng.choice(data.check)) for _ in range(8)
            )  # fmt: skip
        else:
            finding = self.reformulate(request.learner) if request.target else reformulation.NOTHING
            wanted = Wanted(
                request.learner, request.situation, self.level, self.said.topic, request.opening, request.target, finding.tags,
                request.carry, self.said.questions, self.formal,
            )  # fmt: skip
            return reply(wanted, self._rng, self._used)
        return next((text for text in candidates if fits(text, request.situation, request.target)), None)

    def _in_kind(self, tag: str, carry: str) -> list[str]:
        """The ready answers in random order; with `carry`, only what they say before their question."""
        mine = self._rng.sample(self.said.replies, len(self.said.replies))
        if not carry:
            return mine
        first = [regex.split(r"(?<=[.!?。！？؟])\s*", one, maxsplit=1)[0] for one in mine]
        return [author.joined(tag, one, carry) for one in first if not asks(one)]


@dataclass(frozen=True)
class Place:
    """Where a talk happens: a set, and a lesson of it or free talk."""

    info: SetInfo
    lesson: Lesson | None
    step: TalkStep | None
    level: Level
    own_words: frozenset[str] = frozenset()
    """Every word of the lesson."""


Learner = Callable[[str], Said | None]
"""What the learner says to the tutor's last line; None when they are done."""


def led(name: str, place: Place, learner: Learner, rng: random.Random, tally: Tally) -> Dialogue | None:
    """The talk that follows from these turns; None when the first turn already finds no reply."""
    tag = place.info.language
    at = turns.Setting(
        place.info, place.lesson, place.level, lambda: place.own_words, rng.randrange(1_000_000)
    )
    brief = prompts.brief_of(place.info, place.lesson, place.level, trained=True)
    tutor = ScriptedTutor(brief, rng)
    if place.step is not None and (pattern := bank(tag).formal):
        put = " ".join([place.step.opening, *place.step.questions]).casefold()
        tutor.formal = len(regex.findall(pattern, put)) > 1
    opening = steps.opening(Unit(place.step) if place.step is not None else None, at)
    tutor.begin(opening)
    position, lines = Position(), [opening]
    first = len(tutor.messages) - 1
    talk = Dialogue(
        name, tag, place.info.track, place.level, place.lesson.id if place.lesson else None, [], [first]
    )
    run = 0
    while (said := learner(lines[-1])) is not None:
        if said.kind == "confused" and place.step is None:
            _ask_what_can_be_simplified(tutor, talk, lines, rng)
        turn = turns.read(said.text, said.elapsed_s, [], tag)
        tutor.said, tutor.composed = said, False
        raised = LEVELS[min(LEVELS.index(place.level) + 1, len(LEVELS) - 1)]
        tutor.level = raised if run >= STRONG_RUN else place.level
        turns.count_turn(position, turn)
        try:
            outcome = _outcome(turn, place, position, at, tutor, tuple(lines))
        except NoReplyError as none:
            tally.drop(f"no reply that may be said: {none}")
            break
        text, move = outcome.draft.text, outcome.decision.move
        own_words = at.own_words | frozenset(words(said.text, tag)) | frozenset(words(said.native, tag))
        judged = situation(turn, at, tuple(lines), move)
        if not tutor.composed and validate(text, replace(judged, allowed_words=own_words)):
            tutor_has_it = tutor.messages[-1].content == text
            if tutor_has_it:
                tutor.forget_last()
            tally.drop("a line of the lesson that the validator refuses here")
            break
        if outcome.over:
            break
        at_index = len(tutor.messages) - 1
        trained = tutor.composed or (move == "simplify")
        if not trained:
            talk.untrained.append(at_index)
        talk.moves.append(Move(move, text, trained, bool(outcome.draft.recast), said.text))
        talk.origins.append(said.origin)
        run = run + 1 if not outcome.target and move == "ask" else 0
        _advance(position, outcome, place)
        lines.append(text)
    talk.messages = tutor.messages
    return talk if any(move.trained for move in talk.moves) else None


def _ask_what_can_be_simplified(
    tutor: ScriptedTutor, talk: Dialogue, lines: list[str], rng: random.Random
) -> None:
    """Let the line that the learner will not understand ask something of which easier wordings are known."""
    lines[-1] = tutor.ask_instead(rng.choice(list(language(talk.language).simpler)))
    if talk.moves and talk.moves[-1].trained:
        talk.moves[-1] = replace(talk.moves[-1], text=lines[-1], trained=False)
        talk.untrained.append(len(tutor.messages) - 1)


def _outcome(
    turn: turns.Turn,
    place: Place,
    position: Position,
    at: turns.Setting,
    tutor: ScriptedTutor,
    previous: tuple[str, ...],
) -> turns.Outcome:
    asking = answer_talk(turn, place.step, position, at, tutor, previous)
    while True:
        try:
            next(asking)
        except StopIteration as stop:
            outcome: turns.Outcome = stop.value
            return outcome


def _advance(position: Position, outcome: turns.Outcome, place: Place) -> None:
    """As the session does after every reply of a talk."""
    decision = outcome.decision
    position.replies += 1
    position.moves.append(decision.move)
    position.tags += [
        s.removeprefix("error:") for s in decision.signals if s.startswith("error:") and s != "error:other"
    ]
    position.hint_level = max(position.hint_level, decision.hint_level)
    if decision.move == "culture" and place.step is not None and place.step.culture:
        position.told.append(place.step.culture)
