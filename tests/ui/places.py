"""The screens about the learner, driven over a real file."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList, Static
from textual.worker import WorkerState

from tests.progress.making import NOON
from tests.ui import practised, script
from tests.ui.conftest import Driven, driven
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.insight import Insight
from tutor_app.ui.places import show_place
from tutor_app.ui.widgets.plot import Plot


@pytest.fixture(scope="session")
def ten_weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the learner of `practised`, made once; tests get copies."""
    folder = tmp_path_factory.mktemp("practised")
    practised.make(folder)
    return folder


@dataclass
class Learner:
    """A file, and what the screens ask about it."""

    folder: Path
    store: Store
    insight: Insight


@contextmanager
def opened(folder: Path, learner_id: str = "ana", *, now: float = practised.NOW) -> Iterator[Learner]:
    """The learner's file with the clock standing still."""
    with Store.open(folder, learner_id) as store:
        yield Learner(folder, store, Insight(store, practised.NAMES, clock=lambda: now))


@pytest.fixture
def learner(ten_weeks: Path, tmp_path: Path) -> Iterator[Learner]:
    """Ten weeks of practice, in a copy that may be changed."""
    folder = tmp_path / "home"
    shutil.copytree(ten_weeks, folder)
    with opened(folder) as found:
        yield found


@pytest.fixture
def beginner(tmp_path: Path) -> Iterator[Learner]:
    """Nothing done yet."""
    create_learner(tmp_path, "Ana", now=NOON)
    with opened(tmp_path, now=NOON) as found:
        yield found


@asynccontextmanager
async def at_home(learner: Learner, size: tuple[int, int] = (100, 30), **kept: str) -> AsyncIterator[Driven]:
    """The app on its home screen."""
    service = script.service(known=learner.insight, kept=dict(kept))
    async with driven(service, size=size) as ui:
        await ui.home()
        yield ui


@asynccontextmanager
async def at_place(
    learner: Learner, name: str, size: tuple[int, int] = (100, 30), **kept: str
) -> AsyncIterator[Driven]:
    """The app on one of the screens, with everything looked up."""
    async with at_home(learner, size, **kept) as ui:
        show_place(ui.app, name)
        await settled(ui)
        yield ui


async def settled(ui: Driven) -> None:
    """Until the threads have answered and the screen has shown it; an answer may ask for more."""
    await ui.pilot.pause()
    while any(worker.is_running or worker.state is WorkerState.PENDING for worker in ui.app.workers):
        await ui.app.workers.wait_for_complete()
        await ui.pilot.pause()


async def press(ui: Driven, *keys: str) -> None:
    """Keys, each with what follows from it."""
    for key in keys:
        await ui.pilot.press(key)
        await settled(ui)


def text_of(ui: Driven, selector: str) -> str:
    """What a text or plot on the screen says."""
    widget = ui.app.screen.query_one(selector, Static)
    return widget.text if isinstance(widget, Plot) else str(widget.content)


def rows_of(ui: Driven, selector: str = "OptionList") -> list[str]:
    """The rows of a list on the screen."""
    listed: Any = ui.app.screen.query_one(selector, OptionList)
    return [str(option.prompt) for option in listed.options]
