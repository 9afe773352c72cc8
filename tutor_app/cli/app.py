"""Opens the app on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tutor_app.cli.context import prepared

if TYPE_CHECKING:
    from tutor_app.ui.service import Service


def run_app(data_dir: Path, learner: str | None) -> int:
    """The full-screen app; its exit code."""
    folder = prepared(data_dir)
    from tutor_app.ui.app import run
    from tutor_app.ui.late import late

    return run(late(lambda: _service(folder, learner)), log_dir=folder / "logs")


def _service(folder: Path, learner: str | None) -> Service:
    """The service, with the learner opened who was named on the command line; made new when unknown."""
    from tutor_app.progress.learners import known
    from tutor_app.session.service import TutorService

    service = TutorService(folder, aloud=True)
    if learner is not None:
        found = known(service.learners(), learner)
        if found is not None:
            service.wanted = found.id  # the app opens it, and asks for the PIN if there is one
        else:
            service.create_learner(learner, {})
    return service
