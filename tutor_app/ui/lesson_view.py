"""Shows the events of a session on the widgets of the lesson screen, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tutor_app.progress.records import SavedTurn
from tutor_app.session.events import (
    Attempt,
    Event,
    Explanation,
    Heard,
    ItemOver,
    Problem,
    Reply,
    ReplyRetracted,
    ReplyStarted,
    SessionStarted,
    Sounded,
    StepShown,
)
from tutor_app.session.plan import masked
from tutor_app.ui import wording, wording_voice
from tutor_app.ui.text import one_line
from tutor_app.ui.widgets.conversation import Conversation, Line
from tutor_app.ui.widgets.step_panel import PanelView, StepPanel

SPOKEN_STEPS = ("talk", "reflect")
"""Steps whose prompt is something the tutor says."""
HEARD_STEPS = ("dictation", "listen", "speak")
CLOSED_STEPS = ("choice", "order", "match")
"""Steps whose answers all stood on the screen: naming others would say nothing new."""
MOST_ANSWERS = 3
EARLIER_TURNS = 6
"""How much of an earlier sitting is shown above; the whole is in the learner's file."""


@dataclass
class LessonView:
    """Knows the line being written and the line last sent; everything else is in the widgets."""

    conversation: Conversation
    panel: StepPanel
    panel_view: Callable[[], PanelView]
    step: StepShown | None = None
    reply: Line | None = None
    """The tutor's line being written."""
    sent: Line | None = None
    """The learner's line last sent."""
    right: str | None = None
    """What the learner just answered, when it was right."""
    told_no_voice: bool = False
    answered: set[str | None] = field(default_factory=set)
    """Steps (None: free talk) of whose earlier replies some are shown: they go on from those, not from their opening."""
    _not_heard: str = ""
    """What was last said of why nothing is heard."""

    def show(self, event: Event) -> None:
        """Change the widgets as `event` says. Model states, summaries and fragments are the screen's own."""
        match event:
            case SessionStarted(resumed=resumed):
                self.turn_over()
                if resumed:
                    self.conversation.say("note", wording.RESUMED)
            case StepShown():
                self._step(event)
            case Heard(text=text):
                self.conversation.say("note", wording.HEARD.format(text=text))
            case Sounded():
                for line in sounds(event):
                    self.conversation.say("note", line)
            case Attempt():
                self._attempt(event)
            case ReplyStarted():
                self.expect_reply()
            case ReplyRetracted():
                self.expect_reply().wait(wording.THINKING)
            case Reply():
                self._reply(event)
            case ItemOver(answers=answers):
                self._item_over(answers)
            case Explanation(text=text):
                self.conversation.say("why", text)
            case Problem(message=message):
                self.conversation.say("problem", message)
            case _:
                pass

    def wait_for_lesson(self) -> None:
        """Say that the lesson is being opened, until its first event."""
        self.reply = self.conversation.say("tutor", "")
        self.reply.wait(wording.LESSON_OPENING)

    def show_earlier(self, turns: Sequence[SavedTurn]) -> None:
        """The end of an earlier sitting, so that the learner sees where they were."""
        for turn in turns[-EARLIER_TURNS:]:
            if turn.text:
                self.conversation.say("learner", turn.text)
            if turn.reply is not None and turn.reply.text:
                self.answered.add(turn.item_id)
                line = self.conversation.say("tutor", turn.reply.text)
                line.finish(
                    turn.reply.text,
                    turn.reply.recast,
                    "" if turn.reply.status == "final" else wording.STOPPED,
                )

    def say(self, text: str) -> Line:
        """The learner's line, as it is sent."""
        self.sent = self.conversation.say("learner", text)
        return self.sent

    @property
    def spoken_step(self) -> str:
        """The sentence of a step that is to be said aloud; empty in other steps."""
        if self.step is None or self.step.kind != "speak":
            return ""
        return self.step.say or self.step.text

    def to_be_heard(self, event: StepShown | Reply) -> str:
        """What a voice reads out of an event: the tutor's words, or what a step lets be heard."""
        if isinstance(event, Reply):
            return event.text
        return event.prompt if event.kind in SPOKEN_STEPS else event.say

    def can_be_heard(self) -> None:
        """What a step lets be heard waits for the key."""
        self.conversation.say("note", wording_voice.PRESS_TO_HEAR)

    def not_heard(self, trouble: str) -> None:
        """Nothing could be heard: say so, and show what a step wanted heard, as far as that gives nothing away.

        A line that can be read anyway is worth one such note a lesson; the voice bar says it each time.
        """
        wanted = self.step is not None and bool(self.step.say)
        if wanted or trouble != self._not_heard:
            self.conversation.say("problem", trouble)
            self._not_heard = trouble
        if self.step is not None and self.step.say:
            text = masked(self.step.say) if self.step.kind == "dictation" else self.step.say
            self.conversation.say("note", wording_voice.SHOWN_INSTEAD.format(text=text))

    def expect_reply(self, waiting: str = wording.THINKING) -> Line:
        """The tutor's line, made if it is not there yet."""
        if self.reply is None:
            self.reply = self.conversation.say("tutor", "")
            self.reply.wait(waiting)
        return self.reply

    def wait_for_model(self, loading: bool) -> None:
        """Say in the tutor's empty line whether it is the model that is waited for."""
        if self.sent is not None and self.reply is not None and self.reply.has_class("-waiting"):
            self.reply.wait(wording.WAITING_MODEL if loading else wording.THINKING)

    def grow(self, fragment: str) -> None:
        """More of the reply."""
        if fragment:
            line = self.expect_reply()
            line.remove_class("-waiting")
            line.grow(fragment)

    def turn_over(self) -> None:
        """Nothing more comes: an empty line of the tutor's goes away."""
        if self.reply is not None:
            self.reply.remove()
            self.reply = None

    def _step(self, step: StepShown) -> None:
        if self.reply is not None:
            self.turn_over()
        self.step = step
        self.panel.show_step(step, self.panel_view())
        goes_on = not self.answered.isdisjoint((step.id, None))
        self.answered.clear()
        if step.kind in SPOKEN_STEPS:
            if not goes_on:
                self.conversation.say("tutor", step.prompt)
            return
        if step.kind in HEARD_STEPS and not step.say and not self.told_no_voice:
            self.told_no_voice = True
            self.conversation.say("note", wording_voice.NO_VOICE)
        kind = wording.STEP_KINDS.get(step.kind, step.kind)
        place = wording.STEP_LINE.format(number=step.number, of=step.of, kind=one_line(kind))
        self.conversation.say("step", f"{place} · {one_line(step.prompt, 120)}")

    def _item_over(self, answers: Sequence[str]) -> None:
        """What else could have been said, if anything."""
        given, self.right = self.right, None
        if given is None:
            note = wording.ANSWERS.format(answers=" / ".join(answers[:MOST_ANSWERS])) if answers else ""
        else:
            said = given.strip(".!?¡¿ ").casefold()
            kind = self.step.kind if self.step else ""
            others = [text for text in answers if text.strip(".!?¡¿ ").casefold() != said]
            also = wording.ANSWERS_ALSO.format(answers=" / ".join(others[:MOST_ANSWERS]))
            note = also if others and kind not in CLOSED_STEPS else ""
        if note:
            self.conversation.say("note", note)

    def _attempt(self, attempt: Attempt) -> None:
        self.right = attempt.given if attempt.correct else None
        if self.sent is None or (self.step is not None and self.step.check):
            return
        if attempt.near_miss:
            self.sent.mark(wording.NEAR_MISSES.get(attempt.near_miss, wording.UNDERSTOOD))
        elif attempt.correct and attempt.dialect:
            self.sent.mark(wording.DIALECT.format(name=one_line(attempt.dialect)))
        elif attempt.correct:
            self.sent.mark(wording.UNDERSTOOD)

    def _reply(self, reply: Reply) -> None:
        line = self.expect_reply()
        line.finish(reply.text, reply.recast, wording.STOPPED if reply.stopped else "")
        self.reply = None
        self.panel.show_hints(reply.hint_level)


def sounds(event: Sounded) -> list[str]:
    """What is said of how a sentence sounded: what was clear in one line, what may be heard again one by one."""
    clear = [word.word for word in event.words if word.mark == "clear"]
    lines = [wording_voice.CLEAR.format(words=", ".join(clear))] if clear else []
    return lines + [
        wording_voice.AGAIN.format(word=word.word, other=word.other, tip=word.tip)
        for word in event.words
        if word.mark == "again"
    ]
