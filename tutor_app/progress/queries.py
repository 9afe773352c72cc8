"""What the screens, the report and its CSV show: the same functions for all, so that they cannot disagree.

Each takes the database of one learner and an optional set; times come in, nothing asks the clock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from tutor_app.progress import reviews
from tutor_app.progress.database import Database
from tutor_app.progress.knowledge import MASTERED
from tutor_app.progress.queue import NEW_DAY_HOUR
from tutor_app.progress.reviews import DAY_S
from tutor_app.progress.store import Store
from tutor_app.progress.text import folded
from tutor_app.progress.worked import WorkedTurn, worked_turns

KNOWN = 0.8
"""A word counts as known while the probability of remembering it now is at least this."""
SENTENCES = 3
"""Of the learner's own, from the beginning and from now, in the history of a form."""
QUARTER_S = 900
"""Days begin on a whole quarter of an hour of UTC in every time zone, so all of a quarter is of one day."""
_QUARTER = f"CAST(t.at AS INTEGER) / {QUARTER_S}"

_IN_SET = "(:set_id IS NULL OR {0}.set_id = :set_id)"

Share = tuple[int, int]
"""(so many, of so many)."""


@dataclass(frozen=True)
class Overview:
    """One learner at a glance."""

    words_known: int
    words_met: int
    forms_known: int
    forms_met: int
    items: Share
    """Attempts right at the first try or after one hint, of first attempts."""
    minutes: float
    """Time on task: pauses over five minutes are not counted."""
    sessions: int
    turns: int
    questions: int
    """Turns in which the learner asked something."""
    hints: int
    uptake: Share
    repair: Share
    streak_days: int
    """Days in a row with a turn, today or yesterday included. Shown quietly; nothing is lost when it ends."""


@dataclass(frozen=True)
class Day:
    day: date
    minutes: float
    turns: int
    items: Share


@dataclass(frozen=True)
class LessonLine:
    lesson_id: str
    sessions: int
    minutes: float
    items: Share
    """Items right at the first try or after one hint when last met, of items met."""
    finished: bool


@dataclass(frozen=True)
class ErrorLine:
    tag: str
    count: int
    last_at: float


@dataclass(frozen=True)
class MoveLine:
    move: str
    count: int
    uptake: Share
    repair: Share


@dataclass(frozen=True)
class FormPoint:
    """One attempt at a form."""

    at: float
    predicted: float
    """Probability of getting it right, as computed just before."""
    correct: bool
    hint_level: int
    item_id: str | None
    given: str


@dataclass(frozen=True)
class FormHistory:
    points: tuple[FormPoint, ...]
    before: tuple[str, ...]
    """The learner's own sentences from the beginning, each once …"""
    after: tuple[str, ...]
    """… and the latest; empty while there is only a beginning."""


@dataclass(frozen=True)
class Hit:
    """A line of a transcript that was searched for."""

    session_id: int
    turn_id: int
    at: float
    by_learner: bool
    text: str
    set_id: str
    lesson_id: str | None


@dataclass(frozen=True)
class SessionLine:
    id: int
    set_id: str
    lesson_id: str | None
    started_at: float
    minutes: float
    turns: int
    finished: bool


def overview(store: Store, now: float, set_id: str | None = None) -> Overview:
    """The figures of the progress screen."""
    database = store.database
    sessions = _one(
        database,
        "SELECT count(*) AS n, coalesce(sum(active_s), 0) / 60 AS minutes FROM sessions s WHERE " + _of("s"),
        set_id,
    )
    turns = _one(
        database,
        "SELECT count(*) AS n, coalesce(sum(asked), 0) AS asked, coalesce(sum(command = 'hint'), 0) AS hints"
        " FROM turns t JOIN sessions s ON s.id = t.session_id WHERE " + _of("s"),
        set_id,
    )
    items = _one(
        database,
        "SELECT coalesce(sum(clean), 0) AS clean, coalesce(sum(attempt_number = 1), 0) AS first"
        " FROM attempts a WHERE " + _of("a"),
        set_id,
    )
    moved = moves(database, set_id)
    fades = reviews.fades_to(KNOWN, parameters=store.fsrs_parameters())
    words = database.rows(
        "SELECT count(*) AS met, coalesce(sum(:now - last_at <= stability * :wait_s), 0) AS known FROM cards c"
        " WHERE kind = 'word' AND last_at IS NOT NULL AND " + _of("c"),
        {"set_id": set_id, "now": now, "wait_s": fades * DAY_S},
    )[0]
    sets = [
        row["set_id"]
        for row in database.rows("SELECT DISTINCT set_id FROM forms f WHERE " + _of("f"), {"set_id": set_id})
    ]
    forms = [form.probability for one in sets for form in store.form_knowledge(one, now).values()]
    return Overview(
        words_known=words["known"],
        words_met=words["met"],
        forms_known=sum(form >= MASTERED for form in forms),
        forms_met=len(forms),
        items=(items["clean"], items["first"]),
        minutes=sessions["minutes"],
        sessions=sessions["n"],
        turns=turns["n"],
        questions=turns["asked"],
        hints=turns["hints"],
        uptake=_sum(line.uptake for line in moved),
        repair=_sum(line.repair for line in moved),
        streak_days=streak(_days(database, set_id), local_day(now)),
    )


