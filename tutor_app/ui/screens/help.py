"""Help: the text of the screen one came from, of what has the focus there, and its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Markdown, Static

from tutor_app.ui import wording
from tutor_app.ui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp


class HelpScreen(ModalScreen[None]):
    """Over the screen it explains; any of the usual keys closes it."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help-text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,enter,q", "close", wording.CLOSE, id="help.close"),
    ]

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        texts = [screen.HELP, getattr(screen.focused, "HELP", None)]
        self._text = "\n\n".join(text for text in dict.fromkeys(texts) if text)
        self._keys = [
            (binding.key, binding.description)
            for _, binding, enabled, _ in screen.active_bindings.values()
            if enabled and binding.description and binding.id
        ]

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Static(Content(wording.HELP_TITLE), id="help-title")
            with VerticalScroll(id="help-text"):
                # Our own words only, so Markdown is safe here; lessons and learners never reach it.
                yield Markdown(self._text)
                yield Static(Content(wording.HELP_KEYS), id="help-keys-title")
                yield Static(self._key_table())
        yield KeyBar()

    def _key_table(self) -> Content:
        app = cast("TutorApp", self.app)
        rows: dict[str, list[str]] = {}
        for key, description in self._keys:
            rows.setdefault(description, []).append(app.key_name(key))
        named = {description: ", ".join(dict.fromkeys(keys)) for description, keys in rows.items()}
        width = max((len(keys) for keys in named.values()), default=0) + 2
        return Content("\n").join(
            Content.assemble((keys.ljust(width), "bold $accent"), description)
            for description, keys in named.items()
        )

    def action_close(self) -> None:
        self.dismiss(None)
