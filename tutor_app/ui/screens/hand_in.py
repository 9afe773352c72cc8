"""One file for the instructor: of which lessons, how much of it, under which name, sealed or not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, RadioSet, SelectionList, Static
from textual.widgets.selection_list import Selection

from tutor_app.errors import TutorError
from tutor_app.progress.handin import free_path, path_of
from tutor_app.progress.sharing import LEVELS, Share
from tutor_app.ui import wording as common
from tutor_app.ui import wording_path as wording
from tutor_app.ui.messages import HandedIn, PractisedFound
from tutor_app.ui.text import one_line, plain
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.pick import Pick
from tutor_app.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

SUFFIX = ".handin"


class HandInScreen(Screen[None]):
    """Nothing is written before the learner has read what it contains and agreed."""

    HELP = wording.HELP_HAND_IN
    CSS_PATH = "hand_in.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", common.KEY_BACK, id="handin.back")]

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: where the file is offered to go, the learner's home when None."""
        super().__init__()
        self._folder = folder or Path.home()

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        learner = self.tutor.learner
        name = learner.name if learner is not None else ""
        file = self._folder / f"{learner.id if learner else 'learner'}-{date.today().isoformat()}{SUFFIX}"
        yield StatusBar(wording.HAND_IN_TITLE)
        with VerticalScroll(id="form", can_focus=False):
            yield Static(Content(wording.HAND_IN_INTRO))
            yield Static(Content(wording.HAND_IN_SETS), classes="question")
            yield SelectionList[str](id="sets", compact=True)
            yield Static(Content(wording.HAND_IN_SHARE), classes="question")
            with RadioSet(id="share", compact=True):
                for share in LEVELS:
                    yield Pick(Content(wording.SHARES[share]), value=share == "results")
            yield Static(Content(LEVELS["results"]), id="agreement")
            yield Static(Content(wording.HAND_IN_NEVER), classes="quiet")
            yield Static(Content(wording.HAND_IN_NAME), classes="question")
            yield Input(name, max_length=80, compact=True, id="name")
            yield Static(Content(wording.HAND_IN_KEY), classes="question")
            yield Input(placeholder=wording.HAND_IN_KEY_PLACEHOLDER, compact=True, id="key")
            yield Static(Content(wording.HAND_IN_FILE), classes="question")
            yield Input(str(file), compact=True, id="file")
            yield Static(Content(""), id="said")
            yield Button(Content(wording.HAND_IN_AGREE), id="agree", variant="primary", disabled=True)
        yield KeyBar()

    def on_mount(self) -> None:
        self.find_practised()

    @work(thread=True, exit_on_error=False, group="handin")
    def find_practised(self) -> None:
        """What there is to hand in."""
        found = self.tutor.attempt(self.tutor.service.practised)
        if found is not None:
            self.post_message(PractisedFound(found))

    @on(PractisedFound)
    def _found(self, message: PractisedFound) -> None:
        listed = self.query_one(SelectionList)
        sets: Mapping[str, str] = message.sets
        for set_id, title in sets.items():
            listed.add_option(Selection(Content(one_line(title, 80)), set_id, len(sets) == 1))
        if not sets:
            self._say(wording.HAND_IN_NOTHING)
        self.query_one("#agree", Button).disabled = not sets
        listed.focus()

    def _share(self) -> Share:
        picked = max(0, self.query_one("#share", RadioSet).pressed_index)
        return list(LEVELS)[picked]

    @on(RadioSet.Changed, "#share")
    def _share_changed(self) -> None:
        self.query_one("#agreement", Static).update(Content(LEVELS[self._share()]))

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    @on(Button.Pressed, "#agree")
    def _agreed(self) -> None:
        sets = list(self.query_one(SelectionList).selected)
        if not sets:
            self._say(wording.HAND_IN_NO_SET)
            self.query_one(SelectionList).focus()
            return
        key = self.query_one("#key", Input).value.strip()
        name = self.query_one("#name", Input).value.strip()
        try:
            target = free_path(self.query_one("#file", Input).value.strip())
            key_file = path_of(key) if key else None
        except TutorError as error:
            self._say(str(error))
            self.query_one("#file", Input).focus()
            return
        self.write(target, sets, self._share(), name, key_file)

    @work(thread=True, exit_on_error=False, exclusive=True, group="handin")
    def write(self, target: Path, sets: list[str], share: Share, name: str, key: Path | None) -> None:
        """Sign, seal if there is a key, and write."""
        try:
            self.tutor.attempt(
                lambda: self.tutor.service.hand_in(target, sets, share, name, key), passing=TutorError
            )
        except TutorError as error:
            self.post_message(HandedIn(str(error), False))
            return
        words = wording.HAND_IN_DONE_SEALED if key else wording.HAND_IN_DONE_OPEN
        self.post_message(HandedIn(words.format(file=target), True))

    @on(HandedIn)
    def _handed_in(self, message: HandedIn) -> None:
        self._say(message.said)
        if message.done:
            self.query_one("#agree", Button).disabled = True

    def _say(self, sentence: str) -> None:
        said = self.query_one("#said", Static)
        said.update(plain(sentence))
        said.scroll_visible(animate=False)

    def action_back(self) -> None:
        self.app.pop_screen()
