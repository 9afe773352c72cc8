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
    from tutor_app.session.service import TutorService

    service = TutorService(folder, aloud=True)
    if learner is not None:
        known = next((one for one in service.learners() if learner in (one.id, one.name)), None)
        if known is not None:
            service.wanted = known.id  # the app opens it, and asks for the PIN if there is one
        else:
            service.create_learner(learner, {})
    return service
