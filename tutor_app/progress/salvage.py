"""Rows read out of a damaged file, as many as can be, into a sound one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from tutor_app.progress import counts, health, schema
from tutor_app.progress.errors import READ_ERRORS

KEPT_AS_WRITTEN = frozenset({"turns", "attempts", "attempt_forms", "attempt_tags", "reviews"})
"""Rows that never change: where a backup has them, the backup's are the true ones."""

_MAX_JUMP = 1 << 20
_MAX_TURNS = 10_000_000  # a larger counter is damage too


@dataclass(frozen=True)
class Salvaged:
    rows: int
    """Rows that only the damaged file had, or had newer."""
    turns_missing: int
    """Turns since the backup that existed, by the numbering, and were found nowhere."""


def salvage(damaged: sqlite3.Connection, sound: sqlite3.Connection) -> Salvaged:
    """Copy what can be read of `damaged` into `sound`, which has the newest tables. One transaction."""
    numbered = _last_turn(sound)
    sound.execute("PRAGMA foreign_keys = OFF")  # parents may be among the lost; orphans go at the end
    sound.execute("BEGIN IMMEDIATE")
    copied = sum(_copy(damaged, sound, table) for table in schema.TABLES if table != "meta")
    copied += _copy_meta(damaged, sound)
    _drop_orphans(sound)
    _recount(sound)
    given = max(_last_turn(sound), _counter(damaged)) - numbered
    missing = given - sound.execute("SELECT count(*) FROM turns WHERE id > ?", (numbered,)).fetchone()[0]
    sound.execute("COMMIT")
    sound.execute("PRAGMA foreign_keys = ON")
    return Salvaged(copied, missing)


def _last_turn(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM turns").fetchone()[0])


def _counter(damaged: sqlite3.Connection) -> int:
    """The last number that was given to a turn, when the damaged file can still say; else 0."""
    try:
        row = damaged.execute("SELECT seq FROM sqlite_sequence WHERE name = 'turns'").fetchone()
    except READ_ERRORS:
        return 0
    return row[0] if row and isinstance(row[0], int) and 0 <= row[0] < _MAX_TURNS else 0


def _copy(damaged: sqlite3.Connection, sound: sqlite3.Connection, table: str) -> int:
    keys = [row[1] for row in sound.execute(f"PRAGMA table_info({table})") if row[5]]
    verb = "INSERT OR IGNORE" if table in KEPT_AS_WRITTEN else "INSERT OR REPLACE"
    columns = {row[1] for row in sound.execute(f"PRAGMA table_info({table})")}
    before = sound.total_changes
    for row in _rows(damaged, table, numbered=keys == ["id"]):
        if set(row) != columns or not health.parses(table, row):
            continue
        places = ", ".join(f":{name}" for name in row)
        try:
            sound.execute(f"{verb} INTO {table} ({', '.join(row)}) VALUES ({places})", row)
        except (sqlite3.IntegrityError, OverflowError):
            continue  # a value that no row of ours could have
    return sound.total_changes - before


def _copy_meta(damaged: sqlite3.Connection, sound: sqlite3.Connection) -> int:
    before = sound.total_changes
    for row in _rows(damaged, "meta", numbered=False):
        if set(row) == {"key", "value"} and row["key"] != "schema" and health.parses("meta", row):
            sound.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (:key, :value)", row)
    return sound.total_changes - before


def _rows(damaged: sqlite3.Connection, table: str, *, numbered: bool) -> Iterator[dict[str, object]]:
    """Rows in order; where a page cannot be read, on from the next one that can."""
    if not numbered:
        yield from _until_error(damaged, f"SELECT * FROM {table}")
        return
    last, jump = 0, 1
    while jump <= _MAX_JUMP:
        reached = None
        try:
            cursor = damaged.execute(f"SELECT * FROM {table} WHERE id > ? ORDER BY id", (last,))
            names = [column[0] for column in cursor.description]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                if not isinstance(row.get("id"), int):
                    return
                reached = last = row["id"]
                yield row
        except READ_ERRORS:
            jump = 1 if reached is not None else jump * 2
            last += jump
        else:
            return


def _until_error(damaged: sqlite3.Connection, query: str) -> Iterator[dict[str, object]]:
    try:
        cursor = damaged.execute(query)
        names = [column[0] for column in cursor.description]
        for values in cursor:
            yield dict(zip(names, values, strict=True))
    except READ_ERRORS:
        return


def _drop_orphans(sound: sqlite3.Connection) -> None:
    """Rows whose parents are lost; where the link may be empty, the link."""
    for table, column in (("cards", "turn_id"), ("memories", "turn_id"), ("reviews", "attempt_id")):
        parent = "attempts" if column == "attempt_id" else "turns"
        sound.execute(f"UPDATE {table} SET {column} = NULL WHERE {column} NOT IN (SELECT id FROM {parent})")
    while orphans := sound.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, _, _ in orphans:
            if rowid is None:  # a table without row ids: both of ours hang on attempts
                sound.execute(f"DELETE FROM {table} WHERE attempt_id NOT IN (SELECT id FROM attempts)")
            else:
                sound.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))


def _recount(sound: sqlite3.Connection) -> None:
    """Counts and card states agree again with the rows they come from."""
    sound.execute(
        "DELETE FROM attempts WHERE session_id <> (SELECT session_id FROM turns WHERE id = attempts.turn_id)"
    )
    for table in ("attempt_forms", "attempt_tags"):
        sound.execute(f"DELETE FROM {table} WHERE attempt_id NOT IN (SELECT id FROM attempts)")
    sound.execute("UPDATE reviews SET attempt_id = NULL WHERE attempt_id NOT IN (SELECT id FROM attempts)")
    counts.recount(sound)
    sound.execute(
        "UPDATE cards SET stability = NULL, difficulty = NULL, last_at = NULL"
        " WHERE id NOT IN (SELECT card_id FROM reviews)"
    )
    sound.execute("DELETE FROM reviews WHERE card_id IN (SELECT id FROM cards WHERE last_at IS NULL)")
