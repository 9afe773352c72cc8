"""The tutor's voice: asks the model, watches its words as they come, and answers itself when they will not do.

A reply is made in this order: the model writes it; what is easily mended is mended (a question is added, a
missing recast is put in front); it is sampled once more with the reason; the lesson's own line is used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from lessons.patterns import contains
from tutor_app.llm.common_prefix import common_length
from tutor_app.llm.protocol import (
    Done,
    Engine,
    EngineStopped,
    Fragment,
    GenerationEvent,
    Held,
    Loaded,
    Prefill,
    Sampling,
)
from tutor_app.pedagogy import author, prompts, reformulation, templates
from tutor_app.pedagogy.clean import clean, first_sentence, presentable, up_to_question
from tutor_app.pedagogy.language import language, length, primary, read_lists_in, words
from tutor_app.pedagogy.reformulation import Finding
from tutor_app.pedagogy.templates import Message
from tutor_app.pedagogy.validator import Situation, Violation, unacceptable_beginning, validate
from tutor_app.session.events import ReplyFragment, ReplyRetracted
from tutor_app.session.host import Ready

REPLY_TOKENS = {"A1": 80, "A2": 100, "B1": 130}
"""Room for the longest reply of a level; Spanish needs about 1.6 tokens a word, Arabic about 3."""
NATIVE_TOKENS = 90
ROOM_TOKENS = 8
"""A native version is at most this many tokens longer than twice the learner's own sentence."""
HELD_BACK = 4
"""Words not shown yet while a reply streams: longer than the longest phrase that would have to be taken back."""
TURN_RESERVE = 360
"""Tokens kept free in the window for the learner's turn, the hidden reformulation and the reply."""
MARGIN_NATS = {"l2": 1.0, "heritage": 2.5}
"""How much likelier than the learner's own sentence the model must find its native version (natural log of the
ratio) before anything is believed. Chosen for untrained weights on COWS-L2H sentences: see tests/benchmarks/talk.py.
Trained weights bring their own: `Ready.margin_nats`."""
SENTENCES_KEPT = 32
"""Reformulated sentences that are remembered: more than a text of a learner's has."""
PIECES_KEPT = 1000
"""Pieces of text whose tokens are remembered: more than a window holds, whatever half-written text was read as well."""
BEFORE_A_QUESTION = ".!。！…¿"
SETTLED_WORDS = 3
"""A question of at least so many words ends a reply; a shorter one ("¿Sí?") may only lead to it."""


@dataclass(frozen=True)
class Request:
    """What is wanted of one reply."""

    learner: str
    direction: str
    situation: Situation
    fallback: author.Line
    questions: tuple[str, ...]
    """Asked when the model forgot to, or asked what it just asked: the first that will do. The last is the one planned."""
    target: str = ""
    """The form to be recast; it has to stand in the reply."""
    opening: str = ""
    """Words the reply begins with, said before the model is asked; it goes on from there."""
    carry: str = ""
    """The instructor's question that carries the talk on: it follows the model's first sentence."""
    seed: int = 0


@dataclass(frozen=True)
class Draft:
    """A reply that may be shown."""

    text: str
    source: Literal["model", "repaired", "authored"]
    recast: str | None = None
    ttft_ms: float = 0.0
    total_ms: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    stopped: bool = False
    violations: tuple[Violation, ...] = ()
    """What was wrong with the model's first words; empty when they were used."""


Composing = Generator[ReplyFragment | ReplyRetracted, None, Draft]


def authored(line: author.Line) -> Draft:
    """A reply that needs no model."""
    return Draft(line.text, "authored", line.recast)


