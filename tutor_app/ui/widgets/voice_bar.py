"""One line above the writing box while the tutor reads aloud. It knows what can be heard again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tutor_app.errors import TutorError
from tutor_app.session.events import WordSound
from tutor_app.ui import wording_voice as wording

if TYPE_CHECKING:
    from tutor_app.speech.reader import Reader


class VoiceBar(Static):
    """Speaks one thing at a time: what comes later ends what is being said."""

    @dataclass
    class Sounding(Message):
        """The first word can be heard."""

        number: int

    @dataclass
    class Over(Message):
        """Nothing sounds any more; `trouble` is a sentence for the learner when nothing could."""

        number: int
        trouble: str
        text: str

    @dataclass
    class Remarked(Message):
        """What can be said of how a sentence sounded; not sent when that is nothing."""

        words: tuple[WordSound, ...]
        text: str
        """The sentence they stand in."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._reader: Reader | None = None
        self._number = 0
        self._text = ""
        self._slow_next = False
        self._recording = b""
        self._speaking = False
        self._held = False
        self._missed = ""
        """What would have been read while it was held."""

    def use(self, reader: Reader | None) -> None:
        """The voice of this lesson's language, or none."""
        self._reader = reader

    @property
    def speaking(self) -> bool:
        """Whether something sounds or is about to."""
        return self._speaking

    def read(self, text: str, *, kept: str = "") -> bool:
        """A new line to be heard: read at once, or on `release`, when the learner wants that; else kept for the key.

        `kept` is for the key in its place. Says whether it is read without the key.
        """
        if not text.strip():
            return False
        self._text, self._slow_next, self._recording = kept or text, False, b""
        if self._reader is None or not self._reader.unasked(text):
            return False
        self._missed = text if self._held else ""
        if not self._held:
            self._speak(text, slow=self._reader.slow)
        return True

    def say(self, text: str) -> None:
        """A line that the learner asked for, whatever is read unasked."""
        if self._reader is not None and text.strip():
            self._text, self._slow_next, self._recording = text, False, b""
            self._speak(text, slow=self._reader.slow)

    def hold(self) -> None:
        """Be silent until `release`, since something else speaks with the same voice."""
        self.quiet()
        self._held = True

    def release(self) -> None:
        """Read again; what came meanwhile and would have been read is read now."""
        self._held = False
        missed, self._missed = self._missed, ""
        if missed:
            self.read(missed, kept=self._text)

    def again(self) -> bool:
        """The same line once more, slowly the second time; False when there is nothing to be heard."""
        if self._reader is None or not self._text:
            return False
        self._speak(self._text, slow=self._slow_next or self._reader.slow)
        self._slow_next = not self._slow_next
        return True

    def compare(self, text: str, recording: bytes) -> None:
        """The tutor's line, then the learner's own, then what can be said about its sounds."""
        if self._reader is None or not recording:
            return
        self._text, self._recording, self._slow_next = text, recording, False
        self._number += 1
        self._speaking = True
        self._tell(wording.COMPARING)
        self._run_compare(self._reader, self._number, text, recording)

    def quiet(self) -> bool:
        """Be silent; False when nothing sounds."""
        if not self._speaking or self._reader is None:
            return False
        self._number += 1
        self._reader.stop()
        self._finish()
        return True

    def on_unmount(self) -> None:
        self.quiet()

    def _speak(self, text: str, *, slow: bool) -> None:
        assert self._reader is not None
        self._number += 1
        self._speaking = True
        self._tell(wording.READING)
        self._run_read(self._reader, self._number, text, slow)

    @work(thread=True, exit_on_error=False, group="voice", name="voice")
    def _run_read(self, reader: Reader, number: int, text: str, slow: bool) -> None:
        """Nothing here touches the widget."""
        trouble = ""

        def sounding() -> None:
            self.post_message(self.Sounding(number))

        try:
            reader.say(text, slow=slow, on_sound=sounding)
        except TutorError as error:
            trouble = str(error)
        self.post_message(self.Over(number, trouble, text))

    @work(thread=True, exit_on_error=False, group="voice", name="compare")
    def _run_compare(self, reader: Reader, number: int, text: str, recording: bytes) -> None:
        trouble = ""
        try:
            if reader.unasked(text) and reader.say(text):
                reader.play(recording)
        except TutorError as error:
            trouble = str(error)
        self.post_message(self.Over(number, trouble, ""))
        try:
            words = reader.remarks(recording, text)
        except TutorError:
            return  # the answer counts without it, and nobody is told about help that cannot be had
        if words:
            self.post_message(self.Remarked(words, text))

    @on(Sounding)
    def _sounding(self, message: Sounding) -> None:
        message.stop()
        if message.number == self._number:
            self._tell(wording.SOUNDING)

    @on(Over)
    def _over(self, message: Over) -> None:
        if message.number != self._number:
            message.stop()
            return
        self._finish()
        if message.trouble:
            self._tell(f"! {message.trouble}")

    def _finish(self) -> None:
        self._speaking = False
        self.remove_class("-on")

    def _tell(self, sentence: str) -> None:
        self.update(Content(sentence))
        self.add_class("-on")
