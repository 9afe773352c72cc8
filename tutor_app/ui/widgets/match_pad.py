"""Pairs to put together: the number of the left side, then the letter of the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor_app.ui import wording
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.choice_pad import Answered
from tutor_app.ui.widgets.flow import Flow

LETTERS = "abcdefgh"


class MatchPad(Flow):
    """Left sides with what was put to them, then the right sides. The answer is written `1b 2a 3c`."""

    HELP = wording.HELP_MATCH
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,left", "move(-1)", wording.KEY_UP, show=False, id="match.up"),
        Binding("down,right", "move(1)", wording.KEY_DOWN, show=False, id="match.down"),
        Binding("space", "pick", wording.KEY_PICK, show=False, id="match.pick"),
        Binding("backspace", "undo", wording.KEY_TAKE_BACK, show=False, id="match.undo"),
        Binding("enter", "enter", wording.KEY_SEND, show=False, id="match.send"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._left: tuple[str, ...] = ()
        self._right: tuple[str, ...] = ()
        self._pairs: dict[int, int] = {}
        self._current = 0

    def offer(self, left: Sequence[str], right: Sequence[str]) -> None:
        """Show new pairs."""
        self._left, self._right = tuple(left), tuple(right)
        self._pairs, self._current = {}, 0
        self.cursor = len(self._left)
        self._show()

    @property
    def answer(self) -> str:
        """The pairs so far: `1b 2a`."""
        return " ".join(f"{left + 1}{LETTERS[right]}" for left, right in sorted(self._pairs.items()))

    def take_key(self, key: str) -> bool:
        """Choose a left side (number) or a right one (letter), or send with Enter."""
        if key == "enter":
            return self._send()
        if key == "backspace" and self._pairs:
            self.action_undo()
            return True
        if key.isdecimal() and key.isascii() and 1 <= int(key) <= len(self._left):
            self.pick(int(key) - 1)
            return True
        if len(key) == 1 and key in LETTERS[: len(self._right)]:
            self.pick(len(self._left) + LETTERS.index(key))
            return True
        return False

    def pick(self, index: int) -> None:
        if index < len(self._left):
            self._current = index
        else:
            right = index - len(self._left)
            self._pairs = {a: b for a, b in self._pairs.items() if b != right}
            self._pairs[self._current] = right
            free = [left for left in range(len(self._left)) if left not in self._pairs]
            self._current = free[0] if free else self._current
        self._show()

    def on_key(self, event: events.Key) -> None:
        if event.character and self.take_key(event.character):
            event.stop()

    def action_move(self, step: int) -> None:
        self.move_cursor(step)

    def action_pick(self) -> None:
        if self.pieces:
            self.pick(self.cursor)

    def action_undo(self) -> None:
        if self._pairs:
            self._current, _ = self._pairs.popitem()
            self._show()

    def action_enter(self) -> None:
        if not self._send():
            self.action_pick()

    def _send(self) -> bool:
        if not self._left or len(self._pairs) != len(self._left):
            return False
        self.post_message(Answered(self.answer))
        return True

    def _show(self) -> None:
        done = len(self._pairs) == len(self._left)
        lefts = [self._left_piece(index, done) for index in range(len(self._left))]
        self.show_pieces([*lefts, *(self._right_piece(index) for index in range(len(self._right)))])

    def _left_piece(self, index: int, done: bool) -> Content:
        arrow = "▸" if index == self._current and not done else " "
        put = self._pairs.get(index)
        partner = "" if put is None else f" = {LETTERS[put]} {one_line(self._right[put], 40)}"
        return Content.assemble(
            (f"{arrow}{index + 1}", "bold $text-accent"),
            f" {one_line(self._left[index], 60)}",
            (partner, "bold"),
        )

    def _right_piece(self, index: int) -> Content:
        text = one_line(self._right[index], 60)
        if index in self._pairs.values():
            return Content.assemble((f"· {text}", "$text-quiet strike"))
        return Content.assemble((LETTERS[index], "bold $text-accent"), f" {text}")

    def render(self) -> Content:
        hint = (
            wording.ORDER_SEND if self._left and len(self._pairs) == len(self._left) else wording.MATCH_HINT
        )
        return Content("\n").join([super().render(), Content(hint).stylize("$text-quiet")])

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, len(self._rows(width))) + len(Content(wording.MATCH_HINT).wrap(max(1, width)))

    def _rows(self, width: int) -> list[list[int]]:
        """One left side a row, a row between, then the right sides as many to a row as fit."""
        count = len(self._left)
        rows = [[index] for index in range(min(count, len(self.pieces)))]
        rest = self._rows_of(range(count, len(self.pieces)), width)
        return [*rows, [], *rest]
