"""One recording, from the key that starts it to the words: what the app drives from a thread of its own.

The microphone and the recogniser are child processes; sound goes from one to the other through here, so that
decoding begins while the learner still speaks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tutor_app.errors import TutorError
from tutor_app.session.events import Heard
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.hear import LOAD_S, NOTHING_HEARD, TALK_BEAM, Recogniser, languages
from tutor_app.speech.pcm import from_text, seconds, to_text
from tutor_app.speech.process import SpeechChild

RECORDER = "tutor_app.speech.recorder"
PAUSE_S = 2.0
"""Silence after speech that ends a recording. Learners stop to think: shorter than this cuts them off."""
NOBODY_S = 10.0
"""A recording in which nobody has spoken by then ends."""
POLL_S = 0.1
OPEN_S = 30.0
"""A microphone that takes longer to give its first sound is given up."""
FLOOR_DB = -60.0
"""Of the level meter."""

SAMPLE_S = 1.5
"""Long enough to tell perfect silence, which means that sound is not allowed, from a quiet room."""

Phase = Literal["opening", "listening", "reading"]


@dataclass(frozen=True)
class Progress:
    """A recording as it is now, for the meter."""

    phase: Phase
    elapsed_s: float = 0.0
    level: float = 0.0
    """0 to 1, from silence to as loud as it gets."""
    heard: bool = False
    """Whether a voice was heard yet."""
    text: str = ""
    """The words so far."""


@dataclass(frozen=True)
class Recording:
    """What came of it."""

    heard: Heard
    pcm: bytes
    """The sound: 16 kHz, one channel, 16 bits."""


class Ear:
    """Microphone and recogniser of a data folder. Starts no process before the first recording."""

    def __init__(self, data_dir: Path) -> None:
        self._recogniser = Recogniser(data_dir)
        self._recorder = SpeechChild(RECORDER, "The recorder")

    def devices(self) -> Sequence[str]:
        """Names of the microphones. Raises SpeechError."""
        names: list[str] = self._recorder.ask("devices", OPEN_S)["names"]
        return names

    def listen(self, device: str, language: str, track: str) -> Listening:
        """A recording to be `run`; `device` is a name, or empty for the system's choice.

        `$TUTOR_MICROPHONE` overrides the device, so that a file can stand in for it.
        """
        spoken = languages(language, track)
        return Listening(self._recorder, self._recogniser, _chosen(device), spoken, TALK_BEAM)

    def sample(self, device: str = "") -> float:
        """Level of a moment's sound, in dB of full scale. Raises SpeechError with what is wrong and what to do."""
        number, level, heard_s = self._recorder.open("record", device=_chosen(device)), 0.0, 0.0
        for event in self._recorder.events(number, OPEN_S):
            if event["event"] == "sound":
                heard_s += seconds(from_text(event["pcm"]))
                level = event["level_db"]
                if heard_s >= SAMPLE_S:
                    self._recorder.tell("stop", target=number)
        return level

    def close(self) -> None:
        """End both processes."""
        self._recorder.close()
        self._recogniser.close()


def _chosen(device: str) -> str:
    return os.environ.get("TUTOR_MICROPHONE") or device


