"""A mark beside a learner's file: reading failed, so the next start reads all of it before trusting it."""

from __future__ import annotations

from pathlib import Path


def mark_suspect(path: Path) -> None:
    """Set the mark; on a disk that takes no more files the next failure will try again."""
    try:
        _mark(path).touch(mode=0o600)
    except OSError:
        return


def is_suspect(path: Path) -> bool:
    return _mark(path).exists()


def clear_suspicion(path: Path) -> None:
    _mark(path).unlink(missing_ok=True)


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")
