"""Who is learning and where they begin, line by line: learner, PIN, background, placement, reviews a day, hand-in."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.progress.background import QUESTIONS, suggest
from tutor_app.progress.handin import free_path, path_of
from tutor_app.progress.learners import known
from tutor_app.progress.pin import PinNeeded, WrongPin
from tutor_app.progress.sharing import LEVELS
from tutor_app.session.choices import DAILY, MOST_DAILY, START_LEVEL
from tutor_app.session.events import StepShown
from tutor_app.session.overview import SetOverview
from tutor_app.session.service import TutorService

Say = Callable[[str], None]
Ask = Callable[[str], str]

LANGUAGES = {"es": "Spanish", "zh": "Chinese", "ar": "Arabic", "fr": "French"}
TRACKS = {"heritage": "I grew up hearing it", "l2": "I am learning it from English"}
WAYS = f"""Besides a number you can write:
  /level        find where to begin: six to ten minutes of short tasks, nothing is marked
  /daily 15     the most reviews that come back in a day, up to {MOST_DAILY}
  /you          the questions about you and the language again
  /pin          set, change or remove a PIN
  /handin FILE  one file for your instructor; you choose what is in it"""


def number(answer: str, highest: int, say: Say, ask: Ask, *, lowest: int = 1) -> int:
    """A number between two others, asked for until it is one."""
    while not (answer.isdecimal() and lowest <= int(answer) <= highest):
        say(f"Please write a number from {lowest} to {highest}.")
        answer = ask("Number:")
    return int(answer)


def secret(question: str, ask: Ask) -> str:
    """A line that is not shown as it is typed, where the terminal can do that."""
    return getpass.getpass(question + " ") if sys.stdin.isatty() else ask(question)


def choose_learner(service: TutorService, name: str | None, say: Say, ask: Ask) -> None:
    """Open the learner of this name, or the one who answers; somebody new answers a few questions."""
    everybody = list(service.learners())
    found = known(everybody, name) if name is not None else None
    if found is None and name is None and everybody:
        say("Who is learning?")
        for place, one in enumerate(everybody, 1):
            say(f"  {place}  {one.name}")
        say(f"  {len(everybody) + 1}  Somebody new")
        choice = number(ask("Number:"), len(everybody) + 1, say, ask)
        found = everybody[choice - 1] if choice <= len(everybody) else None
    if found is not None:
        open_with_pin(service, found.id, say, ask)
        say(f"Welcome back, {found.name}.")
        return
    name = name or ask("What is your name?")
    while not name:
        name = ask("What is your name?")
    say("Which language?")
    for place, label in enumerate(LANGUAGES.values(), 1):
        say(f"  {place}  {label}")
    language = list(LANGUAGES)[number(ask("Number:"), len(LANGUAGES), say, ask) - 1]
    answers = background(language, say, ask)
    service.create_learner(name, {"language": language, **answers})
    say(f"Welcome, {name}.")


def open_with_pin(service: TutorService, learner_id: str, say: Say, ask: Ask) -> None:
    """Open a learner's file, with their PIN if it has one. Raises TutorError after three that do not fit."""
    for attempt in range(4):
        pin = secret("PIN:", ask) if attempt else ""
        try:
            service.open_learner(learner_id, pin)
        except WrongPin as error:
            say(str(error))
        except PinNeeded:
            pass
        else:
            return
    raise TutorError(
        "That PIN does not fit. Help for a forgotten one is in the settings of the app and the README."
    )


def background(language: str, say: Say, ask: Ask) -> dict[str, str]:
    """Settings from the questions about the learner, the track included; Enter leaves a question out."""
    name = LANGUAGES.get(language, language)
    say("A few questions, so that the tutor meets you where you are. Enter leaves one out.")
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        say(question.text.format(language=name))
        for place, (_, words, _) in enumerate(question.choices, 1):
            say(f"  {place}  {words}")
        answer = ask("Number:")
        if answer:
            picked = number(answer, len(question.choices), say, ask)
            answers[question.id] = question.choices[picked - 1][0]
    suggestion = suggest(answers, name)
    say(suggestion.why)
    tracks = sorted(TRACKS, key=lambda track: track != suggestion.track)
    for place, track in enumerate(tracks, 1):
        say(f"  {place}  {TRACKS[track]}")
    answer = ask("Number, or Enter for the first:")
    track = tracks[number(answer, 2, say, ask) - 1] if answer else tracks[0]
    return {**{f"background.{key}": value for key, value in answers.items()}, "track": track}


