"""A learner's PIN: asked for when their file is opened; set, changed and removed from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tutor_app.errors import TutorError
from tutor_app.ui import wording as common
from tutor_app.ui import wording_path as wording
from tutor_app.ui.text import one_line, plain

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

MAX_LENGTH = 64


class PinDialog(ModalScreen[str | None]):
    """What was given, or None when the learner turned back."""

    HELP = wording.HELP_PIN
    CSS_PATH = "pin.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", common.CANCEL, id="pin.cancel")]

    def __init__(self, name: str, wrong: str = "") -> None:
        super().__init__()
        self._whose, self._wrong = name, wrong

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(wording.PIN_ASK.format(name=one_line(self._whose, 40))), classes="title")
            yield Static(plain(self._wrong) if self._wrong else Content(wording.PIN_ASK_TEXT))
            yield Input(
                placeholder=wording.PIN_PLACEHOLDER, password=True, max_length=MAX_LENGTH, compact=True
            )
            with Horizontal(classes="buttons"):
                yield Button(Content(wording.PIN_OPEN), id="yes", variant="primary")
                yield Button(Content(common.CANCEL), id="no")

    @on(Input.Submitted)
    def _given(self) -> None:
        self.dismiss(self.query_one(Input).value or None)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self._given()
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        self.dismiss(None)


@dataclass
class PinKept(Message):
    """The service took the new PIN (or its removal), or said why not."""

    said: str
    kept: bool


class PinScreen(ModalScreen[bool]):
    """Set, change or remove the open learner's PIN; True when something changed."""

    HELP = wording.HELP_PIN
    CSS_PATH = "pin.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", common.CANCEL, id="pin.back")]

    def __init__(self, name: str, has_pin: bool) -> None:
        super().__init__()
        self._whose, self._has_pin = name, has_pin

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static(Content(wording.PIN_TITLE.format(name=one_line(self._whose, 40))), classes="title")
            yield Static(Content(wording.PIN_HONEST), classes="quiet")
            if self._has_pin:
                yield Static(Content(wording.PIN_OLD), classes="label")
                yield Input(password=True, max_length=MAX_LENGTH, compact=True, id="old")
            for name, label in (("new", wording.PIN_NEW), ("again", wording.PIN_AGAIN)):
                yield Static(Content(label), classes="label")
                yield Input(password=True, max_length=MAX_LENGTH, compact=True, id=name)
            yield Static(Content(""), id="trouble")
            with Horizontal(classes="buttons"):
                yield Button(Content(wording.PIN_KEEP), id="keep", variant="primary")
                if self._has_pin:
                    yield Button(Content(wording.PIN_REMOVE), id="remove")
                yield Button(Content(common.CANCEL), id="no")

    def _value(self, name: str) -> str:
        found = self.query(f"#{name}").results(Input)
        return next((box.value for box in found), "")

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "no":
            self.dismiss(False)
        elif event.button.id == "remove":
            self.change("", self._value("old"), wording.PIN_GONE)
        elif self._value("new") != self._value("again"):
            self.query_one("#trouble", Static).update(Content(wording.PIN_DIFFER))
            self.query_one("#new", Input).focus()
        elif not self._value("new"):
            self.query_one("#new", Input).focus()
        else:
            self.change(self._value("new"), self._value("old"), wording.PIN_SET)

    @work(thread=True, exit_on_error=False, group="pin")
    def change(self, new: str, old: str, said: str) -> None:
        """Have it kept; making the key takes a moment on purpose."""
        app = cast("TutorApp", self.app)
        try:
            app.attempt(lambda: app.service.set_pin(new, old), passing=TutorError)
        except TutorError as error:
            self.post_message(PinKept(str(error), False))
        else:
            self.post_message(PinKept(said, True))

    @on(PinKept)
    def _kept(self, message: PinKept) -> None:
        if message.kept:
            self.app.notify(message.said, markup=False, timeout=6)
            self.dismiss(True)
        else:
            self.query_one("#trouble", Static).update(plain(message.said))

    def action_cancel(self) -> None:
        self.dismiss(False)
