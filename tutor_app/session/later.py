"""Something that takes a moment and is not needed at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Later(Generic[Result]):
    """Works `find` out in a thread of its own from the moment it is made; calling it waits for the result.

    When `find` fails it is called again by whoever asks, who then sees why.
    """

    def __init__(self, find: Callable[[], Result]) -> None:
        self._find = find
        self._found: list[Result] = []
        self._thread = threading.Thread(target=lambda: self._found.append(find()), name="later", daemon=True)
        self._thread.start()

    def __call__(self) -> Result:
        self._thread.join()
        return self._found[0] if self._found else self._find()
