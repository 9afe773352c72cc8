"""Two small questions: pausing a lesson, and which word to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tutor_app.ui import wording
from tutor_app.ui.text import clean, one_line

MOST_WORDS = 40


class LeaveDialog(ModalScreen[bool]):
    """True when the learner wants to pause here."""

    HELP = wording.LEAVE_TEXT
    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "#yes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", wording.LEAVE_NO, id="leave.stay"),
        Binding("left,up", "app.focus_previous", wording.KEY_UP, show=False, id="leave.previous"),
        Binding("right,down", "app.focus_next", wording.KEY_DOWN, show=False, id="leave.next"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._words = title, text

    def compose(self) -> ComposeResult:
        title, text = self._words
        with Vertical(classes="dialog"):
            yield Static(Content(title), classes="title")
            yield Static(Content(text))
            with Horizontal(classes="buttons"):
                yield Button(Content(wording.LEAVE_YES), id="yes", variant="primary")
                yield Button(Content(wording.LEAVE_NO), id="no")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


class KeepDialog(ModalScreen[str | None]):
    """The word to keep, or None."""

    HELP = wording.KEEP_TEXT
    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", wording.CANCEL, id="keep.cancel"),
        Binding("down", "list", wording.KEY_DOWN, show=False, id="keep.list"),
    ]

    def __init__(self, sentence: str, words: Sequence[str]) -> None:
        super().__init__()
        self._sentence = sentence
        self._words = list(words)[:MOST_WORDS]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(wording.KEEP_TITLE), classes="title")
            yield Static(Content(one_line(self._sentence)), classes="quote")
            yield Static(Content(wording.KEEP_TEXT), classes="quiet")
            yield Input(placeholder=wording.KEEP_PLACEHOLDER, max_length=100, compact=True)
            yield OptionList(*(Option(Content(word)) for word in self._words), compact=True, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(wording.KEEP_YES), id="yes", variant="primary")
                yield Button(Content(wording.CANCEL), id="no")

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._words[event.option_index])

    @on(Input.Submitted)
    def _written(self) -> None:
        self.dismiss(clean(self.query_one(Input).value).strip() or None)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self._written()
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_list(self) -> None:
        self.query_one(OptionList).focus()