class Listening:
    """One recording. `run` blocks in its thread; `stop` and `discard` come from any other."""

    def __init__(
        self,
        recorder: SpeechChild,
        recogniser: Recogniser,
        device: str,
        languages: tuple[str, ...],
        beam: int,
    ) -> None:
        self._recorder = recorder
        self._recogniser = recogniser
        self._device = device
        self._languages = languages
        self._beam = beam
        self._stop = threading.Event()
        self._discard = threading.Event()
        self._pcm: list[bytes] = []
        self._elapsed_s = 0.0
        self._level = 0.0
        self._voiced = False
        self._pause_s = 0.0
        self._text = ""

    def stop(self) -> None:
        """The learner has finished."""
        self._stop.set()

    def discard(self) -> None:
        """Throw it away; `run` returns None soon."""
        self._discard.set()
        self._stop.set()

    def run(self, on_progress: Callable[[Progress], object]) -> Recording | None:
        """Record until told to stop, silence or the limit, and read it; None when it was discarded.

        Raises TutorError: no model, no microphone, it was unplugged, nobody spoke.
        """
        on_progress(Progress("opening"))
        loading = threading.Thread(target=self._load, name="load-recogniser", daemon=True)
        loading.start()  # a second or two in which the learner may already speak
        child = self._recogniser.child
        take = self._recorder.open("record", device=self._device)
        read: int | None = None
        try:
            while self._record_some(take):
                if read is None and not loading.is_alive():
                    self._raise_trouble()
                    read = child.open("listen", languages=list(self._languages), beam=self._beam)
                    self._send(read, b"".join(self._pcm))
                elif read is not None:
                    self._send(read, self._pcm[-1])
                    self._hear_some(read)
                on_progress(self._progress("listening"))
                if self._finished():
                    break
        except SpeechError:
            if read is not None:
                child.tell("discard", target=read)
            raise
        finally:
            self._recorder.tell("stop", target=take)
        if self._discard.is_set():
            if read is not None:
                child.tell("discard", target=read)
            return None
        on_progress(self._progress("reading"))
        return self._read(read, loading, on_progress)

    # -- parts of it -----------------------------------------------------------------------------------------

    _trouble: TutorError | None = None

    def _load(self) -> None:
        try:
            self._recogniser.load()
        except TutorError as error:  # handed to the thread that waits, which raises it
            self._trouble = error

    def _raise_trouble(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def _record_some(self, take: int) -> bool:
        """Wait for a block of sound; False when the recording is over."""
        waited = 0.0
        while True:
            event = self._recorder.next_event(take, POLL_S)
            if event is not None:
                break
            waited += POLL_S
            if self._discard.is_set():
                return False
            if self._stop.is_set() and not self._pcm:  # the microphone is still being woken, for nobody
                raise SpeechError(NOTHING_HEARD)
            if waited > OPEN_S:
                self._recorder.close()
                raise SpeechError(
                    "The microphone does not answer. Choose another in Settings, or type the answer."
                )
        if event["event"] == "done":
            return False
        pcm = from_text(event["pcm"])
        self._pcm.append(pcm)
        self._elapsed_s += seconds(pcm)
        self._level = max(0.0, min(1.0, 1.0 - event["level_db"] / FLOOR_DB))
        return True

    def _send(self, read: int, pcm: bytes) -> None:
        self._recogniser.child.tell("sound", target=read, pcm=to_text(pcm))

    def _hear_some(self, read: int) -> None:
        """What the recogniser has to say by now."""
        while (event := self._recogniser.child.next_event(read, 0.0)) is not None:
            if event["event"] == "voice":
                self._voiced, self._pause_s = event["heard"], event["pause_s"]
            elif event["event"] == "text":
                self._text = event["text"]

    def _finished(self) -> bool:
        if self._stop.is_set():
            return True
        return self._pause_s >= (PAUSE_S if self._voiced else NOBODY_S)

    def _progress(self, phase: Phase) -> Progress:
        return Progress(phase, round(self._elapsed_s, 2), self._level, self._voiced, self._text)

    def _read(
        self, read: int | None, loading: threading.Thread, on_progress: Callable[[Progress], object]
    ) -> Recording | None:
        """Wait for the words of a recording that is over."""
        child = self._recogniser.child
        if read is None:
            loading.join(LOAD_S)
            self._raise_trouble()
            read = child.open("listen", languages=list(self._languages), beam=self._beam)
            self._send(read, b"".join(self._pcm))
        child.tell("finish", target=read)
        waited = 0.0
        while True:
            event = child.next_event(read, POLL_S)
            if self._discard.is_set():
                child.tell("discard", target=read)
                return None
            if event is None:
                waited += POLL_S
                if waited > LOAD_S:
                    child.close()
                    raise SpeechError("The recogniser does not answer. Type the answer instead.")
            elif event["event"] == "text":
                self._text = event["text"]
                on_progress(self._progress("reading"))
            elif event["event"] == "done":
                return Recording(
                    self._recogniser.heard(event, round(self._elapsed_s, 2)), b"".join(self._pcm)
                )
