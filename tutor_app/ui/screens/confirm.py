"""One question before something is gone for good."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from tutor_app.ui import wording_progress as wording
from tutor_app.ui.widgets.words import Words


class ConfirmDialog(ModalScreen[bool]):
    """True when the learner wants it. The way back has the focus."""

    HELP = wording.HELP_CONFIRM
    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", wording.CANCEL, id="confirm.cancel"),
        Binding("left,up", "app.focus_previous", wording.KEY_UP, show=False, id="confirm.previous"),
        Binding("right,down", "app.focus_next", wording.KEY_DOWN, show=False, id="confirm.next"),
    ]

    def __init__(self, title: str, text: str, yes: str) -> None:
        super().__init__()
        self._words = title, text, yes

    def compose(self) -> ComposeResult:
        title, text, yes = self._words
        with Vertical(classes="dialog"):
            yield Words(Content(title), leftward=False, classes="title")
            yield Words(Content(text), leftward=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(wording.CANCEL), id="no", variant="primary")
                yield Button(Content(yes), id="yes")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
