"""Settings: each with its words and its help, kept the moment it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Select, Static
from textual.widgets.option_list import Option

from tutor_app.progress.queue import DAILY
from tutor_app.session.choices import MOST_DAILY
from tutor_app.session.events import ModelState
from tutor_app.ui import preferences, wording, wording_path, wording_speech
from tutor_app.ui.messages import ModelsFound, SetsFound
from tutor_app.ui.service import ModelOverview
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.slider import Slider
from tutor_app.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

GB = 1_000_000_000
DAILY_STEP = 5
A_MINUTE = 3
"""Reviews."""


class SettingsScreen(Screen[None]):
    """The choices of `tutor_app.ui.preferences`, then the models."""

    HELP = wording.HELP_SETTINGS
    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "Select"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f10", "back", wording.KEY_BACK, id="settings.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._models: list[ModelOverview] = []
        self._shown_for: tuple[str, str | None] | None = None
        """State and id of the model when the list was last asked for."""
        self._chosen_model = ""
        """What was chosen here last; it may not be in use yet."""
        self._set_id = ""

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        yield StatusBar(wording.SETTINGS_TITLE)
        with VerticalScroll(id="all", can_focus=False):
            for choice in preferences.ALL:
                with Vertical(classes="setting"):
                    yield Static(Content(choice.label), classes="label")
                    yield Select(
                        [(words, value) for value, words in choice.values],
                        value=choice.of(self.tutor.settings),
                        allow_blank=False,
                        name=choice.key,
                        compact=True,
                    )
                    yield Static(Content(choice.help), classes="quiet")
                if choice is preferences.FEEDBACK:
                    yield from self._daily()
            with Vertical(classes="setting"):
                yield Static(Content(wording_path.YOUR_PATH), classes="label")
                yield OptionList(*self._actions(), id="actions", markup=False, compact=True)
                yield Static(Content(wording_path.YOUR_PATH_HELP), classes="quiet")
            with Vertical(classes="setting", id="start"):
                yield Static(Content(wording_path.START_LEVEL), classes="label")
                yield Select[str]([], id="start-level", compact=True, prompt=wording_path.START_UNSET)
                yield Static(Content(""), id="start-help", classes="quiet")
            if self.tutor.service.ear() is not None:
                with Vertical(classes="setting"):
                    yield Static(Content(wording_speech.SETTINGS_LABEL), classes="label")
                    speak = Option(Content(wording_speech.SETTINGS_BUTTON), id="microphone")
                    yield OptionList(speak, id="speaking", markup=False, compact=True)
                    yield Static(Content(wording_speech.SETTINGS_HELP), classes="quiet")
            with Vertical(classes="setting"):
                yield Static(Content(wording.SETTINGS_MODEL), classes="label")
                yield OptionList(id="models", markup=False, compact=True)
                yield Static(Content(wording.SETTINGS_MODEL_HELP), classes="quiet")
            yield Static(Content(wording.SETTINGS_SAVED), classes="quiet")
        yield KeyBar()

    def _daily(self) -> ComposeResult:
        kept = self.tutor.settings.get(preferences.DAILY, DAILY)
        value = kept if isinstance(kept, int) else DAILY
        with Vertical(classes="setting"):
            yield Static(Content(wording_path.DAILY), classes="label")
            yield Slider(value, lowest=0, highest=MOST_DAILY, step=DAILY_STEP, words=_daily_words, id="daily")
            yield Static(_daily_help(value), id="daily-help", classes="quiet")

    def _actions(self) -> list[Option]:
        words = {
            "background": wording_path.DO_BACKGROUND,
            "placement": wording_path.DO_PLACEMENT,
            "pin": wording_path.DO_PIN_CHANGE if self.tutor.service.has_pin() else wording_path.DO_PIN,
            "hand_in": wording_path.DO_HAND_IN,
        }
        if self.tutor.in_lesson:  # they end at home
            del words["background"], words["placement"]
        return [Option(Content(text), id=name) for name, text in words.items()]

    def on_mount(self) -> None:
        self.query_one("#start").display = False
        self.watch(self.app, "model_state", self._model_changed)
        self.find_sets()

    @work(thread=True, exit_on_error=False, exclusive=True, group="sets")
    def find_sets(self) -> None:
        """The set that fits the learner best has a level to begin at."""
        sets = self.tutor.attempt(self.tutor.service.sets)
        if sets is not None:
            self.post_message(SetsFound(sets))

    @on(SetsFound)
    def _sets_found(self, message: SetsFound) -> None:
        if not message.sets:
            return
        self._set_id = message.sets[0].id
        levels = [level for level in wording_path.LEVEL_NAMES if level in message.sets[0].levels]
        choice = self.query_one("#start-level", Select)
        with self.prevent(Select.Changed):
            choice.set_options([(wording_path.LEVEL_NAMES[level], level) for level in levels])
            if message.sets[0].start_level in levels:
                choice.value = message.sets[0].start_level
        title = one_line(message.sets[0].title, 60)
        self.query_one("#start-help", Static).update(
            Content(wording_path.START_LEVEL_HELP.format(title=title))
        )
        self.query_one("#start").display = True

    @on(Slider.Changed)
    def _daily_changed(self, event: Slider.Changed) -> None:
        self.query_one("#daily-help", Static).update(_daily_help(event.value))
        self.tutor.choose(preferences.DAILY, event.value)

    @on(Select.Changed, "#start-level")
    def _start_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self.tutor.keep_level(self._set_id, event.value if isinstance(event.value, str) else "")

    @on(OptionList.OptionSelected, "#speaking")
    def _speaking(self, event: OptionList.OptionSelected) -> None:
        from tutor_app.ui.screens.microphone import MicrophoneScreen

        event.stop()
        self.app.push_screen(MicrophoneScreen())

    @on(OptionList.OptionSelected, "#actions")
    def _do(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        ways: dict[str | None, Callable[[], object]] = {
            "background": self.tutor.ask_background,
            "placement": self.tutor.open_placement,
            "pin": self.tutor.open_pin,
            "hand_in": self.tutor.open_hand_in,
        }
        ways[event.option_id]()

    def _model_changed(self, state: ModelState) -> None:
        """Which model is in use, and which would fit beside it, changes with the model: the list is made anew."""
        now = state.state, self.tutor.service.active_model()
        if now != self._shown_for:
            self._shown_for = now
            self.find_models()

    @work(thread=True, exit_on_error=False, exclusive=True, group="models")
    def find_models(self) -> None:
        """Look the models up: it reads the disk and asks for free memory."""
        models = self.tutor.attempt(self.tutor.service.models)
        if models is not None:
            self.post_message(ModelsFound(models))

    @on(ModelsFound)
    def _models_found(self, message: ModelsFound) -> None:
        listed = self.query_one("#models", OptionList)
        at = self._models[listed.highlighted].id if self._models and listed.highlighted is not None else None
        self._models = list(message.models)
        listed.clear_options()
        if not self._models:
            listed.add_option(Option(Content(wording.SETTINGS_NO_MODELS), disabled=True))
        for model in self._models:
            listed.add_option(Option(_model_prompt(model), disabled=not model.present or bool(model.refused)))
        ids = [model.id for model in self._models]
        listed.highlighted = ids.index(at) if at in ids else None

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        key, value = event.select.name, event.value
        if key and isinstance(value, str) and preferences.BY_KEY[key].of(self.tutor.settings) != value:
            self.tutor.choose(key, value)

    @on(OptionList.OptionSelected, "#models")
    def _model_chosen(self, event: OptionList.OptionSelected) -> None:
        model = self._models[event.option_index]
        changing = self._chosen_model not in ("", model.id)
        if changing or not model.active or self.tutor.model_state.state == "lost":
            self._chosen_model = model.id
            self.tutor.change_model(model.id)

    def action_back(self) -> None:
        self.app.pop_screen()


def _daily_words(count: int) -> str:
    return wording_path.DAILY_VALUE.format(count=count) if count else wording_path.DAILY_OFF


def _daily_help(count: int) -> Content:
    return Content(wording_path.DAILY_HELP.format(count=count, minutes=-(-count // A_MINUTE)))


def _model_prompt(model: ModelOverview) -> Content:
    state = wording.MODEL_ACTIVE if model.active else "" if model.present else wording.MODEL_ABSENT
    sign = "●" if model.active else "○"
    facts = "  ·  ".join(part for part in (f"{model.size_bytes / GB:.1f} GB", state) if part)
    note = one_line(model.refused or model.note, 160)
    head = Content.assemble(
        (f"{sign} ", "$accent"), (one_line(model.id, 60), "bold"), (f"  {facts}", "$text-quiet")
    )
    return Content("\n").join([head, Content(f"  {note}").stylize("$text-quiet")])
