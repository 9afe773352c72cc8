"""Nine turns with a simulated learner: do the levels stay apart, or does the tutor drift to one and the same?

The learner's turns are the sentences of one real essay in order, errors and all; what there is to recast is told
from the teacher's correction, so that only the replies differ between models. Tutors of 7 to 12 B that were only
prompted drift (arXiv 2505.08351); their dialogues can be measured beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finetune.evaluate.bootstrap import Floats
from finetune.evaluate.figures import Sheet
from finetune.evaluate.learners import Held, Sentence
from finetune.evaluate.prompting import HIGHEST, Bench, TalkLevel, reply, shown, talk
from finetune.evaluate.readability import gutierrez_de_polini, readability, szigriszt_pazos
from finetune.evaluate.tasks.replies import judged, rules, situation
from finetune.records import Tally
from finetune.sources.shapes import good_rows
from lessons.schema import Level
from tutor_app.pedagogy import prompts
from tutor_app.pedagogy.language import length, primary
from tutor_app.pedagogy.reformulation import find
from tutor_app.pedagogy.templates import Message


@dataclass(frozen=True)
class Turn:
    """One thing a tutor said."""

    dialogue: str
    level: str
    number: int
    """From 1."""
    text: str


def run(bench: Bench, held: Held) -> None:
    """Talks at each level, and how hard the tutor's words are to read, turn by turn."""
    turns: list[Turn] = []
    for level in bench.config.drift.levels:
        essays = held.essays(bench.config.drift.dialogues, level, bench.config.drift.turns, bench.config.seed)
        step = bench.model.at_once
        for start in range(0, len(essays), step):
            turns += _talks(bench, essays[start : start + step], level)
    measure(bench.sheet, turns, bench.language, bench.config.drift.levels, bench.config.drift.turns)


def _talks(bench: Bench, essays: list[list[Sentence]], level: TalkLevel) -> list[Turn]:
    """Whole talks, side by side as many as the model takes at once; one after the other its context is reused."""
    histories = [list(talk(bench, essay[0].track, level)) for essay in essays]
    served: Level = HIGHEST if level == "C1" else level
    turns, said = [], []
    for number in range(bench.config.drift.turns):
        found = [
            find(essay[number].learner, essay[number].corrected, bench.language, essay[number].track) for essay in essays
        ]  # fmt: skip
        asks = [
            reply(
                bench,
                f"drift/{level}/{essay[number].id}",
                tuple(history),
                essay[number].learner,
                finding,
                number,
            )
            for essay, history, finding in zip(essays, histories, found, strict=True)
        ]
        for essay, history, finding, answer in zip(
            essays, histories, found, bench.answers.of(asks), strict=True
        ):
            text = shown(answer.text, bench.language) or "¿?"
            direction = f"recast: {finding.target}" if finding.target else "ask"
            history += [
                Message("user", prompts.learner_turn(essay[number].learner, direction)), Message("assistant", text),
            ]  # fmt: skip
            turns.append(Turn(essay[0].essay, level, number + 1, text))
            one = essay[number]
            said.append(
                judged(one.writer, answer, situation(bench.language, one.track, served, one.learner, finding))
            )  # fmt: skip
    rules(bench, f"talk {level}", said)
    return turns


