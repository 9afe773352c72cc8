"""Speaking in `tutor --plain`: nothing moves on the screen, one line says that it listens, one what was heard."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from tutor_app.errors import TutorError
from tutor_app.speech.listening import Ear, Listening, Progress, Recording

Say = Callable[[str], None]
Ask = Callable[[str], str]

LISTENING = "Listening. Speak, then be quiet for two seconds. Ctrl-C throws it away."
CONFIRM = "Enter sends it; or write it as you meant it; or - to drop it:"


@dataclass(frozen=True)
class Spoken:
    """What the learner sends, and its sound."""

    text: str
    pcm: bytes


def spoken(ear: Ear, device: str, language: str, track: str, say: Say, ask: Ask) -> Spoken | None:
    """What the learner said and confirmed; None when nothing is to be sent, and the reason has been said."""
    recording = recorded(ear, device, language, track, say)
    if recording is None:
        return None
    answer = ask(CONFIRM)
    return None if answer == "-" else Spoken(answer or recording.heard.text, recording.pcm)


def recorded(ear: Ear, device: str, language: str, track: str, say: Say) -> Recording | None:
    """One recording, and what was heard said; None after saying why there is none."""
    listening = ear.listen(device, language, track)
    told = False

    def progress(now: Progress) -> None:
        nonlocal told
        if now.phase == "listening" and not told:
            told = True
            say(LISTENING)

    try:
        with discarded_by_ctrl_c(listening):
            recording = listening.run(progress)
    except TutorError as error:
        say(str(error))
        return None
    if recording is None:
        say("Thrown away. Nothing of it was kept.")
        return None
    say(f"Heard: {recording.heard.text}")
    return recording


@contextmanager
def discarded_by_ctrl_c(listening: Listening) -> Iterator[None]:
    """While it lasts, Ctrl-C throws the recording away instead of ending the program."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach only the main thread
        return

    def discard(number: int, frame: FrameType | None) -> None:
        listening.discard()

    before = signal.signal(signal.SIGINT, discard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
