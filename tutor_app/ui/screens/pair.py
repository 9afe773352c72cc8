"""Two words that one sound tells apart: heard first, then said once more. Nothing of it is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from tutor_app.session.events import Sounded
from tutor_app.speech.pairs import Pair, order
from tutor_app.ui import wording, wording_speech, wording_voice
from tutor_app.ui import wording_pairs as words
from tutor_app.ui.lesson_view import sounds
from tutor_app.ui.text import clean
from tutor_app.ui.widgets.key_bar import KeyBar
from tutor_app.ui.widgets.speak_bar import SpeakBar
from tutor_app.ui.widgets.voice_bar import VoiceBar
from tutor_app.ui.widgets.words import Words, arabic_mode, drawn_line

if TYPE_CHECKING:
    from tutor_app.speech.reader import Reader
    from tutor_app.ui.app import TutorApp


class PairOffer(Button):
    """The way to `PairScreen`, below the remark that it belongs to."""

    def __init__(self, pair: Pair) -> None:
        first, second = (clean(word) for word in pair.words)
        super().__init__(Content(words.OFFER.format(word=first, other=second)), classes="offer-pair")
        self.pair = pair


class PairScreen(ModalScreen[None]):
    """A few rounds of one pair, then the learner's own voice where there is a microphone."""

    HELP = words.HELP
    CSS_PATH = "pair.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "choose(0)", words.KEY_FIRST, id="pair.first"),
        Binding("2", "choose(1)", words.KEY_SECOND, id="pair.second"),
        Binding("f4,ctrl+@,ctrl+space", "speak", wording_speech.KEY_SPEAK, id="pair.speak"),
        Binding("f12", "hear", wording_voice.KEY_AGAIN, id="pair.hear"),
        Binding("escape", "back", wording.KEY_BACK, id="pair.back"),
        Binding("left,up", "app.focus_previous", wording.KEY_UP, show=False, id="pair.previous"),
        Binding("right,down", "app.focus_next", wording.KEY_DOWN, show=False, id="pair.following"),
    ]

    def __init__(self, pair: Pair, reader: Reader, language: str, track: str, seed: int | str) -> None:
        super().__init__()
        self._pair, self._reader, self._tongue = pair, reader, (language, track)
        self._order = order(seed)
        self._round = 0
        self._chosen: int | None = None
        self._to_say: list[str] = []
        """Sentences that follow the one that sounds."""

    @property
    def tutor(self) -> TutorApp:
        return cast("TutorApp", self.app)

    @property
    def said(self) -> int:
        """Which of the two is said in this round."""
        return self._order[self._round]

    @property
    def last(self) -> bool:
        """Whether no round follows."""
        return self._round + 1 == len(self._order)

    def compose(self) -> ComposeResult:
        first, second = (clean(word) for word in self._pair.words)
        mode = arabic_mode(self.app)
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Words(Content(""), leftward=False, classes="title")
            yield Words(Content(words.ASK), classes="quiet", id="ask")
            with Horizontal(classes="buttons", id="two"):
                for number, word in enumerate((first, second)):
                    label = drawn_line(Content(f"{number + 1}  {word}"), mode, leftward=False)
                    yield Button(label, id=f"word-{number}")
            yield Words(Content(""), leftward=False, id="told", classes="-empty")
            yield VoiceBar()
            yield SpeakBar()
            with Horizontal(classes="buttons"):
                yield Button(Content(words.NEXT), id="next", variant="primary")
                yield Button(Content(words.BACK), id="back")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(VoiceBar).use(self._reader)
        self._begin()

    def _begin(self) -> None:
        """The round's sentence, and nothing that gives it away."""
        self._chosen = None
        first, second = (clean(word) for word in self._pair.words)
        title = words.TITLE.format(word=first, other=second, number=self._round + 1, of=len(self._order))
        self.query_one(".title", Words).update(Content(title))
        self._tell("")
        self._say(self._pair.sentences[self.said])
        self._show_ways()
        self.query_one("#word-0", Button).focus()

    def _show_ways(self) -> None:
        told = self._chosen is not None
        self.query_one("#ask").display = self.query_one("#two").display = not told
        self.query_one("#next", Button).display = told and not self.last
        self.refresh_bindings()

    def _tell(self, *lines: str) -> None:
        told = self.query_one("#told", Words)
        told.update(Content(clean("\n".join(lines))))
        told.set_class(not any(lines), "-empty")

    def _say(self, *sentences: str) -> None:
        """One after the other; what sounds now ends."""
        self._to_say = list(sentences[1:])
        self.query_one(VoiceBar).say(sentences[0])

    # --- what the learner does ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a choice until it is made, and speaking comes after listening."""
        if action == "choose":
            return self._chosen is None
        if action == "speak":
            return self._can_speak
        return True

    @property
    def _can_speak(self) -> bool:
        return self._chosen is not None and self.last and self.tutor.service.ear() is not None

    def action_choose(self, chosen: int) -> None:
        """Tell what it was; where another was heard, both sound."""
        if self._chosen is not None:
            return
        self._chosen = chosen
        one, two = self._pair.words
        said, other = (one, two) if self.said == 0 else (two, one)
        if chosen == self.said:
            told = words.HEARD.format(word=said, other=other, tip=self._pair.tip)
        else:
            told = words.HEARD_OTHER.format(word=said, first=one, second=two, tip=self._pair.tip)
            self._say(*self._pair.sentences)
        lines = [told]
        if self.last:
            invitation = words.SAY_IT if self._can_speak else words.NO_MICROPHONE
            lines.append(invitation.format(sentence=self._pair.sentences[0]))
        self._tell(*lines)
        self._show_ways()
        self.query_one("#back" if self.last else "#next", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if self.query_one(SpeakBar).stop():  # Enter ends a recording, here as in the lesson
            return
        match event.button.id:
            case "next":
                self._round += 1
                self._begin()
            case "back":
                self._leave()
            case "word-0" | "word-1" as name:
                self.action_choose(int(name[-1]))

    def action_hear(self) -> None:
        """The sentence once more, slowly the next time; both once it is told which it was."""
        if self._chosen is None:
            self.query_one(VoiceBar).again()
        else:
            self._say(*self._pair.sentences)

    def action_speak(self) -> None:
        """Begin to listen, or be done with it."""
        self._hush()
        self.query_one(SpeakBar).toggle(*self._tongue)

    def action_back(self) -> None:
        """End a recording, or what sounds, or this: whichever there is."""
        if not self.query_one(SpeakBar).discard() and not self._hush():
            self._leave()

    def _hush(self) -> bool:
        self._to_say = []
        return self.query_one(VoiceBar).quiet()

    def _leave(self) -> None:
        self._hush()  # before the lesson's own bar may speak again: both have the same voice
        self.query_one(SpeakBar).discard()
        self.dismiss(None)

    # --- what comes of it -----------------------------------------------------------------------------------

    @on(VoiceBar.Over)
    def _voice_over(self, message: VoiceBar.Over) -> None:
        """The next sentence, or why there is nothing to be heard."""
        message.stop()
        following, self._to_say = self._to_say, []
        if message.trouble:
            self._tell(message.trouble, self._pair.tip)
        elif following:
            self._say(*following)

    @on(SpeakBar.Heard)
    def _heard(self, message: SpeakBar.Heard) -> None:
        """A try: heard beside the tutor, remarked on, and thrown away."""
        message.stop()
        self.query_one(SpeakBar).forget()
        self._tell(words.SAID.format(text=message.text))
        self.query_one(VoiceBar).compare(self._pair.sentences[0], message.pcm)

    @on(VoiceBar.Remarked)
    def _remarked(self, message: VoiceBar.Remarked) -> None:
        message.stop()
        self._tell(*sounds(Sounded(message.words)))