def take_another_way(
    line: str,
    service: TutorService,
    sets: list[SetOverview],
    say: Say,
    ask: Ask,
    show: Callable[[StepShown], None],
) -> None:
    """One of `WAYS`, as it was written."""
    command, _, rest = line.partition(" ")
    match command:
        case "/level" if sets:
            place(service, sets[0], say, ask, show)
        case "/daily" if rest.strip().isdecimal() and int(rest) <= MOST_DAILY:
            service.set_setting(DAILY, int(rest))
            say(f"At most {int(rest)} come back in a day. What is over rests and is not counted.")
        case "/you":
            for key, value in background(str(service.settings().get("language", "")), say, ask).items():
                service.set_setting(key, value)
        case "/pin":
            change_pin(service, say, ask)
        case "/handin" if rest.strip():
            hand_in(service, free_path(rest.strip()), say, ask)
        case _:
            say(WAYS)


def place(
    service: TutorService, overview: SetOverview, say: Say, ask: Ask, show: Callable[[StepShown], None]
) -> None:
    """The placement of a set, its result, and the learner's own choice."""
    say(f"{overview.title}. Short tasks, some easy and some hard; nothing is marked.")
    say("Enter alone when you don't know, /stop for enough.")
    placing = service.place(overview.id)
    while (step := placing.step()) is not None:
        show(step)
        began = time.monotonic()
        answer = ask(">")
        if answer == "/stop":
            break
        placing.answer(answer, time.monotonic() - began)
    found = placing.result()
    say(found.why)
    levels = list(overview.levels)
    for at, level in enumerate(levels, 1):
        say(f"  {at}  {level}")
    answer = ask(f"Where do you begin? Enter for {found.level}:")
    level = levels[number(answer, len(levels), say, ask) - 1] if answer else found.level
    service.set_setting(START_LEVEL + overview.id, level)
    say(f"You begin at {level}. Every lesson stays open.")


def change_pin(service: TutorService, say: Say, ask: Ask) -> None:
    """Set, change or remove the PIN."""
    say(
        "A PIN keeps somebody who shares this account from opening your lessons by mistake. It does not encrypt"
    )
    say(
        "anything: whoever can read this account's files can read yours. An account for each keeps people apart."
    )
    old = secret("PIN so far:", ask) if service.has_pin() else ""
    new = secret("New PIN, or Enter for none:", ask)
    if new and secret("The same once more:", ask) != new:
        say("The two are not the same, so nothing has changed.")
        return
    try:
        service.set_pin(new, old)
    except TutorError as error:
        say(str(error))
    else:
        say("Kept. You are asked for it from the next start on." if new else "There is no PIN now.")


def hand_in(service: TutorService, target: Path, say: Say, ask: Ask) -> None:
    """Write a hand-in of every set practised, after the learner has chosen what is in it and agreed."""
    sets: Mapping[str, str] = service.practised()
    if not sets:
        say("There is nothing to hand in yet.")
        return
    say(f"This is about: {', '.join(sets.values())}.")
    say("How much do you agree to share?")
    for at, text in enumerate(LEVELS.values(), 1):
        say(f"  {at}  {text}")
    say("  0  Nothing; go back")
    chosen = number(ask("Number:"), len(LEVELS), say, ask, lowest=0)
    if not chosen:
        return
    name = ask("The name to appear under, or Enter for your own:")
    key = ask("Your instructor's key file, or Enter for none:")
    try:
        service.hand_in(target, list(sets), list(LEVELS)[chosen - 1], name, path_of(key) if key else None)
    except TutorError as error:
        say(str(error))
        return
    sealed = (
        "sealed, so that only your instructor opens it" if key else "not sealed: whoever gets it can read it"
    )
    say(f"{target} is written and signed, {sealed}.")
