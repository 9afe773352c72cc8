"""Settings: each with its words and its help, kept the moment it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Select, Static
from textual.widgets.option_list import Option

from tutor_app.ui import preferences, wording
from tutor_app.ui.messages import ModelsFound
from tutor_app.ui.service import ModelOverview
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

GB = 1_000_000_000


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
            with Vertical(classes="setting"):
                yield Static(Content(wording.SETTINGS_MODEL), classes="label")
                yield OptionList(id="models", markup=False, compact=True)
                yield Static(Content(wording.SETTINGS_MODEL_HELP), classes="quiet")
            yield Static(Content(wording.SETTINGS_SAVED), classes="quiet")
        yield KeyBar()

    def on_mount(self) -> None:
        self.find_models()

    @work(thread=True, exit_on_error=False, exclusive=True, group="models")
    def find_models(self) -> None:
        """Look the models up: it reads the disk and asks for free memory."""
        models = self.tutor.attempt(self.tutor.service.models)
        if models is not None:
            self.post_message(ModelsFound(models))

    @on(ModelsFound)
    def _models_found(self, message: ModelsFound) -> None:
        self._models = list(message.models)
        listed = self.query_one("#models", OptionList)
        listed.clear_options()
        if not self._models:
            listed.add_option(Option(Content(wording.SETTINGS_NO_MODELS), disabled=True))
        for model in self._models:
            listed.add_option(Option(_model_prompt(model), disabled=not model.present or bool(model.refused)))

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        key, value = event.select.name, event.value
        if key and isinstance(value, str) and preferences.BY_KEY[key].of(self.tutor.settings) != value:
            self.tutor.choose(key, value)

    @on(OptionList.OptionSelected, "#models")
    def _model_chosen(self, event: OptionList.OptionSelected) -> None:
        model = self._models[event.option_index]
        if not model.active:
            self.tutor.change_model(model.id)
            self.find_models()

    def action_back(self) -> None:
        self.app.pop_screen()


def _model_prompt(model: ModelOverview) -> Content:
    state = wording.MODEL_ACTIVE if model.active else "" if model.present else wording.MODEL_ABSENT
    sign = "●" if model.active else "○"
    facts = "  ·  ".join(part for part in (f"{model.size_bytes / GB:.1f} GB", state) if part)
    note = one_line(model.refused or model.note, 160)
    head = Content.assemble(
        (f"{sign} ", "$accent"), (one_line(model.id, 60), "bold"), (f"  {facts}", "$text-quiet")
    )
    return Content("\n").join([head, Content(f"  {note}").stylize("$text-quiet")])
