"""Memory: everything the app keeps to choose what comes next; the learner reads, corrects and deletes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from tutor_app.progress.records import FormKnowledge, Memory
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.place_messages import MemoryChanged, RememberedFound
from tutor_app.ui.screens.confirm import ConfirmDialog
from tutor_app.ui.screens.place import PlaceScreen
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tutor_app.session.insight import Insight, Remembered
    from tutor_app.ui.memory_entries import Entry
    from tutor_app.ui.screens.entry_dialog import Change


class MemoryScreen(PlaceScreen):
    """Groups one below the other; Enter opens an entry."""

    PLACE = "memory"
    HELP = wording.HELP_MEMORY
    CSS_PATH: ClassVar[list[str]] = ["place.tcss", "memory.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "LineList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", wording.KEY_FIND, key_display="/", id="memory.find"),
        Binding("down", "list", wording.KEY_LIST, show=False, id="memory.list"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._insight: Insight | None = None
        self._remembered: Remembered | None = None
        self._entries: list[Entry | None] = []
        """One a row; None for a heading."""

    def between(self) -> ComposeResult:
        yield Input(placeholder=wording.MEMORY_PLACEHOLDER, max_length=100, compact=True)
        yield Static(Content(wording.LOOKING), id="note", classes="quiet")
        yield LineList(id="entries")

    def on_mount(self) -> None:
        self.find_remembered()

    @work(thread=True, exit_on_error=False, exclusive=True, group="place")
    def find_remembered(self) -> None:
        """Ask for everything remembered."""
        found = self.ask(lambda insight: insight.remembered())
        if found is not None:
            self.post_message(RememberedFound(*found))

    @on(RememberedFound)
    def _found(self, message: RememberedFound) -> None:
        self._insight, self._remembered = message.insight, message.remembered
        self._show()

    @on(Input.Changed)
    def _show(self) -> None:
        """What fits the word in the box, the cursor where it was."""
        from tutor_app.ui.memory_entries import entry_row, groups

        if self._insight is None or self._remembered is None:
            return
        wanted = self.query_one(Input).value
        found = groups(self._remembered, self._insight, self._insight.now(), wanted)
        rows: list[tuple[Content, bool]] = []
        self._entries = []
        for group in found:
            rows.append((Content(f"\n{group.heading}").stylize("bold $primary"), False))
            self._entries.append(None)
            rows += [(entry_row(entry), True) for entry in group.entries]
            self._entries += group.entries
        note = wording.OPEN_ENTRY if rows else wording.MEMORY_NONE if wanted.strip() else wording.MEMORY_EMPTY
        self.query_one("#note", Static).update(Content(note))
        listed = self.query_one(LineList)
        before = listed.highlighted or 1
        listed.show_texts(rows, min(before, len(rows) - 1) if rows else None)

    @on(Input.Submitted)
    def action_list(self) -> None:
        self.query_one(LineList).focus()

    def action_find(self) -> None:
        self.query_one(Input).focus()

    @on(OptionList.OptionSelected, "#entries")
    def _open(self, event: OptionList.OptionSelected) -> None:
        from tutor_app.ui.screens.entry_dialog import EntryDialog

        entry = self._entries[event.option_index]
        if entry is None:
            return

        def chosen(change: Change | None) -> None:
            if change is None:
                return
            if change.act == "delete":
                self._ask_before(entry)
            elif change.act == "rest":
                self._begin_change(lambda insight: _rest(insight, entry), "")
            else:
                self._begin_change(lambda insight: _correct(insight, entry, change.values), wording.KEPT)

        self.app.push_screen(EntryDialog(entry), chosen)

    def _ask_before(self, entry: Entry) -> None:
        title, text, yes = wording.DELETE_ENTRY, wording.DELETE_ENTRY_TEXT, wording.DELETE
        if isinstance(entry.what, FormKnowledge):
            title, text, yes = wording.FORGET_FORM, wording.FORGET_FORM_TEXT, wording.FORGET
            text = text.format(tried=entry.what.tried)

        def answered(sure: bool | None) -> None:
            if sure:
                self._begin_change(lambda insight: _delete(insight, entry), wording.DELETED)

        self.app.push_screen(ConfirmDialog(title.format(name=one_line(entry.name, 60)), text, yes), answered)

    def _begin_change(self, act: Callable[[Insight], None], done: str) -> None:
        self.query_one("#note", Static).update(Content(wording.WRITING))
        self.change(act, done)

    @work(thread=True, exit_on_error=False, group="change")
    def change(self, act: Callable[[Insight], None], done: str) -> None:
        """Write to the learner's file and its backups, then look again."""

        def acted() -> bool:
            act(self.tutor.service.insight())
            return True

        self.tutor.attempt(acted, done)
        self.post_message(MemoryChanged())  # also when it was refused: what is shown is what is in the file

    @on(MemoryChanged)
    def _changed(self) -> None:
        self.find_remembered()


def _rest(insight: Insight, entry: Entry) -> None:
    if isinstance(entry.what, FormKnowledge):
        insight.rest_form(entry.what.set_id, entry.what.form_id, not entry.resting)
    elif not isinstance(entry.what, Memory):
        insight.rest_card(entry.what.id, not entry.resting)


def _correct(insight: Insight, entry: Entry, values: tuple[str, ...]) -> None:
    what = entry.what
    if isinstance(what, Memory):
        if values[0]:
            insight.correct_memory(what.id, values[0])
    elif not isinstance(what, FormKnowledge):
        gloss, sentence = values if len(values) == 2 else (what.gloss, values[0])
        insight.correct_card(what.id, gloss=gloss, sentence=sentence)


def _delete(insight: Insight, entry: Entry) -> None:
    what = entry.what
    if isinstance(what, Memory):
        insight.delete_memory(what.id)
    elif isinstance(what, FormKnowledge):
        insight.forget_form(what.set_id, what.form_id)
    else:
        insight.delete_card(what.id)
