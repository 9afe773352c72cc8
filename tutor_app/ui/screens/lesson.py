"""The lesson: the step on one side, the talk on the other, and a place to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button
from textual.worker import Worker, WorkerState

from tutor_app.session.events import (
    Asked,
    Command,
    ModelState,
    Problem,
    Reply,
    Said,
    SessionStarted,
    Sounded,
    StepShown,
    Summary,
)
from tutor_app.speech.pairs import pair_of
from tutor_app.ui import (
    pauses,
    preferences,
    wording,
    wording_pairs,
    wording_path,
    wording_speech,
    wording_voice,
)
from tutor_app.ui.lesson_view import LessonView
from tutor_app.ui.messages import FragmentsWaiting, SessionClosed, SessionEvent, SessionFailed, TurnOver
from tutor_app.ui.runner import SessionRunner
from tutor_app.ui.screens.pair import PairOffer, PairScreen
from tutor_app.ui.service import LessonSession, SetOverview, WordEntry
from tutor_app.ui.text import one_line, words_of
from tutor_app.ui.widgets.choice_pad import Answered
from tutor_app.ui.widgets.composer import Composer
from tutor_app.ui.widgets.conversation import Conversation
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.letter_bar import LetterBar
from tutor_app.ui.widgets.speak_bar import SpeakBar
from tutor_app.ui.widgets.status_bar import StatusBar
from tutor_app.ui.widgets.step_panel import PanelView, StepPanel
from tutor_app.ui.widgets.voice_bar import VoiceBar
from tutor_app.ui.widgets.writing_box import WritingBox

if TYPE_CHECKING:
    from tutor_app.ui.app import TutorApp

PAINT_S = 0.05
"""Shortest time between two paints of a growing reply: the eye sees no more, and keys are never held up."""
MINUTE_CHECK_S = 5.0


class LessonScreen(Screen[Summary | None]):
    """One session from opening to closing; dismissed with its summary."""

    HELP = wording.HELP_LESSON
    CSS_PATH = "lesson.tcss"
    AUTO_FOCUS = "Composer"
    BINDINGS: ClassVar[list[BindingType]] = [
        # First, so that it is seen on a narrow screen too while it is offered; priority as the writing box has Ctrl+F.
        Binding("ctrl+f,f11", "pair", wording_pairs.KEY_PAIR, id="lesson.pair", priority=True),
        Binding("f2,ctrl+t", "ask('hint')", wording.KEY_HINT, id="lesson.hint"),
        Binding("f3,ctrl+l", "ask('explain')", wording.KEY_EXPLAIN, id="lesson.explain"),
        Binding("f4,ctrl+@,ctrl+space", "speak", wording_speech.KEY_SPEAK, id="lesson.speak"),
        Binding("f12", "hear", wording_voice.KEY_AGAIN, id="lesson.hear"),
        Binding("f5,ctrl+n", "ask('skip')", wording.KEY_SKIP, id="lesson.skip"),
        Binding("f8,ctrl+b", "letters", wording.KEY_LETTERS, id="lesson.letters"),
        Binding("f9,ctrl+r", "meaning", wording.KEY_MEANING, id="lesson.meaning"),
        Binding("escape", "stop", wording.KEY_STOP, id="lesson.stop"),
        # Priority where the writing box has a use of its own for the key.
        Binding("f6", "words", wording.KEY_WORDS, show=False, id="lesson.words", priority=True),
        Binding("f7", "keep", wording.KEY_KEEP, show=False, id="lesson.keep", priority=True),
        Binding("ctrl+o", "copy", wording.KEY_COPY, show=False, id="lesson.copy"),
    ]

    def __init__(self, overview: SetOverview, lesson_id: str | None) -> None:
        super().__init__()
        self._set = overview
        self._lesson = next((lesson for lesson in overview.lessons if lesson.id == lesson_id), None)
        self._lesson_id = lesson_id
        self._runner = SessionRunner(
            lambda: self.tutor.service.start_lesson(overview.id, lesson_id), self.post_message
        )
        self._started = self._over = self._leaving = False
        self._given = self._answered = 0
        self._painted_at = 0.0
        self._paint_set = False
        self._shown_at: float | None = None
        self._summary: Summary | None = None
        self._offered = ""
        """A smaller model that the learner was offered already."""
        self._can_hear = False
        self._pair: PairOffer | None = None
        self._session_over: SessionClosed | None = None
        self._show_gloss: bool | None = None
        self._show_words: bool | None = None

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    # --- what is on the screen ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield StatusBar(self._title())
        with Horizontal(id="panes"):
            yield StepPanel(id="step")
            with Vertical(id="talk"):
                yield Conversation(id="conversation")
                yield SpeakBar()
                yield VoiceBar()
                yield WritingBox()
        yield KeyBar()

    def on_mount(self) -> None:
        self._opened_at = self.tutor.clock()
        self._view = LessonView(self.query_one(Conversation), self.query_one(StepPanel), self._panel_view)
        composer = self.query_one(Composer)
        composer.target_language = self._set.language
        composer.offer_key = self._offer_key
        composer.may_send = self._may_send
        composer.placeholder = wording.COMPOSER_OPENING
        self._view.wait_for_lesson()
        reader = self.tutor.service.reader(self._set.id)
        self._can_hear = reader is not None
        self.query_one(VoiceBar).use(reader)
        self.watch(self.app, "model_state", self._show_model)
        self._show_time()
        self.set_interval(MINUTE_CHECK_S, self._show_time)
        self.run_session()

    def on_screen_resume(self) -> None:
        """What ended below another screen is left as soon as that one is."""
        if self._session_over is not None:
            self._session_closed(self._session_over)

    def on_unmount(self) -> None:
        self._runner.end()
        pauses.let_go()

    def _title(self) -> str:
        if self._lesson_id is not None and self._lesson is None:
            return f"{wording_path.REVIEW_TITLE} · {self._set.language_name}"
        return self._lesson.title if self._lesson else f"{wording.TALK_TITLE} · {self._set.language_name}"

    def _panel_view(self) -> PanelView:
        settings = self.tutor.settings
        support = preferences.SUPPORT.of(settings)
        level = self._lesson.level if self._lesson else (self._set.levels or ("A1",))[0]
        beginner = self._set.track == "l2" and level == "A1"
        wanted = support == "always" or (support == "auto" and beginner)
        return PanelView(
            language=self._set.language,
            support=support != "never" and (wanted or self._set.track == "l2"),
            gloss=wanted if self._show_gloss is None else self._show_gloss,
            readings=preferences.READINGS.of(settings) == "shown",
            words=self.has_class("-roomy") if self._show_words is None else self._show_words,
        )

    def _words(self) -> tuple[WordEntry, ...]:
        return self._lesson.words if self._lesson else ()

    def _show_time(self) -> None:
        self.query_one(StatusBar).show_minutes(int(self.tutor.clock() - self._opened_at) // 60)

    def _show_model(self, state: ModelState) -> None:
        service = self.tutor.service
        if state.state == "lost" and state.offer and state.offer != self._offered:
            self._offered = state.offer
            self._offer_model(state.offer)
        self.query_one(StatusBar).show_model(state, service.active_model(), service.engine_stats())

    # --- the session's thread -------------------------------------------------------------------------------

    @work(thread=True, exit_on_error=False, group="session", name="session")
    def run_session(self) -> None:
        """Relay the session until the screen ends it."""
        self._runner.run()

    @on(Worker.StateChanged)
    def _session_broke(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.tutor.note_fault(event.worker.error)
            self._over = True
            self._view.turn_over()
            self._view.show(Problem(wording.SESSION_BROKE))
            self._show_placeholder()

    @on(SessionEvent)
    def _session_event(self, message: SessionEvent) -> None:
        event = message.event
        if isinstance(event, ModelState):
            self.tutor.model_state = event
            self._view.wait_for_model(event.state in ("loading", "warming"))
            if event.state == "ready" and event.message:  # the app itself tells that a model is lost
                self._view.show(Problem(event.message))
            return
        if isinstance(event, Summary):
            self._summary = event
            return
        self._view.grow(self._runner.take_fragments())
        self._view.show(event)
        if isinstance(event, SessionStarted) and (session := self._runner.session):
            self._view.show_earlier(session.earlier)
        if isinstance(event, StepShown | Reply):
            self._shown_at = self.tutor.clock()
            self.call_after_refresh(pauses.tidy_up)
            step = self._view.step  # while it lasts, the key is for what has to be heard in it
            kept = step.say if isinstance(event, Reply) and step is not None else ""
            read = self.query_one(VoiceBar).read(self._view.to_be_heard(event), kept=kept)
            if isinstance(event, StepShown) and event.say and not read:
                self._view.can_be_heard()
        if isinstance(event, StepShown):
            self._refresh_panel()
            self._focus_for_step()
        if isinstance(event, Problem) and event.offer:
            self._offer_model(event.offer)

    @on(FragmentsWaiting)
    def _fragments(self) -> None:
        if self._paint_set:
            return
        wait = self._painted_at + PAINT_S - self.tutor.clock()
        if wait > 0:
            self._paint_set = True
            self.set_timer(wait, self._paint_fragments)
        else:
            self._paint_fragments()

    def _paint_fragments(self) -> None:
        self._paint_set = False
        self._painted_at = self.tutor.clock()
        self._view.grow(self._runner.take_fragments())

    @on(TurnOver)
    def _turn_over(self, message: TurnOver) -> None:
        self._answered = message.turn
        if message.turn == 0:
            self._started = True
            if self._given:
                self._view.expect_reply()
        else:
            self._view.turn_over()
        self._show_model(self.tutor.model_state)
        self._show_placeholder()
        if self._summary is not None or (self._leaving and not self.busy):
            self._over = True
            self._runner.end()

    @on(SessionFailed)
    def _session_failed(self, message: SessionFailed) -> None:
        self._over = True
        self._view.turn_over()
        self._view.show(Problem(message.sentence))
        self._view.show(Problem(wording.SESSION_OVER))
        self._show_placeholder()

    @on(SessionClosed)
    def _session_closed(self, message: SessionClosed) -> None:
        self._session_over = message
        # Textual closes no screen below another: `on_screen_resume` comes back to it.
        if self.is_active and (self._leaving or self._summary is not None):
            self.dismiss(self._summary or message.summary)

    # --- what the learner does ------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a turn is with the session."""
        return self._started and not self._over and self._given > self._answered

    def _may_send(self) -> bool:
        if self._over or self.query_one(SpeakBar).stop():
            return False
        if self._given > self._answered:
            self.notify(
                wording.STILL_WRITING if self._started else wording.WAITING_START, markup=False, timeout=3
            )
            return False
        return True

    @on(Composer.Changed)
    def _written(self) -> None:
        self._runner.write(self.query_one(Composer).written, self._elapsed_s())

    def _elapsed_s(self) -> float | None:
        """Seconds since the learner was asked something."""
        if self._shown_at is None:
            return None
        return round(max(0.0, self.tutor.clock() - self._shown_at), 3)

    @on(Composer.Sent)
    @on(Answered)
    def _said(self, message: Composer.Sent | Answered) -> None:
        if not self._may_send():
            return
        self._offer_pair(None)
        spoken = self._view.spoken_step
        if spoken and (recording := self.query_one(SpeakBar).unsent):
            self.query_one(VoiceBar).compare(spoken, recording)
        self.query_one(SpeakBar).sent()
        elapsed = self._elapsed_s()
        line = self._view.say(message.text)
        if not self._started:
            line.mark(wording.WAITING_START)
        self._give(Said(message.text, elapsed))

    def action_ask(self, command: Command) -> None:
        """Hint, skip or explain."""
        if self._started and self._may_send():
            self._give(Asked(command))

    def _give(self, turn: Said | Asked) -> None:
        self._given += 1
        self._runner.submit(turn)
        if self._started:
            self._view.expect_reply()
        self._show_placeholder()

    def action_stop(self) -> None:
        """Take back a waiting line, stop the reply, or offer to pause: whichever there is to do."""
        if self.query_one(SpeakBar).discard() or self.query_one(VoiceBar).quiet():
            return
        if self.query_one(WritingBox).letters_open:
            self.query_one(WritingBox).close_letters()
        elif not self._started and self._given and (turn := self._runner.take_back()):
            self._given = 0
            if self._view.sent is not None:
                self._view.sent.remove()
            if isinstance(turn, Said):
                self.query_one(Composer).give_back(turn.text)
            self._show_placeholder()
        elif self.busy:
            self._runner.stop_reply()
        elif self.focused is self.query_one(Conversation):
            self.query_one(Composer).focus()
        else:
            self.action_leave()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Speaking and hearing have keys only where they are installed, a pair while it is offered."""
        if action == "pair":
            return self._pair is not None
        if action == "hear":
            return self._can_hear
        return action != "speak" or self.tutor.service.ear() is not None

    def action_speak(self) -> None:
        """Begin to listen, or be done with it."""
        if not self._over:
            self.query_one(VoiceBar).quiet()  # or the microphone would hear the tutor
            self.query_one(SpeakBar).toggle(self._set.language, self._set.track)

    @on(SpeakBar.Heard)
    def _heard(self, message: SpeakBar.Heard) -> None:
        """What was heard is the learner's to change before it counts."""
        composer = self.query_one(Composer)
        composer.insert(message.text if not composer.text else f" {message.text}")
        composer.focus()

    def action_hear(self) -> None:
        """The last line aloud: once more, and slowly the next time."""
        if not self.query_one(VoiceBar).again():
            self.notify(wording_voice.NOTHING_TO_HEAR, markup=False, timeout=3)

    @on(VoiceBar.Over)
    def _voice_over(self, message: VoiceBar.Over) -> None:
        """What could not be heard is shown, so that the step can be done all the same."""
        if message.trouble:
            self._view.not_heard(message.trouble)

    @on(VoiceBar.Remarked)
    def _remarked(self, message: VoiceBar.Remarked) -> None:
        self._view.show(Sounded(message.words))
        if pair := pair_of(message.words, message.text):
            self._offer_pair(PairOffer(pair))

    def _offer_pair(self, offer: PairOffer | None) -> None:
        """In place of what was offered before; the focus stays where the learner writes."""
        if self._pair is not None:
            self._pair.remove()
        self._pair = offer
        if offer is not None:
            self.query_one(Conversation).mount(offer)
        self.refresh_bindings()

    @on(Button.Pressed, ".offer-pair")
    def action_pair(self) -> None:
        """Hear two words beside each other; the lesson is silent meanwhile and goes on where it was."""
        reader = self.tutor.service.reader(self._set.id)
        if self._pair is None or reader is None:
            return
        pair, bar = self._pair.pair, self.query_one(VoiceBar)
        self.query_one(SpeakBar).discard()
        bar.hold()
        self.query_one(Composer).focus()
        screen = PairScreen(
            pair, reader, self._set.language, self._set.track, f"{self._given} {pair.sentences}"
        )
        self.app.push_screen(screen, self._pair_heard)

    def _pair_heard(self, _: None) -> None:
        self.query_one(VoiceBar).release()

    def action_leave(self) -> None:
        """Ask once, then end and save."""
        from tutor_app.ui.screens.dialogs import LeaveDialog

        if self._over:
            self._leave(True)
        elif self._lesson_id is None:
            self.app.push_screen(LeaveDialog(wording.LEAVE_TALK_TITLE, wording.LEAVE_TALK_TEXT), self._leave)
        else:
            self.app.push_screen(LeaveDialog(wording.LEAVE_TITLE, wording.LEAVE_TEXT), self._leave)

    def _leave(self, yes: bool | None) -> None:
        if not yes or not self.is_active:  # it may have ended by itself below the question
            return
        ends = self._lesson_id is None and self._started and not self._over and not self._leaving
        self._leaving = True
        if ends:  # a talk has no end of its own: this one brings its summary, after what is being written
            if self.busy:
                self._runner.stop_reply()
            self._given += 1
            self._runner.submit(Asked("quit"))
        else:
            self._runner.end()
        self.query_one(Composer).placeholder = wording.SAVING
        if not any(worker.name == "session" and not worker.is_finished for worker in self.workers_here()):
            self.dismiss(self._summary)

    def workers_here(self) -> list[Worker[object]]:
        """The threads of this screen."""
        return [worker for worker in self.app.workers if worker.node is self]

    def action_meaning(self) -> None:
        self._show_gloss = not self._panel_view().gloss
        self._refresh_panel()

    def action_words(self) -> None:
        self._show_words = not self._panel_view().words
        self._refresh_panel()

    def action_copy(self) -> None:
        line = self.query_one(Conversation).last_tutor_line()
        self._copy(line.text if line else "")

    def action_keep(self) -> None:
        line = self.query_one(Conversation).last_tutor_line()
        self._keep(line.text if line else "")

    @on(Conversation.Copied)
    def _copied(self, message: Conversation.Copied) -> None:
        self._copy(message.text)

    @on(Conversation.Keep)
    def _keep_asked(self, message: Conversation.Keep) -> None:
        self._keep(message.text)

    def _copy(self, text: str) -> None:
        if text:
            self.app.copy_to_clipboard(text)
        self.notify(wording.COPIED if text else wording.NOTHING_TO_COPY, markup=False, timeout=4)

    def _keep(self, sentence: str) -> None:
        from tutor_app.ui.screens.dialogs import KeepDialog

        def keep(word: str | None) -> None:
            if word and (session := self._runner.session):
                self.keep_word(session, word, sentence)

        words = words_of(sentence, [entry.word for entry in self._words()])
        self.app.push_screen(KeepDialog(sentence, words), keep)

    @work(thread=True, exit_on_error=False, group="keep")
    def keep_word(self, session: LessonSession, word: str, sentence: str) -> None:
        """Write the word down where the reviews are."""
        self.tutor.attempt(
            lambda: session.save_word(word, sentence), wording.KEPT.format(word=one_line(word, 60))
        )

    def action_letters(self) -> None:
        box = self.query_one(WritingBox)
        if box.letters_open:
            box.close_letters()
        else:
            box.open_letters(self._set.language)

    # --- small things -----------------------------------------------------------------------------------------

    def _offer_key(self, key: str) -> bool:
        if key == "enter" and self.query_one(SpeakBar).stop():
            return True
        pad = self.query_one(StepPanel).pad()
        return pad is not None and not self.busy and pad.take_key(key)

    def _focus_for_step(self) -> None:
        """To the pad when there is one, but never away from a line that is being written."""
        composer = self.query_one(Composer)
        if composer.text or isinstance(self.focused, LetterBar):
            return
        pad = self.query_one(StepPanel).pad()
        (pad or composer).focus()

    def _refresh_panel(self) -> None:
        panel, view = self.query_one(StepPanel), self._panel_view()
        panel.show_view(view)
        panel.show_words(self._words(), view)

    def _show_placeholder(self) -> None:
        step = self._view.step
        if self._over:
            text = wording.SESSION_OVER
        elif self._given > self._answered:
            text = wording.COMPOSER_BUSY
        elif not self._started:
            text = wording.COMPOSER_OPENING
        elif self.query_one(StepPanel).pad() is not None:
            text = wording.COMPOSER_PAD
        elif step is not None and step.check:
            text = wording_path.COMPOSER_CHECK
        else:
            text = wording.COMPOSER_TALK if step is None or step.kind == "talk" else wording.COMPOSER_ITEM
        self.query_one(Composer).placeholder = text

    def _offer_model(self, model_id: str) -> None:
        button = Button(
            Content(wording.OFFER.format(model=one_line(model_id, 40))), name=model_id, classes="offer"
        )
        self.query_one(Conversation).mount(button)
        button.focus()

    @on(Button.Pressed, ".offer")
    def _take_offer(self, event: Button.Pressed) -> None:
        model_id = event.button.name or ""
        event.button.remove()
        self.query_one(Composer).focus()
        self.tutor.change_model(model_id)
        self._view.conversation.say("note", wording.OFFER_TAKEN.format(model=model_id))
