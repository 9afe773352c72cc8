"""The choices of an item: arrows and Enter, the number, or the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tutor_app.ui import wording
from tutor_app.ui.text import clean
from tutor_app.ui.widgets.words import arabic_mode, drawn_line


@dataclass
class Answered(Message):
    """An answer was put together on a pad."""

    text: str


class ChoicePad(OptionList):
    """One of a few. Choosing is answering."""

    HELP = wording.HELP_CHOICES

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self._choices: tuple[str, ...] = ()

    def offer(self, choices: Sequence[str]) -> None:
        """Show new choices."""
        self._choices = tuple(choices)
        self.clear_options()
        for number, choice in enumerate(choices, 1):
            drawn = drawn_line(Content(clean(choice)), arabic_mode(self.app))
            self.add_option(Option(Content.assemble((f"{number}  ", "bold $text-accent"), drawn)))
        self.highlighted = 0 if choices else None

    def take_key(self, key: str) -> bool:
        """Answer with the choice of this number; False when it is not one."""
        if key.isdecimal() and key.isascii() and 1 <= int(key) <= len(self._choices):
            self.post_message(Answered(self._choices[int(key) - 1]))
            return True
        return False

    def on_key(self, event: events.Key) -> None:
        if self.take_key(event.character or ""):
            event.stop()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(Answered(self._choices[event.option_index]))
