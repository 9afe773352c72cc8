"""The real app over a scripted service, and a way to wait for messages instead of sleeping."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.message import Message
from textual.pilot import Pilot

from tests.ui import script
from tests.ui.fake_service import FakeService, FakeSession, Gate
from tutor_app.ui.app import TutorApp
from tutor_app.ui.messages import SetsFound, TurnOver
from tutor_app.ui.screens.lesson import LessonScreen
from tutor_app.ui.widgets.composer import Composer
from tutor_app.ui.widgets.conversation import Conversation, Line
from tutor_app.ui.widgets.step_panel import StepPanel


@pytest.fixture(autouse=True, scope="module")
def no_full_rounds_unasked() -> Iterator[None]:
    """All that the other tests imported is in memory: half of these tests' time went into looking through it.

    The app collects by itself when a step is shown (`tutor_app.ui.pauses`).
    """
    before = gc.get_threshold()
    gc.set_threshold(*before[:2], 1_000_000)
    yield
    gc.set_threshold(*before)


LIMIT_S = 10.0
"""A message that has not come by then is not coming."""


@dataclass
class Heard:
    """Every message the app dispatched, each once, with something to await."""

    messages: list[Message] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, message: Message) -> None:
        if id(message) not in self._seen:
            self._seen.add(id(message))
            self.messages.append(message)
            self._news.set()

    def of(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    async def wait(self, kind: type[Message], count: int = 1) -> None:
        """Until `count` messages of this kind have been dispatched."""
        async with asyncio.timeout(LIMIT_S):
            while len(self.of(kind)) < count:
                self._news.clear()
                await self._news.wait()


@dataclass
class Driven:
    """The app under test and what a learner does with it."""

    app: TutorApp
    pilot: Pilot[None]
    heard: Heard
    service: FakeService

    @property
    def session(self) -> FakeSession:
        return self.service.sessions[-1]

    @property
    def composer(self) -> Composer:
        return self.app.screen.query_one(Composer)

    @property
    def panel(self) -> StepPanel:
        return self.app.screen.query_one(StepPanel)

    @property
    def lines(self) -> list[Line]:
        return list(self.app.screen.query_one(Conversation).lines())

    def said(self, speaker: str) -> list[str]:
        return [line.text for line in self.lines if line.speaker == speaker]

    async def home(self) -> None:
        """Wait for the list of lessons."""
        await self.heard.wait(SetsFound)
        await self.pilot.pause()

    async def open_lesson(self) -> None:
        """From the home screen into the lesson that is to be continued, until it has begun."""
        await self.home()
        await self.pilot.press("enter")
        await self.heard.wait(TurnOver)
        await self.pilot.pause()
        assert isinstance(self.app.screen, LessonScreen)

    async def write(self, text: str) -> None:
        """Put text into the writing box, as a paste or an input method does."""
        self.composer.focus()
        self.composer.insert(text)
        await self.pilot.pause()

    async def turn(self, do: Callable[[], Any]) -> None:
        """Do something that is a turn and wait until the session has answered it."""
        before = len(self.heard.of(TurnOver))
        await do()
        await self.heard.wait(TurnOver, before + 1)
        await self.pilot.pause()

    async def say(self, text: str) -> None:
        await self.write(text)
        await self.turn(lambda: self.pilot.press("enter"))

    async def pass_gate(self, gate: Gate, turns: int) -> None:
        """Let the script go on, until the session has answered `turns` times (its start counts)."""
        gate.open()
        await self.heard.wait(TurnOver, turns)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.turn(lambda: self.pilot.press(*keys))


@asynccontextmanager
async def driven(
    service: FakeService | None = None,
    size: tuple[int, int] = (100, 30),
    log_dir: Path | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[Driven]:
    """The app, running without a terminal, toasts included."""
    service = service or script.service()
    heard = Heard()
    app = TutorApp(service, log_dir=log_dir, clock=clock, cursor_blink=False)
    async with app.run_test(size=size, notifications=True, message_hook=heard) as pilot:
        yield Driven(app, pilot, heard, service)


@pytest.fixture(autouse=True)
def _no_animation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
