"""`tutor-finetune data`: sources in, `train.jsonl` out, with a report; what was killed goes on where it was.

Rows are appended to `train.jsonl.part`. The same config on the same files gives the same rows in the same order, so
a second run reads the sources again, takes the ids of what is already written from that file, and goes on with the
first row that is missing. The bytes are those of a run that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from finetune import sources
from finetune.config import DataConfig
from finetune.errors import FinetuneError
from finetune.mix import Ingredient, Mixture, Prepared, mixed
from finetune.near import Names, Seen
from finetune.prepare import Job, Preparer, parts
from finetune.records import Example, Tally
from finetune.rows import files
from tutor_app.pedagogy.templates import Encoded, template_sha256

MIXING = 2
"""Raised with every change of what is let in: a run that was begun with other rules is begun anew."""
FLUSH_EVERY = 64
"""Conversations between two writes to the disk: what a kill may cost."""
TOKENS_EACH = 20
"""The fewest trained tokens that a conversation has on average: sizes the index of near-duplicates."""
EVALUATION_TURNS = 200_000
"""Learner turns of evaluation data that the index is made for."""


def build(config: DataConfig, out: Path, progress: Callable[[float], None] | None = None) -> dict[str, Any]:
    """Write `train.jsonl` and then `report.json` (last: a folder with a report is complete); the report."""
    out.mkdir(parents=True, exist_ok=True)
    part, mark = out / "train.jsonl.part", out / "train.jsonl.mark"
    told = fingerprint(config)
    if not mark.is_file() or mark.read_text(encoding="utf-8") != told:
        part.unlink(missing_ok=True)
        mark.write_text(told, encoding="utf-8")
    done = Written(part)
    job = Job(
        config.tokenizer,
        config.family,
        sketched=config.near_duplicates is not None,
        parted=bool(config.evaluation),
    )
    with Preparer(job, config.workers, done.known) as prepare:
        ingredients = [
            Ingredient(name, one.share, partial(_opened, one.kind, one.paths, one.options), one.repeat)
            for name, one in config.sources.items()
        ]
        mixture, stream = mixed(
            ingredients, config.total_tokens, prepare, seed=config.seed, reweight=config.reweight, admit=Gate(config),
        )  # fmt: skip
        with part.open("a", encoding="utf-8") as file:
            for number, (example, encoded) in enumerate(stream, 1):
                if number <= done.rows:
                    continue
                file.write(_line(example, encoded))
                if number % FLUSH_EVERY == 0:
                    file.flush()
                    if progress is not None:
                        progress(mixture.tokens / config.total_tokens)
    report = _report(config, mixture)
    os.replace(part, out / "train.jsonl")
    mark.unlink()
    _replace(out / "report.json", json.dumps(report, indent=2) + "\n")
    return report


class Gate:
    """What is not let into the mixture: what was there before, or is like evaluation data."""

    def __init__(self, config: DataConfig) -> None:
        similarity = config.near_duplicates
        self._seen = self._kept = None
        if similarity is None:
            return
        self._seen = Seen(similarity, config.total_tokens // TOKENS_EACH)
        # What came in, not what was refused: of that it is known how much it can be.
        self._came = Names(config.total_tokens // TOKENS_EACH)
        self._repeated = {name for name, one in config.sources.items() if one.repeat > 1}
        self._kept = Seen(similarity, EVALUATION_TURNS) if config.evaluation else None
        for one in config.evaluation.values():
            with closing(_opened(one.kind, one.paths, one.options, Tally())) as examples:
                for example in examples:
                    for turn in parts(example.messages):
                        assert self._kept is not None
                        self._kept.add(turn)

    def __call__(self, prepared: Prepared, number: int) -> str | None:
        """Why this conversation is left out; None when it may come in. `number`: of the pass over its source, from 1."""
        if self._kept is not None and any(self._kept.holds(turn) for turn in prepared.parts):
            return "like evaluation data"
        if self._seen is None or prepared.sketch is None:
            return None
        example = prepared.example
        # An id may come twice, so what was said is part of the name.
        name = f"{example.source}\n{example.id}\n".encode(errors="surrogatepass") + prepared.sketch.tobytes()
        # Once more comes only what the pass before let in, and each of it once.
        known = (
            self._seen.add(prepared.sketch)
            if number == 1
            else _in_pass(number - 1, name) not in self._came or _in_pass(number, name) in self._came
        )
        if known:
            return "near-duplicate"
        if example.source in self._repeated:
            self._came.add(_in_pass(number, name))
        return None


def _in_pass(number: int, name: bytes) -> bytes:
    return f"{number}\n".encode() + name


class Written:
    """The rows of an interrupted run, handed out again in the order of each source."""

    def __init__(self, part: Path) -> None:
        """Cuts off a last row that was not written to its end."""
        self._part = part
        self.rows = 0
        self._left: dict[str, int] = {}
        self._streams: dict[str, Iterator[dict[str, Any]]] = {}
        if not part.is_file():
            return
        whole = 0
        with part.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self.rows += 1
                name = json.loads(line)["source"]
                self._left[name] = self._left.get(name, 0) + 1
        os.truncate(part, whole)

    def known(self, name: str, example: Example) -> Encoded | None:
        """The ids of the next row of this source, if it has one; it must be this conversation."""
        if not self._left.get(name):
            return None
        self._left[name] -= 1
        stream = self._streams.setdefault(name, self._of(name))
        row = next(stream)
        if row["id"] != example.id:
            raise FinetuneError(
                f"{self._part} was begun with other data: it has {row['id']} where {example.id} comes now. Remove it."
            )
        return Encoded(row["ids"], [bool(one) for one in row["trained"]])

    def _of(self, name: str) -> Iterator[dict[str, Any]]:
        with self._part.open("r", encoding="utf-8") as file:
            for line in file:
                row: dict[str, Any] = json.loads(line)
                if row["source"] == name:
                    yield row


def fingerprint(config: DataConfig) -> str:
    """Identifies what a run gives: its settings but for the workers, its template, its files by size and time."""
    told = config.model_dump(mode="json", exclude={"workers"})
    read = [*config.sources.values(), *config.evaluation.values()]
    every = [config.tokenizer, *files([path for one in read for path in one.paths])]
    stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in every if file.exists()]
    text = json.dumps([MIXING, told, template_sha256(config.family), stamps], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _opened(kind: str, paths: list[Path], options: dict[str, Any], tally: Tally) -> Any:
    return sources.examples(kind, paths, tally, options)


def _line(example: Example, encoded: Encoded) -> str:
    # What json.dumps gives for such a row, in a third of the time: Python writes a list of numbers as JSON does.
    return (
        f'{{"id": {json.dumps(example.id)}, "source": {json.dumps(example.source)}, '
        f'"ids": {encoded.ids!r}, "trained": {list(bytes(encoded.trained))!r}}}\n'
    )


def _report(config: DataConfig, mixture: Mixture) -> dict[str, Any]:
    return {
        "tokens": mixture.tokens, "family": config.family, "template_sha256": template_sha256(config.family),
        "seed": config.seed, "near_duplicates": config.near_duplicates,
        "sources": {
            name: asdict(one) | {"share": round(mixture.share(name), 5)} for name, one in mixture.reached.items()
        },
    }  # fmt: skip


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
