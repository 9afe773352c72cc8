"""Where the learner writes: Enter sends, Alt+Enter and Ctrl+J break the line."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tutor_app.ui import wording
from tutor_app.ui.letters import next_variant
from tutor_app.ui.text import clean

MAX_CHARACTERS = 10_000
HISTORY = 50


class Composer(TextArea):
    """A few lines of text, sent whole. While it is empty, keys are offered to the answer pad first."""

    HELP = wording.HELP_COMPOSER
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", wording.KEY_SEND, show=False, id="composer.send"),
        Binding(
            "ctrl+j,alt+enter,shift+enter",
            "new_line",
            wording.KEY_NEW_LINE,
            show=False,
            id="composer.new-line",
        ),
        Binding("ctrl+s", "vary", wording.KEY_VARY, show=False, id="composer.accent"),
    ]

    @dataclass
    class Sent(Message):
        """The learner pressed Enter on some text."""

        text: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, tab_behavior="focus", show_line_numbers=False, compact=True)
        self.target_language = ""
        self.offer_key: Callable[[str], bool] = lambda key: False
        """Asked with each key while there is no text; True when the key has been used."""
        self.may_send: Callable[[], bool] = lambda: True
        self._history: list[str] = []
        self._place = 0

    @property
    def readable(self) -> str:
        """What would be sent now."""
        return self.written.rstrip()

    @property
    def written(self) -> str:
        """The same with the space after the last word, which says that the word is finished."""
        return unicodedata.normalize("NFC", clean(self.text).lstrip())

    def action_send(self) -> None:
        text = self.readable
        if not text:
            self.offer_key("enter")
            return
        if not self.may_send():
            return
        self._history = [*self._history[-HISTORY:], text]
        self._place = len(self._history)
        self.clear()
        self.post_message(self.Sent(text))

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_vary(self) -> None:
        """Replace the letter before the cursor by its next accented form: e, é, è …"""
        row, column = self.cursor_location
        if not column:
            return
        variant = next_variant(self.document.get_line(row)[column - 1], self.target_language)
        if variant:
            self.replace(variant, (row, column - 1), (row, column))

    def give_back(self, text: str) -> None:
        """Put a line that was not used into the box again, before what was typed since."""
        self.text = f"{text} {self.text}".strip()
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if not event.is_printable and (action := self._own_action(event.key)):
            event.stop()
            event.prevent_default()
            action()
            return
        if not self.text and self.offer_key(event.character or event.key):
            event.stop()
            event.prevent_default()
            return
        if event.key in ("up", "down") and self._recall(-1 if event.key == "up" else 1):
            event.stop()
            event.prevent_default()
            return
        if event.is_printable and len(self.text) >= MAX_CHARACTERS:
            event.stop()
            event.prevent_default()
            self.app.bell()
        # Anything else goes on to TextArea's own handler, which Textual calls after this one.

    def _own_action(self, key: str) -> Callable[[], None] | None:
        """What a key is bound to here, for the keys that a text area would take as text.

        Not a priority binding: those overtake the letters typed just before, which then miss the sending.
        """
        active = self.screen.active_bindings.get(key)
        if active is None or active.node is not self:
            return None
        return {"send": self.action_send, "new_line": self.action_new_line}.get(active.binding.action)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = clean(event.text)[: max(0, MAX_CHARACTERS - len(self.text))]

    def _recall(self, step: int) -> bool:
        """Bring back what was sent before, as long as nothing new is being written."""
        unchanged = self.text == (self._history[self._place] if self._place < len(self._history) else "")
        if not unchanged or "\n" in self.text or not 0 <= self._place + step <= len(self._history):
            return False
        self._place += step
        self.text = self._history[self._place] if self._place < len(self._history) else ""
        self.move_cursor(self.document.end)
        return True
