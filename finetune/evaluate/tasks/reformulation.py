"""The hidden reformulation, on sentences of writers that nobody was trained on."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from finetune.evaluate.authored import authored
from finetune.evaluate.bootstrap import f_half, precision, recall
from finetune.evaluate.learners import Held, Sentence
from finetune.evaluate.prompting import Bench, Reformulated, reformulate
from finetune.synthesize.learners import misspelt
from lessons.schema import Track
from tutor_app.pedagogy import reformulation
from tutor_app.pedagogy.edits import Edit, edits, tokens
from tutor_app.pedagogy.language import primary

THRESHOLDS = [round(0.25 * step, 2) for step in range(65)]
"""Margins in nats that the curve is drawn over."""
CALM = 0.02
"""Share of correct sentences that may change."""
FLOOR = 1.0
"""The app's threshold in nats is never lower: some dozens of correct sentences cannot show that less is safe."""
FLAGS = 0.01
"""Share of correct sentences that the app may take for wrong."""

Place = tuple[int, int, tuple[str, ...]]


def places(found: Sequence[Edit]) -> set[Place]:
    """Edits as they are compared: which of the learner's words, and what takes their place."""
    return {(edit.start, edit.end, edit.right) for edit in found}


@lru_cache(maxsize=8192)
def counted(
    learner: str, native: str, corrected: str, language: str, *, accents: bool = True
) -> tuple[int, int, int]:
    """True positives, false positives and false negatives of the model's edits, as in ERRANT (Bryant et al. 2017).

    Without `accents`, edits that only change an accent count on neither side: COWS-L2H's teachers mended them in some
    essays and let them stand in others ("Tambien quiero usar el espanol").
    """
    mine, gold = (
        places([edit for edit in edits(learner, other, language) if accents or edit.tag != "accent"])
        for other in (native, corrected)
    )
    return len(mine & gold), len(mine - gold), len(gold - mine)


def run(bench: Bench, held: Held) -> None:
    """Figures for each track, the curve over the threshold, and what was found by kind of error."""
    settings = bench.config.reformulation
    for track in bench.model.tracks:
        wrong = held.sample(settings.errors, track, wrong=True, words=settings.words, language=bench.language, seed=bench.config.seed)  # fmt: skip
        right = held.sample(settings.correct, track, wrong=False, words=settings.words, language=bench.language, seed=bench.config.seed)  # fmt: skip
        both = [*wrong, *right]
        made = reformulate(bench, [(one.id, one.learner) for one in both], track, settings.level)
        _on_errors(bench, track, wrong, made[: len(wrong)])
        _on_correct(bench, track, right, made[len(wrong) :])
        curve = _curve(bench, wrong, made[: len(wrong)], right, made[len(wrong) :])
        bench.sheet.extra.setdefault("curve", {})[track] = curve
        clean = [(one, version) for one, version in zip(right, made[len(wrong) :], strict=True) if _is_correct(one, bench.language)]  # fmt: skip
        if clean:
            _calm(
                bench,
                track,
                wrong,
                made[: len(wrong)],
                [one for one, _ in clean],
                [version for _, version in clean],
            )


def _on_errors(bench: Bench, track: Track, wrong: list[Sentence], made: list[Reformulated]) -> None:
    tag, sheet = bench.language, bench.sheet
    writers = [one.writer for one in wrong]
    pairs = list(zip(wrong, made, strict=True))
    columns = [counted(one.learner, version.native, one.corrected, tag) for one, version in pairs]
    plain = [
        counted(one.learner, version.native, one.corrected, tag, accents=False) for one, version in pairs
    ]
    sheet.of("f05_plain", track, writers, plain, f_half)
    for kind, statistic in (("f05", f_half), ("precision", precision), ("recall", recall)):
        sheet.of(kind, track, writers, columns, statistic)
    sheet.share(
        "exact", track, writers, [_same(version.native, one.corrected, tag) for one, version in pairs]
    )
    sheet.share("acted", track, writers, [version.acted for version in made])
    acted = [(one, version) for one, version in pairs if version.acted]
    sheet.share("acted_right", track, [one.writer for one, _ in acted], [
        bool(places(version.finding.kept[:1]) & places(edits(one.learner, one.corrected, tag))) for one, version in acted
    ])  # fmt: skip
    sheet.share("stop", f"reformulation {track}", writers, [version.stopped for version in made])
    found, there = Counter[str](), Counter[str]()
    for one, version in pairs:
        mine = places(edits(one.learner, version.native, tag))
        for edit in edits(one.learner, one.corrected, tag):
            there[edit.tag] += 1
            found[edit.tag] += bool(places([edit]) & mine)
    sheet.extra.setdefault("by_tag", {})[track] = {
        name: [found[name], count] for name, count in there.most_common()
    }
    sheet.extra.setdefault("reformulated", {})[track] = [
        {"learner": one.learner, "teacher": one.corrected, "model": version.native, "margin": round(version.margin_nats, 2)}
        for one, version in pairs
    ]  # fmt: skip


