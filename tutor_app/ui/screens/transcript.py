"""One session, word for word; it can be deleted here."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tutor_app.progress import figures
from tutor_app.progress.records import SavedReply
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.dates import clock_of, date_of, turns_words
from tutor_app.ui.place_messages import Deleted, TranscriptFound
from tutor_app.ui.screens.confirm import ConfirmDialog
from tutor_app.ui.text import clean, one_line, salient
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.line_list import LineList
from tutor_app.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tutor_app.session.insight import Insight, Transcript
    from tutor_app.ui.app import TutorApp


class TranscriptScreen(Screen[None]):
    """Over the screen it was opened from; at the turn that was searched for, else at the beginning."""

    HELP = wording.HELP_TRANSCRIPT
    CSS_PATH = "transcript.tcss"
    AUTO_FOCUS = "LineList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", wording.KEY_BACK, id="transcript.back"),
        Binding("y,c", "copy", wording.KEY_COPY, id="transcript.copy"),
        Binding("d,delete", "delete", wording.KEY_DELETE, id="transcript.delete"),
    ]

    def __init__(self, session_id: int, turn_id: int | None = None) -> None:
        super().__init__()
        self._session_id = session_id
        self._turn_id = turn_id
        self._said: list[str] = []
        """The text of each row, as it is copied."""

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    def compose(self) -> ComposeResult:
        yield StatusBar(wording.LOOKING)
        yield Static(Content(""), id="facts")
        yield LineList(id="lines")
        yield KeyBar()

    def on_mount(self) -> None:
        self.find_transcript()

    @work(thread=True, exit_on_error=False, exclusive=True, group="transcript")
    def find_transcript(self) -> None:
        """Ask for everything said."""

        def found() -> tuple[Insight, Transcript]:
            insight = self.tutor.service.insight()
            return insight, insight.transcript(self._session_id)

        answer = self.tutor.attempt(found)
        if answer is not None:
            self.post_message(TranscriptFound(*answer))

    @on(TranscriptFound)
    def _found(self, message: TranscriptFound) -> None:
        session = message.transcript.session
        title = message.insight.lesson_name(session.set_id, session.lesson_id) or wording.FREE_TALK
        self.query_one(StatusBar).show_title(title)
        facts = wording.SESSION_FACTS.format(
            minutes=figures.minutes(session.minutes), turns=turns_words(session.turns)
        )
        when = f"{date_of(session.started_at)}, {clock_of(session.started_at)}"
        names = message.insight.set_name(session.set_id)
        words = " · ".join((when, one_line(names.language_name or names.title, 40), facts))
        rows: list[tuple[Content, bool]] = []
        self._said = []
        sought = 0
        for turn in message.transcript.turns:
            if turn.id == self._turn_id:
                sought = len(rows)
            said = turn.text or wording.COMMANDS.get(turn.command or "", "")
            if said:
                rows.append((_line(wording.YOU, "$secondary", Content(clean(said))), True))
                self._said.append(clean(said))
            if turn.reply is not None and turn.reply.text:
                rows.append((_line(wording.TUTOR, "$primary", _reply(turn.reply)), True))
                self._said.append(clean(turn.reply.text))
        self.query_one("#facts", Static).update(Content(words if rows else wording.TRANSCRIPT_EMPTY))
        self.query_one(LineList).show_texts(rows, sought)

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_copy(self) -> None:
        """The highlighted line, to the clipboard."""
        place = self.query_one(LineList).highlighted
        if place is not None and place < len(self._said):
            self.app.copy_to_clipboard(self._said[place])
            self.app.notify(wording.COPIED, markup=False)

    def action_delete(self) -> None:
        """Ask, then delete this session for good."""

        def answered(yes: bool | None) -> None:
            if yes:
                self.query_one("#facts", Static).update(Content(wording.WRITING))
                self.delete_session()

        dialog = ConfirmDialog(wording.DELETE_SESSION, wording.DELETE_SESSION_TEXT, wording.DELETE)
        self.app.push_screen(dialog, answered)

    @work(thread=True, exit_on_error=False, group="transcript")
    def delete_session(self) -> None:
        """Take it out of the file and its backups; a second or two in a large one."""

        def delete() -> bool:
            self.tutor.service.insight().delete_session(self._session_id)
            return True

        if self.tutor.attempt(delete, wording.SESSION_DELETED):
            self.post_message(Deleted())

    @on(Deleted)
    def _deleted(self) -> None:
        if self.is_current:
            self.app.pop_screen()


def _line(who: str, style: str, text: Content) -> Content:
    return Content("\n").join([Content(who).stylize(f"bold {style}"), text])


def _reply(reply: SavedReply) -> Content:
    text = salient(reply.text, reply.recast)
    return (
        text if reply.status == "final" else text.append_text(f" {wording.UNFINISHED}", "italic $text-quiet")
    )
