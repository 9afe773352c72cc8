"""The tutor's voice: asks the model, watches its words as they come, and answers itself when they will not do.

A reply is made in this order: the model writes it; what is easily mended is mended (a question is added, a
missing recast is put in front); it is sampled once more with the reason; the lesson's own line is used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace

from tutor_app.llm.protocol import (
    Done,
    Engine,
    EngineStopped,
    Fragment,
    GenerationEvent,
    Prefill,
    Sampling,
)
from tutor_app.pedagogy import author, prompts
from tutor_app.pedagogy.clean import clean, first_sentence, presentable
from tutor_app.pedagogy.language import read_lists_in
from tutor_app.pedagogy.reformulation import MAX_SENTENCES, Finding
from tutor_app.pedagogy.validator import Violation, unacceptable_beginning, validate
from tutor_app.session.dialogue import Dialogue, shared, so_far
from tutor_app.session.drafts import (
    Composing,
    Draft,
    Request,
    asks,
    authored,
    but_last_words,
    has,
    mend,
    recasts,
    settled,
    whole_or,
)
from tutor_app.session.events import ReplyFragment, ReplyRetracted
from tutor_app.session.host import Ready
from tutor_app.session.native import NativeVersions

REPLY_TOKENS = {"A1": 80, "A2": 100, "B1": 130}
"""Room for the longest reply of a level; Spanish needs about 1.6 tokens a word, Arabic about 3."""


class Tutor:
    """One lesson's conversation with one engine. Not thread-safe, except `stop`."""

    def __init__(self, engine: Engine, ready: Ready, brief: prompts.Brief, *, seed: int = 0) -> None:
        self.ready = ready
        self._engine = engine
        self._language = brief.language
        self._seed = seed
        self._dialogue = Dialogue(engine, ready.family, brief)
        self._native = NativeVersions(engine, self._dialogue, brief, ready.margin_nats, self._go_on)
        self._prepared: tuple[Request, Draft] | None = None
        """The reply to a turn that has not been sent yet."""
        self._stopped = False
        self._waited_ms = 0.0

    # -- the fixed beginning ---------------------------------------------------------------------------------

    def warm(self, on_progress: Callable[[float], None] | None = None) -> None:
        """Read in how every request to reformulate begins, with the lesson's prefix (from disk when it was read before)."""
        self._engine.warm(shared(self._dialogue.native_request), on_progress=on_progress)

    def read_lists_in(self) -> None:
        """Load what replies are judged with."""
        read_lists_in(self._language)

    def remember(self, learner: str, direction: str, reply: str) -> None:
        """Add a turn that is over to the conversation (also when resuming a lesson)."""
        self._prepared = None
        self._dialogue.remember(learner, direction, reply)

    def begin(self, line: str) -> None:
        """A new talk, which the tutor opens with `line`."""
        self._prepared = None
        self._dialogue.begin(line)

    def settle(self) -> None:
        """Read in what was said so far, as the next turn begins with it. Raises EngineStopped."""
        if self._dialogue.begun:
            self._go_on()
            self._engine.prefill(self._dialogue.any_request())

    def begin_turn(self, waited_ms: float = 0.0) -> None:
        """Listen to the learner again: an earlier `stop` is over. `waited_ms` they have waited already."""
        self._stopped = False
        self._waited_ms = waited_ms

    def stop(self) -> None:
        """Cut this turn short, whatever is being done for it; from any thread."""
        self._stopped = True
        self._engine.cancel()

    # -- the hidden reformulation ----------------------------------------------------------------------------

    def reformulate(self, text: str, most: int = MAX_SENTENCES) -> Finding:
        """See `Answering`. A stop leaves the rest of the sentences unread."""
        return self._native.of_turn(text, most)

    def read_sentence(self, text: str) -> None:
        """Read in a sentence that is not finished yet, as far as the request to reformulate it will be the same."""
        self._go_on()
        self._engine.prefill(so_far(self._dialogue.native_request, text))

    def read_turn(self, text: str) -> None:
        """Read in a turn that is still being written, as far as the request to answer it will be the same."""
        self._go_on()
        self._engine.prefill(so_far(lambda said: self._dialogue.reply_request(said, "ask"), text))

    def _go_on(self) -> None:
        """Raises EngineStopped when `stop` came while the engine had nothing to do, and so nothing to cancel."""
        if self._stopped:
            raise EngineStopped("Stopped.")

    # -- the reply -------------------------------------------------------------------------------------------

    def compose(self, request: Request) -> Composing:
        """The reply, shown as it is made. Raises EngineError when the engine is lost."""
        prepared, self._prepared = self._prepared, None
        if prepared is not None and prepared[0] == request:
            draft = replace(prepared[1], ttft_ms=self._waited_ms, total_ms=self._waited_ms)
            yield ReplyFragment(draft.text)
        else:
            draft = yield from self._write(request)
        self.remember(request.learner, request.direction, draft.text)
        return draft

    def prepare(self, request: Request) -> None:
        """Compose a reply that may be asked for next: then `compose` has it. One that is stopped leaves nothing behind."""
        self._prepared = None
        composing = self._write(request)
        while True:
            try:
                next(composing)
            except StopIteration as over:
                draft: Draft = over.value
                self._prepared = None if draft.stopped else (request, draft)
                return

    def _write(self, request: Request) -> Composing:
        started = time.monotonic()
        first = yield from self._attempt(request, retry=None)
        if first.stopped or not first.violations:
            draft = first
        else:
            mended = mend(first.text, request)
            if mended is None:
                reason = first.violations[0].reason
                second = yield from self._attempt(request, retry=reason)
                if second.stopped:
                    draft = second
                elif not second.violations:
                    draft = replace(second, source="repaired")
                else:
                    mended = mend(second.text, request)
                    draft = (
                        replace(second, text=mended, source="repaired")
                        if mended is not None
                        else replace(second, text=request.fallback.text, source="authored")
                    )
            else:
                draft = replace(first, text=mended, source="repaired")
            draft = replace(draft, violations=first.violations, ttft_ms=first.ttft_ms)
        recast = (
            request.target if request.target and has(draft.text, request.target, request.situation) else None
        )
        if draft.source == "authored":
            recast = request.fallback.recast
        return replace(draft, recast=recast, total_ms=(time.monotonic() - started) * 1000)

    def _attempt(self, request: Request, *, retry: str | None) -> Composing:
        tag = request.situation.language
        direction = request.direction if retry is None else f"{request.direction}. {retry}"
        if not self._dialogue.begun:  # a writing task, which no line of the tutor's began
            self.begin(author.phrase(tag, "hello", self._seed))
        ids = self._dialogue.reply_request(request.learner, direction)
        if request.opening:
            ids = [*ids, *self._dialogue.tokens(request.opening)]
        if self._stopped:  # before there was anything to say
            return replace(authored(request.fallback), stopped=True)
        sampling = Sampling(
            temperature=0.7 if retry is None else 0.4,
            repeat_penalty=1.05,
            seed=request.seed + (0 if retry is None else 1),
            max_tokens=REPLY_TOKENS[request.situation.level],
            stop_texts=("\n", " ["),
        )
        raw, shown, broken = request.opening, "", None
        cached, cancelled = 0, False
        if request.opening and retry is None:
            shown = request.opening
            yield ReplyFragment(shown)
        first_ms, started = 0.0, time.monotonic()
        with closing(_generator(self._engine.generate(ids, sampling))) as events:
            for event in events:
                if isinstance(event, Prefill):
                    cached = event.cached
                if isinstance(event, Done):
                    cancelled = event.reason == "cancelled"
                if not isinstance(event, Fragment):
                    continue
                first_ms = first_ms or (time.monotonic() - started) * 1000
                raw += event.text
                text = clean(raw, tag)
                broken = unacceptable_beginning(text, request.situation)
                if (
                    broken is not None
                    or settled(text, tag)
                    or (request.carry and first_sentence(text) != text)
                ):
                    break
                ready = but_last_words(text, tag)
                if retry is None and len(ready) > len(shown) and ready.startswith(shown):
                    yield ReplyFragment(ready[len(shown) :])
                    shown = ready
        text = presentable(clean(raw, tag), tag)
        if request.carry:
            first = first_sentence(text)
            text = first if asks(first) else author.joined(tag, first, request.carry)
        stopped = self._stopped or cancelled
        violations = () if stopped else tuple(self._judge(text, request, broken))
        if stopped:
            text = whole_or(text, request.fallback.text, request.situation)
        if (shown and not text.startswith(shown)) or (violations and shown):
            yield ReplyRetracted()
        return Draft(
            text,
            "model",
            ttft_ms=0.0 if request.opening else first_ms,
            prompt_tokens=len(ids),
            cached_tokens=cached,
            stopped=stopped,
            violations=violations,
        )

    def _judge(self, text: str, request: Request, broken: Violation | None) -> list[Violation]:
        found = [broken] if broken is not None else []
        found += [violation for violation in validate(text, request.situation) if violation not in found]
        if not recasts(text, request):
            found.append(Violation("asks", f"Say «{request.target}» in your reply."))
        return found


def _generator(events: Iterator[GenerationEvent]) -> Generator[GenerationEvent, None, None]:
    """An engine's iterator as something that can be closed early (which cancels it)."""
    yield from events
