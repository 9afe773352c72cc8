"""The whole evaluation: every model, every task, one report."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from finetune.errors import FinetuneError
from finetune.evaluate import moves
from finetune.evaluate.answers import Answers
from finetune.evaluate.asking import Speaker
from finetune.evaluate.config import EvaluateConfig, Model
from finetune.evaluate.figures import KINDS, Figure, Sheet, difference
from finetune.evaluate.learners import Held, held_back
from finetune.evaluate.prompting import Bench
from finetune.evaluate.record import recorded_margins
from finetune.evaluate.tasks import drift, forgetting, hints, mixed, reformulation, replies, simplify


class Progress(Protocol):
    """Who shows how far it is."""

    def model(self, name: str, expected: int) -> None:
        """A model begins; about so many answers are wanted of it."""

    def answer(self, known: bool) -> None:
        """One more answer."""


Opened = tuple[str, Callable[[], Speaker]]
"""A model's fingerprint, and what loads it."""


def opened(model: Model) -> Opened:
    """What a model is, without loading it. Raises FinetuneError when a file is missing."""
    if model.kind == "hf":
        from finetune.evaluate import torch_speaker

        return torch_speaker.fingerprint(model), lambda: torch_speaker.TorchSpeaker(model)
    from finetune.evaluate.engine_speaker import EngineSpeaker, chosen, data_dir, fingerprint
    from tutor_app.llm.client import ChildEngine

    spec, family = chosen(model, data_dir())

    def load() -> Speaker:
        engine = ChildEngine()
        engine.load(spec)
        return EngineSpeaker(engine, family)

    return fingerprint(spec, family), load


def evaluate(
    config: EvaluateConfig, progress: Progress | None = None, open_model: Callable[[Model], Opened] | None = None
) -> dict[str, Any]:  # fmt: skip
    """The report, as plain data; `open_model` replaces `opened`. Raises FinetuneError."""
    held = held_back(config.learners) if config.learners else Held(())
    open_one = open_model if open_model is not None else opened
    for model in config.models.values():
        model.margin_nats = model.margin_nats or (recorded_margins(model) if open_model is None else {})
    found = {
        name: open_one(model) for name, model in config.models.items()
    }  # all, before the long work begins
    sheets: dict[str, Sheet] = {}
    folder = config.answers or config.out / "answers"
    for name, model in config.models.items():
        if progress is not None:
            progress.model(name, expected(config, model, held))
        mark, load = found[name]
        answers = Answers(
            folder / f"{_slug(name)}.jsonl", mark, load, progress.answer if progress is not None else None
        )
        with closing(answers):
            bench = Bench(config, model, answers, Sheet(config.bootstrap, config.seed))
            _tasks(bench, held)
        sheets[name] = bench.sheet
    return _report(config, held, sheets, {name: mark for name, (mark, _) in found.items()})


def _tasks(bench: Bench, held: Held) -> None:
    """In an order that keeps prompts with the same beginning together."""
    wanted = set(bench.config.tasks)
    if "reformulation" in wanted:
        reformulation.run(bench, held)
    if "mixed" in wanted:
        mixed.run(bench)
    if "replies" in wanted:
        replies.run(bench, held)
    if "simplify" in wanted:
        simplify.run(bench)
    if "hints" in wanted:
        hints.run(bench)
    if "drift" in wanted and bench.config.drift.dialogues:
        drift.run(bench, held)
    if "forgetting" in wanted:
        forgetting.run(bench)


