"""One line above the writing box while somebody speaks: state, time, level, and the words so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tutor_app.errors import TutorError
from tutor_app.ui import preferences
from tutor_app.ui import wording_speech as wording
from tutor_app.ui.text import gauge, one_line

if TYPE_CHECKING:
    from tutor_app.speech.listening import Listening, Progress, Recording
    from tutor_app.ui.app import TutorApp

METER_CELLS = 12
UNSURE = 0.55
"""Confidence below which the learner is told that it may be misheard."""


class SpeakBar(Static):
    """Runs one recording at a time. The screen decides when, and what becomes of the words."""

    @dataclass
    class Heard(Message):
        """The words of a recording, for the learner to look at before they count, and its sound."""

        text: str
        pcm: bytes

    @dataclass
    class Progressed(Message):
        """How the recording stands; an older one is worth nothing."""

        progress: Progress

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, SpeakBar.Progressed)

    @dataclass
    class Ended(Message):
        """The thread is done: with a recording, with a sentence for the learner, or with neither (thrown away)."""

        recording: Recording | None
        trouble: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._listening: Listening | None = None
        self._unsent: list[bytes] = []
        """Recordings whose words are still with the learner."""

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    @property
    def recording(self) -> bool:
        """Whether it listens, or reads what it heard."""
        return self._listening is not None

    def toggle(self, language: str, track: str) -> None:
        """Begin to listen, or be done with it."""
        if self._listening is not None:
            self._listening.stop()
        elif (ear := self.tutor.service.ear()) is None:
            self._tell(Content(wording.NOT_INSTALLED))
        else:
            device = self.tutor.settings.get(preferences.MICROPHONE, "")
            self._listening = ear.listen(str(device), language, track)
            self._tell(Content(wording.OPENING))
            self._run(self._listening)

    def stop(self) -> bool:
        """The learner is done, and the words will come as `Heard`; False when nothing is being recorded."""
        if self._listening is None:
            return False
        self._listening.stop()
        return True

    def discard(self) -> bool:
        """Throw the recording away; False when there is none."""
        if self._listening is None:
            return False
        self._listening.discard()
        return True

    @property
    def unsent(self) -> bytes:
        """The sound of what was said and not sent yet."""
        return b"".join(self._unsent)

    def sent(self) -> None:
        """The learner has sent what was heard: keep the sound if they want that, and show nothing any more."""
        if self._listening is None:
            self.remove_class("-on")
        pending, self._unsent = self._unsent, []
        if preferences.RECORDINGS.of(self.tutor.settings) == "yes":
            for pcm in pending:
                self._keep(pcm)

    def forget(self) -> None:
        """What was heard was only a try: nothing of it is kept."""
        self._unsent.clear()
        self.remove_class("-on")

    @work(thread=True, exit_on_error=False, group="speech-keep")
    def _keep(self, pcm: bytes) -> None:
        """Write a recording to the learner's folder."""
        self.tutor.attempt(lambda: self.tutor.service.keep_recording(pcm))

    def on_unmount(self) -> None:
        self.discard()

    @work(thread=True, exit_on_error=False, group="speech", name="speech")
    def _run(self, listening: Listening) -> None:
        """Record and read; nothing here touches the widget."""
        recording, trouble = None, wording.BROKE
        try:
            recording = listening.run(lambda progress: self.post_message(self.Progressed(progress)))
            trouble = ""
        except TutorError as error:
            trouble = str(error)
        finally:  # whatever happened: while it seems to listen, nothing can be sent
            self.post_message(self.Ended(recording, trouble))

    @on(Worker.StateChanged)
    def _broke(self, event: Worker.StateChanged) -> None:
        """A fault in recording is noted, and the learner goes on by typing."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.tutor.note_fault(event.worker.error)

    @on(Progressed)
    def _progressed(self, message: Progressed) -> None:
        message.stop()
        if self._listening is not None:
            self._tell(shown(message.progress))

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        message.stop()
        self._listening = None
        if message.trouble:
            self._tell(Content.assemble(("! ", "$warning"), message.trouble))
        elif message.recording is None:
            self._tell(Content(wording.NOTHING_KEPT))
        else:
            heard = message.recording.heard
            sentence = wording.HEARD if heard.confidence >= UNSURE else wording.HEARD_UNSURE
            self._tell(Content.assemble(("✎ ", "$accent"), sentence))
            self._unsent.append(message.recording.pcm)
            self.post_message(self.Heard(heard.text, message.recording.pcm))

    def _tell(self, content: Content) -> None:
        self.update(content)
        self.add_class("-on")


def shown(progress: Progress) -> Content:
    """A recording in one or two lines; the words `Listening` and the bar say without colour that it is on."""
    if progress.phase == "opening":
        return Content(wording.OPENING)
    if progress.phase == "reading":
        head = Content.assemble(("◌ ", "$accent"), wording.READING)
    else:
        minutes, seconds = divmod(int(progress.elapsed_s), 60)
        head = Content.assemble(
            ("● ", "$error"), (wording.LISTENING, "bold"), f" {minutes}:{seconds:02} ",
            gauge(progress.level, METER_CELLS), (f"  {wording.LISTENING_KEYS}", "$text-quiet"),
        )  # fmt: skip
    if not progress.text:
        return head
    return Content("\n").join([head, Content(one_line(progress.text, 400)).stylize("$text-quiet")])
