"""Talks: every line that was ever said can be found; without a word, the latest sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from tutor_app.ui import wording_progress as wording
from tutor_app.ui.dates import date_of
from tutor_app.ui.found_text import found_line
from tutor_app.ui.place_messages import LinesFound
from tutor_app.ui.screens.calendar import session_rows
from tutor_app.ui.screens.place import PlaceScreen
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tutor_app.progress.queries import Hit
    from tutor_app.session.insight import Insight

LIMIT = 50
"""Hits the query returns at most."""


class TalksScreen(PlaceScreen):
    """Searches as the learner writes."""

    PLACE = "search"
    HELP = wording.HELP_SEARCH
    CSS_PATH: ClassVar[list[str]] = ["place.tcss", "talks.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "list", wording.KEY_LIST, show=False, id="talks.list"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._opens: Sequence[tuple[int, int | None]] = ()
        """(session id, turn id) of each row."""

    def between(self) -> ComposeResult:
        yield Input(placeholder=wording.SEARCH_PLACEHOLDER, max_length=200, compact=True)
        yield Static(Content(wording.LOOKING), id="count", classes="quiet")
        yield LineList(id="lines")

    def on_screen_resume(self) -> None:
        """At the beginning, and again when a session may have been deleted over this screen."""
        self.find_lines(self.query_one(Input).value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self.find_lines(event.value)

    @on(Input.Submitted)
    def action_list(self) -> None:
        """To the lines."""
        listed = self.query_one(LineList)
        if self._opens:
            listed.highlighted = listed.highlighted or 0
            listed.focus()

    @work(thread=True, exit_on_error=False, exclusive=True, group="place")
    def find_lines(self, text: str) -> None:
        """Ask for the lines with `text`."""
        wanted = text.strip()
        found = self.ask(
            lambda insight: (insight.search(wanted), [] if wanted else insight.latest_sessions())
        )
        if found is not None:
            insight, (hits, sessions) = found
            self.post_message(LinesFound(insight, wanted, hits, sessions))

    @on(LinesFound)
    def _lines_found(self, message: LinesFound) -> None:
        if message.text != self.query_one(Input).value.strip():
            return  # more was written meanwhile
        rows = [(_hit_text(hit, message), True) for hit in message.hits]
        self._opens = [(hit.session_id, hit.turn_id) for hit in message.hits]
        if not message.text:
            rows = [
                (Content("\n").join(session_rows(line, message.insight, date_of(line.started_at))), True)
                for line in message.sessions
            ]
            self._opens = [(line.id, None) for line in message.sessions]
        self.query_one("#count", Static).update(Content(_count(message)))
        self.query_one(LineList).show_texts(rows, 0)

    @on(OptionList.OptionSelected, "#lines")
    def _open(self, event: OptionList.OptionSelected) -> None:
        from tutor_app.ui.screens.transcript import TranscriptScreen

        session_id, turn_id = self._opens[event.option_index]
        self.app.push_screen(TranscriptScreen(session_id, turn_id))


def _count(message: LinesFound) -> str:
    if not message.text:
        return wording.SEARCH_LATEST if message.sessions else wording.NO_SESSIONS
    if not message.hits:
        return wording.SEARCH_NONE
    words = wording.SEARCH_MANY if len(message.hits) >= LIMIT else wording.SEARCH_FOUND
    return words.format(count=len(message.hits))


def _hit_text(hit: Hit, message: LinesFound) -> Content:
    who = wording.YOU if hit.by_learner else wording.TUTOR
    where = " · ".join((date_of(hit.at), _place(hit, message.insight)))
    head = Content.assemble(
        (f"{who}  ", "bold $secondary" if hit.by_learner else "bold $primary"), (where, "$text-quiet")
    )
    return Content("\n").join([head, found_line(hit.text, message.text)])


def _place(hit: Hit, insight: Insight) -> str:
    return one_line(insight.lesson_name(hit.set_id, hit.lesson_id) or wording.FREE_TALK, 60)
