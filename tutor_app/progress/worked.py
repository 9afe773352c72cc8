"""The turns of sessions with the time that each took: a lesson may be taken up on another day than it was begun."""

from __future__ import annotations

from typing import Any, NamedTuple

from tutor_app.progress.conversation import time_on_task
from tutor_app.progress.database import Database


class WorkedTurn(NamedTuple):
    """A tuple: a calendar of three years makes 40,000 of them."""

    session_id: int
    at: float
    spent_s: float
    """Time on task since the turn before; with the last one of a session, also until that was ended."""


def worked_turns(database: Database, which: str, values: dict[str, Any]) -> list[WorkedTurn]:
    """The turns of the sessions `s` that a condition of ours takes, in order, with all the time on task that they took."""
    rows = database.rows(
        "SELECT t.session_id, t.at, t.elapsed_s, s.started_at, s.ended_at FROM turns t"
        f" JOIN sessions s ON s.id = t.session_id WHERE {which} ORDER BY t.id",
        values,
    )
    last = {row["session_id"]: number for number, row in enumerate(rows)}
    before: dict[int, float] = {}
    found = []
    for number, (session_id, at, elapsed_s, started_at, ended_at) in enumerate(rows):
        spent_s = time_on_task(at - before.get(session_id, started_at), elapsed_s)
        if ended_at is not None and number == last[session_id]:
            spent_s += time_on_task(ended_at - at, None)
        before[session_id] = at
        found.append(WorkedTurn(session_id, at, spent_s))
    return found
