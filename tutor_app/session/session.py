"""A lesson, or a talk, as a state machine: a turn goes in, events come out, and every step of it is on disk.

The app, `--plain` and `--jsonl` all drive this class, so that they behave alike. The order within a turn is
fixed: the learner's words are committed, then judged, then answered; the reply is saved with the new position in
one transaction, and only then is the next step shown.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import regex

from lessons.schema import LessonSet, Level, SpokenItem, Step, TalkStep, WriteStep
from tutor_app.errors import TutorError
from tutor_app.llm.protocol import EngineError
from tutor_app.pedagogy import prompts
from tutor_app.pedagogy.assess import Presented, answers, present
from tutor_app.pedagogy.repetition import LAST_REPLIES
from tutor_app.pedagogy.uptake import Asked as AskedFor
from tutor_app.pedagogy.uptake import taken_up
from tutor_app.progress.outcomes import learner_gain
from tutor_app.progress.records import DueItem, SavedSession, SavedTurn
from tutor_app.progress.store import Store
from tutor_app.session import bring_up, checking, items, journal, open_steps, reviewing, steps, talk, turns
from tutor_app.session.at_hand import TutorAtHand
from tutor_app.session.choices import Choices, choices_of
from tutor_app.session.commands import answer_command
from tutor_app.session.events import (
    Asked,
    Event,
    Explanation,
    Heard,
    ItemOver,
    Problem,
    Reply,
    ReplyRetracted,
    ReplyStarted,
    Said,
    SessionStarted,
    Sounded,
    Spoke,
    StepShown,
    Summary,
    TurnIn,
    WordSound,
)  # fmt: skip
from tutor_app.session.host import ModelHost, Ready
from tutor_app.session.later import Later
from tutor_app.session.overview import FORMER_REVIEW, REVIEW
from tutor_app.session.plan import Position, Unit, all_words, units
from tutor_app.session.read_ahead import read_ahead
from tutor_app.session.tutor import Tutor

CHECKPOINT_S = 2.0
"""A reply that is being made is saved this often, so that a crash loses little of it."""
MAX_TEXT = 4000
"""Characters of a turn that are read; whoever pastes more than this is told."""
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cf}\p{Co}\p{Cs}&&[^\n\t\u200c\u200d]]", regex.V1)


class Session:
    """One sitting. `start` and `submit` are iterated in one thread; `stop`, `stop_reading` and `close` come from any."""

    def __init__(
        self,
        lessons: LessonSet,
        lesson_id: str | None,
        store: Store,
        host: ModelHost | None,
        *,
        level: Level | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        hear: Callable[[Path, str], Heard] | None = None,
        pronounce: Callable[[Path, str, str], Sequence[WordSound]] | None = None,
        voice: bool = False,
        due: Sequence[DueItem] = (),
        choices: Choices | None = None,
        fresh: bool = False,
    ) -> None:
        """`lesson_id` None is a free talk, `REVIEW` a review of what is due.

        `due`: what comes up again, in a talk by the tutor's questions, in a lesson as its warm-up. `choices` are
        the learner's own settings when None. `hear` turns an audio file into text, and `pronounce`
        says what can be said of how a sentence sounds in one; `voice`: steps can be heard.
        `fresh`: do not take up a session that was left in the middle.
        """
        self._set = lessons
        self._lesson = reviewing.review_lesson(lessons) if lesson_id == REVIEW else None
        if self._lesson is None and lesson_id is not None:
            self._lesson = lessons.lesson(lesson_id)
        self._store = store
        self._tutor = TutorAtHand(host, brief=self._brief, replay=self._replay, seed=lambda: self._seed)
        self._clock = clock
        self._hear = hear
        self._pronounce = pronounce
        self._voice = voice
        self._due = tuple(due)
        self._fresh = fresh
        self._choices_given = choices is not None
        self._seed = seed
        self._units: list[Unit] = units(self._lesson) if self._lesson is not None else []
        chosen: Level = self._lesson.level if self._lesson is not None else (level or lessons.info.levels[0])
        self._at = turns.Setting(
            lessons.info, self._lesson, chosen, frozenset, seed, choices or choices_of(store.settings()),
            bring_up.reminders(lessons, due, seed) if self._lesson is None else (),
        )  # fmt: skip
        self._position = Position()
        self._session_id = 0
        self._earlier: tuple[SavedTurn, ...] = ()
        self._previous: tuple[str, ...] = ()
        self._talked: list[tuple[str, str]] = []
        """What the learner said in the present talk, and the tutor's reply: a new tutor is told it."""
        self._stopping = False
        self._summary: Summary | None = None
        self._began = 0.0

    # -- for the screens -------------------------------------------------------------------------------------

    @property
    def id(self) -> int:
        """Of its row in the learner's file; 0 before `start`."""
        return self._session_id

    @property
    def earlier(self) -> Sequence[SavedTurn]:
        """What was said before, when this session was resumed."""
        return self._earlier

    @property
    def over(self) -> bool:
        return self._summary is not None

    def stop(self) -> None:
        """Cut the reply short, or stop waiting for the model (which goes on being made ready)."""
        self._stopping = True
        self._tutor.stop()

    def save_word(self, word: str, sentence: str) -> None:
        """Keep a word with the line it was met in."""
        known = (entry for lesson in self._set.lessons for entry in lesson.vocabulary)
        entry = next((entry for entry in known if entry.word == word), None)
        gloss = entry.gloss if entry is not None else ""
        source = f"{self._set.info.id}/{self._lesson.id if self._lesson else 'talk'}"
        self._store.save_word(
            word, gloss, sentence, self._at.tag, source, self._clock(), session_id=self._session_id
        )

    # -- while the learner writes ----------------------------------------------------------------------------

    def read_along(self, draft: Said, *, whole: bool, wanted: Callable[[], bool]) -> None:
        """Do what a turn will need of the model when it is sent; in a thread of its own, begun between two turns.

        `whole`: its writer seems to be done with it; of an empty draft, what was said so far is read in. `wanted()` is
        asked before each step of it, and `stop_reading` cuts the present one short; a turn that is sent meanwhile waits
        for it. Nothing is shown or stored. Does nothing where no model is waited for, or where it is busy.
        """
        step = self._unit.step if self._unit is not None else None
        text = _readable(draft.text)
        if self.over or len(text) > MAX_TEXT or not isinstance(step, TalkStep | WriteStep | None):
            return
        if step is None and self._lesson is not None:
            return
        if not text:
            if not isinstance(step, WriteStep):
                self._tutor.ahead(lambda tutor: tutor.settle())
            return
        turn = self._read(text, draft.elapsed_s)
        position, previous = (
            replace(self._position),
            self._previous,
        )  # as they are now: the turn may come meanwhile
        self._tutor.ahead(
            lambda tutor: read_ahead(
                turn, step, position, self._at, tutor, previous, whole=whole, wanted=wanted
            )
        )

    def stop_reading(self) -> None:
        """Cut short what `read_along` does, from another thread."""
        self._tutor.stop_ahead()

    # -- start -----------------------------------------------------------------------------------------------

    def start(self) -> Iterator[Event]:
        """SessionStarted, then the step to begin with; takes up a session that was left in the middle."""
        info = self._set.info
        lesson_id = self._lesson.id if self._lesson is not None else None
        saved = self._left_open(lesson_id)
        model, sha256, adapters = self._tutor.model
        self._began = self._clock()
        if saved is not None and saved.set_version == info.version and not self._fresh:
            self._session_id, self._earlier = saved.id, saved.turns
            self._seed = saved.seed
            self._at = replace(self._at, seed=saved.seed)
            self._position = Position.restored(saved.position)
        else:
            if saved is not None:  # the set was upgraded meanwhile: what was done counts, the sitting ends
                self._store.end_session(saved.id, {"finished": False}, self._clock())
            self._session_id = self._store.begin_session(
                set_id=info.id, set_version=info.version, lesson_id=lesson_id,
                mode="talk" if lesson_id is None else "lesson", model=model, model_sha256=sha256, adapters=adapters, seed=self._seed, now=self._began,
                language=info.language,
            )  # fmt: skip
        self._plan()
        self._talked = turns.talked(self._earlier, self._unit)
        yield SessionStarted(
            info.id, info.title, lesson_id, self._lesson.title if self._lesson else "", info.language, info.track,
            self._at.level, model, sha256, adapters, self._store.learner.id, bool(self._earlier),
        )  # fmt: skip
        if self._lesson is None or any(isinstance(unit.step, TalkStep) for unit in self._units):
            self._tutor.warm()
        if self._lesson is not None and self._position.unit >= len(self._units):
            yield self._finish(finished=True)
            return
        yield self._step()

    def _left_open(self, lesson_id: str | None) -> SavedSession | None:
        """The session to take up, if any; that of a review may have been begun under its former id."""
        saved = self._store.open_session(self._set.info.id, lesson_id)
        if saved is None and lesson_id == REVIEW and self._set.lesson(FORMER_REVIEW) is None:
            saved = self._store.open_session(self._set.info.id, FORMER_REVIEW)
        return saved

    def _plan(self) -> None:
        """The units of the lesson, after what is due; a session that is taken up again keeps what it began with."""
        if self._lesson is None:
            return
        now = self._clock()
        if self._earlier:
            found = [reviewing.unit_of(ref, self._set, self._store, now) for ref in self._position.warm_up]
            self._position.drop([number for number, unit in enumerate(found) if unit is None])
            first = [unit for unit in found if unit is not None]
        elif checking.is_check(self._lesson):
            first = []
        else:
            most = reviewing.REVIEW_ITEMS if self._lesson.id == REVIEW else reviewing.WARM_UP
            first = reviewing.review_units(
                self._set, self._due, self._store, most, apart_from=[self._lesson.id]
            )
        self._position.warm_up = [reviewing.reference(unit) for unit in first]
        self._units = [*first, *self._units]
        texts = [self._lesson, *(unit.item for unit in first if unit.item is not None)]
        self._at = replace(self._at, find_own_words=Later(lambda: all_words(texts, self._at.tag)))

    def _brief(self, ready: Ready) -> prompts.Brief:
        trained = bool(ready.spec.adapters) or ready.trained
        return prompts.brief_of(self._set.info, self._lesson, self._at.level, trained=trained)

    def _replay(self, tutor: Tutor) -> None:
        """Tell a new tutor what was said in the present talk."""
        unit = self._unit
        if unit is None or isinstance(unit.step, TalkStep):
            tutor.begin(steps.opening(unit, self._at))
            for said, reply in self._talked:
                tutor.remember(said, "ask", reply)

    # -- steps -----------------------------------------------------------------------------------------------

    @property
    def _unit(self) -> Unit | None:
        if self._lesson is None or self._position.unit >= len(self._units):
            return None
        return self._units[self._position.unit]

    def _shown(self, unit: Unit) -> Presented:
        assert unit.item is not None
        return present(unit.item, self._seed)

    def _step(self) -> StepShown:
        """What the learner is to do now."""
        step = steps.shown(self._unit, self._position.unit + 1, len(self._units), self._at, voice=self._voice)
        if step.kind == "talk":
            self._previous = turns.last_replies(step.prompt, self._earlier, self._unit)
            # A talk that is taken up again goes on from what was said last, and not from its opening.
            step = replace(step, prompt=self._previous[-1])
        return step

    # -- turns -----------------------------------------------------------------------------------------------

    def submit(self, turn: TurnIn) -> Iterator[Event]:
        """Everything that follows from one turn."""
        self._stopping = False
        if self.over:
            yield Problem("The lesson is over. Start another one from the list.")
            return
        if not self._choices_given:  # what was chosen meanwhile counts from this turn on
            self._at = replace(self._at, choices=choices_of(self._store.settings()))
        if isinstance(turn, Asked):
            yield from self._command(turn)
            return
        if isinstance(turn, Spoke):
            heard = self._listen(turn)
            yield heard
            if isinstance(heard, Problem):
                return
            yield from self._sounded(turn)
            turn = Said(heard.text, turn.elapsed_s)
        text = _readable(turn.text)
        if not text:
            yield Problem("There was nothing to read. Write a word, or ask for a hint.")
            return
        if len(text) > MAX_TEXT:
            yield Problem(f"That is longer than {MAX_TEXT} characters. Send it in smaller parts.")
            return
        yield from self._answer(text, turn.elapsed_s)

    def _listen(self, turn: Spoke) -> Heard | Problem:
        if self._hear is None:
            return Problem("Speech is not installed here, so audio cannot be heard. Type the answer instead.")
        try:
            return self._hear(turn.path, self._at.tag)
        except TutorError as error:
            return Problem(str(error))

    def _sounded(self, turn: Spoke) -> Iterator[Sounded]:
        """How a sentence that was to be spoken sounded, where anything can be said of that."""
        item = self._unit.item if self._unit is not None and self._unit.step.kind == "speak" else None
        if self._pronounce is None or not isinstance(item, SpokenItem):
            return
        with contextlib.suppress(
            TutorError
        ):  # help that cannot be had is not missed: the answer counts without it
            if words := self._pronounce(turn.path, item.say, self._at.tag):
                yield Sounded(tuple(words))

    def _answer(self, text: str, elapsed_s: float | None) -> Iterator[Event]:
        unit, now = self._unit, self._clock()
        turn_id = self._store.add_turn(
            self._session_id,
            text=text,
            command=None,
            elapsed_s=elapsed_s,
            item_id=unit.id if unit else None,
            now=now,
        )
        turn = self._read(text, elapsed_s)
        uptake, repair = self._take_up(text, turn.confused)
        outcome = yield from self._outcome(turn, unit, turn_id)
        yield from self._conclude(outcome, unit, turn_id, text, uptake, repair)

    def _read(self, text: str, elapsed_s: float | None) -> turns.Turn:
        return turns.read(text, elapsed_s, self._store.pace(self._at.tag), self._at.tag, self._position.said)

    def _outcome(
        self, turn: turns.Turn, unit: Unit | None, turn_id: int
    ) -> Generator[Event, None, turns.Outcome]:
        position = self._position
        if unit is not None and unit.item is not None:
            answer = checking.answer_check if checking.is_check(self._lesson) else items.answer_item
            outcome = answer(turn, self._shown(unit), unit, position, self._at)
            if outcome.attempt is not None:
                yield outcome.attempt
            return outcome
        turns.count_turn(position, turn)
        if unit is not None and not isinstance(unit.step, TalkStep | WriteStep):
            return open_steps.answer_reflection(turn, unit, position, self._at)
        return (yield from self._open(turn, unit.step if unit is not None else None, turn_id))

    def _open(
        self, turn: turns.Turn, step: Step | None, turn_id: int
    ) -> Generator[Event, None, turns.Outcome]:
        """A turn that the model reads, or the lesson's own answer to it when there is no model."""

        def answered(tutor: Tutor | None) -> talk.Asking:
            if isinstance(step, WriteStep):
                return open_steps.answer_writing(turn, step, self._position, self._at, tutor)
            assert step is None or isinstance(step, TalkStep)
            return talk.answer_talk(turn, step, self._position, self._at, tutor, self._previous)

        if not (yield from self._tutor.awaited(lambda: self._stopping)):
            return (yield from self._streamed(answered(None), turn_id))
        try:
            with self._tutor.turn(lambda: self._stopping) as tutor:
                return (yield from self._streamed(answered(tutor), turn_id))
        except EngineError as error:
            state = self._tutor.failed(error)
            yield ReplyRetracted()
            yield state
            return (yield from answered(None))

    def _streamed(self, answer: talk.Asking, turn_id: int) -> Generator[Event, None, turns.Outcome]:
        """Pass on what streams, saving it as it grows."""
        written, saved_at, reply_id = "", time.monotonic(), None
        while True:
            try:
                event = next(answer)
            except StopIteration as stop:
                outcome: turns.Outcome = stop.value
                self._open_reply = reply_id
                return outcome
            if isinstance(event, ReplyStarted):
                reply_id = self._store.begin_reply(turn_id, move=event.move, now=self._clock())
            elif isinstance(event, ReplyRetracted):
                written = ""
            else:
                written += event.text
                if reply_id is not None and time.monotonic() - saved_at > CHECKPOINT_S:
                    self._store.checkpoint_reply(reply_id, written)
                    saved_at = time.monotonic()
            yield event

    _open_reply: int | None = None

    # -- commands --------------------------------------------------------------------------------------------

    def _command(self, turn: Asked) -> Iterator[Event]:
        if turn.command == "quit":
            yield self._finish(finished=False)
            return
        unit, position = self._unit, self._position
        turn_id = self._store.add_turn(
            self._session_id, text="", command=turn.command, elapsed_s=None, item_id=unit.id if unit else None,
            now=self._clock(),
        )  # fmt: skip
        outcome = answer_command(turn.command, unit, self._units, position, self._at, self._previous)
        if outcome.attempt is not None:
            yield outcome.attempt
        yield from self._conclude(outcome, unit, turn_id, "", None, None, command=True)

    # -- after every reply -----------------------------------------------------------------------------------

    def _take_up(self, text: str, confused: bool) -> tuple[bool | None, bool | None]:
        asked = self._position.asked
        previous = AskedFor(asked["move"], tuple(asked["target"]), asked["learner_before"]) if asked else None
        uptake, repair = taken_up(previous, text, self._at.tag, confused=confused)
        for tally, value in ((self._position.uptake, uptake), (self._position.repair, repair)):
            if value is not None:
                tally[0] += value
                tally[1] += 1
        return uptake, repair

    def _conclude(
        self, outcome: turns.Outcome, unit: Unit | None, turn_id: int, said: str, uptake: bool | None,
        repair: bool | None, *, command: bool = False,
    ) -> Iterator[Event]:  # fmt: skip
        """Save the reply with the new position, give it out, and go on."""
        position, decision = self._position, outcome.decision
        draft = journal.presentable(outcome.draft, unit, decision, self._at, self._previous)
        asked = position.asked
        reply_id, self._open_reply = self._open_reply, None
        ended = unit if outcome.over else None
        with self._store.transaction():
            if reply_id is None:
                reply_id = self._store.begin_reply(turn_id, move=decision.move, now=self._clock())
            # A position that an earlier version saved does not name the reply that asked.
            if uptake is not None and asked is not None and asked.get("reply") is not None:
                self._store.set_uptake(asked["reply"], uptake=uptake, repair=repair)
            if said and not any(signal == "confused" for signal in decision.signals):
                bring_up.note_used(
                    self._store, self._at.reminders, said, self._at.tag, position, self._clock()
                )
            journal.record(
                self._store, self._session_id, outcome, unit, position, self._at, turn_id, said, self._clock()
            )
            self._store.finish_reply(
                reply_id, text=draft.text, status="stopped" if draft.stopped else "final", signals=decision.signals,
                source=draft.source, hint_level=decision.hint_level, recast=draft.recast, ttft_ms=draft.ttft_ms,
                total_ms=draft.total_ms, prompt_tokens=draft.prompt_tokens, cached_tokens=draft.cached_tokens,
                now=self._clock(),
            )  # fmt: skip
            journal.advance(position, outcome, unit, said, reply_id, command=command)
            self._store.save_position(self._session_id, position.saved())
        self._previous = (*self._previous, draft.text)[-LAST_REPLIES:]
        if said:
            self._talked.append((said, draft.text))
        if outcome.over:
            self._talked = []
        following = self._unit if outcome.over else None
        if following is not None and isinstance(following.step, TalkStep):
            self._tutor.begin(steps.opening(following, self._at))
        yield Reply(
            draft.text, decision.move, decision.signals, draft.source, decision.hint_level, draft.recast, uptake,
            repair, draft.ttft_ms, draft.total_ms, draft.prompt_tokens, draft.cached_tokens, draft.stopped,
        )  # fmt: skip
        if outcome.explanation:
            yield Explanation(outcome.explanation)
        if ended is not None:
            if ended.item is not None:
                yield ItemOver(ended.id, () if checking.is_check(self._lesson) else answers(ended.item))
            yield self._step() if self._unit is not None else self._finish(finished=True)

    # -- the end ---------------------------------------------------------------------------------------------

    def close(self) -> Summary | None:
        """End and save. The session can be taken up again unless it was finished."""
        self._stopping = True
        self._tutor.leave()
        return self._summary

    def _finish(self, *, finished: bool) -> Summary:
        position = self._position
        moves: dict[str, int] = {}
        for move in position.moves:
            moves[move] = moves.get(move, 0) + 1
        summary = Summary(
            len(position.seen), len(position.solved), moves, self._store.due_count(self._clock()),
            round(max(self._clock() - self._began, 0.0) / 60, 1), finished,
            {form: (right, tried) for form, (right, tried) in position.forms.items()},
            tuple(word.word for word in self._lesson.vocabulary) if self._lesson else (),
            (position.uptake[0], position.uptake[1]), (position.repair[0], position.repair[1]),
            check=(self._lesson.check if self._lesson is not None else None) or "",
        )  # fmt: skip
        if summary.check == "post":
            summary = replace(summary, gain=learner_gain(self._store.database, self._set.info.id))
        if finished or self._lesson is None:
            self._store.end_session(self._session_id, asdict(summary), self._clock())
        else:
            self._store.save_position(self._session_id, position.saved())
        self._summary = summary
        return summary


def _readable(text: str) -> str:
    """What the learner wrote, without what cannot be seen."""
    return _INVISIBLE.sub("", text).strip()
