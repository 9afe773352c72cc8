"""How the screens about the learner look: three sizes in our dark theme, the figures and a few more in the others.

Compared and updated like `test_snapshots`. Times of day are local, so the zone is fixed.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import textual
from textual.pilot import Pilot
from textual.worker import WorkerState

from tests.ui import script
from tests.ui.places import Learner, learner, ten_weeks
from tests.ui.test_snapshots import SIZES, home
from tutor_app.ui.app import TutorApp

__all__ = ["learner", "ten_weeks"]  # fixtures
pytestmark = pytest.mark.skipif(textual.__version__ != "8.2.8", reason="pictures are of Textual 8.2.8")


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone cannot be fixed here")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
        while any(worker.is_running or worker.state is WorkerState.PENDING for worker in pilot.app.workers):
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()


def at(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """From home by these keys."""

    async def go(pilot: Pilot[None]) -> None:
        await home(pilot)
        await press(pilot, *keys)

    return go


SCREENS = {
    "progress": ("p",),
    "progress_below": ("p", "s", "s", "end"),
    "calendar": ("c",),
    "forms": ("f", "down", "down"),
    "talks": ("slash", "b", "i", "e", "n"),
    "transcript": ("slash", "tab", "down", "enter"),
    "memory": ("m",),
    "entry": ("m", "enter"),
}


def _app(found: Learner, theme: str) -> TutorApp:
    service = script.service(known=found.insight, kept={"theme": theme})
    return TutorApp(service, clock=lambda: 0.0, cursor_blink=False)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_place_at_each_size(snap_compare: Any, learner: Learner, name: str, size: tuple[int, int]) -> None:
    assert snap_compare(_app(learner, "linguist-dark"), terminal_size=size, run_before=at(*SCREENS[name]))


@pytest.mark.parametrize("theme", ["linguist-light", "linguist-contrast", "linguist-ansi-dark"])
@pytest.mark.parametrize("name", ["progress", "calendar", "forms", "memory"])
def test_place_in_each_theme(snap_compare: Any, learner: Learner, name: str, theme: str) -> None:
    assert snap_compare(_app(learner, theme), terminal_size=(80, 24), run_before=at(*SCREENS[name]))
