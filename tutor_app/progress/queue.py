"""How much of what is due comes up today, and in which order. A backlog is forgiven, not a wall.

The learner sets one figure, reviews a day. After a month away that many come up and no more: the rest wait
without being counted against anybody. Those still best remembered go first, because a late review of what is
nearly gone costs as much as learning it anew, while one of what is fading saves it (of the orders compared by
the FSRS authors for a backlog, descending retrievability keeps most cards known).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tutor_app.progress.records import DueItem

DAILY = 15
"""Reviews a day before the learner moves the slider: about five minutes."""
NEW_DAY_HOUR = 4
"""Somebody who learns past midnight is still in the same day."""


def left_today(daily: int, done: int) -> int:
    """Reviews that today still has room for."""
    return max(0, daily - done)


def chosen(waiting: Iterable[DueItem], limit: int) -> list[DueItem]:
    """At most `limit` items, best remembered first; what was never reviewed comes last, oldest first."""
    order = sorted(waiting, key=lambda item: (-item.retrievability, item.due_at, item.card_id))
    return order[: max(0, limit)]


def day_began(now: float) -> float:
    """When the learner's day began, in their local time."""
    local = datetime.fromtimestamp(now).astimezone() - timedelta(hours=NEW_DAY_HOUR)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return (midnight + timedelta(hours=NEW_DAY_HOUR)).astimezone().timestamp()
