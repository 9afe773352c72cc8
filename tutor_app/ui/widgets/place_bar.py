"""The second row of the screens about the learner: their names with their keys, and which one is open."""

from __future__ import annotations

from textual.content import Content, Span
from textual.events import Click
from textual.style import Style
from textual.widget import Widget

from tutor_app.ui import wording_progress as wording
from tutor_app.ui.places import ORDER, show_place


class PlaceBar(Widget):
    """A click opens one. The one that is open is bold, underlined and has a mark before it."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self._here = here

    def render(self) -> Content:
        return Content("  ").join(self._label(number, name) for number, name in enumerate(ORDER, 1))

    def _label(self, number: int, name: str) -> Content:
        here = name == self._here
        label = Content.assemble(
            (f"{'▸' if here else ''}{number} ", "bold $accent"),
            (wording.PLACES[name], "bold underline $primary" if here else ""),
        )
        return label.add_spans([Span(0, len(label), Style.from_meta({"place": name}))])

    def on_click(self, event: Click) -> None:
        if name := event.style.meta.get("place"):
            show_place(self.app, name)
