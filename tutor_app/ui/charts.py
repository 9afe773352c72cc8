"""Plots out of letters: columns with a scale, and days in weeks. Pure; every plot also reads without colour.

column_chart(columns, width, height, …) -> Content  as many of the latest columns as fit
weekly(days, today, weeks)              -> list[Week]
monthly(days, last, months)             -> list[Month]
grouped(points, most)                   -> list[Group]  attempts in order, several to a column when there are many
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from textual.content import Content

from tutor_app.progress.knowledge import MASTERED
from tutor_app.progress.queries import Day, FormPoint, Share

EIGHTHS = " ▁▂▃▄▅▆▇█"
NOTHING = "·"
"""Stands on the ground where there is no value, which is not the same as a value of nothing."""
HALF = 0.5


@dataclass(frozen=True)
class Column:
    value: float | None
    label: str = ""
    """Written below, from this column on, as far as there is room before the next one."""


@dataclass(frozen=True)
class Week:
    """A week that begins on Monday."""

    begins: date
    minutes: float
    items: Share


@dataclass(frozen=True)
class Month:
    begins: date
    minutes: float


@dataclass(frozen=True)
class Group:
    """Attempts that share a column: how sure the app was before, on the mean, and what came of them."""

    expected: float
    right: int
    helped: int
    """Of the right ones, those with a hint."""
    of: int

    @property
    def sign(self) -> str:
        """● right, ◐ partly or with help, ○ not yet."""
        alone = (self.right - self.helped) / self.of
        if alone >= MASTERED:
            return "●"
        return "◐" if self.right / self.of >= HALF else "○"


def column_chart(
    columns: Sequence[Column], width: int, height: int, *, ceiling: float, top: str, bottom: str = "0",
    cells: int = 2, gap: int = 1, style: str = "$primary",
) -> Content:  # fmt: skip
    """A plot `width` cells wide with `height` rows of columns and one of labels.

    `ceiling` is the value of a full column, `top` and `bottom` are its scale in words. The latest columns are
    shown when not all fit.
    """
    edge = max(len(top), len(bottom))
    room = width - edge - 1
    fit = max(1, (room + gap) // (cells + gap))
    shown = list(columns)[-fit:]
    rows: list[Content] = []
    for row in range(height - 1, -1, -1):
        scale = top if row == height - 1 else bottom if row == 0 else ""
        bars = (" " * gap).join(_cell(each.value, row, height, ceiling) * cells for each in shown)
        axis = "┤" if scale else "│"
        rows.append(Content.assemble((f"{scale:>{edge}}{axis}", "$text-quiet"), (bars, style)))
    labels = _labels([each.label for each in shown], cells + gap, room)
    rows.append(Content.assemble((" " * (edge + 1) + labels, "$text-quiet")))
    return Content("\n").join(rows)


def _cell(value: float | None, row: int, height: int, ceiling: float) -> str:
    if value is None:
        return NOTHING if row == 0 else " "
    filled = max(0.0, min(1.0, value / ceiling)) * height * 8 if ceiling > 0 else 0.0
    eighths = max(1, round(filled))  # a value of nothing is still a value: the thinnest line
    return EIGHTHS[max(0, min(8, eighths - 8 * row))]


def _labels(labels: Sequence[str], step: int, room: int) -> str:
    """Labels at the place of their columns; one that would touch the one before is left out."""
    line = ""
    for place, label in enumerate(labels):
        start = place * step
        if label and start + len(label) <= room and (not line or start > len(line)):
            line = line.ljust(start) + label
    return line


def weekly(days: Sequence[Day], today: date, weeks: int) -> list[Week]:
    """The last `weeks` weeks up to the one of `today`, the empty ones too."""
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=weeks - 1)
    minutes, right, of = [0.0] * weeks, [0] * weeks, [0] * weeks
    for day in days:
        place = (day.day - first).days // 7
        if 0 <= place < weeks:
            minutes[place] += day.minutes
            right[place] += day.items[0]
            of[place] += day.items[1]
    return [
        Week(first + timedelta(weeks=place), minutes[place], (right[place], of[place]))
        for place in range(weeks)
    ]


def monthly(days: Sequence[Day], last: date, months: int) -> list[Month]:
    """`months` months up to the one of `last`, the empty ones too."""
    begins = [month_before(last.replace(day=1), back) for back in range(months - 1, -1, -1)]
    minutes = dict.fromkeys(begins, 0.0)
    for day in days:
        month = day.day.replace(day=1)
        if month in minutes:
            minutes[month] += day.minutes
    return [Month(month, minutes[month]) for month in begins]


def month_before(month: date, back: int) -> date:
    """The first of the month `back` months before (after, when negative)."""
    years, place = divmod(month.year * 12 + month.month - 1 - back, 12)
    return date(years, place + 1, 1)


def grouped(points: Sequence[FormPoint], most: int) -> list[Group]:
    """Attempts in order as at most `most` groups of the same size (the last may be smaller)."""
    size = max(1, -(-len(points) // max(1, most)))
    groups = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        groups.append(
            Group(
                expected=sum(point.predicted for point in part) / len(part),
                right=sum(point.correct for point in part),
                helped=sum(point.correct and point.hint_level > 0 for point in part),
                of=len(part),
            )
        )
    return groups
