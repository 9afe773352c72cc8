"""The same lessons line by line: no escape codes, nothing repainted, each reply printed when it is whole.

For screen readers, for terminals that cannot do more, and for pipes.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tutor_app.errors import TutorError
from tutor_app.plain_pairs import PlainSounds
from tutor_app.plain_path import choose_learner, number, take_another_way
from tutor_app.session.events import (
    Asked,
    Attempt,
    Command,
    Event,
    Explanation,
    Heard,
    ItemOver,
    ModelState,
    Problem,
    Reply,
    Said,
    SessionStarted,
    Sounded,
    StepShown,
    Summary,
    TurnIn,
    WordSound,
)  # fmt: skip
from tutor_app.session.gain_text import gain_lines
from tutor_app.session.overview import REVIEW, LessonOverview, SetOverview
from tutor_app.session.plan import masked
from tutor_app.session.service import TutorService
from tutor_app.session.session import Session

if TYPE_CHECKING:
    from tutor_app.plain_speech import Spoken
    from tutor_app.speech.listening import Ear

HELP = """Write your answer and press Enter. Or write one of:
  /say      speak instead of writing
  /hear     hear the tutor's last words
  /pair     hear a word beside the one it is easily taken for, when that was offered
  /hint     a step of help
  /skip     go on to the next
  /explain  about what you just did
  /again    show the task again
  /keep X   keep the word X of the tutor's last line for your reviews
  /quit     stop here; a lesson can be continued later
  /help     this list"""
EARLIER_TURNS = 3
"""How much of an earlier sitting is read out; the rest is in the learner's file."""
COMMANDS: dict[str, Command] = {"/hint": "hint", "/skip": "skip", "/explain": "explain", "/quit": "quit"}
Say = Callable[[str], None]


class Ended(Exception):  # not an error: the learner closed the input
    """No more input."""


def run_plain(data_dir: Path, learner: str | None, *, model: str | None = None) -> int:
    """Choose a learner and a lesson, and have it. Returns the exit code."""
    from tutor_app.cli.context import prepared

    if isinstance(sys.stdin, io.TextIOWrapper):  # what is no character is read as a replacement mark
        sys.stdin.reconfigure(errors="replace")
    service = TutorService(prepared(data_dir), model=model, aloud=True)
    try:
        choose_learner(service, learner, write, read)
        if notice := service.notice():
            write(notice)
        service.load_model(_told_if_none)
        while True:
            try:
                service.care()
            except TutorError as error:
                write(str(error))
            chosen = choose_lesson(service, write, read)
            if chosen is None:
                return 0
            speak = speaker(service, service.sets(), chosen[0])
            hear = listener(service, chosen[0])
            sounds = sounds_of(service, service.sets(), chosen[0])
            # Closed, since a lesson that is still read in would keep the next one waiting.
            with closing(service.start_lesson(*chosen)) as session:
                hold(session, write, read, speak=speak, hear=hear, sounds=sounds, use_model=service.use_model)
    except (Ended, KeyboardInterrupt):
        write("")
        write("Saved. Until next time!")
        return 0
    finally:
        service.close()


def _told_if_none(state: ModelState) -> None:
    """Says at once that there is no model; that one is lost is told by the turn that needs it."""
    if state.state == "none":
        show(state, write)


def speaker(service: TutorService, sets: Sequence[SetOverview], set_id: str) -> Callable[[], Spoken | None]:
    """What `/say` does in a lesson of this set: gives what was said, or None after saying why there is nothing."""

    def speak() -> Spoken | None:
        from tutor_app.plain_speech import spoken

        if (ear := _ear(service)) is None:
            return None
        chosen = next(each for each in sets if each.id == set_id)
        return spoken(ear, _microphone(service), chosen.language, chosen.track, write, read)

    return speak


def sounds_of(service: TutorService, sets: Sequence[SetOverview], set_id: str) -> PlainSounds:
    """What is said of sounds in a lesson of this set, and what `/pair` does there."""
    chosen = next(each for each in sets if each.id == set_id)

    def record() -> bytes | None:
        from tutor_app.plain_speech import recorded

        if (ear := _ear(service)) is None:
            return None
        recording = recorded(ear, _microphone(service), chosen.language, chosen.track, write)
        return recording.pcm if recording is not None else None

    return PlainSounds(lambda: service.reader(chosen.id), record, write, read)


def _ear(service: TutorService) -> Ear | None:
    """What listens; None after saying that nothing does."""
    ear = service.ear()
    if ear is None:
        write('Speaking is not installed here. Run: pip install "linguist-tutor[speech]"')
    return ear


def _microphone(service: TutorService) -> str:
    return str(service.settings().get("microphone", ""))


def listener(service: TutorService, set_id: str) -> Callable[[str], bool]:
    """What `/hear` does in a lesson of this set: reads a text aloud, or says why it cannot. Gives whether it could."""

    def hear(text: str) -> bool:
        reader = service.reader(set_id)
        try:
            if reader is not None and text:
                reader.say(text, slow=reader.slow)
                return True
            write(
                "There is nothing to hear yet."
                if reader
                else "There is no voice here. Read the text instead."
            )
        except TutorError as error:
            write(str(error))
        return False

    return hear


