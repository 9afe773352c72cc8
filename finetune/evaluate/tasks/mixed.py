"""Sentences that nothing is wrong with: dialect, and language mixed with English. They must be left in peace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from finetune.evaluate.authored import authored
from finetune.evaluate.prompting import Bench, reformulate, reply, talk
from finetune.evaluate.tasks.replies import judged, situation
from lessons.schema import Track
from tutor_app.pedagogy.edits import tokens
from tutor_app.pedagogy.language import is_english, words
from tutor_app.pedagogy.reformulation import NOTHING

T = TypeVar("T")


def evenly(items: Sequence[T], count: int) -> list[T]:
    """So many of them, from beginning to end: neighbours are of one variety."""
    return [items[i * len(items) // count] for i in range(count)] if count < len(items) else list(items)


def run(bench: Bench) -> None:
    """False flags on both kinds, and how mixed language is met on each track."""
    bank, tag, count = authored(bench.language), bench.language, bench.config.mixed
    kinds = {
        "dialect": [one.text for one in evenly(bank.dialect, count)],
        "code-switched": evenly(bank.code_switched, count),
    }
    for track in bench.model.tracks:
        for kind, texts in kinds.items():
            made = reformulate(
                bench, [(f"{kind}/{i}", text) for i, text in enumerate(texts)], track, bench.config.reformulation.level
            )  # fmt: skip
            group = f"{kind}, {track}"
            bench.sheet.share("changed", group, texts, [
                tokens(version.native, tag).compared != tokens(text, tag).compared
                for text, version in zip(texts, made, strict=True)
            ])  # fmt: skip
            bench.sheet.share("false_flags", group, texts, [version.acted for version in made])
            if kind == "code-switched":
                _met(bench, track, texts, [version.acted for version in made])


def _met(bench: Bench, track: Track, texts: list[str], flagged: list[bool]) -> None:
    """Replies to mixed language. The heritage track welcomes mixing; the L2 track stays in the language."""
    level, tag = bench.config.replies.level, bench.language
    start = talk(bench, track, level)
    asks = [reply(bench, f"mixed/{i}", start, text, NOTHING, i) for i, text in enumerate(texts)]
    said = [
        judged(text, answer, situation(tag, track, level, text))
        for text, answer in zip(texts, bench.answers.of(asks), strict=True)
    ]
    bench.sheet.share(
        "mixes", track, texts, [any(is_english(word, tag) for word in words(one.text, tag)) for one in said]
    )
    bench.sheet.share("met", track, texts, [
        not one.broken and not flag for one, flag in zip(said, flagged, strict=False)
    ])  # fmt: skip
    bench.sheet.extra.setdefault("mixed", {})[track] = [
        {"learner": text, "reply": one.text, "broken": sorted(one.broken)} for text, one in zip(texts, said, strict=True)
    ]  # fmt: skip
