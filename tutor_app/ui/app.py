"""The app: which screen is shown, the model's state, and what is remembered. `run(service)` opens it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual import events, on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.worker import Worker, WorkerState, get_current_worker

from tutor_app.errors import TutorError
from tutor_app.progress.pin import PinNeeded, WrongPin
from tutor_app.progress.records import Learner
from tutor_app.session.events import ModelState, Summary
from tutor_app.ui import preferences, wording, wording_path
from tutor_app.ui.crash import crash_sentence, write_crash_log
from tutor_app.ui.keys import teach_new_line_keys
from tutor_app.ui.messages import (
    Broke,
    LearnerOpened,
    LearnersFound,
    ModelChanged,
    PinWanted,
    PlacementReady,
    Refused,
)
from tutor_app.ui.service import Service, SetOverview, SettingValue
from tutor_app.ui.text import clean
from tutor_app.ui.themes import THEMES, variable_defaults

Result = TypeVar("Result")
NOTICE_S = 15
"""How long the note about a repaired file stays: it names a copy that the learner may want to look for."""
WIDGET_STYLES = sorted(path.name for path in (Path(__file__).parent / "widgets").glob("*.tcss"))


class TutorApp(App[None]):
    """Screens over one service. Nothing here waits for disk or model: threads do, and post messages."""

    TITLE = wording.APP
    CSS_PATH: ClassVar[Any] = ["app.tcss", *(f"widgets/{name}" for name in WIDGET_STYLES)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (78, "-wide"), (120, "-roomy")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (23, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,ctrl+g", "help", wording.KEY_HELP, id="app.help", priority=True),
        Binding("f10", "settings", wording.KEY_SETTINGS, show=False, id="app.settings"),
        Binding("ctrl+q", "quit", wording.KEY_QUIT, show=False, id="app.quit", priority=True),
    ]

    model_state: reactive[ModelState] = reactive(ModelState("none"))
    """What the language model is doing, for every screen to watch."""

    def __init__(
        self,
        service: Service,
        *,
        log_dir: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        cursor_blink: bool = True,
    ) -> None:
        super().__init__()
        teach_new_line_keys()
        self.service = service
        self.clock = clock
        self.cursor_blink = cursor_blink
        self.learner: Learner | None = None
        """Whose file is open."""
        self.settings: Mapping[str, SettingValue] = {}
        """What the open learner chose."""
        self._log_dir = log_dir
        self._crash_log: Path | None = None
        self._model_wanted = False
        self._find_level = False
        for theme in THEMES:
            self.register_theme(theme)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults(self.current_theme)

    # --- opening --------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        from tutor_app.ui.screens.welcome import WelcomeScreen

        self.theme = preferences.THEME.default
        self.push_screen(WelcomeScreen())
        self.call_after_refresh(self.find_learners)

    @on(events.DescendantFocus)
    def _keep_cursor_still(self, event: events.DescendantFocus) -> None:
        """Where cursors are not to blink, no box for text blinks, whichever screen it is on."""
        if not self.cursor_blink and hasattr(event.widget, "cursor_blink"):
            event.widget.cursor_blink = False

    @work(thread=True, exit_on_error=False, group="learners")
    def find_learners(self) -> None:
        """Who is there; or who was named when the app was started."""
        found = self.attempt(lambda: (self.service.learner(), self.service.learners(), self.service.wanted))
        if found is None:
            return  # `attempt` has posted why
        opened, learners, wanted = found
        if opened is None and wanted:
            learners = [learner for learner in learners if learner.id == wanted]
        self.post_message(LearnersFound(learners) if opened is None else LearnerOpened(opened))

    @on(LearnersFound)
    def _learners_found(self, message: LearnersFound) -> None:
        from tutor_app.ui.screens.welcome import WelcomeScreen

        if len(message.learners) == 1:
            self.open_learner(message.learners[0].id)
        elif isinstance(self.screen, WelcomeScreen):
            self.screen.show_learners(message.learners)
            if not message.learners:
                self.screen.action_new()

    @work(thread=True, exit_on_error=False, group="learners")
    def open_learner(self, learner_id: str, pin: str = "") -> None:
        """Open this learner's file, asking for its PIN if it has one, then go home."""
        try:
            learner = self.attempt(lambda: self.service.open_learner(learner_id, pin), passing=PinNeeded)
        except PinNeeded as error:
            names = {one.id: one.name for one in self.service.learners()}
            wrong = str(error) if isinstance(error, WrongPin) else ""
            self.post_message(PinWanted(learner_id, names.get(learner_id, learner_id), wrong))
            return
        if learner is not None:
            self.post_message(LearnerOpened(learner))

    @on(PinWanted)
    def _pin_wanted(self, message: PinWanted) -> None:
        from tutor_app.ui.screens.pin import PinDialog

        def given(pin: str | None) -> None:
            if pin:
                self.open_learner(message.learner_id, pin)
            else:
                self.choose_learner()

        self.push_screen(PinDialog(message.name, message.sentence), given)

    @work(thread=True, exit_on_error=False, exclusive=True, group="care")
    def care(self) -> None:
        """Backups and the like, while the learner looks at the list of lessons."""
        self.attempt(self.service.care)

    @work(thread=True, exit_on_error=False, group="learners")
    def create_learner(self, name: str, settings: Mapping[str, SettingValue]) -> None:
        """Make a learner, then go home."""
        learner = self.attempt(lambda: self.service.create_learner(name, settings))
        if learner is not None:
            self.post_message(LearnerOpened(learner))

    @work(thread=True, exit_on_error=False, group="learners")
    def keep_background(self, answers: Mapping[str, SettingValue], *, find_level: bool = False) -> None:
        """The answers of a learner who is open already; then home, or on to the placement."""
        self._find_level = find_level

        def keep() -> Learner | None:
            for key, value in answers.items():
                self.service.set_setting(key, value)
            return self.service.learner()

        learner = self.attempt(keep)
        if learner is not None:
            self.post_message(LearnerOpened(learner))

    @on(LearnerOpened)
    def _learner_opened(self, message: LearnerOpened) -> None:
        self.learner = message.learner
        self.settings = dict(self.service.settings())
        self.apply_settings()
        if notice := self.service.notice():
            self.notify(clean(notice), markup=False, timeout=NOTICE_S)
        if preferences.LANGUAGE not in self.settings:
            from tutor_app.ui.screens.new_learner import NewLearnerScreen

            self.push_screen(NewLearnerScreen(message.learner.name))
        elif preferences.TRACK not in self.settings:
            self.ask_background(beginning=True)
        else:
            self.go_home()
            self.care()
            if self._find_level:
                self.open_placement()
        self._find_level = False
        if not self._model_wanted:
            self._model_wanted = True
            self.load_model()

    # --- screens --------------------------------------------------------------------------------------------

    @property
    def in_lesson(self) -> bool:
        """Whether a lesson is open, if below other screens: nothing is offered then that would end it unasked."""
        from tutor_app.ui.screens.lesson import LessonScreen

        return any(isinstance(screen, LessonScreen) for screen in self.screen_stack)

    def go_home(self) -> None:
        """Show the home screen and nothing over it."""
        from tutor_app.ui.screens.home import HomeScreen

        while len(self.screen_stack) > 2:
            self.pop_screen()
        if not isinstance(self.screen, HomeScreen):
            self.switch_screen(HomeScreen())

    def choose_learner(self) -> None:
        """Somebody else at this computer."""
        from tutor_app.ui.screens.welcome import WelcomeScreen

        while len(self.screen_stack) > 2:
            self.pop_screen()
        self.switch_screen(WelcomeScreen(self.service.learners()))

    def ask_background(self, *, beginning: bool = False) -> None:
        """The questions that suggest a path; `beginning` for somebody new."""
        from tutor_app.ui.screens.background import BackgroundScreen

        language = str(self.settings.get(preferences.LANGUAGE, ""))
        self.push_screen(BackgroundScreen(language, beginning=beginning))

    @work(thread=True, exit_on_error=False, exclusive=True, group="placement")
    def open_placement(self) -> None:
        """A placement in the set that fits the learner best."""

        def begin() -> PlacementReady | None:
            language = str(self.settings.get(preferences.LANGUAGE, "")).split("-")[0]
            found = next((one for one in self.service.sets() if one.language == language), None)
            return None if found is None else PlacementReady(found, self.service.place(found.id))

        ready = self.attempt(begin)
        self.post_message(Refused(wording_path.PLACEMENT_NONE) if ready is None else ready)

    @on(PlacementReady)
    def _placement_ready(self, message: PlacementReady) -> None:
        from tutor_app.ui.screens.placement import PlacementScreen

        self.push_screen(PlacementScreen(message.overview, message.placement))

    def open_pin(self) -> None:
        """Set, change or remove the PIN."""
        from tutor_app.ui.screens.pin import PinScreen

        if self.learner is not None:
            self.push_screen(PinScreen(self.learner.name, self.service.has_pin()))

    def open_hand_in(self) -> None:
        """Write one file for the instructor."""
        from tutor_app.ui.screens.hand_in import HandInScreen

        self.push_screen(HandInScreen())

    def leave_form(self) -> None:
        """From the form for a new learner back to where it was opened."""
        self.pop_screen()

    def open_lesson(self, overview: SetOverview, lesson_id: str | None) -> None:
        """Begin or continue a lesson (a free talk when None); its summary is shown when there is one to show."""
        from tutor_app.ui.screens.lesson import LessonScreen

        def closed(summary: Summary | None) -> None:
            self._lesson_closed(overview, lesson_id, summary)

        self.push_screen(LessonScreen(overview, lesson_id), closed)

    def _lesson_closed(self, overview: SetOverview, lesson_id: str | None, summary: Summary | None) -> None:
        from tutor_app.ui.screens.summary import SummaryScreen

        self.care()
        if summary is None or not (summary.finished or summary.items_seen or summary.moves):
            return
        self.push_screen(SummaryScreen(summary, overview, lesson_id))

    def action_help(self) -> None:
        from tutor_app.ui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_settings(self) -> None:
        from tutor_app.ui.screens.settings import SettingsScreen

        if self.learner is None or self.screen.is_modal or isinstance(self.screen, SettingsScreen):
            return
        self.push_screen(SettingsScreen())

    def key_name(self, key: str) -> str:
        """A key as it is printed on a keyboard: `Ctrl+J`, `F2`, `Esc`."""
        names = {
            "escape": "Esc",
            "pageup": "PgUp",
            "pagedown": "PgDn",
            "backspace": "Backspace",
            "slash": "/",
        }
        return "+".join(names.get(part, part.capitalize()) for part in key.split("+"))

    def get_key_display(self, binding: Binding) -> str:
        return binding.key_display or self.key_name(binding.key)

    # --- the language model -----------------------------------------------------------------------------------

    def load_model(self) -> None:
        """Begin loading; the screens watch `model_state`."""

        def changed(state: ModelState) -> None:
            self.post_message(ModelChanged(state))

        self.service.load_model(changed)

    @work(thread=True, exit_on_error=False, exclusive=True, group="model")
    def change_model(self, model_id: str) -> None:
        """Make another model the active one and load it."""

        def use() -> bool:
            self.service.use_model(model_id)
            return True

        if self.attempt(use):
            self.load_model()

    @on(ModelChanged)
    def _model_changed(self, message: ModelChanged) -> None:
        self.model_state = message.state
        if message.state.message and message.state.state in ("none", "lost"):
            self.notify(clean(message.state.message), markup=False, timeout=8)

    # --- settings -----------------------------------------------------------------------------------------------

    def keep_level(self, set_id: str, level: str) -> None:
        """Where the learner begins in a set; empty for its beginning."""
        self.choose(f"{preferences.START_LEVEL}{set_id}", level)

    def choose(self, key: str, value: SettingValue) -> None:
        """Keep a setting and let it count at once."""
        self.settings = {**self.settings, key: value}
        self.apply_settings()
        self.keep_setting(key, value)

    @work(thread=True, exit_on_error=False, group="settings")
    def keep_setting(self, key: str, value: SettingValue) -> None:
        """Write a setting to the learner's file."""
        self.attempt(lambda: self.service.set_setting(key, value))

    def apply_settings(self) -> None:
        """Make theme and density those of the learner."""
        theme = preferences.THEME.of(self.settings)
        if theme in self.available_themes:
            self.theme = theme
        self.set_class(preferences.DENSITY.of(self.settings) == "compact", "-dense")

    # --- what goes wrong ----------------------------------------------------------------------------------------

    def attempt(
        self, ask: Callable[[], Result], done: str = "", *, passing: type[TutorError] | None = None
    ) -> Result | None:
        """What the service answers; None when it refuses, and the reason is shown. For worker threads.

        Refusals of the kind `passing` are the caller's to deal with. A fault ends the app, whoever asked.
        """
        try:
            result = ask()
        except TutorError as error:
            if passing is not None and isinstance(error, passing):
                raise
            self.post_message(Refused(str(error)))
            return None
        except Exception as error:
            # Textual tells it only to the widget whose thread this is. One that has gone may have asked a closed file.
            if not get_current_worker().is_cancelled:
                self.post_message(Broke(error))
            raise
        if done:
            self.post_message(Refused(done))
        return result

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        from tutor_app.ui.screens.new_learner import NewLearnerScreen
        from tutor_app.ui.screens.welcome import WelcomeScreen

        if self.learner is None and isinstance(self.screen, WelcomeScreen):
            self.screen.show_trouble(message.sentence)
        else:
            self.notify(clean(message.sentence), markup=False, timeout=8)
        if isinstance(self.screen, NewLearnerScreen):
            self.screen.begin_again()

    @on(Broke)
    def _broke(self, message: Broke) -> None:
        """A fault in a thread ends the app in the usual, quiet way."""
        self._handle_exception(message.error)

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """So does one outside `attempt` in a thread of the app's own; those of screens and widgets report to them."""
        if event.state is WorkerState.ERROR and isinstance(event.worker.error, Exception):
            self._handle_exception(event.worker.error)

    def note_fault(self, error: BaseException) -> None:
        """Write to the private log where a fault was."""
        self._crash_log = write_crash_log(self._log_dir, error)

    def _handle_exception(self, error: Exception) -> None:
        """Textual's hook for what nobody caught: its own shows local variables, and so the learner's words."""
        self._return_code = 1
        if self._exception is not None:
            return
        self._exception = error
        self.note_fault(error)
        self.panic(Text(crash_sentence(self._crash_log)))
        self._exception_event.set()

    # --- command palette ------------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        from tutor_app.ui.commands import commands_for

        yield from commands_for(self, screen)


def run(service: Service, *, log_dir: Path | None = None) -> int:
    """Show the app until the learner leaves; the exit code. Closes `service`."""
    app = TutorApp(service, log_dir=log_dir)
    try:
        app.run()
    finally:
        service.close()
    return app.return_code or 0
