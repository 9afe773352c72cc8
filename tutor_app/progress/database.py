"""One learner's SQLite file: opened by the rule for its file system, written in whole transactions."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tutor_app.progress import filesystem
from tutor_app.progress.errors import StoreDamaged, StoreReadOnly, plain_errors
from tutor_app.progress.lock import WAIT_S, FileLock
from tutor_app.progress.suspicion import mark_suspect


class Database:
    """A connection that several threads may use, one at a time.

    On a local disk: WAL, so that a second window reads while the first writes. On a network file system:
    rollback journal, and a lock file around every transaction. `synchronous=FULL` in both: a turn that was
    acknowledged survives the power cut, not only the crash, for one flush a turn.
    """

    def __init__(self, path: Path, *, read_only: bool = False, network: bool | None = None) -> None:
        self.path = path
        self.read_only = read_only
        self.network = filesystem.on_network(path.parent) if network is None else network
        self._mutex = threading.RLock()
        self._depth = 0
        # A folder that cannot be written (a medium, a class's archive) is only read, and by nobody changed.
        self._file_lock = FileLock(path) if self.network and os.access(path.parent, os.W_OK) else None
        with plain_errors(path):
            mode = "ro" if read_only else "rwc"
            self.connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=WAIT_S,
                isolation_level=None,  # transactions are begun by us, IMMEDIATE
                check_same_thread=False,  # the mutex sees to it
            )
            try:
                self._prepare()
                self._opened = _identity(path)
            except sqlite3.DatabaseError:
                self.connection.close()
                raise

    def _prepare(self) -> None:
        self.connection.row_factory = sqlite3.Row
        if not self.read_only:
            # First of all: other pragmas open the file, and while one waits for the lock with a WAL file open, nobody
            # can leave WAL mode.
            self._choose_journal()
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA secure_delete = ON")
        self.connection.execute("PRAGMA trusted_schema = OFF")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute("PRAGMA cache_size = -16000")  # KiB

    def _choose_journal(self) -> None:
        with self._exclusive():
            wanted = "delete" if self.network else "wal"
            got = self.connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
            if wanted == "wal" and got != "wal":
                # A file system that cannot share memory is a network one by another name.
                self.network = True
                self._file_lock = FileLock(self.path)
                self.connection.execute("PRAGMA journal_mode = delete")

    @property
    def journal_mode(self) -> str:
        return str(self.connection.execute("PRAGMA journal_mode").fetchone()[0])

    def _exclusive(self) -> AbstractContextManager[None]:
        return nullcontext() if self._file_lock is None else self._file_lock.held()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block or nothing; durable when it ends. Nested blocks can fail alone.

        Raises the errors of `tutor_app.progress.errors`.
        """
        if self.read_only:
            raise StoreReadOnly(f"{self.path} is open for reading only; nothing was saved.")
        with self._mutex, plain_errors(self.path):
            if self._depth:
                yield from self._nested()
                return
            with self._exclusive():
                # IMMEDIATE: a transaction that reads first and writes later would fail at once with "busy"
                # when another window wrote in between.
                self.connection.execute("BEGIN IMMEDIATE")
                self._depth = 1
                try:
                    self._still_there()
                    yield self.connection
                    self.connection.execute("COMMIT")
                except BaseException:
                    if self.connection.in_transaction:
                        self.connection.execute("ROLLBACK")
                    raise
                finally:
                    self._depth = 0

    def _still_there(self) -> None:
        """Raises StoreDamaged when another window has recovered or deleted the file meanwhile.

        In WAL mode SQLite does not notice, and what is written would go down with the old file. (With a rollback
        journal it does; and on network folders file numbers are not to be relied on.)
        """
        if not self.network and _identity(self.path) != self._opened:
            raise StoreDamaged(
                f"{self.path} was replaced by another window: nothing was saved. Open it again."
            )

    def _nested(self) -> Iterator[sqlite3.Connection]:
        point = f"level_{self._depth}"
        self.connection.execute(f"SAVEPOINT {point}")
        self._depth += 1
        try:
            yield self.connection
        except BaseException:
            if self.connection.in_transaction:  # a full disk rolls back everything by itself
                self.connection.execute(f"ROLLBACK TO {point}")
                self.connection.execute(f"RELEASE {point}")
            raise
        else:
            self.connection.execute(f"RELEASE {point}")
        finally:
            self._depth -= 1

    def insert(self, table: str, row: Mapping[str, Any]) -> int:
        """Id of a new row. Inside a transaction; table and columns are names of ours, never anybody's text."""
        columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        cursor = self.connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", row)
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def update(self, table: str, row_id: int, row: Mapping[str, Any]) -> None:
        """New values for some columns of a row. Inside a transaction; names are ours."""
        changes = ", ".join(f"{name} = :{name}" for name in row)
        self.connection.execute(f"UPDATE {table} SET {changes} WHERE id = :id", {**row, "id": row_id})

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._mutex, plain_errors(self.path), self._shared():
            return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def json(self, text: str) -> Any:
        """What a JSON column holds. Raises StoreDamaged: we wrote it, so it must parse."""
        try:
            return json.loads(text)
        except ValueError as error:
            mark_suspect(self.path)
            raise StoreDamaged(
                f"The learner's file {self.path} is damaged. Open it again to recover it."
            ) from error

    def _shared(self) -> AbstractContextManager[None]:
        """On a network folder even reading takes the lock: its own locks may not keep a writer out."""
        return nullcontext() if self._depth else self._exclusive()

    def vacuum_into(self, target: Path) -> None:
        """A compact copy of what is committed, with a rollback journal: one file.

        The copy is new, so damage that is met is ours; a full disk is that of the copy.
        """
        with self._mutex, plain_errors(target, read_from=self.path), self._shared():
            self.connection.execute("VACUUM INTO ?", (str(target),))

    def check(self) -> None:
        """Read all of the file. Raises StoreDamaged, and the next start recovers it."""
        with self._mutex, plain_errors(self.path), self._shared():
            found = self.connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            mark_suspect(self.path)
            raise StoreDamaged(f"{self.path} is damaged ({found}). Open it again to recover it.")

    def forget(self) -> None:
        """Take what was deleted out of the journal as well; `secure_delete` has zeroed it in the file."""
        with self._mutex, plain_errors(self.path):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._mutex:
            self.connection.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of a file; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
