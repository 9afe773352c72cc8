"""One of a few, where the chosen one has another sign and not only another colour."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import RadioButton, RadioSet


class Pick(RadioButton):
    """● when chosen, ○ when not: Textual's own differs by colour alone."""

    BUTTON_LEFT = ""
    BUTTON_RIGHT = " "

    def __init__(self, label: Content, value: bool = False) -> None:
        self.BUTTON_INNER = _sign(value)
        super().__init__(label, value)

    def watch_value(self) -> None:
        self.BUTTON_INNER = _sign(self.value)
        super().watch_value()


def _sign(chosen: bool) -> str:
    return "●" if chosen else "○"


class Picks(RadioSet):
    """A radio set that can also be set by the program, which says nothing about it."""

    def choose(self, index: int) -> None:
        """Make this one the chosen one. Textual 8.2 has no way of its own, and drops the buttons' news while it
        handles those of another set."""
        with self.prevent(RadioButton.Changed, RadioSet.Changed):
            buttons = list(self.query(RadioButton))
            for place, button in enumerate(buttons):
                button.value = place == index
            self._pressed_button = buttons[index]
            self._selected = index
