"""A new learner: a name and a language. What else there is to know is asked on the next screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, RadioSet, Static

from tutor_app.ui import preferences, wording
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.pick import Pick

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

NAME_LENGTH = 60


class NewLearnerScreen(Screen[None]):
    """Name and language; then a few questions about the learner."""

    HELP = wording.HELP_NEW
    CSS_PATH = "new_learner.tcss"
    AUTO_FOCUS = "#name"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", wording.KEY_BACK, id="new.back"),
    ]

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._known_name = name
        """Of a learner who is there already but has not been asked yet (`tutor --learner NAME`)."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="form", can_focus=False):
            yield Static(Content(wording.NEW_TITLE), id="form-title")
            yield Static(Content(wording.NAME), classes="question")
            yield Input(
                self._known_name,
                placeholder=wording.NAME_PLACEHOLDER,
                max_length=NAME_LENGTH,
                id="name",
                compact=True,
                disabled=bool(self._known_name),
            )
            yield Static(Content(wording.LANGUAGE), classes="question")
            with RadioSet(id="language", compact=True):
                for number, name in enumerate(wording.LANGUAGES.values()):
                    yield Pick(Content(name), value=number == 0)
            yield Button(Content(wording.BEGIN), id="begin", variant="primary")
            yield Static(Content(wording.PRIVATE), classes="quiet")
        yield KeyBar()

    def on_mount(self) -> None:
        if self._known_name:
            self.query_one("#language", RadioSet).focus()

    @on(Input.Submitted)
    def _name_given(self) -> None:
        self.query_one("#language", RadioSet).focus()

    @on(Button.Pressed, "#begin")
    def _begin(self) -> None:
        name = one_line(self.query_one("#name", Input).value, NAME_LENGTH)
        if not name:
            self.notify(wording.NAME_MISSING, markup=False, timeout=4)
            self.query_one("#name", Input).focus()
            return
        language = list(wording.LANGUAGES)[max(0, self.query_one("#language", RadioSet).pressed_index)]
        app, answers = cast("TutorApp", self.app), {preferences.LANGUAGE: language}
        self.query_one("#begin", Button).disabled = True  # a second press would make a second learner
        if self._known_name:
            app.keep_background(answers)
        else:
            app.create_learner(name, answers)

    def begin_again(self) -> None:
        """It could not be kept: what hinders may be put right, and this tried once more."""
        begin = self.query_one("#begin", Button)
        if begin.disabled:
            begin.disabled = False
            begin.focus()

    def action_back(self) -> None:
        cast("TutorApp", self.app).leave_form()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to go back to when the learner was named on the command line."""
        return not (action == "back" and self._known_name)
