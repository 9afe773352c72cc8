"""A month of days: each with its number and a mark that is the taller the more was done."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content, Span
from textual.events import Click
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from tutor_app.progress import figures
from tutor_app.progress.queries import Day
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.charts import EIGHTHS, month_before

CELL = 5
"""Cells a day takes: a sign for today, two digits, the mark, a space."""
FULL_MINUTES = 30.0
"""So many minutes make the tallest mark."""


class MonthGrid(Widget, can_focus=True):
    """One day is always chosen; which one is told by `Chosen`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", wording.KEY_UP, show=False, id="month.left"),
        Binding("right", "move(1)", wording.KEY_DOWN, show=False, id="month.right"),
        Binding("up", "move(-7)", wording.KEY_UP, show=False, id="month.up"),
        Binding("down", "move(7)", wording.KEY_DOWN, show=False, id="month.down"),
        Binding("pageup", "month(1)", wording.KEY_MONTH_BACK, show=False, id="month.back"),
        Binding("pagedown", "month(-1)", wording.KEY_MONTH_ON, show=False, id="month.on"),
        Binding("t,home", "today", wording.KEY_TODAY, id="month.today"),
        Binding("enter", "enter", wording.KEY_SESSIONS, id="month.sessions"),
    ]

    @dataclass
    class Chosen(Message):
        """The cursor is on this day now."""

        day: date

    class Entered(Message):
        """The learner wants to see what was done on the chosen day."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen: date | None = None
        self._today: date | None = None
        self._days: dict[date, Day] = {}

    def show_days(self, days: Sequence[Day], today: date) -> None:
        """What there is; the cursor stays, or begins on the latest day of practice."""
        self._days = {each.day: each for each in days}
        self._today = today
        past = [each.day for each in days if each.day <= today]
        self._choose(self.chosen or max(past, default=today))

    def day(self, day: date) -> Day | None:
        """What was done on a day."""
        return self._days.get(day)

    def render(self) -> Content:
        if self.chosen is None:
            return Content("")
        month = self.chosen.replace(day=1)
        rows = [self._title(month), Content("".join(f" {name:<{CELL - 1}}" for name in wording.WEEKDAYS))]
        rows[1] = rows[1].stylize("$text-quiet")
        weeks = calendar.Calendar().monthdatescalendar(month.year, month.month)
        for week in weeks:
            rows.append(Content("").join(self._cell(day, month) for day in week))
        rows += [Content("")] * (6 - len(weeks))  # so that nothing below jumps from month to month
        return Content("\n").join(rows)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return 8

    def _title(self, month: date) -> Content:
        here = [day for day in self._days.values() if day.day.replace(day=1) == month]
        note = wording.MONTH_NOTE_EMPTY
        if here:
            minutes = figures.minutes(sum(day.minutes for day in here))
            note = wording.MONTH_NOTE.format(minutes=minutes, days=len(here))
        name = wording.MONTH_TITLE.format(month=wording.MONTHS[month.month - 1], year=month.year)
        back, on = (
            Content(sign).add_spans([Span(0, len(sign), Style.from_meta({"month": step}))])
            for sign, step in (("◂ ", 1), (" ▸", -1))
        )
        return Content.assemble(back, (name, "bold $primary"), on, (f"  {note}", "$text-quiet"))

    def _cell(self, day: date, month: date) -> Content:
        if day.replace(day=1) != month:
            return Content(" " * CELL)
        done = self._days.get(day)
        mark = " "
        if done is not None:
            mark = EIGHTHS[max(1, min(8, round(8 * done.minutes / FULL_MINUTES)))]
        sign = "▸" if day == self._today else " "
        cell = Content.assemble(
            (sign, "$accent"), (f"{day.day:>2}", "bold" if done else "$text-quiet"), (mark, "$primary"), " "
        )
        spans = [Span(0, len(cell), Style.from_meta({"day": day.toordinal()}))]
        if day == self.chosen:
            chosen = "block-cursor" if self.has_focus else "block-cursor-blurred"
            spans.append(Span(1, 4, f"${chosen}-foreground on ${chosen}-background bold underline"))
        return cell.add_spans(spans)

    def on_click(self, event: Click) -> None:
        meta = event.style.meta
        if isinstance(step := meta.get("month"), int):
            self.action_month(step)
        elif isinstance(ordinal := meta.get("day"), int):
            self._choose(date.fromordinal(ordinal))

    def action_move(self, days: int) -> None:
        if self.chosen is not None:
            self._choose(self.chosen + timedelta(days=days))

    def action_month(self, back: int) -> None:
        """The same day of another month, or its last."""
        if self.chosen is not None:
            month = month_before(self.chosen.replace(day=1), back)
            last = calendar.monthrange(month.year, month.month)[1]
            self._choose(month.replace(day=min(self.chosen.day, last)))

    def action_today(self) -> None:
        if self._today is not None:
            self._choose(self._today)

    def action_enter(self) -> None:
        self.post_message(self.Entered())

    def _choose(self, day: date) -> None:
        self.chosen = day
        self.refresh()
        self.post_message(self.Chosen(day))
