"""What can go wrong with a learner's file, in words for the learner."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.progress.suspicion import mark_suspect


class NoLearner(TutorError):
    """There is nobody of this name here."""


class StoreReadOnly(TutorError):
    """The file was opened for reading: by choice, or because a newer program wrote it."""


class StoreBusy(TutorError):
    """Another window or machine holds the file."""


class DiskFull(TutorError):
    """Nothing more could be written; what was acknowledged before is safe."""


class DiskTrouble(TutorError):
    """The disk or the network folder did not do what was asked."""


class StoreDamaged(TutorError):
    """The file is not what was written; opening it again recovers what can be recovered."""


READ_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged file raises; the second when SQLite's own message quotes damaged bytes."""

_FULL = "The disk is full: this could not be saved in {}. Everything before it is safe. Free some space and try again."
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_LOW_BYTE = 0xFF  # the high bytes of an extended result code say which kind of I/O error it was


@contextmanager
def plain_errors(path: Path, *, read_from: Path | None = None) -> Iterator[None]:
    """Turns errors of SQLite and of the disk into ours; those that are mistakes of the program pass through.

    `read_from`: the learner's file, where `path` is a copy that is made of it.
    """
    try:
        yield
    except READ_ERRORS as error:
        if isinstance(translate(error, path), StoreDamaged):
            path = read_from or path
            mark_suspect(path)
        translated = translate(error, path)
        if translated is None:
            raise
        raise translated from error
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFull(_FULL.format(path)) from error
        raise DiskTrouble(
            f"{error.filename or path} could not be read or written ({error.strerror})."
        ) from error


def translate(error: Exception, path: Path) -> TutorError | None:
    """The sentence for an error of SQLite's, or None when only a programmer can act on it."""
    # Python sets no code on errors of its own, such as the use of a closed connection.
    code = getattr(error, "sqlite_errorcode", 0) & _LOW_BYTE
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT) or _undecodable(error):
        return StoreDamaged(
            f"The learner's file {path} is damaged. Open it again: it is then recovered from the newest good "
            "backup, and the damaged file is kept."
        )
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED:
        return StoreDamaged(f"{path} was replaced by another window. Open it again.")
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(_FULL.format(path))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"The learner's file {path} is being written by another window. Close the other one, or try again."
        )
    if code == sqlite3.SQLITE_PROTOCOL:
        return DiskTrouble(
            f"The folder of {path} does not support locking. Choose a local data folder with --data-dir."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreReadOnly(f"{path} may not be written. Check the permissions of its folder.")
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return DiskTrouble(f"{path} could not be read or written ({error}). Check the disk, then try again.")
    return None


_NOT_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
    }
    | {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM}
)


def is_damage(error: Exception) -> bool:
    """Whether an error in reading blames the file itself, not the moment or the disk."""
    return (getattr(error, "sqlite_errorcode", 0) & _LOW_BYTE) not in _NOT_DAMAGE


def _undecodable(error: Exception) -> bool:
    """Text that is not UTF-8: Python's own error, which has no code."""
    return isinstance(error, UnicodeDecodeError) or str(error).startswith("Could not decode")
