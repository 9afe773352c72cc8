"""Whose session it is."""

from __future__ import annotations

from pathlib import Path

from lessons.schema import SetInfo
from tutor_app.progress.learners import known
from tutor_app.progress.store import Store, create_learner, learners


def open_or_create(data_dir: Path, name: str, info: SetInfo | None = None) -> Store:
    """The learner of this id or name; a new one, interested in this set's language, when there is none."""
    learner = known(learners(data_dir), name)
    if learner is not None:
        return Store.open(data_dir, learner.id)
    settings = {"language": info.language, "track": info.track} if info is not None else {}
    return Store.open(data_dir, create_learner(data_dir, name, settings).id)
