"""The writing box and, when it is open, the letters above it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from tutor_app.ui.widgets.composer import Composer
from tutor_app.ui.widgets.letter_bar import LetterBar


class WritingBox(Vertical):
    """Puts what is chosen among the letters into the text, at the cursor."""

    def compose(self) -> ComposeResult:
        yield LetterBar(id="letters")
        yield Composer(id="composer")

    @property
    def letters_open(self) -> bool:
        return self.query_one(LetterBar).has_class("-open")

    def open_letters(self, language: str) -> None:
        """Show the letters of a language and go to them."""
        bar = self.query_one(LetterBar)
        bar.open_for(language)
        bar.add_class("-open")
        bar.focus()

    def close_letters(self) -> None:
        """Hide the letters and go back to writing."""
        self.query_one(LetterBar).remove_class("-open")
        self.query_one(Composer).focus()

    @on(LetterBar.Insert)
    def _insert(self, message: LetterBar.Insert) -> None:
        composer = self.query_one(Composer)
        if message.replace:
            composer.action_delete_left()
        composer.insert(message.text)

    @on(LetterBar.Erase)
    def _erase(self) -> None:
        self.query_one(Composer).action_delete_left()
