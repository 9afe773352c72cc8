"""`tutor lessons preview --app`: an instructor's folder in the real app, read again whenever it is opened."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lessons.load import load_set
from lessons.schema import LessonSet
from tutor_app.cli.lesson_errors import told
from tutor_app.session.service import TutorService

NAME = "Preview"


class PreviewService(TutorService):
    """The app's service with one set, straight from its folder; nothing of it is kept, and no model runs."""

    def __init__(self, data_dir: Path, folder: Path) -> None:
        super().__init__(data_dir, with_model=False, aloud=True)
        self._folder = folder

    def _all_sets(self) -> list[LessonSet]:
        """Read anew each time, so that going home and opening the lesson again shows what was saved."""
        with told():  # a slip in what was just saved is the instructor's to mend, so they read where it is
            return [load_set(self._folder)]

    def _folder_of(self, set_id: str) -> Path:
        return self._folder


def preview_in_app(folder: Path) -> int:
    """Open the app on this set; its exit code. Raises LessonError when the set cannot be read."""
    info = load_set(folder).info
    from tutor_app.ui.app import run

    with tempfile.TemporaryDirectory() as home:
        service = PreviewService(Path(home), folder)
        service.create_learner(NAME, {"language": info.language, "track": info.track})
        return run(service, log_dir=Path(home) / "logs")
