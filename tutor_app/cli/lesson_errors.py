"""Errors about lessons, as the one kind that the command line shows without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lessons.problems import LessonError
from tutor_app.errors import TutorError


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong inside is raised as a TutorError."""
    try:
        yield
    except LessonError as error:
        raise TutorError(str(error)) from error
    except OSError as error:
        raise TutorError(
            f"{error.filename or 'A file'} cannot be used: {error.strerror or error}."
        ) from error