def _on_correct(bench: Bench, track: Track, right: list[Sentence], made: list[Reformulated]) -> None:
    writers = [one.writer for one in right]
    bench.sheet.share("changed", track, writers, [
        not _same(version.native, one.learner, bench.language) for one, version in zip(right, made, strict=True)
    ])  # fmt: skip
    bench.sheet.share(
        "changed_plain",
        track,
        writers,
        [
            any(edit.tag != "accent" for edit in edits(one.learner, version.native, bench.language))
            for one, version in zip(right, made, strict=True)
        ],
    )
    bench.sheet.share("false_flags", track, writers, [version.acted for version in made])


def _is_correct(one: Sentence, tag: str) -> bool:
    """Whether an unmarked sentence is one without an error, as far as word frequencies and a reader can tell."""
    return not authored(tag).passes_wrongly(one.learner) and not (
        primary(tag) == "es" and misspelt(one.learner)
    )


def _same(a: str, b: str, tag: str) -> bool:
    return tokens(a, tag).compared == tokens(b, tag).compared


def _curve(bench: Bench, wrong: list[Sentence], made: list[Reformulated], right: list[Sentence],
           kept: list[Reformulated]) -> list[dict[str, Any]]:  # fmt: skip
    """F0.5, precision, recall and the share of correct sentences changed, at each threshold of the margin."""
    tag = bench.language
    with_edits = np.array([counted(one.learner, version.native, one.corrected, tag) for one, version in zip(wrong, made, strict=True)], dtype=np.float64).reshape(-1, 3)  # fmt: skip
    without = np.array([counted(one.learner, one.learner, one.corrected, tag) for one in wrong], dtype=np.float64).reshape(-1, 3)  # fmt: skip
    margins = np.array([version.margin_nats for version in made])
    changed = np.array([
        version.margin_nats if not _same(version.native, one.learner, tag) else -np.inf for one, version in zip(right, kept, strict=True)
    ])  # fmt: skip
    points = []
    for threshold in THRESHOLDS:
        sums = np.where((margins >= threshold)[:, None], with_edits, without).sum(axis=0)
        points.append({
            "threshold": threshold, "f05": _number(f_half(sums)), "precision": _number(precision(sums)), "recall": _number(recall(sums)),
            "changed": float((changed >= threshold).mean()) if len(changed) else None,
        })  # fmt: skip
    return points


def _calm(bench: Bench, track: Track, wrong: list[Sentence], made: list[Reformulated], right: list[Sentence],
          kept: list[Reformulated]) -> None:  # fmt: skip
    """The same with thresholds that leave correct sentences alone, each chosen on the half of the writers it is not used on."""
    tag, sheet = bench.language, bench.sheet
    writers = [one.writer for one in right]
    changes = [not _same(version.native, one.learner, tag) for one, version in zip(right, kept, strict=True)]
    flags = [bool(version.finding.kept) and not version.finding.known_slips for version in kept]
    sheet.share("changed_clean", track, writers, changes)
    sheet.share("flags_clean", track, writers, [version.acted for version in kept])
    halves = [zlib.crc32(one.encode()) % 2 for one in writers]
    if len(set(halves)) < 2:
        return

    whole, acted_on = [version.margin_nats for version in kept], [version.kept_nats for version in kept]

    def threshold(counts: list[bool], nats: list[float], share: float, half: int | None) -> float:
        return lowest(
            [margin if counted else -math.inf
             for margin, counted, own in zip(nats, counts, halves, strict=True) if half is None or own == half],
            share,
        )  # fmt: skip

    calm = [threshold(changes, whole, CALM, 1 - half) for half in (0, 1)]
    flag = [threshold(flags, acted_on, FLAGS, 1 - half) for half in (0, 1)]
    own = [zlib.crc32(one.writer.encode()) % 2 for one in wrong]
    sheet.of("f05_calm", track, [one.writer for one in wrong], [
        counted(one.learner, version.native if version.margin_nats >= calm[half] else one.learner, one.corrected, tag)
        for one, version, half in zip(wrong, made, own, strict=True)
    ], f_half)  # fmt: skip
    sheet.share("acted_calm", track, [one.writer for one in wrong], [
        reformulation.believed(version.finding, version.kept_nats, flag[half]) for version, half in zip(made, own, strict=True)
    ])  # fmt: skip
    for kind, counts, nats, limits in (
        ("changed_calm", changes, whole, calm),
        ("flags_calm", flags, acted_on, flag),
    ):
        sheet.share(kind, track, writers, [
            count and margin >= limits[half] for count, margin, half in zip(counts, nats, halves, strict=True)
        ])  # fmt: skip
    sheet.extra.setdefault("margin_nats", {})[track] = max(FLOOR, threshold(flags, acted_on, FLAGS, None))


def lowest(margins: Sequence[float], share: float) -> float:
    """The lowest threshold that at most `share` of these margins (nats; -inf: unchanged) reach."""
    reached = np.array(margins)
    return next((t for t in THRESHOLDS if (reached >= t).mean() <= share), THRESHOLDS[-1])


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
