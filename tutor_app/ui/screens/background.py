"""A few questions about the learner and the language, the path they suggest, and the learner's own choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, RadioSet, Static

from tutor_app.progress.background import QUESTIONS, suggest
from tutor_app.ui import preferences, wording_path
from tutor_app.ui import wording as common
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.pick import Pick, Picks

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

ANSWER = "background."
"""Setting key, with the question's id after it."""


class BackgroundScreen(Screen[None]):
    """Questions, a suggestion that follows the answers, and the track. `beginning`: for somebody new."""

    HELP = wording_path.HELP_BACKGROUND
    CSS_PATH = "background.tcss"
    AUTO_FOCUS = "RadioSet"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", common.KEY_BACK, id="background.back"),
        Binding("escape", "leave_out", wording_path.KEY_LEAVE_OUT, id="background.leave-out"),
    ]

    def __init__(self, language: str, *, beginning: bool) -> None:
        super().__init__()
        self._language = common.LANGUAGES.get(language.split("-")[0], one_line(language, 20))
        self._beginning = beginning
        self._own_choice = False
        """The learner chose the track themselves, so that answers no longer move it."""

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        settings = self.tutor.settings
        with VerticalScroll(id="form", can_focus=False):
            yield Static(
                Content(wording_path.BACKGROUND_TITLE.format(language=self._language)), id="form-title"
            )
            yield Static(Content(wording_path.BACKGROUND_INTRO), classes="quiet")
            for question in QUESTIONS:
                yield Static(Content(question.text.format(language=self._language)), classes="question")
                with RadioSet(id=f"answer-{question.id}", compact=True):
                    for value, words, _ in question.choices:
                        yield Pick(Content(words), value=settings.get(ANSWER + question.id) == value)
            yield Static(Content(wording_path.SUGGESTED), classes="question")
            yield Static(Content(""), id="suggestion")
            yield Static(Content(wording_path.TRACK_CHOICE), classes="question")
            kept = settings.get(preferences.TRACK, "l2")
            with Picks(id="track", compact=True):
                for track, words in common.TRACKS.items():
                    yield Pick(Content(words), value=track == kept)
            with Horizontal(id="buttons"):
                if self._beginning:
                    yield Button(Content(wording_path.FIND_LEVEL), id="find", variant="primary")
                    yield Button(Content(wording_path.BEGIN_FIRST), id="begin")
                else:
                    yield Button(Content(wording_path.KEEP_IT), id="begin", variant="primary")
        yield KeyBar()

    def on_mount(self) -> None:
        self._own_choice = preferences.TRACK in self.tutor.settings
        self._suggest()

    def _answers(self) -> dict[str, str]:
        found = {}
        for question in QUESTIONS:
            picked = self.query_one(f"#answer-{question.id}", RadioSet).pressed_index
            if picked >= 0:
                found[question.id] = question.choices[picked][0]
        return found

    def _suggest(self) -> None:
        """Say what the answers suggest; the track follows until it is chosen."""
        suggestion = suggest(self._answers(), self._language)
        self.query_one("#suggestion", Static).update(Content(suggestion.why))
        if not self._own_choice:
            self.query_one("#track", Picks).choose(list(common.TRACKS).index(suggestion.track))

    @on(RadioSet.Changed)
    def _answered(self, event: RadioSet.Changed) -> None:
        if event.radio_set.id == "track":
            self._own_choice = True
        else:
            self._suggest()

    @on(Button.Pressed)
    def _done(self, event: Button.Pressed) -> None:
        self._keep(find_level=event.button.id == "find")

    def _keep(self, *, find_level: bool) -> None:
        picked = max(0, self.query_one("#track", RadioSet).pressed_index)
        answers = {ANSWER + name: value for name, value in self._answers().items()}
        answers[preferences.TRACK] = list(common.TRACKS)[picked]
        self.tutor.keep_background(answers, find_level=find_level)

    def action_leave_out(self) -> None:
        """Whoever has no mind for questions begins at the beginning; what was answered counts."""
        self._keep(find_level=False)

    def action_back(self) -> None:
        self.tutor.leave_form()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Somebody new has nothing to go back to, but may leave the questions out."""
        return {"back": not self._beginning, "leave_out": self._beginning}.get(action, True)
