"""What the learner is to do now: the task, its text, the item, and the means to answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tutor_app.session.events import StepShown
from tutor_app.ui import wording, wording_path
from tutor_app.ui.service import WordEntry
from tutor_app.ui.text import clean, gauge, one_line
from tutor_app.ui.widgets.choice_pad import ChoicePad
from tutor_app.ui.widgets.match_pad import MatchPad
from tutor_app.ui.widgets.order_pad import OrderPad
from tutor_app.ui.widgets.words import Words

GAP = "___"
HINTS = 4


@dataclass(frozen=True)
class PanelView:
    """What the learner wants to see beside the item."""

    language: str
    support: bool
    """Instructions in the support language."""
    gloss: bool
    """The meaning of the prompt."""
    readings: bool
    words: bool
    """The words of the lesson instead of the step."""


class StepPanel(VerticalScroll, can_focus=True):
    """The current step. It holds the pads, of which at most one is in use."""

    HELP = wording.HELP_STEP
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._step: StepShown | None = None
        self._hints = 0

    def compose(self) -> ComposeResult:
        for name in ("place", "task", "support", "scene", "text", "prompt", "gloss"):
            yield Words(Content(""), id=f"step-{name}", classes="-empty")
        yield ChoicePad(id="choices")
        yield OrderPad(id="order")
        yield MatchPad(id="match")
        yield Static(Content(""), id="step-hints", classes="-empty")
        yield Words(Content(""), leftward=False, id="step-words", classes="-empty")

    def show_step(self, step: StepShown, view: PanelView) -> None:
        """Replace the step; its pad, if any, is ready."""
        self._step, self._hints = step, 0
        for pad in self._pads():
            pad.remove_class("-offered")
        if step.kind == "match" and step.left:
            self.query_one(MatchPad).offer(step.left, step.choices)
            self.query_one(MatchPad).add_class("-offered")
        elif step.kind == "order" and step.choices:
            self.query_one(OrderPad).offer(step.choices, view.language)
            self.query_one(OrderPad).add_class("-offered")
        elif step.choices:
            self.query_one(ChoicePad).offer(step.choices)
            self.query_one(ChoicePad).add_class("-offered")
        self.set_class(self.pad() is not None, "-pad")
        self.show_view(view)
        self.show_hints(0)
        self.scroll_home(animate=False)

    def show_view(self, view: PanelView) -> None:
        """The same step with other help beside it."""
        step = self._step
        if step is None:
            return
        self._fill("place", self._place(step))
        self._fill("task", Content(clean(step.task)))
        self._fill("support", Content(clean(step.support if view.support else "")))
        self._fill("scene", _scene(step))
        self._fill("text", Content(clean(step.text)))
        self._fill("prompt", _with_gap("" if step.kind == "talk" else step.prompt))
        self._fill("gloss", Content(clean(step.gloss if view.gloss else "")))

    def show_hints(self, level: int) -> None:
        """How many of the hints of this item have been given."""
        level = self._hints = max(self._hints, level)
        pips = "●" * level + "○" * (HINTS - level)
        self._fill(
            "hints",
            Content.assemble((f"{wording.HINTS} ", "$text-quiet"), (pips, "$accent"))
            if level
            else Content(""),
        )

    def show_words(self, words: Sequence[WordEntry], view: PanelView) -> None:
        """The words of the lesson under the step, or none of them."""
        self._fill("words", _words(words, view.readings) if view.words and words else Content(""))

    def pad(self) -> ChoicePad | OrderPad | MatchPad | None:
        """The pad of this step, if it is answered on one."""
        return next((pad for pad in self._pads() if pad.has_class("-offered")), None)

    def _pads(self) -> tuple[ChoicePad, OrderPad, MatchPad]:
        return self.query_one(ChoicePad), self.query_one(OrderPad), self.query_one(MatchPad)

    def _fill(self, name: str, content: Content) -> None:
        widget = self.query_one(f"#step-{name}", Static)
        widget.update(content)
        widget.set_class(not content.plain, "-empty")

    def _place(self, step: StepShown) -> Content:
        kind = wording.STEP_KINDS.get(step.kind, step.kind)
        if step.of <= 1:
            return Content(one_line(kind)).stylize("bold $primary")
        again = f" · {wording_path.REVIEW_AGAIN}" if step.review else ""
        return Content.assemble(
            (one_line(kind), "bold $primary"),
            (again, "italic $text-quiet"),
            (f"  {step.number}/{step.of}  ", "$text-quiet"),
            gauge(step.number / max(1, step.of), 6),
        )


def _scene(step: StepShown) -> Content:
    if step.kind == "talk" and not (step.scenario or step.goal):
        return Content(wording.FREE_TALK_HELP)
    parts = [clean(step.scenario)]
    if step.goal:
        parts.append(f"{wording.GOAL}: {clean(step.goal)}")
    return Content("\n\n".join(part for part in parts if part))


def _with_gap(prompt: str) -> Content:
    """The prompt, its gap drawn as a box that is there without colour."""
    before, gap, after = clean(prompt).partition(GAP)
    if not gap:
        return Content(before).stylize("bold")
    return Content.assemble((before, "bold"), ("[ ___ ]", "bold $accent"), (after, "bold"))


def _words(words: Sequence[WordEntry], readings: bool) -> Content:
    rows = [Content(wording.WORDS).stylize("bold $primary")]
    for entry in words:
        reading = f" {one_line(entry.reading)}" if readings and entry.reading else ""
        rows.append(
            Content.assemble(
                (one_line(entry.word), "bold"), (reading, "italic $text-quiet"), f"  {one_line(entry.gloss)}"
            )
        )
    return Content("\n").join(rows)
