"""The tables of a learner's file, as migrations that are only ever added to.

Times are UTC seconds. Order is the order of ids, never of times: a clock may go backwards. JSON columns hold
lists of strings or the session's own position. `folded` is text for searching (no case, no accents).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

SET_NAME = "tutor"
APPLICATION_ID = 0x4C696E67  # "Ling": tells our files from other SQLite files

# Indexes carry the columns that screens count, so that those queries never read the wide rows of text.
_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    set_id TEXT NOT NULL, set_version TEXT NOT NULL, lesson_id TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('lesson', 'talk')),
    language TEXT NOT NULL, model TEXT, model_sha256 TEXT, adapters TEXT NOT NULL, seed INTEGER NOT NULL,
    started_at REAL NOT NULL, last_at REAL NOT NULL, ended_at REAL, active_s REAL NOT NULL DEFAULT 0,
    position TEXT NOT NULL DEFAULT '{}', summary TEXT, finished INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL) STRICT;
CREATE INDEX sessions_open ON sessions (set_id, lesson_id, ended_at);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    text TEXT NOT NULL, folded TEXT NOT NULL, characters INTEGER NOT NULL, command TEXT, elapsed_s REAL,
    item_id TEXT, asked INTEGER NOT NULL, at REAL NOT NULL) STRICT;
CREATE INDEX turns_session ON turns (session_id, asked, command);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn_id INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    set_id TEXT NOT NULL, lesson_id TEXT, step_id TEXT, item_id TEXT, kind TEXT NOT NULL,
    words TEXT NOT NULL, correct INTEGER NOT NULL, clean INTEGER NOT NULL, near_miss TEXT,
    given TEXT NOT NULL, hint_level INTEGER NOT NULL,
    attempt_number INTEGER NOT NULL, dialect TEXT, at REAL NOT NULL) STRICT;
CREATE INDEX attempts_turn ON attempts (turn_id);
CREATE INDEX attempts_item ON attempts (set_id, lesson_id, item_id, session_id, correct, clean, at);
CREATE INDEX attempts_session ON attempts (session_id, set_id, clean, attempt_number);
CREATE TABLE attempt_forms (
    attempt_id INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    set_id TEXT NOT NULL, form_id TEXT NOT NULL, predicted REAL NOT NULL,
    PRIMARY KEY (set_id, form_id, attempt_id)) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_forms_attempt ON attempt_forms (attempt_id);
CREATE TABLE attempt_tags (
    attempt_id INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    tag TEXT NOT NULL, PRIMARY KEY (tag, attempt_id)) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_tags_attempt ON attempt_tags (attempt_id);
CREATE TABLE replies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn_id INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    move TEXT NOT NULL, text TEXT NOT NULL DEFAULT '', folded TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'partial' CHECK (status IN ('partial', 'final', 'stopped')),
    signals TEXT NOT NULL DEFAULT '[]', source TEXT NOT NULL DEFAULT '', hint_level INTEGER NOT NULL DEFAULT 0,
    recast TEXT, uptake INTEGER, repair INTEGER,
    ttft_ms REAL, total_ms REAL, prompt_tokens INTEGER, cached_tokens INTEGER,
    started_at REAL NOT NULL, finished_at REAL) STRICT;
CREATE INDEX replies_turn ON replies (turn_id, move, status, uptake, repair);
CREATE TABLE forms (
    set_id TEXT NOT NULL, form_id TEXT NOT NULL, tried INTEGER NOT NULL, right INTEGER NOT NULL,
    recent_right REAL NOT NULL, recent_wrong REAL NOT NULL, last_at REAL NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0, taken_of INTEGER NOT NULL DEFAULT 0,
    repaired INTEGER NOT NULL DEFAULT 0, repaired_of INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (set_id, form_id)) STRICT, WITHOUT ROWID;
CREATE TABLE cards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('word', 'form', 'recast')),
    scope TEXT NOT NULL, key TEXT NOT NULL, language TEXT NOT NULL, set_id TEXT,
    turn_id INTEGER REFERENCES turns (id) ON DELETE SET NULL,
    gloss TEXT NOT NULL DEFAULT '', sentence TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
    stability REAL, difficulty REAL, due_at REAL NOT NULL, last_at REAL, created_at REAL NOT NULL,
    suspended INTEGER NOT NULL DEFAULT 0, UNIQUE (kind, scope, key)) STRICT;
CREATE INDEX cards_turn ON cards (turn_id);
CREATE INDEX cards_due ON cards (suspended, due_at);
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    card_id INTEGER NOT NULL REFERENCES cards (id) ON DELETE CASCADE,
    attempt_id INTEGER REFERENCES attempts (id) ON DELETE SET NULL,
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 4),
    elapsed_days REAL, predicted REAL, at REAL NOT NULL) STRICT;
CREATE INDEX reviews_card ON reviews (card_id);
CREATE INDEX reviews_at ON reviews (at);
CREATE INDEX reviews_attempt ON reviews (attempt_id);
CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL, language TEXT NOT NULL,
    turn_id INTEGER REFERENCES turns (id) ON DELETE SET NULL, at REAL NOT NULL) STRICT;
CREATE INDEX memories_turn ON memories (turn_id);
"""


TABLES = (
    "meta",
    "settings",
    "sessions",
    "turns",
    "attempts",
    "attempt_forms",
    "attempt_tags",
    "replies",
    "forms",
    "cards",
    "reviews",
    "memories",
)
"""Every table of ours, parents before children."""


def _m001_first(db: Database) -> None:
    for statement in _FIRST.split(";"):
        if statement.strip():
            db.conn.execute(statement)
    db.conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")


_STEPS = (_m001_first,)
"""In order. A released step is never edited: write the next one."""


def known() -> tuple[str, ...]:
    """Names of the migrations this program has, in order."""
    return tuple(step.__name__.lstrip("_") for step in _STEPS)


def applied(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Names of the migrations a file has had; empty for a new file."""
    table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()
    if table is None:
        return ()
    rows = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (SET_NAME,)
    )
    return tuple(row[0] for row in rows)


def migrate(connection: sqlite3.Connection, *, stop_before: str | None = None) -> None:
    """Bring a file to the newest form. The caller holds the write lock, so that two windows cannot race.

    sqlite-utils is imported only here: it costs a quarter of a second, which a file that is up to date (nearly
    every start) need not pay.
    """
    from sqlite_utils import Database, Migrations

    migrations = Migrations(SET_NAME)
    for name, step in zip(known(), _STEPS, strict=True):
        migrations(name=name)(step)
    migrations.apply(Database(connection, execute_plugins=False), stop_before=stop_before)
    connection.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)",
        (json.dumps(fingerprint(connection)),),
    )


def fingerprint(connection: sqlite3.Connection) -> str:
    """sha256 of all table and index definitions.

    A damaged file can still have a schema that parses, with other names in it; `meta` keeps what it should be.
    """
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()
