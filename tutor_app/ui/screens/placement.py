"""Where to begin: short tasks one after the other, then what they suggest, which the learner may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, RadioSet, Static

from tutor_app.session.events import StepShown
from tutor_app.ui import wording as common
from tutor_app.ui import wording_path as wording
from tutor_app.ui.home_text import short_title
from tutor_app.ui.messages import PlacementStep
from tutor_app.ui.service import Placement, SetOverview
from tutor_app.ui.text import one_line, plain
from tutor_app.ui.widgets.choice_pad import Answered
from tutor_app.ui.widgets.composer import Composer
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.pick import Pick
from tutor_app.ui.widgets.status_bar import StatusBar
from tutor_app.ui.widgets.step_panel import PanelView, StepPanel
from tutor_app.ui.widgets.writing_box import WritingBox

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp


class PlacementScreen(Screen[None]):
    """Asks until enough is known or the learner ends it, then shows the result."""

    HELP = wording.HELP_PLACEMENT
    CSS_PATH = "placement.tcss"
    AUTO_FOCUS = "Composer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+n", "unknown", wording.KEY_DONT_KNOW, id="placement.unknown"),
        Binding("f8,ctrl+b", "letters", common.KEY_LETTERS, id="placement.letters"),
        Binding("escape", "end", wording.PLACEMENT_END, id="placement.end"),
    ]

    def __init__(self, overview: SetOverview, placement: Placement) -> None:
        super().__init__()
        self._set = overview
        self._placement = placement
        self._shown_at = 0.0
        self._waiting = True
        """The next task is being chosen."""

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        yield StatusBar(f"{wording.PLACEMENT_TITLE} · {self._set.language_name}")
        with Horizontal(id="panes"):
            yield StepPanel(id="step")
            with Vertical(id="talk"):
                yield Static(Content(wording.PLACEMENT_INTRO), id="about")
                yield WritingBox()
        yield KeyBar()

    def on_mount(self) -> None:
        composer = self.query_one(Composer)
        composer.target_language = self._set.language
        composer.offer_key = self._offer_key
        composer.may_send = lambda: not self._waiting
        self.choose_step(None, None)

    @work(thread=True, exit_on_error=False, group="placement")
    def choose_step(self, text: str | None, elapsed_s: float | None) -> None:
        """Note the answer, if there was one, and find the task that tells most next."""

        def choose() -> PlacementStep:
            if text is not None:
                self._placement.answer(text, elapsed_s)
            return PlacementStep(self._placement.step())

        if (chosen := self.tutor.attempt(choose)) is not None:
            self.post_message(chosen)

    @on(PlacementStep)
    def _step(self, message: PlacementStep) -> None:
        if message.step is None:
            self._show_result()
            return
        self._waiting = False
        self._shown_at = self.tutor.clock()
        self._show(message.step)

    def _show(self, step: StepShown) -> None:
        view = PanelView(self._set.language, support=True, gloss=True, readings=False, words=False)
        self.query_one(StepPanel).show_step(step, view)
        pad = self.query_one(StepPanel).pad()
        composer = self.query_one(Composer)
        composer.placeholder = common.COMPOSER_PAD if pad else wording.COMPOSER_PLACEMENT
        if not isinstance(self.focused, Composer) or not composer.text:
            (pad or composer).focus()

    @on(Composer.Sent)
    @on(Answered)
    def _answered(self, message: Composer.Sent | Answered) -> None:
        self._answer(message.text)

    def action_unknown(self) -> None:
        """It is not known; that says as much as an answer."""
        self._answer("")

    def _answer(self, text: str) -> None:
        if self._waiting:
            return
        self._waiting = True
        self.query_one("#about", Static).update(Content(wording.PLACEMENT_THANKS))
        self.choose_step(text, max(0.0, self.tutor.clock() - self._shown_at))

    def action_letters(self) -> None:
        box = self.query_one(WritingBox)
        if box.letters_open:
            box.close_letters()
        else:
            box.open_letters(self._set.language)

    def action_end(self) -> None:
        """Stop here: what was answered so far decides."""
        if self.query_one(WritingBox).letters_open:
            self.query_one(WritingBox).close_letters()
        else:
            self._show_result()

    def _show_result(self) -> None:
        if self.is_current:
            self.app.switch_screen(PlacedScreen(self._set, self._placement))

    def _offer_key(self, key: str) -> bool:
        pad = self.query_one(StepPanel).pad()
        return pad is not None and not self._waiting and pad.take_key(key)


class PlacedScreen(Screen[None]):
    """What the answers suggest, why, and the learner's own choice."""

    HELP = wording.HELP_PLACED
    CSS_PATH = "placement.tcss"
    AUTO_FOCUS = "#keep"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "keep", common.KEY_HOME, id="placed.home")]

    def __init__(self, overview: SetOverview, placement: Placement) -> None:
        super().__init__()
        self._set = overview
        self._result = placement.result()

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        found = self._result
        lesson = next((each for each in self._set.lessons if each.id == found.lesson_id), None)
        with VerticalScroll(id="result", can_focus=False):
            yield Static(Content(wording.PLACED_TITLE), classes="title")
            yield Static(plain(found.why), classes="part")
            if lesson is not None:
                title = wording.PLACED_FIRST.format(title=short_title(lesson.title)[0])
                yield Static(plain(title), classes="quiet")
            yield Static(Content(wording.PLACED_LEVEL), classes="question")
            with RadioSet(id="level", compact=True):
                for level in self._levels():
                    label = Content(wording.LEVEL_NAMES.get(level, one_line(level, 10)))
                    yield Pick(label, value=level == found.level)
            yield Button(Content(wording.PLACED_BEGIN), id="keep", variant="primary")
        yield KeyBar()

    def _levels(self) -> list[str]:
        offered = {lesson.level for lesson in self._set.lessons}
        return [level for level in wording.LEVEL_NAMES if level in offered]

    @on(Button.Pressed, "#keep")
    def action_keep(self) -> None:
        """The chosen level is kept, and home shows the lesson to begin with."""
        picked = max(0, self.query_one("#level", RadioSet).pressed_index)
        self.tutor.keep_level(self._set.id, self._levels()[picked])
        self.tutor.go_home()
