"""How the main screens look: three sizes in our dark theme, and the other themes at 80×24.

Compare with `pytest tests/ui/test_snapshots.py`; after a wanted change, look at the report and then run it with
`--snapshot-update`. The pictures belong to one version of Textual.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import textual
from textual.pilot import Pilot
from textual.widgets._footer import FooterKey

from tests.ui import script
from tutor_app.ui.app import TutorApp
from tutor_app.ui.screens.home import HomeScreen
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.screens.new_learner import NewLearnerScreen
from tutor_app.ui.screens.settings import SettingsScreen
from tutor_app.ui.screens.summary import SummaryScreen
from tutor_app.ui.screens.welcome import WelcomeScreen
from tutor_app.ui.widgets.composer import Composer
from tutor_app.ui.widgets.conversation import Conversation

pytestmark = pytest.mark.skipif(textual.__version__ != "8.2.8", reason="pictures are of Textual 8.2.8")

SIZES = [(60, 20), (80, 24), (160, 50)]
LIMIT_S = 20.0
Steps = Callable[[Pilot[None]], Awaitable[None]]


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    """Let the app work until `true`, then until it is idle."""
    async with asyncio.timeout(LIMIT_S):
        while not true():
            await pilot.pause()
    await pilot.pause()


def shows(pilot: Pilot[None], screen: type[Any]) -> Callable[[], bool]:
    """Whether this screen is on top, with its keys at the bottom."""
    return lambda: isinstance(pilot.app.screen, screen) and bool(pilot.app.screen.query(FooterKey))


async def home(pilot: Pilot[None]) -> None:
    await until(pilot, shows(pilot, HomeScreen))
    await until(pilot, lambda: pilot.app.screen.query_one("#ways").option_count > 0)  # type: ignore[attr-defined]


async def say(pilot: Pilot[None], text: str) -> None:
    conversation = pilot.app.screen.query_one(Conversation)
    lesson = pilot.app.screen
    assert isinstance(lesson, LessonScreen)
    composer = lesson.query_one(Composer)
    composer.focus()
    composer.insert(text)
    before = len(list(conversation.lines()))
    await pilot.press("enter")
    await until(pilot, lambda: not lesson.busy and len(list(conversation.lines())) > before)


async def lesson(pilot: Pilot[None]) -> None:
    await home(pilot)
    await pilot.press("enter")
    await until(pilot, shows(pilot, LessonScreen))
    await until(pilot, lambda: len(list(pilot.app.screen.query_one(Conversation).lines())) > 0)


async def recast(pilot: Pilot[None]) -> None:
    await lesson(pilot)
    await say(pilot, "Hola Lucía. Soy muy cansada.")
    pilot.app.screen.query_one(Composer).insert("Soy de Chica")
    await pilot.pause()


async def choice(pilot: Pilot[None]) -> None:
    await lesson(pilot)
    for text in ("Hola Lucía. Soy muy cansada.", "Soy de Chicago.", "está", "es"):
        await say(pilot, text)


async def match(pilot: Pilot[None]) -> None:
    await choice(pilot)
    await say(pilot, "está")
    await say(pilot, "somos estudiantes de Chicago")
    await pilot.press(*"1c")
    await pilot.pause()


async def summary(pilot: Pilot[None]) -> None:
    await match(pilot)
    await say(pilot, "1c 2a 3b")
    pilot.app.screen.query_one(Composer).insert("Está contenta.")
    pilot.app.screen.query_one(Composer).focus()
    await pilot.press("enter")
    await until(pilot, shows(pilot, SummaryScreen))


async def settings(pilot: Pilot[None]) -> None:
    await home(pilot)
    await pilot.press("f10")
    await until(pilot, shows(pilot, SettingsScreen))
    await until(pilot, lambda: pilot.app.screen.query_one("#models").option_count == 3)  # type: ignore[attr-defined]


async def welcome(pilot: Pilot[None]) -> None:
    await until(pilot, shows(pilot, WelcomeScreen))
    await until(pilot, lambda: pilot.app.screen.query_one("#learners").display)


async def new_learner(pilot: Pilot[None]) -> None:
    await until(pilot, shows(pilot, NewLearnerScreen))


PEOPLE: dict[Steps, list[Any]] = {welcome: [script.ANA, script.BEN], new_learner: []}


def _app(steps: Steps, theme: str) -> TutorApp:
    people = PEOPLE.get(steps, [script.ANA])
    return TutorApp(
        script.service(people=people, kept={"theme": theme}), clock=lambda: 0.0, cursor_blink=False
    )


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "steps",
    [welcome, new_learner, home, recast, choice, match, settings, summary],
    ids=lambda steps: str(steps.__name__),
)
def test_screen_at_each_size(snap_compare: Any, steps: Steps, size: tuple[int, int]) -> None:
    assert snap_compare(_app(steps, "linguist-dark"), terminal_size=size, run_before=steps)


@pytest.mark.parametrize("theme", ["linguist-light", "linguist-contrast", "linguist-ansi-dark"])
@pytest.mark.parametrize("steps", [home, recast, choice], ids=lambda steps: str(steps.__name__))
def test_screen_in_each_theme(snap_compare: Any, steps: Steps, theme: str) -> None:
    assert snap_compare(_app(steps, theme), terminal_size=(80, 24), run_before=steps)
