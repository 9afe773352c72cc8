"""What the command palette (Ctrl+P) offers on each screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.screen import Screen

from tutor_app.ui import preferences, wording, wording_path, wording_progress
from tutor_app.ui.places import show_place
from tutor_app.ui.screens.home import HomeScreen
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.screens.place import PlaceScreen

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp


def commands_for(app: TutorApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """The commands that make sense where the learner is."""
    if isinstance(screen, LessonScreen):
        yield from _lesson(screen)
    if app.learner is not None:
        if isinstance(screen, HomeScreen | PlaceScreen):
            for name, (title, about) in wording_progress.COMMANDS_PLACES.items():
                yield SystemCommand(title, about, partial(show_place, app, name))
        yield _command("settings", app.action_settings)
        yield from _path(app)
    yield _command("help", app.action_help)
    yield _command("quit", app.action_quit)
    title, about = wording.COMMANDS["theme"]
    for value, words in preferences.THEME.values:
        yield SystemCommand(
            title.format(name=words), about, partial(app.choose, preferences.THEME.key, value)
        )


def _path(app: TutorApp) -> Iterator[SystemCommand]:
    """What is not for the middle of a lesson."""
    if app.in_lesson:
        return
    ways: dict[str, Callable[[], object]] = {
        "background": app.ask_background,
        "placement": app.open_placement,
        "pin": app.open_pin,
        "hand_in": app.open_hand_in,
    }
    for name, call in ways.items():
        title, about = wording_path.COMMANDS[name]
        yield SystemCommand(title, about, call)
    yield _command("learners", app.choose_learner)


def _lesson(screen: LessonScreen) -> Iterator[SystemCommand]:
    for name in ("hint", "explain", "skip"):
        yield _command(name, partial(screen.action_ask, name))
    yield _command("meaning", screen.action_meaning)
    yield _command("letters", screen.action_letters)
    yield _command("words", screen.action_words)
    yield _command("copy", screen.action_copy)
    yield _command("keep", screen.action_keep)
    yield _command("home", screen.action_leave)


def _command(name: str, call: Callable[[], object]) -> SystemCommand:
    title, about = wording.COMMANDS[name]
    return SystemCommand(title, about, call)
