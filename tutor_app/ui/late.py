"""A service made on its first use, so that the first paint does not wait for its imports.

Reading lessons and running sessions brings pydantic and more: half a second on a slow laptop, all of it after
the screen is there. The first use is in a worker thread (`TutorApp.find_learners`).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, cast

from tutor_app.ui.service import Service


class _Late:
    """Hands everything on to what `make` returns; closing it before that makes nothing."""

    def __init__(self, make: Callable[[], Service]) -> None:
        self._make = make
        self._made: Service | None = None
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)

    def close(self) -> None:
        """Close what was made, if anything was."""
        with self._lock:
            made = self._made
        if made is not None:
            made.close()


def late(make: Callable[[], Service]) -> Service:
    """What `make` will return, made when it is first needed. `make` may raise TutorError, then or later."""
    return cast(Service, _Late(make))
