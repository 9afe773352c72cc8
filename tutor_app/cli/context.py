"""What every command gets: where data lives and whether the network may be used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tutor_app.errors import TutorError


@dataclass(frozen=True)
class Context:
    data_dir: Path
    """Learners, models, installed lesson sets, logs."""
    offline: bool
    """True unless the user asked for a download; no code path tries the network when it is set."""


def data_dir(given: str | None = None) -> Path:
    """The data folder: `--data-dir`, else `$TUTOR_HOME`, else the platform's own place for it."""
    chosen = given or os.environ.get("TUTOR_HOME")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("linguist-tutor")


def prepared(path: Path) -> Path:
    """`path`, made if need be (private to the user).

    Raises TutorError when it cannot be written, with what to do about it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TutorError(
            f"The data folder {path} cannot be made ({error.strerror}). "
            "Choose another with --data-dir or the TUTOR_HOME variable."
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise TutorError(
            f"The data folder {path} cannot be written. Choose another with --data-dir or the TUTOR_HOME variable."
        )
    return path