def measure(sheet: Sheet, turns: Sequence[Turn], tag: str, levels: Sequence[str], count: int) -> None:
    """Length and readability by level, their slopes, and how much of the gap between the levels is left at the end."""
    scored = [
        (turn, score) for turn in turns if length(turn.text, tag) and (score := readability(turn.text, tag)) is not None
    ]  # fmt: skip
    for level in levels:
        mine = [(turn, score) for turn, score in scored if turn.level == level]
        talks = [turn.dialogue for turn, _ in mine]
        sheet.mean("readability", level, talks, [score for _, score in mine])
        sheet.of("slope", level, talks, [
            (1.0, turn.number, score, turn.number * turn.number, turn.number * score) for turn, score in mine
        ], slope)  # fmt: skip
    third = max(1, count // 3)
    lowest, highest = levels[0], levels[-1]
    if lowest != highest:
        _gaps(sheet, scored, lowest, highest, third, count)
    sheet.extra["turns"] = {
        level: [_means(turns, level, number, tag) for number in range(1, count + 1)] for level in levels
    }  # fmt: skip


def _gaps(
    sheet: Sheet, scored: Sequence[tuple[Turn, float]], lowest: str, highest: str, third: int, count: int
) -> None:  # fmt: skip
    columns, talks = [], []
    for turn, score in scored:
        if turn.level not in (lowest, highest):
            continue
        first, last = turn.number <= third, turn.number > count - third
        low = turn.level == lowest
        talks.append(f"{turn.level}/{turn.dialogue}")
        columns.append([
            value for part in (first, last) for side in (low, not low)
            for value in ((score, 1.0) if part and side else (0.0, 0.0))
        ])  # fmt: skip
    group = f"{lowest} to {highest}"
    sheet.of("gap_first", group, talks, columns, lambda sums: gap(sums, 0))
    sheet.of("gap_last", group, talks, columns, lambda sums: gap(sums, 4))
    made = sheet.figures.get(f"gap_first@{group}")
    if made is not None and made.estimate.low > 0:
        sheet.of("gap_kept", group, talks, columns, lambda sums: _kept(gap(sums, 0), gap(sums, 4)))


def gap(sums: Floats, at: int) -> Floats:
    """Mean of the lowest level less that of the highest, from (sum, count, sum, count) at `at`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            sums[..., at] / sums[..., at + 1] - sums[..., at + 2] / sums[..., at + 3]
        )  # fmt: skip


def _kept(first: Floats, last: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(first > 0, last / first, np.nan))


def slope(sums: Floats) -> Floats:
    """Least-squares slope from (n, Σx, Σy, Σx², Σxy). Shape [..., 5] → [...]."""
    n, x, y, xx, xy = (sums[..., i] for i in range(5))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((n * xy - x * y) / (n * xx - x * x))


def _means(turns: Sequence[Turn], level: str, number: int, tag: str) -> dict[str, Any]:
    texts = [
        turn.text
        for turn in turns
        if turn.level == level and turn.number == number and length(turn.text, tag)
    ]
    means: dict[str, Any] = {"turn": number, "n": len(texts)}
    if texts:
        means["words"] = round(float(np.mean([length(text, tag) for text in texts])), 2)
        scores = [score for text in texts if (score := readability(text, tag)) is not None]
        means["readability"] = round(float(np.mean(scores)), 2) if scores else None
        if primary(tag) == "es":
            means["szigriszt_pazos"] = round(float(np.mean([szigriszt_pazos(text) for text in texts])), 2)
            means["gutierrez_de_polini"] = round(
                float(np.mean([gutierrez_de_polini(text) for text in texts])), 2
            )
    return means


def baseline(paths: list[Path], language: str, resamples: int, seed: int) -> dict[str, Sheet]:
    """Published dialogues, measured the same way: model → its sheet."""
    talks: dict[str, list[Turn]] = {}
    for place, row in good_rows(paths, Tally(), ("model", "level", "messages")):
        said = [message["content"] for message in row["messages"] if message["role"] == "assistant"]
        name = str(row["model"]).split("--")[-1]
        talks.setdefault(name, []).extend(
            Turn(place, str(row["level"]), number, text) for number, text in enumerate(said, 1)
        )  # fmt: skip
    sheets = {}
    for name, turns in sorted(talks.items()):
        levels = sorted({turn.level for turn in turns})
        sheets[name] = Sheet(resamples, seed)
        measure(sheets[name], turns, language, levels, max(turn.number for turn in turns))
        for level in levels:
            mine = [turn for turn in turns if turn.level == level]
            sheets[name].quantile("words", f"talk {level}", [turn.dialogue for turn in mine], [length(turn.text, language) for turn in mine], 0.5)  # fmt: skip
    return sheets
