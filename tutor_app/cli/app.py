"""Opens the app on a terminal."""

from __future__ import annotations

from pathlib import Path

from tutor_app.cli.context import prepared


def run_app(data_dir: Path, learner: str | None) -> int:
    """The full-screen app; its exit code."""
    folder = prepared(data_dir)
    from tutor_app.session.service import TutorService
    from tutor_app.ui.app import run

    service = TutorService(folder)
    if learner is not None:
        known = next((one for one in service.learners() if learner in (one.id, one.name)), None)
        if known is not None:
            service.open_learner(known.id)
        else:
            service.create_learner(learner, {})
    return run(service, log_dir=folder / "logs")
