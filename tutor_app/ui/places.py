"""The screens about what the learner did and knows, and the way between them. One is open at a time, over home."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from textual.app import App
from textual.screen import Screen

from tutor_app.ui import wording_progress as wording

_SCREENS = {
    "progress": ("tutor_app.ui.screens.progress", "ProgressScreen"),
    "calendar": ("tutor_app.ui.screens.calendar", "CalendarScreen"),
    "forms": ("tutor_app.ui.screens.forms", "FormsScreen"),
    "search": ("tutor_app.ui.screens.talks", "TalksScreen"),
    "memory": ("tutor_app.ui.screens.memory", "MemoryScreen"),
}
"""Read in when they are first opened: start-up does not pay for them."""
ORDER = tuple(wording.PLACES)
"""As on the bar at the top; the place in it is the key."""


def show_place(app: App[Any], name: str) -> None:
    """Open one of these screens, in place of another of them."""
    from tutor_app.ui.screens.place import PlaceScreen

    module, kind = _SCREENS[name]
    make: Callable[[], Screen[None]] = getattr(import_module(module), kind)
    if not isinstance(app.screen, PlaceScreen):
        app.push_screen(make())
    elif name != app.screen.PLACE:
        app.switch_screen(make())