class Tutor:
    """One lesson's conversation with one engine. Not thread-safe, except `stop`."""

    def __init__(self, engine: Engine, ready: Ready, brief: prompts.Brief, *, seed: int = 0) -> None:
        self.ready = ready
        self._engine = engine
        self._family = ready.family
        self._brief = brief
        self._seed = seed
        self._prefix = prompts.prefix(brief)
        self._history: list[Message] = []
        self._ids: dict[tuple[str, bool], list[int]] = {}
        self._prepared: tuple[Request, Draft] | None = None
        """The reply to a turn that has not been sent yet."""
        self._found: dict[str, Finding] = {}
        """Sentence → what a native speaker would have said differently; the last few."""
        self._stopped = False
        self._waited_ms = 0.0

    # -- the fixed beginning ---------------------------------------------------------------------------------

    def warm(self, on_progress: Callable[[float], None] | None = None) -> None:
        """Read in how every request to reformulate begins, with the lesson's prefix (from disk when it was read before)."""
        self._engine.warm(_shared(self._native_prompt), on_progress=on_progress)

    def read_lists_in(self) -> None:
        """Load what replies are judged with."""
        read_lists_in(self._brief.language)

    def remember(self, learner: str, direction: str, reply: str) -> None:
        """Add a turn that is over to the conversation (also when resuming a lesson)."""
        self._prepared = None
        self._history += [
            _turn(learner, direction),
            Message("assistant", reply),
        ]

    def begin(self, line: str) -> None:
        """A new talk, which the tutor opens with `line`."""
        self._prepared = None
        self._history = prompts.opened(line)

    def settle(self) -> None:
        """Read in what was said so far, as the next turn begins with it. Raises EngineStopped."""
        if self._history:
            self._go_on()
            self._engine.prefill(_shared(lambda text: self._prompt(Message("user", text))))

    def begin_turn(self, waited_ms: float = 0.0) -> None:
        """Listen to the learner again: an earlier `stop` is over. `waited_ms` they have waited already."""
        self._stopped = False
        self._waited_ms = waited_ms

    def stop(self) -> None:
        """Cut this turn short, whatever is being done for it; from any thread."""
        self._stopped = True
        self._engine.cancel()

    # -- the hidden reformulation ----------------------------------------------------------------------------

    def reformulate(self, text: str, most: int = reformulation.MAX_SENTENCES) -> Finding:
        """What a native speaker of the learner's variety would have said differently, as far as it is believed.

        Of several sentences (the longest `most`), the first one with something to recast.
        """
        for sentence in reformulation.sentences_to_check(text, self._brief.language, most):
            try:
                finding = self.look_at(sentence)
            except EngineStopped:
                break
            if finding.kept:
                return finding
        return reformulation.NOTHING

    def read_sentence(self, text: str) -> None:
        """Read in a sentence that is not finished yet, as far as the request to reformulate it will be the same."""
        self._go_on()
        self._engine.prefill(_shared(lambda rest: self._native_prompt(f"{text}{rest}"), ("", " …")))

    def read_turn(self, text: str) -> None:
        """Read in a turn that is still being written, as far as the request to answer it will be the same."""
        self._go_on()
        self._engine.prefill(_shared(lambda rest: self._prompt(_turn(f"{text}{rest}", "ask")), ("", " …")))

    def _native_prompt(self, text: str) -> list[int]:
        return self._encode([*self._prefix, Message("user", prompts.native_request(text))], reply=True)

    def look_at(self, text: str) -> Finding:
        """What a native speaker would have said differently in one sentence. Raises EngineStopped.

        It is looked at once: what was found while it was being written is known when it is sent.
        """
        if text not in self._found:
            found = self._reformulate(text)
            if len(self._found) >= SENTENCES_KEPT:
                del self._found[next(iter(self._found))]
            self._found[text] = found
        return self._found[text]

    def _reformulate(self, text: str) -> Finding:
        ids = self._native_prompt(text)
        own = self._tokens(prompts.one_line(text), False)
        end = self._tokens(templates.END_OF_TURN[self._family], True)
        held = self._held(prompts.one_line(text), own)
        self._go_on()
        revision = self._engine.revise(
            ids,
            [*own, *end],
            max_tokens=min(NATIVE_TOKENS, 2 * len(own) + ROOM_TOKENS),
            stop_texts=("\n", "[", " ¿" if "?" not in text else "\n"),
            held=held,
        )
        native = reformulation.only_the_sentence(clean(revision.text, self._brief.language), text)
        finding = reformulation.find(text, native, self._brief.language, self._brief.track)
        if not finding.kept:
            return reformulation.NOTHING
        likely = revision.log_likelihood
        # What is not acted on, such as a dropped pronoun, must lend no weight to what is.
        if likely is None or finding.native != revision.text.strip():
            written = self._tokens(finding.native, False)
            self._go_on()
            likely = sum(self._engine.score(ids, [*written, *end]))
        margin = likely - revision.draft_log_likelihood
        needed = self.ready.margin_nats.get(self._brief.track, MARGIN_NATS[self._brief.track])
        return finding if reformulation.believed(finding, margin, needed) else reformulation.NOTHING

    def _held(self, text: str, own: Sequence[int]) -> Held | None:
        """A subject pronoun at the beginning ("Yo vivo …"): a native speaker may drop it, and no tutor would say so."""
        first, _, rest = text.partition(" ")
        tag = self._brief.language
        if not rest or first.casefold() not in language(tag).classes.get("subject-pronoun", ()):
            return None
        held = self._tokens(first, False)
        without = self._tokens(rest[:1].upper() + rest[1:] if first[:1].isupper() else rest, False)
        return Held(len(held), without[0]) if list(own[: len(held)]) == held and without else None

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
            mended = _mend(first.text, request)
            if mended is None:
                reason = first.violations[0].reason
                second = yield from self._attempt(request, retry=reason)
                if second.stopped:
                    draft = second
                elif not second.violations:
                    draft = replace(second, source="repaired")
                else:
                    mended = _mend(second.text, request)
                    draft = (
                        replace(second, text=mended, source="repaired")
                        if mended is not None
                        else replace(second, text=request.fallback.text, source="authored")
                    )
            else:
                draft = replace(first, text=mended, source="repaired")
            draft = replace(draft, violations=first.violations, ttft_ms=first.ttft_ms)
        recast = (
            request.target if request.target and _has(draft.text, request.target, request.situation) else None
        )
        if draft.source == "authored":
            recast = request.fallback.recast
        return replace(draft, recast=recast, total_ms=(time.monotonic() - started) * 1000)

    def _attempt(self, request: Request, *, retry: str | None) -> Composing:
        tag = request.situation.language
        direction = request.direction if retry is None else f"{request.direction}. {retry}"
        if not self._history:  # a writing task, which no line of the tutor's began
            self.begin(author.phrase(tag, "hello", self._seed))
        ids = self._prompt(_turn(request.learner, direction))
        if request.opening:
            ids = [*ids, *self._tokens(request.opening, False)]
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
                    or _settled(text, tag)
                    or (request.carry and first_sentence(text) != text)
                ):
                    break
                ready = _but_last_words(text, tag)
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
        if request.target and not _has(text, request.target, request.situation):
            found.append(Violation("asks", f"Say «{request.target}» in your reply."))
        return found

    def _prompt(self, turn: Message) -> list[int]:
        """What the reply to `turn` is asked for with."""
        return self._encode([*self._prefix, *self._window(turn), turn], reply=True)

    def _window(self, turn: Message) -> list[Message]:
        loaded: Loaded | None = self._engine.loaded
        if loaded is None:
            return list(self._history)
        sizes = [len(self._encode([message], reply=False)) for message in self._history]
        fixed = len(self._encode([*self._prefix, turn], reply=True))
        return prompts.windowed(self._history, sizes, fixed, loaded.n_ctx, TURN_RESERVE)

    def _encode(self, messages: Sequence[Message], *, reply: bool) -> list[int]:
        parts = templates.pieces(self._family, messages, reply=reply)
        return templates.encode(parts, self._tokens).ids

    def _tokens(self, text: str, special: bool) -> list[int]:
        """Ids of a piece; every piece of a conversation comes back each turn, so they are kept."""
        known = self._ids.get((text, special))
        if known is None:
            if len(self._ids) >= PIECES_KEPT:
                self._ids.clear()
            known = self._ids[text, special] = self._engine.tokenize(text, special=special)
        return known


