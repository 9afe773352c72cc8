"""What has been said: the tutor's lines, the learner's, and quiet notes between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tutor_app.ui import wording
from tutor_app.ui.text import clean, plain, salient
from tutor_app.ui.widgets.words import Words

Speaker = Literal["tutor", "learner", "step", "note", "problem", "why"]

PICKABLE = ("tutor", "learner", "why")
"""Whose lines can be picked, to copy them or to keep a word."""


class Line(Widget):
    """One thing said. Its text may still grow."""

    def __init__(self, speaker: Speaker, text: str = "", recast: str | None = None) -> None:
        super().__init__(classes=f"-{speaker}")
        self.speaker: Speaker = speaker
        self.text = clean(text)
        """As it was said: what is copied, without marks for the eye."""
        self._who = Static(Content(wording.SPEAKERS[speaker]), classes="who")
        self._words = Words(salient(self.text, recast), classes="words")

    def compose(self) -> ComposeResult:
        if wording.SPEAKERS[self.speaker]:
            yield self._who
        yield self._words

    def grow(self, text: str) -> None:
        """More of a reply that is being written."""
        self.text += clean(text)
        content = Content(self.text)
        size = self._words.content_size
        # Laying the whole screen out anew is only due when a row is added: keys are painted sooner without it.
        same_rows = bool(size.width) and content.get_height({}, size.width) == size.height
        self._words.update(content, layout=not same_rows)

    def finish(self, text: str, recast: str | None = None, ending: str = "") -> None:
        """The whole text, with the recast form standing out."""
        self.text = clean(text)
        content = salient(self.text, recast)
        self._words.update(content.append_text(f" {ending}", "italic $text-quiet") if ending else content)
        self.remove_class("-waiting")

    def wait(self, text: str) -> None:
        """Show that something is coming, until the first words do."""
        self.text = ""
        self.add_class("-waiting")
        self._words.update(plain(text))

    def mark(self, text: str) -> None:
        """A few words after the line, such as what was understood; none takes them away."""
        after = (f"  {clean(text)}", "$text-quiet") if text else ""
        self._words.update(Content.assemble(self.text, after))


class Conversation(VerticalScroll, can_focus=True):
    """Follows the newest line unless the reader has scrolled up. Focused, its lines can be picked one by one."""

    HELP = wording.HELP_CONVERSATION
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "pick(-1)", wording.KEY_UP, show=False, id="conversation.up"),
        Binding("down,j", "pick(1)", wording.KEY_DOWN, show=False, id="conversation.down"),
        Binding("y,c", "copy", wording.KEY_COPY, id="conversation.copy"),
        Binding("s", "keep", wording.KEY_KEEP, id="conversation.keep"),
    ]

    @dataclass
    class Copied(Message):
        text: str

    @dataclass
    class Keep(Message):
        """The learner wants a word of this line."""

        text: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picked: Line | None = None

    def on_mount(self) -> None:
        self.anchor()

    def lines(self) -> Iterator[Line]:
        """Everything said, oldest first."""
        return iter(self.query_children(Line).results())

    def last_tutor_line(self) -> Line | None:
        """The tutor's newest finished line."""
        said = [line for line in self.lines() if line.speaker == "tutor" and line.text]
        return said[-1] if said else None

    def say(self, speaker: Speaker, text: str, recast: str | None = None) -> Line:
        """Add a line and return it."""
        line = Line(speaker, text, recast)
        self.mount(line)
        return line

    def action_pick(self, step: int) -> None:
        said = [line for line in self.lines() if line.speaker in PICKABLE and line.text]
        if not said:
            return
        place = said.index(self._picked) + step if self._picked in said else len(said) - 1
        self._pick(said[max(0, min(len(said) - 1, place))])

    def action_copy(self) -> None:
        if line := self._picked or self.last_tutor_line():
            self.post_message(self.Copied(line.text))

    def action_keep(self) -> None:
        if line := self._picked or self.last_tutor_line():
            self.post_message(self.Keep(line.text))

    def on_focus(self) -> None:
        if self._picked is None and (line := self.last_tutor_line()):
            self._pick(line)

    def on_blur(self) -> None:
        self._pick(None)

    def on_click(self, event: Click) -> None:
        widget = event.widget
        line = next(
            (node for node in (widget.ancestors_with_self if widget else ()) if isinstance(node, Line)), None
        )
        if line is not None and line.speaker in PICKABLE:
            self._pick(line)

    def _pick(self, line: Line | None) -> None:
        if self._picked is not None:
            self._picked.remove_class("-picked")
        self._picked = line
        if line is not None:
            line.add_class("-picked")
            line.scroll_visible(animate=False)