def write(text: str) -> None:
    """One line on standard output, in whatever the terminal can show of it."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def read(question: str) -> str:
    """A line from standard input. Raises Ended at its end."""
    encoding = sys.stdout.encoding or "utf-8"
    print(question.encode(encoding, "replace").decode(encoding), end=" ", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise Ended
    return line.strip()


def choose_lesson(
    service: TutorService, say: Say, ask: Callable[[str], str]
) -> tuple[str, str | None] | None:
    """(set, lesson), with lesson None for a free talk and `REVIEW` for what is due; None to leave."""
    while True:
        sets = list(service.sets())
        lines = _show_sets(sets, say)
        answer = ask("Number of a lesson, or 0 to leave:")
        if answer.startswith("/"):
            try:
                take_another_way(answer, service, sets, say, ask, lambda step: show(step, say))
            except TutorError as error:
                say(str(error))
            continue
        chosen = number(answer, len(lines), say, ask, lowest=0)
        return lines[chosen - 1] if chosen else None


def _show_sets(sets: Sequence[SetOverview], say: Say) -> list[tuple[str, str | None]]:
    """Every way to go on, numbered from 1; what is recommended says why."""
    lines: list[tuple[str, str | None]] = []
    for one in sets:
        say("")
        say(f"{one.title} ({one.language_name}), level {one.level}")
        if one.level_reached:
            say(f"You have come to {one.level}: everything below it is learnt.")
        for lesson in one.lessons:
            lines.append((one.id, lesson.id))
            why = f". Next: {one.next_why}" if lesson.id == one.next_lesson else ""
            say(f"  {len(lines)}  {lesson.title}, {lesson.level}, {_state(lesson)}{why}")
        if one.review_items:
            lines.append((one.id, REVIEW))
            say(f"  {len(lines)}  Review, {one.review_items} to meet again")
        if one.waiting:
            say("     More is resting for another day. It is not counted, and nothing is late.")
        lines.append((one.id, None))
        say(f"  {len(lines)}  Free talk")
    say("")
    say("/help lists what else you can do.")
    return lines


def _state(lesson: LessonOverview) -> str:
    if lesson.mastered and not lesson.check:
        return "learnt"
    if lesson.finished:
        return "finished"
    if lesson.open_session:
        return "continue"
    return (
        f"{lesson.items_seen} of {lesson.items_total} done"
        if lesson.items_seen
        else f"{lesson.minutes} minutes"
    )


def hold(
    session: Session,
    say: Say,
    ask: Callable[[str], str],
    *,
    clock: Callable[[], float] = time.monotonic,
    speak: Callable[[], Spoken | None] = lambda: None,
    hear: Callable[[str], bool] = lambda text: False,
    sounds: PlainSounds | None = None,
    use_model: Callable[[str], None] | None = None,
) -> None:
    """One sitting. Raises Ended when the input ends; the session can then be continued another time.

    `speak` gives what the learner said aloud, or None when there is nothing to send; `hear` reads a text to
    them, and `sounds` is asked how a sentence sounded that was to be said aloud. `use_model` changes to a smaller model
    when memory ran out and the learner wants it.
    """
    told = _Told()
    step = _show_all(_started(session, say), say, told)
    say("Write /help for what you can do.")
    while not session.over:
        began = clock()
        line = ask(">")
        if line == "/say":
            said = speak()
            if said is None:
                continue
            line = said.text.lstrip("/")  # what is spoken is never a command
            if sounds is not None and step is not None and step.kind == "speak":
                _tell_sounds(sounds, sounds.remarks(said.pcm, step.say or step.text), say)
        if line == "/help":
            say(HELP)
        elif line == "/hear":
            wanted = step.say if step is not None and step.say else told.line
            if not hear(wanted) and step is not None and step.say:
                say(masked(step.say) if step.kind == "dictation" else step.say)  # so that it can be done
        elif line == "/pair" and sounds is not None:
            _tell_sounds(sounds, sounds.practise(), say)
        elif line == "/again" and step is not None:
            show(step, say)
        elif line.startswith("/keep ") and line.removeprefix("/keep ").strip():
            session.save_word(line.removeprefix("/keep ").strip(), told.line)
            say("Kept for your reviews.")
        elif line == "/smaller" and told.offer and use_model is not None:
            use_model(told.offer)
            say(f"Changing to {told.offer}. You can go on writing.")
        elif line.startswith("/") and line not in COMMANDS:
            say(f"There is no {line}. /help lists what there is.")
        else:
            turn: TurnIn = (
                Asked(COMMANDS[line]) if line in COMMANDS else Said(line, round(clock() - began, 1))
            )
            step = _show_all(session.submit(turn), say, told, step) or step


def _started(session: Session, say: Say) -> Iterator[Event]:
    """The beginning of a session, and before its step the end of an earlier sitting."""
    for event in session.start():
        if isinstance(event, StepShown):
            for turn in session.earlier[-EARLIER_TURNS:]:
                if turn.text:
                    say(f"You: {turn.text}")
                if turn.reply is not None and turn.reply.text not in ("", event.prompt):
                    say(f"Tutor: {marked(turn.reply.text, turn.reply.recast)}")
        yield event


def _tell_sounds(sounds: PlainSounds, words: Sequence[WordSound], say: Say) -> None:
    if words:
        show(Sounded(tuple(words)), say)
        if sounds.offer:
            say(sounds.offer)


@dataclass
class _Told:
    """What later commands are about."""

    line: str = ""
    """The tutor's last words."""
    offer: str = ""
    """A smaller model to change to."""
    talk: bool = False
    """This is a free talk, which ends for good when it is left."""