def _turn(learner: str, direction: str) -> Message:
    return Message("user", prompts.learner_turn(learner, direction))


def _shared(prompt: Callable[[str], list[int]], texts: tuple[str, str] = ("A", "¿")) -> list[int]:
    """What a prompt begins with whatever the learner says: its tokens up to where two that differ at once part."""
    one, other = (prompt(text) for text in texts)
    return one[: common_length(one, other)]


def _generator(events: Iterator[GenerationEvent]) -> Generator[GenerationEvent, None, None]:
    """An engine's iterator as something that can be closed early (which cancels it)."""
    yield from events


def whole_or(text: str, fallback: str, situation: Situation) -> str:
    """A reply that was stopped: what was said of it when that is presentable, else the lesson's own line."""
    return text if text and not [v for v in validate(text, situation) if v.rule != "asks"] else fallback


def _has(text: str, target: str, situation: Situation) -> bool:
    return contains(text, target, situation.language)


def asks(text: str) -> bool:
    """Whether there is a question in it."""
    return any(mark in text for mark in "?？؟")


def _settled(text: str, tag: str) -> bool:
    """Whether the reply has asked its question, so that more would only be rambling."""
    asked = up_to_question(text)
    if not asks(asked) or length(re.split(f"[{BEFORE_A_QUESTION}]", asked)[-1], tag) < SETTLED_WORDS:
        return False
    closed = asked.count("«") == asked.count("»") and asked.count('"') % 2 == 0
    return closed or text[len(asked) :].strip() != ""


def _but_last_words(text: str, tag: str) -> str:
    """`text` without its last few words, which might still become something that must not be shown."""
    if primary(tag) == "zh":
        return text[: -HELD_BACK * 2]
    cut = text.rsplit(" ", HELD_BACK)
    return cut[0] if len(cut) > HELD_BACK else ""


def _mend(text: str, request: Request) -> str | None:
    """`text` with what is easily put right: its question, its recast, its length. None when that is not enough."""
    situation = request.situation
    tag = situation.language
    candidates = []
    body = text
    if request.target and not _has(body, request.target, situation):
        body = author.joined(tag, author.phrase(tag, "echo", request.seed, form=request.target), body)
    candidates.append(body)
    for question in request.questions:
        candidates.append(author.joined(tag, statements(body), question))
        candidates.append(author.joined(tag, first_sentence(body), question))
        if request.target:
            echo = author.phrase(tag, "echo", request.seed, form=request.target)
            candidates.append(author.joined(tag, echo, question))
    for candidate in candidates:
        if not words(candidate, tag) or validate(candidate, situation):
            continue
        if request.target and not _has(candidate, request.target, situation):
            continue
        return candidate
    return None


def statements(text: str) -> str:
    """The sentences before the first question."""
    asked = up_to_question(text)
    if asked == text and not asks(text):
        return text
    start = min(index for index in (text.find(mark) for mark in "?？؟") if index >= 0)
    cut = max(text.rfind(mark, 0, start) for mark in BEFORE_A_QUESTION)
    return text[: cut + 1].rstrip("¿ ") if cut > 0 else ""
