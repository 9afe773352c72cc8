"""The top row of every screen: where one is, and how the tutor is doing."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tutor_app.llm.protocol import EngineStats
from tutor_app.session.events import ModelState
from tutor_app.ui import wording
from tutor_app.ui.text import gauge, one_line

GAUGE_CELLS = 6


class StatusBar(Horizontal):
    """Title on the left; time and the tutor's state on the right."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        yield Static(Content(one_line(self._title)), id="bar-title")
        yield Static(Content(""), id="bar-time")
        yield Static(Content(""), id="bar-memory")
        yield Static(Content(""), id="bar-model")

    def show_title(self, title: str) -> None:
        self.query_one("#bar-title", Static).update(Content(one_line(title)))

    def show_minutes(self, minutes: int) -> None:
        """How long this lesson has been open; whole minutes, so that no clock runs against the learner."""
        self.query_one("#bar-time", Static).update(Content(wording.MINUTES.format(minutes=minutes)))

    def show_model(self, state: ModelState, name: str | None, stats: EngineStats | None) -> None:
        """The engine in a few words, with how full its memory of this talk is."""
        self.query_one("#bar-model", Static).update(_model(state, name))
        self.query_one("#bar-memory", Static).update(
            _memory(stats) if state.state == "ready" else Content("")
        )


def _model(state: ModelState, name: str | None) -> Content:
    words = wording.MODEL_STATES[state.state]
    if state.state in ("loading", "warming"):
        percent = f" {round(100 * state.fraction)} %" if state.fraction else ""
        return Content.assemble((f"◌ {words}{percent} ", "$text-quiet"), gauge(state.fraction, GAUGE_CELLS))
    if state.state == "ready":
        return Content.assemble(("● ", "$success"), (one_line(name or words, 24), "$text-quiet"))
    return Content.assemble(("! " if state.state == "lost" else "○ ", "$warning"), (words, "$text-quiet"))


def _memory(stats: EngineStats | None) -> Content:
    """How much of the model's window this talk fills."""
    if stats is None or not stats.n_ctx:
        return Content("")
    used = stats.used_tokens / stats.n_ctx
    return Content.assemble(
        (f"{wording.MEMORY} ", "$text-quiet"),
        gauge(used, GAUGE_CELLS),
        (f" {round(100 * used)} %", "$text-quiet"),
    )
