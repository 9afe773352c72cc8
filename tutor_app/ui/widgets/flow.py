"""Short pieces of text laid out one after the other over as many rows as they need; each can be picked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content, Span
from textual.events import Click
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from tutor_app.ui.widgets.words import arabic_mode, drawn_line

GAP = 2
"""Cells between two pieces on a row."""


class Flow(Widget, can_focus=True):
    """Pieces with a cursor. What picking one means is for the subclass (`pick`)."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pieces: Sequence[Content] = ()
        self.cursor = 0

    def show_pieces(self, pieces: Sequence[Content]) -> None:
        """Replace what is shown, keeping the cursor inside it."""
        self.pieces = pieces
        self.cursor = max(0, min(self.cursor, len(pieces) - 1))
        self.refresh(layout=True)

    def pick(self, index: int) -> None:
        """The learner chose a piece, by key or mouse."""
        raise NotImplementedError

    def move_cursor(self, step: int) -> None:
        if self.pieces:
            self.cursor = (self.cursor + step) % len(self.pieces)
            self.refresh()

    def render(self) -> Content:
        rows: list[Content] = []
        for row in self._rows(self.content_size.width):
            rows.append(Content(" " * GAP).join(self._piece(index) for index in row))
        return Content("\n").join(rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._rows(width)))

    def on_click(self, event: Click) -> None:
        index = event.style.meta.get("piece")
        if isinstance(index, int) and index < len(self.pieces):
            self.cursor = index
            self.pick(index)

    def _piece(self, index: int) -> Content:
        piece = drawn_line(self.pieces[index], arabic_mode(self.app), leftward=False)
        spans = [Span(0, len(piece), Style.from_meta({"piece": index}))]
        if self.has_focus and index == self.cursor:
            spans.append(Span(0, len(piece), "$block-cursor-foreground on $block-cursor-background bold"))
        return piece.add_spans(spans)

    def _rows(self, width: int) -> list[list[int]]:
        return self._rows_of(range(len(self.pieces)), width)

    def _rows_of(self, indices: Iterable[int], width: int) -> list[list[int]]:
        """As many pieces to a row as fit."""
        rows: list[list[int]] = []
        used = 0
        for index in indices:
            needed = self.pieces[index].cell_length
            if rows and used + GAP + needed <= max(1, width):
                rows[-1].append(index)
                used += GAP + needed
            else:
                rows.append([index])
                used = needed
        return rows
