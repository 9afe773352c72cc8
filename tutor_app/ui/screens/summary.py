"""After a lesson: what was done, and what could come next."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Static

from tutor_app.session.events import Summary
from tutor_app.ui import wording, wording_path
from tutor_app.ui.service import LessonOverview, SetOverview
from tutor_app.ui.summary_text import Kind, summary_parts
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp


class SummaryScreen(Screen[None]):
    """Read, then Enter: to the next lesson when this one is finished, else home."""

    HELP = wording.HELP_SUMMARY
    CSS_PATH = "summary.tcss"
    AUTO_FOCUS = "Button"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "home", wording.KEY_HOME, id="summary.home"),
        Binding("left", "app.focus_previous", wording.KEY_UP, show=False, id="summary.previous"),
        Binding("right", "app.focus_next", wording.KEY_DOWN, show=False, id="summary.next"),
        Binding("up", "scroll(-2)", wording.KEY_UP, show=False, id="summary.up"),
        Binding("down", "scroll(2)", wording.KEY_DOWN, show=False, id="summary.down"),
    ]

    def __init__(self, summary: Summary, overview: SetOverview, lesson_id: str | None) -> None:
        """`lesson_id` as it was opened: None for a free talk, `REVIEW` for a review."""
        super().__init__()
        self._summary, self._set = summary, overview
        lesson = next((each for each in overview.lessons if each.id == lesson_id), None)
        self._kind: Kind = "talk" if lesson_id is None else "review" if lesson is None else "lesson"
        others = wording.TALK_TITLE if lesson_id is None else wording_path.REVIEW_TITLE
        self._title = lesson.title if lesson is not None else others
        self._next = following(overview, lesson) if summary.finished else None

    def compose(self) -> ComposeResult:
        yield StatusBar(f"{self._title} · {self._set.language_name}")
        with VerticalScroll(id="parts", can_focus=False):
            yield Static(Content(wording.SUMMARY_TITLE), id="summary-title")
            for part in summary_parts(self._summary, self._set.language_name, self._set.forms, self._kind):
                yield Static(part, classes="part")
        with Horizontal(id="buttons"):
            if self._next is not None:
                words = wording.SUMMARY_NEXT.format(title=one_line(self._next.title, 60))
                yield Button(Content(words), id="next", variant="primary")
            yield Button(Content(wording.SUMMARY_HOME), id="home")
        yield KeyBar()

    @on(Button.Pressed, "#next")
    def _open_next(self) -> None:
        app = cast("TutorApp", self.app)
        app.go_home()
        if self._next is not None:
            app.open_lesson(self._set, self._next.id)

    @on(Button.Pressed, "#home")
    def action_home(self) -> None:
        cast("TutorApp", self.app).go_home()

    def action_scroll(self, rows: int) -> None:
        self.query_one("#parts").scroll_relative(y=rows, animate=False)


def following(overview: SetOverview, lesson: LessonOverview | None) -> LessonOverview | None:
    """The first lesson after this one that is not finished."""
    ids = [each.id for each in overview.lessons]
    place = ids.index(lesson.id) + 1 if lesson is not None and lesson.id in ids else len(ids)
    return next((each for each in overview.lessons[place:] if not each.finished), None)
