"""A list of texts of any length and script, of which one is highlighted."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Resize
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tutor_app.ui.widgets.words import arabic_mode, drawn_text

PADDING = 4
"""Cells of an option that are not text."""


class LineList(OptionList):
    """Thousands of rows cost no more than those on screen. Right-to-left text is drawn anew for each width."""

    def __init__(self, *, id: str | None = None, leftward: bool = False) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self._texts: Sequence[tuple[Content, bool]] = ()
        self._leftward = leftward

    def show_texts(self, texts: Sequence[tuple[Content, bool]], highlighted: int | None = None) -> None:
        """Replace the rows: (text, whether it can be chosen)."""
        self._texts = texts
        self._draw(highlighted)

    def _draw(self, highlighted: int | None) -> None:
        mode = arabic_mode(self.app)
        width = self.scrollable_content_region.width - PADDING
        self.clear_options()
        self.add_options(
            Option(drawn_text(text, mode, width, leftward=self._leftward), disabled=not choosable)
            for text, choosable in self._texts
        )
        if highlighted is not None and highlighted < len(self._texts):
            self.highlighted = highlighted

    def on_resize(self, event: Resize) -> None:
        if arabic_mode(self.app) != "logical":
            self._draw(self.highlighted)
