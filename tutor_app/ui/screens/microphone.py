"""Choose a microphone, try it, and say what becomes of recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Select, Static

from tutor_app.errors import TutorError
from tutor_app.ui import preferences, wording
from tutor_app.ui import wording_speech as words
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.speak_bar import SpeakBar
from tutor_app.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp


class MicrophoneScreen(Screen[None]):
    """What is heard here is shown, and counts for nothing."""

    HELP = words.HELP_SCREEN
    CSS_PATH = "microphone.tcss"
    AUTO_FOCUS = "#device"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4,ctrl+@,ctrl+space", "speak", words.KEY_SPEAK, id="microphone.speak"),
        Binding("escape", "back", wording.KEY_BACK, id="microphone.back"),
    ]

    @dataclass
    class DevicesFound(Message):
        """The microphones, or why they cannot be listed."""

        names: Sequence[str]
        trouble: str = ""

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        recordings = preferences.RECORDINGS
        yield StatusBar(words.SCREEN_TITLE)
        with VerticalScroll(id="all", can_focus=False):
            with Vertical(classes="setting"):
                yield Static(Content(words.DEVICES), classes="label")
                yield Select(
                    [(words.DEVICE_DEFAULT, "")], value="", allow_blank=False, id="device", compact=True
                )
                yield Static(Content(""), id="device-note", classes="quiet")
            with Vertical(classes="setting"):
                yield Static(Content(words.TRY), classes="label")
                yield Static(Content(words.TRY_HELP), classes="quiet")
                yield SpeakBar()
                yield Static(Content(""), id="heard")
            with Vertical(classes="setting"):
                yield Static(Content(recordings.label), classes="label")
                yield Select(
                    [(text, value) for value, text in recordings.values],
                    value=recordings.of(self.tutor.settings),
                    allow_blank=False,
                    id="recordings",
                    compact=True,
                )
                yield Static(Content(recordings.help), classes="quiet")
        yield KeyBar()

    def on_mount(self) -> None:
        self.find_devices()

    @work(thread=True, exit_on_error=False, group="microphones")
    def find_devices(self) -> None:
        """Ask the recorder's process which microphones there are."""
        ear = self.tutor.service.ear()
        if ear is None:
            self.post_message(self.DevicesFound((), words.NOT_INSTALLED))
            return
        try:
            names = self.tutor.attempt(ear.devices, passing=TutorError) or ()
        except TutorError as error:
            self.post_message(self.DevicesFound((), str(error)))
        else:
            self.post_message(self.DevicesFound(names))

    @on(DevicesFound)
    def _devices_found(self, message: DevicesFound) -> None:
        device, chosen = self.query_one("#device", Select), self._chosen_device()
        with self.prevent(Select.Changed):
            device.set_options(
                [(words.DEVICE_DEFAULT, ""), *((one_line(name, 60), name) for name in message.names)]
            )
            device.value = chosen if chosen in message.names else ""
        note = message.trouble or ("" if message.names else words.DEVICES_NONE)
        self.query_one("#device-note", Static).update(Content(note))

    def _chosen_device(self) -> str:
        return str(self.tutor.settings.get(preferences.MICROPHONE, ""))

    @on(Select.Changed, "#device")
    def _device_chosen(self, event: Select.Changed) -> None:
        if isinstance(event.value, str) and event.value != self._chosen_device():
            self.tutor.choose(preferences.MICROPHONE, event.value)

    @on(Select.Changed, "#recordings")
    def _recordings_chosen(self, event: Select.Changed) -> None:
        if isinstance(event.value, str) and event.value != preferences.RECORDINGS.of(self.tutor.settings):
            self.tutor.choose(preferences.RECORDINGS.key, event.value)

    def action_speak(self) -> None:
        """Begin to listen, or be done with it."""
        settings = self.tutor.settings
        language = str(settings.get(preferences.LANGUAGE, "en"))
        self.query_one(SpeakBar).toggle(language, str(settings.get(preferences.TRACK, "")))

    @on(SpeakBar.Heard)
    def _heard(self, message: SpeakBar.Heard) -> None:
        bar = self.query_one(SpeakBar)
        bar.forget()
        self.query_one("#heard", Static).update(
            Content(words.TRY_WORDS.format(text=one_line(message.text, 400)))
        )

    def action_back(self) -> None:
        if not self.query_one(SpeakBar).discard():
            self.app.pop_screen()
