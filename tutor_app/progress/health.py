"""Whether a learner's file is what we wrote: SQLite's own checks, and the ones it cannot make."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from tutor_app.progress import filesystem, schema
from tutor_app.progress.counts import wrong_counts
from tutor_app.progress.errors import READ_ERRORS, is_damage, plain_errors
from tutor_app.progress.lock import WAIT_S, FileLock

JSON_COLUMNS = {
    "meta": ("value",),
    "settings": ("value",),
    "sessions": ("adapters", "position", "summary"),
    "attempts": ("words",),
    "replies": ("signals",),
}
"""Text that must parse. SQLite stores what it is given and keeps no checksums of content."""

_DISAGREEMENTS = """
SELECT 'card ' || c.id || ' disagrees with its reviews' FROM cards c
WHERE (c.last_at IS NULL) <> (NOT EXISTS (SELECT 1 FROM reviews r WHERE r.card_id = c.id))
UNION ALL
SELECT 'attempt ' || a.id || ' is in another session than its turn' FROM attempts a
JOIN turns t ON t.id = a.turn_id WHERE t.session_id <> a.session_id
"""


def is_readable(connection: sqlite3.Connection) -> bool:
    """The cheap check of every start: the tables are ours and their definitions are as they were made.

    A file without tables (made a moment ago) is fine. Raises sqlite3.DatabaseError only when it is not the
    file's fault (busy, disk).
    """
    try:
        if not schema.applied(connection):
            return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
        kept = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        return kept is not None and json.loads(kept[0]) == schema.fingerprint(connection)
    except (sqlite3.DatabaseError, ValueError) as error:
        if not is_damage(error):
            raise
        return False


def damage(connection: sqlite3.Connection) -> list[str]:
    """Everything that was not written so, one line each; empty when the file is sound. Reads all of it.

    A file of a newer program is not judged: what we do not know is not damage.
    """
    if not is_readable(connection):
        return ["the tables cannot be read"]
    had = schema.applied(connection)
    return [] if not had or set(had) - set(schema.known()) else list(_damage(connection))


def problems(connection: sqlite3.Connection) -> list[str]:
    """Damage, and rows that disagree with each other, which only a mistake of the program (or a forger) can make."""
    found = damage(connection)
    if found or not schema.applied(connection):
        return found
    disagreements = [row[0] for row in connection.execute(_DISAGREEMENTS)]
    return disagreements + [f"the form {form} has wrong counts" for form in wrong_counts(connection)]


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    try:
        yield from (row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok")
        yield from (
            f"a row of {row[0]} points nowhere" for row in connection.execute("PRAGMA foreign_key_check")
        )
        for table in schema.TABLES:
            yield from _undecodable(connection, table)
    except READ_ERRORS as error:
        if not is_damage(error):
            raise
        yield f"reading stops: {error}"


def _undecodable(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """Text that is not UTF-8 or not JSON: Python would fail on it at some later moment."""
    cursor = connection.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        if not parses(table, row):
            yield f"a row of {table} holds damaged text"


def parses(table: str, row: dict[str, object]) -> bool:
    """Whether the JSON in a row can be read."""
    try:
        for column in JSON_COLUMNS.get(table, ()):
            if isinstance(text := row[column], str):
                json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def file_damage(path: Path, *, network: bool | None = None) -> list[str]:
    """The damage of a file by its path; a journal that a crash left is played back first.

    Raises the errors of `tutor_app.progress.errors` when it cannot be read for other reasons than damage.
    """
    return _looking_at(path, damage, network)


def is_file_readable(path: Path, *, network: bool | None = None) -> bool:
    """The cheap check of `is_readable`, for a file by its path."""
    return not _looking_at(
        path, lambda connection: [] if is_readable(connection) else ["unreadable"], network
    )


def _looking_at(
    path: Path, look: Callable[[sqlite3.Connection], list[str]], network: bool | None
) -> list[str]:
    on_network = filesystem.on_network(path.parent) if network is None else network
    with plain_errors(path), FileLock(path).held() if on_network else nullcontext():
        try:
            if not header_is_sound(path):
                return ["the file does not begin as a database of ours does"]
            with closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT_S)
            ) as connection:
                return look(connection)
        except READ_ERRORS as error:
            if not is_damage(error):
                raise
            return [str(error)]


def header_is_sound(path: Path) -> bool:
    """Whether a file begins as a SQLite file that can be written; an empty one is new.

    Bytes 18 and 19 are the versions needed to write and to read: 1 rollback journal, 2 WAL. With a higher one
    SQLite would quietly treat the file as read-only. Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(100)
    return not head or (len(head) == 100 and head[:16] == b"SQLite format 3\0" and set(head[18:20]) <= {1, 2})
