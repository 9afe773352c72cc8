"""Calendar: a month of days, and what was done on the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tutor_app.progress import figures
from tutor_app.progress.queries import Day
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.charts import Column, column_chart, monthly
from tutor_app.ui.dates import clock_of, day_words, turns_words
from tutor_app.ui.place_messages import DaysFound, SessionsOfDayFound
from tutor_app.ui.screens.place import PlaceScreen
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.month_grid import MonthGrid
from tutor_app.ui.widgets.plot import Plot
from tutor_app.ui.widgets.words import arabic_mode, drawn_line

if TYPE_CHECKING:
    from tutor_app.progress.queries import SessionLine
    from tutor_app.session.insight import Insight

MONTHS = 12
PLOT_ROWS = 4


class CalendarScreen(PlaceScreen):
    """The month on the left or above, the day's sessions beside or below."""

    PLACE = "calendar"
    HELP = wording.HELP_CALENDAR
    CSS_PATH: ClassVar[list[str]] = ["place.tcss", "calendar.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "MonthGrid"

    def __init__(self) -> None:
        super().__init__()
        self._days: Sequence[Day] = ()
        self._sessions: Sequence[SessionLine] = ()

    def between(self) -> ComposeResult:
        with Container(id="halves"):
            with Vertical(id="month"):
                yield MonthGrid()
                yield Static(Content(wording.CALENDAR_LEGEND), id="legend", classes="quiet")
                yield Static(Content(wording.YEAR_TITLE), id="year-title", classes="title")
                yield Plot(id="year")
            with Vertical(id="day"):
                yield Static(Content(wording.LOOKING), id="day-title", classes="title")
                yield Static(Content(""), id="day-facts", classes="quiet")
                yield OptionList(id="sessions", markup=False, compact=True)

    def on_mount(self) -> None:
        self.find_days()

    def on_screen_resume(self) -> None:
        """A session may have been deleted over this screen."""
        if self._days:
            self.find_days()

    @work(thread=True, exit_on_error=False, exclusive=True, group="place")
    def find_days(self) -> None:
        """Ask for every day with a turn."""
        found = self.ask(lambda insight: (insight.calendar(), insight.today()))
        if found is not None:
            insight, (days, today) = found
            self.post_message(DaysFound(insight, days, today))

    @on(DaysFound)
    def _days_found(self, message: DaysFound) -> None:
        self._days = message.days
        self.query_one(MonthGrid).show_days(message.days, message.today)

    @on(MonthGrid.Chosen)
    def _chosen(self, message: MonthGrid.Chosen) -> None:
        months = monthly(self._days, message.day, MONTHS)
        most = max(month.minutes for month in months)
        for part in ("#year-title", "#year"):
            self.query_one(part).set_class(not most, "-none")
        if not most:
            self.find_sessions(message.day)
            return
        columns = [
            Column(month.minutes or None, wording.MONTHS[month.begins.month - 1][:1]) for month in months
        ]
        self.query_one("#year", Plot).show(
            lambda width: column_chart(columns, width, PLOT_ROWS, ceiling=most, top=figures.rounded(most, 0))
        )
        self.find_sessions(message.day)

    @work(thread=True, exit_on_error=False, exclusive=True, group="day")
    def find_sessions(self, day: date) -> None:
        """Ask for the sessions of a day."""
        found = self.ask(lambda insight: insight.sessions_on(day))
        if found is not None:
            self.post_message(SessionsOfDayFound(found[0], day, found[1]))

    @on(SessionsOfDayFound)
    def _sessions_found(self, message: SessionsOfDayFound) -> None:
        grid = self.query_one(MonthGrid)
        if message.day != grid.chosen:
            return
        self._sessions = message.sessions
        self.query_one("#day-title", Static).update(Content(day_words(message.day)))
        self.query_one("#day-facts", Static).update(Content(_facts(grid.day(message.day))))
        listed = self.query_one("#sessions", OptionList)
        listed.clear_options()
        mode = arabic_mode(self.app)
        for line in message.sessions:
            rows = session_rows(line, message.insight)
            listed.add_option(
                Option(Content("\n").join(drawn_line(row, mode, leftward=False) for row in rows))
            )
        listed.display = bool(message.sessions)

    @on(MonthGrid.Entered)
    def _to_sessions(self) -> None:
        if self._sessions:
            listed = self.query_one("#sessions", OptionList)
            listed.highlighted = 0
            listed.focus()

    @on(OptionList.OptionSelected, "#sessions")
    def _open(self, event: OptionList.OptionSelected) -> None:
        from tutor_app.ui.screens.transcript import TranscriptScreen

        self.app.push_screen(TranscriptScreen(self._sessions[event.option_index].id))


def session_rows(line: SessionLine, insight: Insight, day: str = "") -> list[Content]:
    """A session in a list: when and what, then how long; `day` where the list is not of one day."""
    title = insight.lesson_name(line.set_id, line.lesson_id) or wording.FREE_TALK
    when = " ".join(part for part in (day, clock_of(line.started_at)) if part)
    facts = wording.SESSION_FACTS.format(minutes=figures.minutes(line.minutes), turns=turns_words(line.turns))
    names = insight.set_name(line.set_id)
    parts = [one_line(names.language_name or names.title, 40), facts]
    if line.finished:
        parts.append(wording.SESSION_DONE)
    return [
        Content.assemble((f"{when}  ", "$accent"), (one_line(title, 80), "bold")),
        Content(f"  {' · '.join(parts)}").stylize("$text-quiet"),
    ]


def _facts(day: Day | None) -> str:
    if day is None:
        return wording.DAY_EMPTY
    return wording.DAY_FACTS.format(
        minutes=figures.minutes(day.minutes),
        turns=turns_words(day.turns),
        right=day.items[0],
        of=day.items[1],
    )
