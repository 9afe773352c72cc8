"""A whole number on a line: left and right move it, and it says in words where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tutor_app.ui import wording_path as wording

TRACK_CELLS = 20


class Slider(Widget, can_focus=True):
    """Values from `lowest` to `highest` in steps; each change is posted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,minus", "move(-1)", wording.KEY_LESS, show=False, id="slider.less"),
        Binding("right,plus", "move(1)", wording.KEY_MORE, show=False, id="slider.more"),
        Binding("home", "move(-1000)", wording.KEY_LESS, show=False, id="slider.least"),
        Binding("end", "move(1000)", wording.KEY_MORE, show=False, id="slider.most"),
    ]
    DEFAULT_CSS = """
    Slider { height: 1; width: auto; min-width: 40; border-left: outer $border-blurred; padding: 0 1; }
    Slider:focus { border-left: outer $accent; background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    """

    value: reactive[int] = reactive(0)

    @dataclass
    class Changed(Message):
        """The learner moved it."""

        value: int

    def __init__(
        self, value: int, *, lowest: int, highest: int, step: int, words: Callable[[int], str], id: str
    ) -> None:
        super().__init__(id=id)
        self._lowest, self._highest, self._step, self._words = lowest, highest, step, words
        self.set_reactive(Slider.value, max(lowest, min(highest, value)))

    def render(self) -> Content:
        place = round((self.value - self._lowest) / (self._highest - self._lowest) * (TRACK_CELLS - 1))
        track = "━" * place + "●" + "─" * (TRACK_CELLS - 1 - place)
        return Content(f"◂ {track} ▸  {self._words(self.value)}")

    def action_move(self, steps: int) -> None:
        """So many steps on (or back), as far as there are."""
        self._set(self.value + steps * self._step)

    def on_click(self, event: Click) -> None:
        """Where the track was clicked; its ends move it by a step."""
        cell = event.x - self.gutter.left - 2
        if 0 <= cell < TRACK_CELLS:
            share = cell / (TRACK_CELLS - 1) * (self._highest - self._lowest)
            self._set(self._lowest + round(share / self._step) * self._step)
        else:
            self.action_move(-1 if cell < 0 else 1)

    def _set(self, value: int) -> None:
        value = max(self._lowest, min(self._highest, value))
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(value))
