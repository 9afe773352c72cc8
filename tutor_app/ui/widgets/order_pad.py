"""Pieces to put in order: by their key, with the arrows, or with the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor_app.ui import wording
from tutor_app.ui.text import clean
from tutor_app.ui.widgets.choice_pad import Answered
from tutor_app.ui.widgets.flow import Flow

KEYS = "123456789abcdefghijk"
"""Keys of the pieces; a lesson has twenty at most."""


class OrderPad(Flow):
    """Each piece is used once; the answer so far stands above."""

    HELP = wording.HELP_ORDER
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "move(-1)", wording.KEY_UP, show=False, id="order.left"),
        Binding("right,down", "move(1)", wording.KEY_DOWN, show=False, id="order.right"),
        Binding("space", "pick", wording.KEY_PICK, show=False, id="order.pick"),
        Binding("backspace", "undo", wording.KEY_TAKE_BACK, show=False, id="order.undo"),
        Binding("enter", "enter", wording.KEY_SEND, show=False, id="order.send"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tokens: tuple[str, ...] = ()
        self._picked: list[int] = []
        self._spaced = True

    def offer(self, tokens: Sequence[str], language: str) -> None:
        """Show new pieces."""
        self._tokens = tuple(tokens)
        self._picked = []
        self._spaced = not language.startswith("zh")
        self.cursor = 0
        self._show()

    @property
    def answer(self) -> str:
        """The pieces picked, in order."""
        return (" " if self._spaced else "").join(self._tokens[index] for index in self._picked)

    def take_key(self, key: str) -> bool:
        """Pick a piece by its key, or send with Enter; False when the key means nothing here."""
        if key == "enter":
            return self._send()
        if key == "backspace" and self._picked:
            self.action_undo()
            return True
        if len(key) == 1 and key in KEYS[: len(self._tokens)]:
            self.pick(KEYS.index(key))
            return True
        return False

    def pick(self, index: int) -> None:
        if index in self._picked:
            self._picked.remove(index)
        else:
            self._picked.append(index)
        self._show()

    def render(self) -> Content:
        answer = (
            Content(clean(self.answer))
            if self._picked
            else Content(wording.ORDER_EMPTY).stylize("$text-quiet")
        )
        hint = wording.ORDER_SEND if len(self._picked) == len(self._tokens) else ""
        return Content("\n").join([answer, Content(hint).stylize("$text-quiet"), super().render()])

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        answer = self.answer or wording.ORDER_EMPTY
        return len(Content(clean(answer)).wrap(max(1, width))) + 1 + max(1, len(self._rows(width)))

    def on_key(self, event: events.Key) -> None:
        if event.character and self.take_key(event.character):
            event.stop()

    def action_move(self, step: int) -> None:
        self.move_cursor(step)

    def action_pick(self) -> None:
        if self._tokens:
            self.pick(self.cursor)

    def action_undo(self) -> None:
        if self._picked:
            self._picked.pop()
            self._show()

    def action_enter(self) -> None:
        if not self._send():
            self.action_pick()

    def _send(self) -> bool:
        if not self._tokens or len(self._picked) != len(self._tokens):
            return False
        self.post_message(Answered(self.answer))
        return True

    def _show(self) -> None:
        self.show_pieces([self._shown(index) for index in range(len(self._tokens))])

    def _shown(self, index: int) -> Content:
        token = clean(self._tokens[index]).replace("\n", " ")
        if index in self._picked:
            return Content.assemble((f"· {token}", "$text-quiet strike"))
        return Content.assemble((KEYS[index], "bold $text-accent"), f" {token}")
