"""Dates and counts as people read them. The learner's day ends in the small hours, as in the queries."""

from __future__ import annotations

from datetime import date, datetime

from tutor_app.progress.queries import local_day
from tutor_app.ui import wording_progress as wording


def day_words(day: date) -> str:
    """`3 Nov 2026`."""
    return wording.DATE.format(day=day.day, month=wording.MONTHS[day.month - 1][:3], year=day.year)


def date_of(at: float) -> str:
    """The learner's day of a moment (UTC seconds), in words."""
    return day_words(local_day(at))


def turns_words(count: int) -> str:
    """`1 turn`, `12 turns`."""
    return wording.TURN if count == 1 else wording.TURNS.format(count=count)


def clock_of(at: float) -> str:
    """`17:05`, local time."""
    return datetime.fromtimestamp(at).strftime("%H:%M")
