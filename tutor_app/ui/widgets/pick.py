"""One of a few, where the chosen one has another sign and not only another colour."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import RadioButton


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
