"""Who is learning? The first thing painted when there is more than one learner, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tutor_app.progress.records import Learner
from tutor_app.ui import preferences, wording
from tutor_app.ui.text import one_line, plain
from tutor_app.ui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

NEW = -1


class WelcomeScreen(Screen[None]):
    """A list of learners, and somebody new."""

    HELP = wording.HELP_WELCOME
    CSS_PATH = "welcome.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", wording.KEY_NEW, id="welcome.new"),
        Binding("escape", "back", wording.KEY_BACK, show=False, id="welcome.back"),
        Binding("q", "app.quit", wording.KEY_QUIT, id="welcome.quit"),
    ]

    def __init__(self, learners: Sequence[Learner] = ()) -> None:
        super().__init__()
        self._learners = list(learners)

    def compose(self) -> ComposeResult:
        with Center(), Vertical(id="card"):
            yield Static(Content(wording.APP), id="app-name")
            yield Static(Content(wording.WELCOME), classes="quiet")
            yield Static(Content(wording.WHO if self._learners else wording.OPENING), id="who")
            choices = OptionList(*self._options(), id="learners", compact=True, markup=False)
            choices.display = bool(self._learners)
            yield choices
            yield Static(Content(wording.PRIVATE), classes="quiet")
        yield KeyBar()

    def show_learners(self, learners: Sequence[Learner]) -> None:
        """The learners, once they have been looked up."""
        self._learners = list(learners)
        choices = self.query_one(OptionList)
        choices.clear_options()
        choices.add_options(self._options())
        choices.display = True
        choices.highlighted = 0
        choices.focus()
        self.query_one("#who", Static).update(Content(wording.WHO))

    def show_trouble(self, sentence: str) -> None:
        """Why the learners cannot be looked up; it stays, since there is nothing else to do here."""
        self.query_one("#who", Static).update(plain(sentence))

    def _options(self) -> list[Option]:
        options = [
            Option(
                Content.assemble(
                    (one_line(learner.name, 40), "bold"), (f"  {_about(learner)}", "$text-quiet")
                )
            )
            for learner in self._learners
        ]
        return [*options, Option(Content.assemble(("+ ", "$accent"), wording.NEW_LEARNER))]

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._learners):
            cast("TutorApp", self.app).open_learner(self._learners[event.option_index].id)
        else:
            self.action_new()

    def action_new(self) -> None:
        from tutor_app.ui.screens.new_learner import NewLearnerScreen

        self.app.push_screen(NewLearnerScreen())

    def action_back(self) -> None:
        app = cast("TutorApp", self.app)
        if app.learner is not None:
            app.go_home()


def _about(learner: Learner) -> str:
    language = str(learner.settings.get(preferences.LANGUAGE, ""))
    return wording.LANGUAGES.get(language.split("-")[0], one_line(language, 20))