def expected(config: EvaluateConfig, model: Model, held: Held) -> int:
    """About how many answers a model will be asked for, for a progress bar."""
    from finetune.evaluate.authored import authored, languages

    bank, tracks, total = authored(config.language), len(model.tracks), 0
    wanted = set(config.tasks)
    for track in model.tracks:
        asked = config.reformulation
        sizes = [
            len(held.sample(count, track, wrong=wrong, words=asked.words, language=config.language, seed=config.seed))
            for count, wrong in ((asked.errors, True), (asked.correct, False), (config.replies.errors, True))
        ]  # fmt: skip
        total += (sizes[0] + sizes[1]) * ("reformulation" in wanted)
        total += sizes[2] * (2 + config.replies.one_step) * ("replies" in wanted)
    total += (
        tracks
        * (min(len(bank.dialect), config.mixed) + 2 * min(len(bank.code_switched), config.mixed))
        * ("mixed" in wanted)
    )
    total += tracks * (config.simplify * ("simplify" in wanted) + config.hints * ("hints" in wanted))
    total += config.drift.dialogues * config.drift.turns * len(config.drift.levels) * ("drift" in wanted)
    if "forgetting" in wanted:
        total += sum(len(authored(code).texts) + 2 * len(authored(code).endings) for code in languages())
    return total


def _report(
    config: EvaluateConfig, held: Held, sheets: dict[str, Sheet], marks: dict[str, str]
) -> dict[str, Any]:  # fmt: skip
    first = next(iter(sheets))
    report: dict[str, Any] = {
        "title": config.title, "language": config.language, "seed": config.seed, "tasks": list(config.tasks),
        "samples": {
            "reformulation": config.reformulation.model_dump(), "replies": config.replies.model_dump(),
            "drift": config.drift.model_dump(exclude={"baseline"}), "mixed": config.mixed, "simplify": config.simplify,
            "hints": config.hints, "bootstrap": config.bootstrap,
        },
        "held_back": {
            track: {"sentences": len(mine), "writers": len({one.writer for one in mine})}
            for track in ("l2", "heritage") if (mine := [one for one in held.sentences if one.track == track])
        },
        "kinds": {name: asdict(kind) for name, kind in KINDS.items()},
        "models": {}, "cima": None, "published": {},
    }  # fmt: skip
    for name, sheet in sheets.items():
        model = config.models[name]
        report["models"][name] = {
            "kind": model.kind, "model": Path(model.model).name, "adapters": [Path(one).stem for one in model.adapters],
            "style": model.prompt_style, "tracks": list(model.tracks), "note": model.note, "margin_nats_used": config.reformulation.margin_nats | model.margin_nats, "fingerprint": marks[name],
            "figures": {id: _figure(figure, sheet, sheets[first] if name != first else None) for id, figure in sheet.figures.items()},
            **sheet.extra,
        }  # fmt: skip
    if config.cima:
        report["cima"] = _cima(config)
    if config.drift.baseline and "drift" in config.tasks:
        for name, sheet in drift.baseline(
            config.drift.baseline, config.language, config.bootstrap, config.seed
        ).items():
            report["published"][name] = {
                "figures": {id: _figure(figure, sheet, None) for id, figure in sheet.figures.items()}, **sheet.extra,
            }  # fmt: skip
    return report


def _figure(figure: Figure, sheet: Sheet, base: Sheet | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": figure.kind,
        "group": figure.group,
        **asdict(figure.estimate),
        "met": figure.met,
    }
    apart = difference(sheet, base, figure.id) if base is not None else None
    if apart is not None:
        made["against_first"] = {"value": apart[0], "low": apart[1], "high": apart[2]}
    return {key: _rounded(value) for key, value in made.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 5) if isinstance(value, float | np.floating) else value


def _cima(config: EvaluateConfig) -> dict[str, Any]:
    """Agreement on the half of the contexts that the rules were not written on."""
    rows = moves.labelled(config.cima)
    if not rows:
        raise FinetuneError("The CIMA file has no replies. Is it the right file?")
    unseen = [row for row in rows if zlib.crc32(row[0].encode()) % 2 == 0]
    found = moves.agreement(unseen)
    return {
        "replies": len(unseen), "macro_f1": round(sum(one.f1 for one in found) / len(found), 4),
        "labels": [{key: _rounded(value) for key, value in asdict(one).items()} for one in found],
    }  # fmt: skip


def _slug(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return kept if kept == name else f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
