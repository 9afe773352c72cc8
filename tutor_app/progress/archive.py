"""A learner's file as one file to keep or carry: a SQLite copy, or JSON that a person can read.

What is imported was made elsewhere and is not trusted: rows are copied, value by value, into tables of our own
making; no definition, trigger or view of the other file is ever used.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, TypeGuard

from tutor_app.errors import TutorError
from tutor_app.progress import counts, health, learners, pin, schema
from tutor_app.progress.backups import back_up, flush, write_copy
from tutor_app.progress.database import Database
from tutor_app.progress.errors import READ_ERRORS, plain_errors
from tutor_app.progress.records import Learner
from tutor_app.progress.store import Store

JSON_FORMAT = "linguist-learner"
JSON_VERSION = 1
MAX_BYTES = 2 << 30

Tables = dict[str, list[dict[str, Any]]]


def export_file(store: Store, target: Path) -> None:
    """Everything of a learner in one file: JSON when its name ends so, else SQLite. Never half written.

    Raises DiskFull, DiskTrouble or TutorError.
    """
    with plain_errors(target):
        if target.suffix.lower() == ".json":
            _write_json(store, target)
        else:
            write_copy(store.database, target)


def tables_of(connection: sqlite3.Connection) -> Tables:
    """Every row of ours, in a fixed order; equal for equal files."""
    found: Tables = {}
    for table in schema.TABLES:
        keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}")
        names = [column[0] for column in cursor.description]
        found[table] = [dict(zip(names, values, strict=True)) for values in cursor]
    return found


def _write_json(store: Store, target: Path) -> None:
    # One moment of the file, whatever other windows do. What a newer program wrote is only read.
    with plain_errors(store.database.path), nullcontext() if store.read_only else store.transaction():
        content = {
            "format": JSON_FORMAT,
            "version": JSON_VERSION,
            "migrations": list(schema.applied(store.database.connection)),
            "tables": tables_of(store.database.connection),
        }
    part = target.with_name(target.name + ".part")
    try:
        with os.fdopen(
            os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(content, file, ensure_ascii=False, indent=1, allow_nan=False)
        flush(part)
        os.replace(part, target)
    except OSError as error:
        raise TutorError(f"{target} could not be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)


def import_file(
    data_dir: Path,
    source: Path,
    *,
    name: str | None = None,
    replace: str | None = None,
    without_pin: bool = False,
    now: float | None = None,
) -> Learner:
    """A learner from an exported file, as a new one (under `name`, if given) or in place of the id `replace`.

    `without_pin` is for a PIN that was forgotten.

    Raises TutorError when the file is not an export of ours, is damaged, or was made by a newer program; then
    nothing has changed. A learner who is replaced is backed up first.
    """
    at = time.time() if now is None else now
    with tempfile.TemporaryDirectory(prefix="tutor-import-") as scratch:
        tables = _tables_in(source, Path(scratch))
    in_file = _name_in(tables)
    if without_pin:
        tables["settings"] = [row for row in tables.get("settings", []) if row.get("key") != pin.SETTING]
    if replace is None:
        folder = learners.make_folder(data_dir, name or in_file)
        try:
            return _fill(folder, tables, name)
        except BaseException:
            shutil.rmtree(folder)
            raise
    folder = learners.folder_of(data_dir, replace)
    with Store.open(data_dir, replace) as store:
        back_up(store.database, at)
    return _fill(folder, tables, name)


def _fill(folder: Path, tables: Tables, name: str | None) -> Learner:
    database = Database(folder / learners.DATABASE)
    try:
        with database.transaction() as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            if not schema.applied(connection):
                schema.migrate(connection)
            load_tables(connection, tables)
            if name is not None:
                created_at = learners.read_learner(connection, folder.name).created_at
                learners.write_learner(connection, name, {}, created_at)
            counts.recount(connection)
            if wrong := health.problems(connection):
                raise TutorError(f"The file does not hold together ({wrong[0]}). Import another copy of it.")
        return learners.read_learner(database.connection, folder.name)
    finally:
        database.close()


def load_tables(connection: sqlite3.Connection, tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """Rows in place of all that is there. Inside a transaction.

    Raises TutorError when a row is none that we could have written.
    """
    schema_row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    for table in reversed(schema.TABLES):
        connection.execute(f"DELETE FROM {table}")
    for table in schema.TABLES:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        statement = (
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"
        )
        for row in tables.get(table, []):
            if set(row) != set(columns):
                raise TutorError(f"The file has a row of {table} that is not as this version writes it.")
            try:
                connection.execute(statement, row)
            except (
                sqlite3.IntegrityError,
                sqlite3.InterfaceError,
                sqlite3.ProgrammingError,
                OverflowError,
                UnicodeEncodeError,
            ) as error:
                raise TutorError(f"The file has a row of {table} that no tutor wrote ({error}).") from error
    # What our own tables look like, not what the other file says of itself.
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)", tuple(schema_row))


def _tables_in(source: Path, scratch: Path) -> Tables:
    try:
        size = source.stat().st_size
        if size > MAX_BYTES:
            raise TutorError(f"{source} is too large to be a learner's file ({size / 1e9:.1f} GB).")
        with source.open("rb") as file:
            start = file.read(16)
        if start == b"SQLite format 3\0":
            return _tables_in_sqlite(source, scratch)
        return tables_in_json(source.read_text(encoding="utf-8"), str(source))
    except OSError as error:
        raise TutorError(f"{source} could not be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise TutorError(f"{source} is not a learner's file.") from error


def _tables_in_sqlite(source: Path, scratch: Path) -> Tables:
    copy = scratch / "copy.db"
    shutil.copyfile(source, copy)
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            wanted = schema.known()
            had = schema.applied(connection)
            if (
                not had
                or connection.execute(
                    "SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')"
                ).fetchone()
            ):
                raise TutorError(f"{source} is not a learner's file.")
            _refuse_newer(had, str(source))
            if wrong := health.damage(connection):
                raise TutorError(f"{source} is damaged ({wrong[0]}). Use another copy.")
            if had != wanted:
                connection.execute("BEGIN IMMEDIATE")
                schema.migrate(connection)
                connection.execute("COMMIT")
            return tables_of(connection)
    except READ_ERRORS as error:
        raise TutorError(f"{source} is damaged or not a learner's file ({error}).") from error


def tables_in_json(text: str, label: str) -> Tables:
    """The tables of a JSON export. Raises TutorError with `label` when it is none, or of another version."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TutorError(f"{label} is not a learner's file.") from error
    if not isinstance(content, dict) or content.get("format") != JSON_FORMAT:
        raise TutorError(f"{label} is not a learner's file.")
    _refuse_newer(tuple(content.get("migrations", ())), label)
    if tuple(content["migrations"]) != schema.known():
        raise TutorError(f"{label} was made by an older version. Import its SQLite export instead.")
    tables = content.get("tables")
    if not are_tables(tables):
        raise TutorError(f"{label} is not a learner's file.")
    return tables


def are_tables(value: Any) -> TypeGuard[Tables]:
    """Whether a value that was read has the shape of tables: a list of rows for each name."""
    return isinstance(value, dict) and all(
        isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in value.values()
    )


def _refuse_newer(had: tuple[str, ...], label: str) -> None:
    if set(had) - set(schema.known()):
        raise TutorError(f"{label} was made by a newer version of the tutor. Update this one first.")


def _name_in(tables: Tables) -> str:
    values = {row.get("key"): row.get("value") for row in tables.get("meta", [])}
    try:
        name = json.loads(values.get("name") or '""')
    except (ValueError, TypeError):
        name = ""
    return name if isinstance(name, str) and name.strip() else "Learner"
