"""Recordings that a learner keeps: where they lie, how they are named, and how those of a session go."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from tutor_app.progress.removal import overwrite

FOLDER = "audio"
NEAR_S = 60.0
"""A recording is kept when its turn is sent, so one without a session in its name is of a turn this near."""

_NAME = re.compile(r"(?:session-(\d+)-)?(\d{4}-\d\d-\d\d-\d{6})-\d{3}\.wav")


def recording_of(learner_folder: Path, session_id: int, now: float) -> Path:
    """The file for a recording of a session, named after that and the local time."""
    stamp = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(now))
    return learner_folder / FOLDER / f"session-{session_id}-{stamp}-{int(now * 1000) % 1000:03}.wav"


def delete_recordings(learner_folder: Path, session_id: int, turns_at: Sequence[float]) -> None:
    """Remove what was recorded in a session with turns at these times; overwritten first. Raises OSError."""
    for path in (learner_folder / FOLDER).glob("*.wav"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        if match[1] is None:  # before names had the session
            at = time.mktime(time.strptime(match[2], "%Y-%m-%d-%H%M%S"))
            wanted = any(abs(turn_at - at) < NEAR_S for turn_at in turns_at)
        else:
            wanted = int(match[1]) == session_id
        if wanted:
            overwrite(path)
            path.unlink()
