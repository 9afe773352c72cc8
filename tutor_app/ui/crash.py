"""What is left when something breaks: a private log without anybody's words, and one plain sentence.

A traceback on a lab monitor would show local variables, and those hold what a learner wrote.
"""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path

from tutor_app.ui import wording

KEEP_BYTES = 256 * 1024
"""The log is begun anew when it is longer than this."""


def write_crash_log(folder: Path | None, error: BaseException, now: float | None = None) -> Path | None:
    """Append where `error` came from to `folder/crash.log` (0600); the path, or None when it cannot be written.

    Exception messages are left out as well as locals: they quote the text that broke something.
    """
    if folder is None:
        return None
    path = folder / "crash.log"
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    lines = [f"== {stamp}\n", *_frames(error)]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.exists() and path.stat().st_size > KEEP_BYTES
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if fresh else os.O_APPEND)
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as log:
            log.writelines(lines)
    except OSError:
        return None
    return path


def crash_sentence(log: Path | None) -> str:
    """What the learner reads after the app has closed itself."""
    return wording.CRASHED_LOGGED.format(path=log) if log else wording.CRASHED


def _frames(error: BaseException) -> list[str]:
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines += traceback.format_tb(current.__traceback__)
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}\n")
        current = current.__cause__ or current.__context__
    return lines
