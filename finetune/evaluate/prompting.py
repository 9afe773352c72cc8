"""What a model is told in an evaluation: the very prompts of the app, in one of three styles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from finetune.evaluate.answers import Answers
from finetune.evaluate.asking import Answer, Ask
from finetune.evaluate.config import EvaluateConfig, Model
from finetune.evaluate.figures import Sheet
from lessons.schema import Level, Track
from tutor_app.pedagogy import author, prompts, reformulation
from tutor_app.pedagogy.clean import clean, presentable
from tutor_app.pedagogy.prompts import Brief
from tutor_app.pedagogy.reformulation import Finding
from tutor_app.pedagogy.templates import Message

MOST_TOKENS = 90
"""A native version is never longer, and much shorter for a short sentence."""
HIGHEST: Level = "B1"
"""The app's prompts end here; a higher level gets this one's with its own name in it."""
TalkLevel = Literal["A1", "A2", "B1", "C1"]


@dataclass
class Bench:
    """One model at work."""

    config: EvaluateConfig
    model: Model
    answers: Answers
    sheet: Sheet

    @property
    def language(self) -> str:
        return self.config.language

    def margin_nats(self, track: Track) -> float:
        """How sure this model has to be."""
        return self.model.margin_nats.get(track, self.config.reformulation.margin_nats[track])


def prefix(bench: Bench, track: Track, level: TalkLevel) -> tuple[Message, ...]:
    """The fixed beginning of a free talk, with or without the app's example turns."""
    served: Level = HIGHEST if level == "C1" else level
    brief = Brief(bench.language, track, served, "free talk", trained=bench.model.prompt_style != "few-shot")
    first, *rest = prompts.prefix(brief)
    if level == "C1":
        first = Message("system", first.content.replace(f"level {HIGHEST}", "level C1"))
    return (first, *rest)


def talk(bench: Bench, track: Track, level: TalkLevel) -> tuple[Message, ...]:
    """A free talk up to where the learner has their first turn: as in the app, the tutor says something first."""
    return (
        *prefix(bench, track, level),
        *prompts.opened(author.phrase(bench.language, "hello", bench.config.seed)),
    )


@dataclass(frozen=True)
class Reformulated:
    """A sentence, its native version as the model has it, and what the app would make of that."""

    native: str
    margin_nats: float
    """How much likelier the model finds it than the learner's own sentence."""
    kept_nats: float
    """The same of the sentence with only those edits that the app would act on."""
    finding: Finding
    acted: bool
    """Whether the app would recast something: its rules keep an edit, and the margin is wide enough."""
    stopped: bool

    @property
    def used(self) -> Finding:
        return self.finding if self.acted else reformulation.NOTHING


def reformulate(bench: Bench, texts: list[tuple[str, str]], track: Track, level: Level) -> list[Reformulated]:
    """Each (id, sentence) as the model would have a native speaker say it. Greedy, as in the app."""
    start = prefix(bench, track, level)
    asks = [
        Ask(f"native/{id}", "revise", (*start, Message("user", prompts.native_request(text))), text=prompts.one_line(text), max_tokens=MOST_TOKENS)
        for id, text in texts
    ]  # fmt: skip
    found: list[Reformulated] = []
    for ask, answer, (_, text) in zip(asks, bench.answers.of(asks), texts, strict=True):
        native = reformulation.only_the_sentence(clean(answer.text, bench.language), text) or text
        finding = reformulation.find(text, native, bench.language, track)
        margin = _margin(bench, ask, answer, native) if native != prompts.one_line(text) else 0.0
        kept = _margin(bench, ask, answer, finding.native) if finding.kept else 0.0
        acted = reformulation.believed(finding, kept, bench.margin_nats(track))
        found.append(Reformulated(native, margin, kept, finding, acted, answer.ended == "model"))
    return found


def _margin(bench: Bench, ask: Ask, answer: Answer, native: str) -> float:
    """In nats. A version that is not word for word what was said is scored by itself."""
    likely = answer.nats
    if likely is None or native != answer.text.strip():
        shortened = Ask(f"{ask.id}/score", "score", ask.messages, text=native)
        likely = bench.answers.of([shortened])[0].nats
    return (likely or 0.0) - answer.draft_nats


def reply(
    bench: Bench, id: str, start: tuple[Message, ...], learner: str, finding: Finding, number: int
) -> Ask:
    """The app's request for a turn of free talk: with something to recast, it begins with the form itself."""
    seed = bench.config.seed + number
    direction, opening = "ask", ""
    if finding.target:
        direction = f"recast: {finding.target}"
        opening = author.phrase(bench.language, "echo", seed, form=finding.target)
    return directed(bench, id, start, learner, direction, number, opening)


def directed(
    bench: Bench, id: str, start: tuple[Message, ...], learner: str, direction: str, number: int, opening: str = ""
) -> Ask:  # fmt: skip
    """A turn with this direction."""
    settings = bench.config.replies
    turn = Message("user", prompts.learner_turn(learner, direction))
    return Ask(
        f"reply/{id}", "reply", (*start, turn), opening, "", settings.max_tokens, settings.temperature, bench.config.seed + number
    )  # fmt: skip


def shown(text: str, language: str) -> str:
    """A model's words as the app trims them before it judges them."""
    return presentable(clean(text, language), language)
