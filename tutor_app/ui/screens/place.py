"""What the five screens about the learner share: the bar at the top, the keys between them, and asking the file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tutor_app.ui import wording_progress as wording
from tutor_app.ui.places import show_place
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.place_bar import PlaceBar
from tutor_app.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tutor_app.session.insight import Insight
    from tutor_app.ui.app import TutorApp

Answer = TypeVar("Answer")


class PlaceScreen(Screen[None]):
    """A subclass names its place and yields what is between the bars."""

    PLACE: ClassVar[str] = ""
    CSS_PATH = "place.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "home", wording.KEY_HOME, id="place.home"),
        *(
            Binding(str(number), f"place('{name}')", label, show=False, id=f"place.{name}")
            for number, (name, label) in enumerate(wording.PLACES.items(), 1)
        ),
    ]

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        learner = self.tutor.learner
        name = f" · {one_line(learner.name, 40)}" if learner else ""
        yield StatusBar(f"{wording.PLACES[self.PLACE]}{name}")
        yield PlaceBar(self.PLACE)
        yield from self.between()
        yield KeyBar()

    def between(self) -> ComposeResult:
        """The widgets of this screen."""
        raise NotImplementedError

    def ask(self, question: Callable[[Insight], Answer]) -> tuple[Insight, Answer] | None:
        """What the learner's file says; None when it refuses, and the reason is shown. For worker threads."""

        def answered() -> tuple[Insight, Answer]:
            insight = self.tutor.service.insight()
            return insight, question(insight)

        return self.tutor.attempt(answered)

    def action_home(self) -> None:
        self.tutor.go_home()

    def action_place(self, name: str) -> None:
        show_place(self.app, name)
