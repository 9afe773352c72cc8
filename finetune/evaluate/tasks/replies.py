"""What the tutor says to real sentences with errors, made the way the app makes it: reformulate, then reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from finetune.evaluate.asking import Answer
from finetune.evaluate.learners import Held, Sentence
from finetune.evaluate.prompting import Bench, reformulate, reply, shown, talk
from finetune.evaluate.questions import distinct, is_open
from lessons.patterns import contains
from lessons.schema import Level, Track
from tutor_app.pedagogy import reformulation
from tutor_app.pedagogy.clean import questions
from tutor_app.pedagogy.language import length, words
from tutor_app.pedagogy.reformulation import NOTHING, Finding
from tutor_app.pedagogy.validator import CHECKS, Situation, validate

CHOICE = regex.compile(r"\b(o|ou|or)\b|还是|أم|\bأو\b")
QUOTED = regex.compile(r"«[^»]+»|“[^”]+”|「[^」]+」|\"[^\"]+\"")
EXAMPLES = 12
"""Replies kept for readers of the report."""


@dataclass(frozen=True)
class Said:
    """A reply, judged."""

    cluster: str
    text: str
    broken: frozenset[str]
    """Rules of the validator."""
    answer: Answer

    def elicits(self, tag: str) -> bool:
        """Whether it asks something open, or lets the learner choose."""
        return any(
            is_open(question, tag) or CHOICE.search(question.casefold()) for question in questions(self.text)
        )

    def offers_structure(self) -> bool:
        """Whether a form is set off by quotation marks, or two forms stand to choose from."""
        return bool(QUOTED.search(self.text)) or any(
            CHOICE.search(one.casefold()) for one in questions(self.text)
        )


def judged(cluster: str, answer: Answer, situation: Situation) -> Said:
    """A reply as the app would trim it, and the rules it breaks."""
    text = shown(answer.text, situation.language)
    return Said(cluster, text, frozenset(violation.rule for violation in validate(text, situation)), answer)


def rules(bench: Bench, group: str, said: Sequence[Said]) -> None:
    """Figures that any kind of reply has: the validator's rules, lengths, questions, stopping."""
    sheet, tag = bench.sheet, bench.language
    clusters = [one.cluster for one in said]
    sheet.share("valid", group, clusters, [not one.broken for one in said])
    sheet.share("correction", group, clusters, ["correction" in one.broken for one in said])
    sheet.share("asks", group, clusters, ["asks" not in one.broken for one in said])
    for check in CHECKS:
        if check.rule not in ("correction", "asks"):
            sheet.share(f"rule_{check.rule}", group, clusters, [check.rule not in one.broken for one in said])
    sizes = [length(one.text, tag) for one in said]
    sheet.quantile("words", group, clusters, sizes, 0.5)
    sheet.quantile("words_p90", group, clusters, sizes, 0.9)
    sheet.share("stop", group, clusters, [one.answer.ended == "model" for one in said])
    asked = [(one.cluster, question) for one in said for question in questions(one.text)]
    sheet.share(
        "open", group, [cluster for cluster, _ in asked], [is_open(question, tag) for _, question in asked]
    )
    for n in (1, 2):
        sheet.plain(f"distinct{n}", group, distinct([question for _, question in asked], n, tag), len(asked))


def run(bench: Bench, held: Held) -> None:
    """Figures for each track."""
    settings, tag = bench.config.replies, bench.language
    asked = bench.config.reformulation
    for track in bench.model.tracks:
        wrong = held.sample(
            max(asked.errors, settings.errors),
            track,
            wrong=True,
            words=asked.words,
            language=tag,
            seed=bench.config.seed,
        )
        wrong = [one for one in wrong if one.rights][: settings.errors]  # the others have no form to recast
        found = [
            version.used for version in reformulate(bench, [(one.id, one.learner) for one in wrong], track, asked.level)
        ]  # fmt: skip
        said = _say(bench, track, wrong, found)
        rules(bench, track, said)
        _forms(bench, track, wrong, said)
        if settings.one_step:
            alone = _say(bench, track, wrong, [NOTHING] * len(wrong))
            hits = [
                (one.writer, _holds_any(reply.text, one, tag)) for one, reply in zip(wrong, alone, strict=True) if one.rights
            ]  # fmt: skip
            bench.sheet.share(
                "one_step_form", track, [writer for writer, _ in hits], [hit for _, hit in hits]
            )


def _say(bench: Bench, track: Track, sentences: list[Sentence], found: list[Finding]) -> list[Said]:
    level = bench.config.replies.level
    start = talk(bench, track, level)
    asks = [
        reply(bench, one.id, start, one.learner, finding, number)
        for number, (one, finding) in enumerate(zip(sentences, found, strict=True))
    ]  # fmt: skip
    return [
        judged(one.writer, answer, situation(bench.language, track, level, one.learner, finding))
        for one, finding, answer in zip(sentences, found, bench.answers.of(asks), strict=True)
    ]


def situation(tag: str, track: Track, level: Level, learner: str, finding: Finding = NOTHING) -> Situation:
    """What a reply of free talk is judged against, as in the app."""
    own = frozenset(words(learner, tag)) | frozenset(words(finding.native, tag))
    target = (finding.target,) if finding.target else ()
    return Situation(tag, track, level, allowed_words=own, attempted=target, learner=learner)


def _forms(bench: Bench, track: Track, wrong: list[Sentence], said: list[Said]) -> None:
    sheet, tag = bench.sheet, bench.language
    pairs = list(zip(wrong, said, strict=True))
    formed = [(one, reply, _holds_any(reply.text, one, tag)) for one, reply in pairs if one.rights]
    writers = [one.writer for one, _, _ in formed]
    sheet.share("holds_form", track, writers, [held for _, _, held in formed])
    recasts = [held and "correction" not in reply.broken for _, reply, held in formed]
    sheet.share("recast", track, writers, recasts)
    sheet.share("recast_elicits", track, writers, [
        recast and reply.elicits(tag) for recast, (_, reply, _) in zip(recasts, formed, strict=True)
    ])  # fmt: skip
    targets = [(one, reply, target) for one, reply in pairs if (target := _gold_target(one, tag, track))]
    sheet.share("holds_phrase", track, [one.writer for one, _, _ in targets], [
        contains(reply.text, target, tag) for _, reply, target in targets
    ])  # fmt: skip
    everyone = [one.writer for one in wrong]
    sheet.share("elicits", track, everyone, [reply.elicits(tag) for reply in said])
    sheet.share("structure", track, everyone, [reply.offers_structure() for reply in said])
    sheet.extra.setdefault("examples", {})[track] = [
        {
            "learner": one.learner,
            "teacher": one.corrected,
            "reply": reply.text,
            "broken": sorted(reply.broken),
        }
        for one, reply in pairs[:EXAMPLES]
    ]


def _holds_any(text: str, one: Sentence, tag: str) -> bool:
    return any(contains(text, right, tag) for right in one.rights)


def _gold_target(one: Sentence, tag: str, track: Track) -> str:
    """The stretch the app would recast if its reformulation were the teacher's."""
    return reformulation.find(one.learner, one.corrected, tag, track).target
