"""Text that may be Arabic: drawn the way the learner's terminal needs it, line by line after wrapping."""

from __future__ import annotations

from typing import cast

from textual.app import App
from textual.content import Content
from textual.widgets import Static

from tutor_app.ui import preferences
from tutor_app.ui.bidi import Mode, has_rtl, visual_line

LEFT_TO_RIGHT_MARK = "\u200e"


def arabic_mode(app: App[object]) -> Mode:
    """How this learner's terminal wants right-to-left text."""
    return cast(Mode, preferences.ARABIC.of(getattr(app, "settings", {})))


def drawn_line(line: Content, mode: Mode, *, leftward: bool = True) -> Content:
    """One line in the order in which it is drawn, each piece in the style it had.

    Without `leftward` the line as a whole runs to the right, as a row of ours does that begins with a sign.
    """
    if mode == "logical" or not has_rtl(line.plain):
        return line
    if not leftward:
        line = Content(LEFT_TO_RIGHT_MARK) + line
    pieces = [
        line[start:end] if line.plain[start:end] == drawn else Content(drawn, list(line[start:end].spans))
        for start, end, drawn in visual_line(line.plain, mode)
    ]
    return Content("").join(pieces)


def drawn_text(content: Content, mode: Mode, width: int, *, leftward: bool = True) -> Content:
    """Text of several lines as it is drawn: wrapped first, since each line is turned round by itself."""
    if mode == "logical" or width <= 0 or not has_rtl(content.plain):
        return content
    return Content("\n").join(drawn_line(line, mode, leftward=leftward) for line in content.wrap(width))


class Words(Static):
    """A static text whose content stays in reading order, whatever is drawn."""

    def __init__(
        self, content: Content, *, leftward: bool = True, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(content, id=id, classes=classes)
        self._leftward = leftward

    def render(self) -> Content:
        content = cast(Content, self.content)
        return drawn_text(content, arabic_mode(self.app), self.content_size.width, leftward=self._leftward)
