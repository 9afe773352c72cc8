"""What was synthesized: moves, lengths by level, diversity, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from finetune.records import Tally
from finetune.synthesize.config import SynthesizeConfig
from finetune.synthesize.talk import Dialogue, Move
from tutor_app.pedagogy.language import length, words


def distinct(texts: Iterable[str], tag: str, n: int) -> float:
    """Distinct runs of `n` words among all of them: distinct-n (Li et al. 2016, arXiv 1510.03055)."""
    grams = [tuple(found[i : i + n]) for text in texts if (found := words(text, tag)) for i in range(len(found) - n + 1)]  # fmt: skip
    return len(set(grams)) / len(grams) if grams else 0.0


def summary(
    dialogues: Sequence[Dialogue], tally: Tally, natives: Counter[str], config: SynthesizeConfig
) -> dict[str, Any]:
    """Figures for the report, by language and track."""
    groups: dict[str, list[Dialogue]] = {}
    for one in dialogues:
        groups.setdefault(f"{one.language}-{one.track}", []).append(one)
    return {
        "seed": config.seed,
        "similarity": config.similarity,
        "situations": config.situations.model_dump(),
        "groups": {name: _group(group) for name, group in sorted(groups.items())},
        "native": dict(sorted(natives.items())),
        "left_out": dict(sorted(tally.dropped.items())),
    }


def _group(group: list[Dialogue]) -> dict[str, Any]:
    tag = group[0].language
    moves: list[Move] = [move for one in group for move in one.moves]
    trained = [move for move in moves if move.trained]
    texts = [move.text for move in trained]
    by_level = {
        level: [length(move.text, tag) for one in group if one.level == level for move in one.moves if move.trained]
        for level in ("A1", "A2", "B1")
    }  # fmt: skip
    return {
        "conversations": len(group),
        "replies": len(moves),
        "trained": len(trained),
        "moves": dict(sorted(Counter(move.move for move in trained).items())),
        "by_hand": dict(sorted(Counter(move.move for move in moves if not move.trained).items())),
        "different_replies": round(len(set(texts)) / max(len(texts), 1), 3),
        "distinct_1": round(distinct(texts, tag, 1), 3),
        "distinct_2": round(distinct(texts, tag, 2), 3),
        "words": {
            level: {"median": median(sizes), "longest": max(sizes)}
            for level, sizes in by_level.items()
            if sizes
        },
        "origins": dict(sorted(Counter(origin for one in group for origin in one.origins).items())),
    }


def table(report: dict[str, Any]) -> str:
    """The report for the terminal: one line a language and track, then the reformulation task and what was left out."""
    lines = [
        f"{'':<14}{'talks':>7}{'replies':>9}{'different':>11}{'distinct-2':>12}  median words A1/A2/B1, moves"
    ]
    for name, one in report["groups"].items():
        medians = "/".join(
            f"{one['words'].get(level, {}).get('median', 0):.0f}" for level in ("A1", "A2", "B1")
        )
        moves = ", ".join(f"{count} {move}" for move, count in one["moves"].items())
        lines.append(
            f"{name:<14}{one['conversations']:>7}{one['trained']:>9}{one['different_replies']:>11.0%}"
            f"{one['distinct_2']:>12.2f}  {medians}, {moves}"
        )
    lines += [f"reformulation: {count} {name}" for name, count in report["native"].items()]
    lines += [f"left out: {count} {reason}" for reason, count in report["left_out"].items()]
    return "\n".join(lines)