def _show_all(
    events: Iterator[Event], say: Say, told: _Told, before: StepShown | None = None
) -> StepShown | None:
    step, waiting = None, False
    for event in events:
        if isinstance(event, SessionStarted):
            told.talk = event.lesson_id is None
        elif isinstance(event, Reply):
            told.line = event.text
        elif isinstance(event, StepShown) and event.kind == "talk":
            told.line = event.prompt
        elif isinstance(event, ModelState) and event.offer:
            told.offer = event.offer
        if isinstance(event, ModelState) and event.state in ("loading", "warming"):
            if not waiting:
                say("(The tutor is getting ready …)")
            waiting = True
        elif isinstance(event, StepShown):
            _show_step(event, say, before)
            step = event
        elif isinstance(event, Summary):
            _show_summary(event, say, talk=told.talk)
        else:
            show(event, say)
    return step


def show(event: Event, say: Say) -> None:
    """An event in words."""
    match event:
        case SessionStarted():
            say("")
            say(event.lesson_title or "Free talk")
            if event.resumed:
                say("You left this in the middle; here is where you were.")
        case StepShown():
            _show_step(event, say, None)
        case Heard():
            say(f"Heard: {event.text}")
        case Sounded():
            for word in event.words:
                hint = "clear" if word.mark == "clear" else f"listen again, beside {word.other}. ({word.tip})"
                say(f"{word.word}: {hint}")
        case Attempt() if event.dialect and event.correct:
            say(f"(That is how it is said in {event.dialect}.)")
        case Reply():
            say(f"Tutor: {marked(event.text, event.recast)}")
        case ItemOver() if event.answers:
            pairs = any(" = " in answer for answer in event.answers)
            say("Said like this: " + ("; ".join(event.answers) if pairs else " / ".join(event.answers[:3])))
        case Explanation():
            say(event.text)
        case Problem():
            say(event.message)
        case ModelState() if event.message:
            say(event.message)
            if event.offer:
                say(f"{event.offer} needs less and is here: write /smaller to use it.")
        case Summary():
            _show_summary(event, say, talk=False)


def marked(text: str, recast: str | None) -> str:
    """The recast form between two marks, for those who cannot see bold."""
    return text.replace(recast, f">{recast}<", 1) if recast else text


def _show_step(step: StepShown, say: Say, before: StepShown | None) -> None:
    """The step, without what was read out for the one before (`/again` has all of it)."""
    same = before is not None and before.step_id == step.step_id
    say("")
    head = f"{step.number} of {step.of}. " if step.of > 1 else ""
    head += "(From before.) " if step.review else ""
    say(f"{head}{step.task}" if step.task and step.task != step.prompt and not same else head.strip())
    shown = () if same else (step.support, step.scenario, step.goal and f"Goal: {step.goal}")
    for line in (*shown, "" if before is not None and before.text == step.text else step.text):
        if line:
            say(line)
    if step.kind == "talk":
        say(f"Tutor: {step.prompt}")
    else:
        say(step.prompt)
    if step.gloss:
        say(f"({step.gloss})")
    if step.say:
        say("Write /hear to hear it.")
    if step.left:
        for number, left in enumerate(step.left, 1):
            say(f"  {number}  {left}")
        for letter, right in zip("abcdefgh", step.choices, strict=False):
            say(f"  {letter}  {right}")
        say("Write pairs like 1b 2a 3c.")
    elif step.choices:
        for number, choice in enumerate(step.choices, 1):
            say(f"  {number}  {choice}")


def _show_summary(summary: Summary, say: Say, *, talk: bool) -> None:
    say("")
    if talk:
        say("Saved. The next talk is a new one.")
    else:
        say("Lesson finished." if summary.finished else "Saved. You can continue another time.")
    if summary.items_seen:
        say(f"You worked on {summary.items_seen} items and found {summary.items_correct} of them.")
    if summary.gain is not None:
        for line in gain_lines(summary.gain):
            say(line)
    if summary.uptake[1]:
        say(f"You picked up {summary.uptake[0]} of {summary.uptake[1]} of the tutor's ideas.")
    if summary.due_reviews:
        say(f"{summary.due_reviews} words and forms to review when you like.")
