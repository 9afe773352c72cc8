"""Sounds in `tutor --plain`: what may be said of how a sentence sounded, and `/pair`, to hear two words beside each
other before one is said again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tutor_app.errors import TutorError
from tutor_app.session.events import WordSound

if TYPE_CHECKING:
    from tutor_app.speech.pairs import Pair
    from tutor_app.speech.reader import Reader

Say = Callable[[str], None]
Ask = Callable[[str], str]

OFFER = "Write /pair to hear {words[0]} and {words[1]} beside each other."
NONE = "There is no pair of words to hear now. One is offered when a word may be heard again."
BEGIN = "The tutor says one of two: 1 {words[0]}, 2 {words[1]}. Which one do you hear?"
QUESTION = "1, 2, r to hear it again, or Enter to stop:"
HEARD = "Yes, {word}. Beside it there is {other}. ({tip})"
HEARD_OTHER = "It was {word} this time. Listen to both: first {words[0]}, then {words[1]}. ({tip})"
INVITATION = "Now say it once more, if you like: {sentence}"
TRY = "/say to say it, or Enter to go on:"


class PlainSounds:
    """Remembers the pair that was offered last in a lesson."""

    def __init__(
        self, reader: Callable[[], Reader | None], record: Callable[[], bytes | None], say: Say, ask: Ask
    ) -> None:
        """`record` gives the sound of a try, or None after saying why there is none."""
        self._reader, self._record, self._say, self._ask = reader, record, say, ask
        self._pair: Pair | None = None
        self._heard = 0

    def remarks(self, recording: bytes, sentence: str) -> Sequence[WordSound]:
        """What can be said of how `sentence` sounded. The first word to be heard again is there for `practise`."""
        from tutor_app.speech.pairs import pair_of

        self._pair = None
        reader = self._reader()
        if reader is None:
            return ()
        try:
            words = reader.remarks(recording, sentence)
        except TutorError:
            return ()  # the answer counts without it, and nobody is told about help that cannot be had
        self._pair = pair_of(words, sentence)
        return words

    @property
    def offer(self) -> str:
        """How to hear the pair; empty when there is none."""
        return OFFER.format(words=self._pair.words) if self._pair is not None else ""

    def practise(self) -> Sequence[WordSound]:
        """Some rounds of hearing, then a try that is not sent; what can be said of the try."""
        from tutor_app.speech.pairs import order

        pair, reader = self._pair, self._reader()
        if pair is None or reader is None:
            self._say(NONE)
            return ()
        self._heard += 1
        self._say(BEGIN.format(words=pair.words))
        try:
            for said in order(f"{self._heard} {pair.sentences}"):
                if not self._round(pair, said, reader):
                    return ()
        except TutorError as error:
            self._say(str(error))
            return ()
        self._say(INVITATION.format(sentence=pair.sentences[0]))
        if self._ask(TRY) != "/say" or (recording := self._record()) is None:
            return ()
        return self.remarks(recording, pair.sentences[0])

    def _round(self, pair: Pair, said: int, reader: Reader) -> bool:
        """One sentence and what the learner heard; False when they want to stop."""
        reader.say(pair.sentences[said], slow=reader.slow)
        while (answer := self._ask(QUESTION)) not in ("1", "2"):
            if answer != "r":
                return False
            reader.say(pair.sentences[said], slow=True)
        if int(answer) - 1 == said:
            self._say(HEARD.format(word=pair.words[said], other=pair.words[1 - said], tip=pair.tip))
        else:
            self._say(HEARD_OTHER.format(word=pair.words[said], words=pair.words, tip=pair.tip))
            for sentence in pair.sentences:
                reader.say(sentence, slow=reader.slow)
        return True