def calendar(database: Database, set_id: str | None = None) -> list[Day]:
    """Every day with a turn, oldest first, in the learner's local time."""
    quarters: dict[int, list[float]] = {}
    for turn in worked_turns(database, _of("s"), {"set_id": set_id}):
        quarters.setdefault(int(turn.at) // QUARTER_S, []).append(turn.spent_s)
    # An attempt is written after the reply; it belongs to the day of its turn.
    items = {
        row["quarter"]: (row["clean"], row["first"])
        for row in database.rows(
            f"SELECT {_QUARTER} AS quarter, sum(a.clean) AS clean, sum(a.attempt_number = 1) AS first FROM attempts a"
            f" JOIN turns t ON t.id = a.turn_id WHERE {_of('a')} GROUP BY quarter",
            {"set_id": set_id},
        )
    }
    days: dict[date, Day] = {}
    for quarter, spent_s in quarters.items():
        day = local_day(quarter * QUARTER_S)
        had = days.get(day, Day(day, 0.0, 0, (0, 0)))
        days[day] = Day(
            day,
            had.minutes + sum(spent_s) / 60,
            had.turns + len(spent_s),
            _sum([had.items, items.get(quarter, (0, 0))]),
        )
    return sorted(days.values(), key=lambda one: one.day)


def _days(database: Database, set_id: str | None) -> list[date]:
    rows = database.rows(
        f"SELECT DISTINCT {_QUARTER} AS quarter FROM turns t JOIN sessions s ON s.id = t.session_id WHERE {_of('s')}",
        {"set_id": set_id},
    )
    return [local_day(row["quarter"] * QUARTER_S) for row in rows]


def lessons(store: Store, set_id: str) -> list[LessonLine]:
    """Every lesson that was begun, by id."""
    progress = store.lesson_progress(set_id)
    rows = store.database.rows(
        "SELECT lesson_id, count(*) AS n, sum(active_s) / 60 AS minutes FROM sessions"
        " WHERE set_id = ? AND lesson_id IS NOT NULL GROUP BY lesson_id ORDER BY lesson_id",
        (set_id,),
    )
    return [
        LessonLine(
            lesson_id=row["lesson_id"],
            sessions=row["n"],
            minutes=row["minutes"],
            items=(progress[row["lesson_id"]].items_correct, progress[row["lesson_id"]].items_seen),
            finished=progress[row["lesson_id"]].finished,
        )
        for row in rows
    ]


def errors(database: Database, set_id: str | None = None) -> list[ErrorLine]:
    """What kinds of errors there were, most frequent first."""
    rows = database.rows(
        "SELECT g.tag, count(*) AS n, max(a.at) AS last_at FROM attempt_tags g JOIN attempts a ON a.id = g.attempt_id"
        f" WHERE {_of('a')} GROUP BY g.tag ORDER BY n DESC, g.tag",
        {"set_id": set_id},
    )
    return [ErrorLine(row["tag"], row["n"], row["last_at"]) for row in rows]


def moves(database: Database, set_id: str | None = None) -> list[MoveLine]:
    """What the tutor did and what came of it, by move."""
    rows = database.rows(
        "SELECT r.move, count(*) AS n, count(r.uptake) AS uptakes, coalesce(sum(r.uptake), 0) AS taken,"
        " count(r.repair) AS repairs, coalesce(sum(r.repair), 0) AS repaired"
        " FROM replies r JOIN turns t ON t.id = r.turn_id JOIN sessions s ON s.id = t.session_id"
        f" WHERE r.status <> 'partial' AND {_of('s')} GROUP BY r.move ORDER BY r.move",
        {"set_id": set_id},
    )
    return [
        MoveLine(row["move"], row["n"], (row["taken"], row["uptakes"]), (row["repaired"], row["repairs"]))
        for row in rows
    ]


def form_history(database: Database, set_id: str, form_id: str) -> FormHistory:
    """Every attempt at a form in order, and what the learner wrote before and after."""
    rows = database.rows(
        "SELECT a.at, f.predicted, a.correct, a.hint_level, a.item_id, a.given FROM attempt_forms f"
        " JOIN attempts a ON a.id = f.attempt_id WHERE f.set_id = ? AND f.form_id = ? ORDER BY a.id",
        (set_id, form_id),
    )
    points = tuple(
        FormPoint(
            row["at"], row["predicted"], bool(row["correct"]), row["hint_level"], row["item_id"], row["given"]
        )
        for row in rows
    )
    written = [point.given for point in points if point.given.strip()]
    before = list(dict.fromkeys(written))[:SENTENCES]
    begun = written.index(before[-1]) + 1 if before else 0
    after = list(dict.fromkeys(reversed(written[begun:])))[:SENTENCES]
    return FormHistory(points, tuple(before), tuple(reversed(after)))


def search(database: Database, text: str, limit: int = 50) -> list[Hit]:
    """Lines of transcripts, the learner's and the tutor's, that contain `text`; newest first.

    Case, accents and harakat do not matter.
    """
    wanted = folded(text).strip()
    if not wanted:
        return []
    # CROSS JOIN keeps the order: backwards through the text, as far as it takes, then the sessions that were hit.
    rows = database.rows(
        "SELECT * FROM (SELECT t.session_id, t.id AS turn_id, t.at, 1 AS by_learner, t.text, s.set_id, s.lesson_id"
        " FROM turns t CROSS JOIN sessions s ON s.id = t.session_id WHERE instr(t.folded, :wanted)"
        " ORDER BY t.id DESC LIMIT :limit)"
        " UNION ALL SELECT * FROM (SELECT t.session_id, t.id, t.at, 0, r.text, s.set_id, s.lesson_id FROM replies r"
        " CROSS JOIN turns t ON t.id = r.turn_id CROSS JOIN sessions s ON s.id = t.session_id"
        " WHERE instr(r.folded, :wanted) ORDER BY r.id DESC LIMIT :limit)"
        " ORDER BY turn_id DESC, by_learner DESC LIMIT :limit",
        {"wanted": wanted, "limit": limit},
    )
    return [
        Hit(
            session_id=row["session_id"],
            turn_id=row["turn_id"],
            at=row["at"],
            by_learner=bool(row["by_learner"]),
            text=row["text"],
            set_id=row["set_id"],
            lesson_id=row["lesson_id"],
        )
        for row in rows
    ]


def sessions(database: Database, limit: int = 100, set_id: str | None = None) -> list[SessionLine]:
    """The latest sessions, newest first."""
    rows = database.rows(
        f"{_SESSIONS} WHERE {_of('s')} ORDER BY s.id DESC LIMIT :limit", {"set_id": set_id, "limit": limit}
    )
    return [_session_line(row) for row in rows]


def sessions_on(database: Database, day: date) -> list[SessionLine]:
    """The sessions with a turn on one of the learner's days, in order; turns and time are those of that day.

    One that was begun on an earlier day starts where it was taken up.
    """
    begins, ends = (
        datetime.combine(one, time(NEW_DAY_HOUR)).timestamp() for one in (day, day + timedelta(days=1))
    )
    which = "s.id IN (SELECT session_id FROM turns WHERE at >= :begins AND at < :ends)"
    values = {"begins": begins, "ends": ends}
    turns: dict[int, list[WorkedTurn]] = {}
    for turn in worked_turns(database, which, values):
        if begins <= turn.at < ends:
            turns.setdefault(turn.session_id, []).append(turn)
    rows = database.rows(f"{_SESSIONS} WHERE {which} ORDER BY s.id", values)
    return [
        replace(
            _session_line(row),
            started_at=row["started_at"] if row["started_at"] >= begins else turns[row["id"]][0].at,
            minutes=sum(turn.spent_s for turn in turns[row["id"]]) / 60,
            turns=len(turns[row["id"]]),
        )
        for row in rows
        if row["id"] in turns  # or another window has begun it in between
    ]


def session(database: Database, session_id: int) -> SessionLine | None:
    """One session; None when it was deleted."""
    row = database.row(f"{_SESSIONS} WHERE s.id = ?", (session_id,))
    return None if row is None else _session_line(row)


_SESSIONS = "SELECT s.*, (SELECT count(*) FROM turns t WHERE t.session_id = s.id) AS turns FROM sessions s"


def _session_line(row: sqlite3.Row) -> SessionLine:
    return SessionLine(
        row["id"],
        row["set_id"],
        row["lesson_id"],
        row["started_at"],
        row["active_s"] / 60,
        row["turns"],
        bool(row["finished"]),
    )


def local_day(at: float) -> date:
    """The learner's day, which ends in the small hours."""
    return (datetime.fromtimestamp(at) - timedelta(hours=NEW_DAY_HOUR)).date()


def streak(days: list[date], today: date) -> int:
    """Days in a row up to today or yesterday. Days in the future (a clock that was wrong) do not count."""
    there = set(days)
    day = today if today in there else today - timedelta(days=1)
    length = 0
    while day in there:
        length, day = length + 1, day - timedelta(days=1)
    return length


def _of(table: str) -> str:
    return _IN_SET.format(table)


def _one(database: Database, sql: str, set_id: str | None) -> sqlite3.Row:
    row = database.row(sql, {"set_id": set_id})
    assert row is not None
    return row


def _sum(shares: Iterable[Share]) -> Share:
    pairs = list(shares)
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def set_ids(database: Database) -> list[str]:
    """Every set that was practised."""
    return [row["set_id"] for row in database.rows("SELECT DISTINCT set_id FROM sessions ORDER BY set_id")]
