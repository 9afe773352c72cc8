"""One thing the app remembers: to read, to put into other words, to leave alone, or to delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tutor_app.progress.records import FormKnowledge
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.memory_entries import Entry
from tutor_app.ui.text import clean, one_line
from tutor_app.ui.widgets.words import Words

MOST = 500
"""Characters of a field."""


@dataclass(frozen=True)
class Change:
    """What the learner wants done with an entry."""

    act: Literal["save", "rest", "delete"]
    values: tuple[str, ...] = ()
    """Of the fields, in order, when it is to be saved."""


class EntryDialog(ModalScreen[Change | None]):
    """None when it is only closed."""

    HELP = wording.HELP_ENTRY
    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS = "Input, Button"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", wording.CLOSE, id="entry.close"),
        Binding("up", "app.focus_previous", wording.KEY_UP, show=False, id="entry.previous"),
        Binding("down", "app.focus_next", wording.KEY_DOWN, show=False, id="entry.next"),
    ]

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self._entry = entry

    def compose(self) -> ComposeResult:
        entry = self._entry
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Words(Content(one_line(entry.name, 300)), classes="title")
            yield Words(Content(clean(entry.facts)), leftward=False, classes="quiet")
            for label, value in entry.fields:
                yield Static(Content(label), classes="label")
                yield Input(clean(value), max_length=MOST, compact=True)
            with Horizontal(classes="buttons"):
                if entry.fields:
                    yield Button(Content(wording.SAVE), id="save", variant="primary")
                if entry.can_rest:
                    yield Button(Content(wording.WAKE if entry.resting else wording.REST), id="rest")
                forget = isinstance(entry.what, FormKnowledge)
                yield Button(Content(wording.FORGET if forget else wording.DELETE), id="delete")
                yield Button(Content(wording.CLOSE), id="close")

    @on(Input.Submitted)
    def _written(self) -> None:
        self.dismiss(Change("save", tuple(clean(field.value).strip() for field in self.query(Input))))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "save":
                self._written()
            case "rest":
                self.dismiss(Change("rest"))
            case "delete":
                self.dismiss(Change("delete"))
            case _:
                self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)
