"""Letters for learners without the keyboard layout: with the mouse, the arrows, or the key shown beside each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tutor_app.ui import wording
from tutor_app.ui.letters import Letter, letters_for
from tutor_app.ui.widgets.flow import Flow


class LetterBar(Flow):
    """Open, it turns keys into letters of the language; keys it does not know go through unchanged."""

    HELP = wording.HELP_LETTERS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", wording.KEY_UP, show=False, id="letters.left"),
        Binding("right", "move(1)", wording.KEY_DOWN, show=False, id="letters.right"),
        Binding("enter", "insert", wording.KEY_INSERT, show=False, id="letters.insert"),
    ]

    @dataclass
    class Insert(Message):
        """Text to put at the cursor; `replace` when it takes the place of the letter just inserted."""

        text: str
        replace: bool = False

    class Erase(Message):
        """Backspace."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._letters: tuple[Letter, ...] = ()
        self._last_key = ""
        self._last_letter = ""

    def open_for(self, language: str) -> None:
        """Show the letters of a language."""
        self._letters = letters_for(language)
        self._last_key = ""
        self.show_pieces(
            [Content.assemble((a.key, "$text-quiet"), " ", (a.shown, "bold")) for a in self._letters]
        )

    def pick(self, index: int) -> None:
        self._last_key = ""
        self.post_message(self.Insert(self._letters[index].text))

    def action_move(self, step: int) -> None:
        self.move_cursor(step)

    def action_insert(self) -> None:
        if self._letters:
            self.pick(self.cursor)

    def on_key(self, event: events.Key) -> None:
        if event.key == "backspace":
            self._last_key = ""
            self.post_message(self.Erase())
        elif event.is_printable and event.character:
            self._type(event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def _type(self, key: str) -> None:
        """The first letter under `key`; the next one when the same key comes again."""
        under = [letter.text for letter in self._letters if letter.key == key]
        if not under:
            self._last_key = ""
            self.post_message(self.Insert(key))
        elif key == self._last_key and len(under) > 1:
            following = under[(under.index(self._last_letter) + 1) % len(under)]
            self._last_letter = following
            self.post_message(self.Insert(following, replace=True))
        else:
            self._last_key, self._last_letter = key, under[0]
            self.post_message(self.Insert(under[0]))
