"""A plot that is drawn anew whenever its width changes."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static


class Plot(Static):
    """`draw` makes the plot for a width in cells."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(Content(""), id=id, classes=classes)
        self._draw: Callable[[int], Content] | None = None
        self._drawn = (0, Content(""))

    def show(self, draw: Callable[[int], Content]) -> None:
        """Another plot."""
        self._draw = draw
        self._drawn = (0, Content(""))
        self.refresh(layout=True)

    @property
    def text(self) -> str:
        """What is drawn at the width of the moment."""
        return self.render().plain

    def render(self) -> Content:
        return self._at(self.content_size.width)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, self._at(width).plain.count("\n") + 1)

    def _at(self, width: int) -> Content:
        if self._draw is None or width <= 0:
            return Content("")
        if self._drawn[0] != width:
            self._drawn = (width, self._draw(width))
        return self._drawn[1]
