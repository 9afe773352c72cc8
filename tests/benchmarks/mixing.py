"""Speed, memory and shares of `tutor-finetune data` against `datasets.interleave_datasets` on the same files.

    python -m tests.benchmarks mixing [--rows 1000000] [--tokens N] [--workers N] [--tokenizer tokenizer.json]

A synthetic corpus of so many rows in the shapes of LMSYS-Chat-1M, Magpie, OpenHermes, WAXAL and ProsocialDialog, of very
different lengths, of which `ours` needs about nine tenths. Every way streams the files, renders with the app's template,
encodes 64 conversations at once with the same code, writes rows of the same format with the same code, and stops at
the same number of trained tokens; each runs in a process of its own. `interleave_datasets` draws rows with the shares as
probabilities, as its documentation shows (`load_dataset(streaming=True)`, `map(batched=True)`, then the draw), so its
shares of *tokens* follow the lengths, and it needs fewer rows. It looks for no near-duplicates and leaves nothing out;
`without_near_duplicates` is ours without that look. `workers` is ours with processes beside the first.

Rows a second are conversations written; peak memory is that of all processes of a way together, looked at five times a
second (pages they share count in each). CPU seconds say more than seconds on a machine with other work.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks._memory import peak_of_all

SHARES = {"lmsys": 0.40, "magpie": 0.10, "openhermes": 0.10, "waxal": 0.15, "prosocial": 0.25}
PARTS = {"lmsys": 0.285, "magpie": 0.071, "openhermes": 0.078, "waxal": 0.243, "prosocial": 0.323}
"""Of the rows: what the way that needs more of a source needs, so that none runs out before TOKENS_A_ROW is reached."""
TOKENS_A_ROW = 25
"""Trained tokens to stop at, for each row of the corpus."""
WORDS = [f"w{i}" for i in range(5000)]
WAYS = ("ours", "workers", "without_near_duplicates", "interleave_datasets")


def main() -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="mixing")
    parser.add_argument("--rows", type=int, default=1_000_000, help="In the corpus.")
    parser.add_argument("--tokens", type=int, default=0, help="Trained tokens to stop at.")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="Of the way of that name.")
    parser.add_argument("--tokenizer", type=Path, help="Default: one that cuts at spaces.")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus(folder, given.rows)
        tokenizer = given.tokenizer or small_tokenizer(folder)
        tokens = given.tokens or given.rows * TOKENS_A_ROW
        figures: dict[str, Any] = {
            "rows_in_corpus": given.rows, "bytes": sum(file.stat().st_size for file in folder.glob("*.jsonl")),
            "trained_tokens": tokens, "workers": given.workers,
        }  # fmt: skip
        for way in given.ways:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
                figures[way] = pool.submit(run, way, folder, tokenizer, tokens, given.workers).result()
            print(f"{way}: {json.dumps(figures[way])}", file=sys.stderr)  # what is known if it is stopped
    return figures


def corpus(folder: Path, rows: int) -> None:
    """One JSONL file a dataset. The same text never comes twice."""
    for kind, part in PARTS.items():
        rng = random.Random(kind)
        with (folder / f"{kind}.jsonl").open("w", encoding="utf-8") as file:
            for number in range(round(rows * part)):
                file.write(json.dumps(MAKE[kind](number, rng)) + "\n")


def said(rng: random.Random, fewest: int, most: int) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(fewest, most)))


def lmsys(number: int, rng: random.Random) -> dict[str, Any]:
    turns = rng.randint(1, 3)
    talk = [
        {"role": role, "content": said(rng, 4, 40)} for _ in range(turns) for role in ("user", "assistant")
    ]
    return {
        "conversation_id": f"l{number}", "model": "m", "conversation": talk, "turn": turns, "language": "English",
        "openai_moderation": [{"flagged": False}], "redacted": False,
    }  # fmt: skip


def shared(number: int, rng: random.Random, fewest: int, most: int) -> dict[str, Any]:
    turns = [{"from": "human", "value": said(rng, 4, 20)}, {"from": "gpt", "value": said(rng, fewest, most)}]
    return {"uuid": f"s{number}", "conversations": turns}


def waxal(number: int, rng: random.Random) -> dict[str, Any]:
    return {"id": f"w{number}", "transcription": said(rng, 5, 25), "language": "sw"}


def prosocial(number: int, rng: random.Random) -> dict[str, Any]:
    return {
        "context": said(rng, 5, 20), "response": said(rng, 8, 30), "dialogue_id": number, "response_id": 0,
        "safety_label": "__casual__", "rots": [],
    }  # fmt: skip


MAKE: dict[str, Callable[[int, random.Random], dict[str, Any]]] = {
    "lmsys": lmsys,
    "magpie": lambda number, rng: shared(number, rng, 20, 120),
    "openhermes": lambda number, rng: shared(number, rng, 5, 60) | {"category": "general", "source": "x"},
    "waxal": waxal,
    "prosocial": prosocial,
}


def small_tokenizer(folder: Path) -> Path:
    """Words of the corpus, and whatever else as one unknown word."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: i for i, word in enumerate([*WORDS, "[UNK]"])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    made.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def run(way: str, folder: Path, tokenizer: Path, tokens: int, workers: int) -> dict[str, Any]:
    """One way in this process."""
    # Loaded before the clock starts, whichever way it is.
    import datasets  # noqa: F401

    import finetune.data_run  # noqa: F401

    out = folder / "out"
    out.mkdir()
    began, cpu_began = time.perf_counter(), cpu_s()
    with peak_of_all() as peak:
        if way == "interleave_datasets":
            reached, rows = interleaved(folder, out, tokenizer, tokens)
        else:
            reached, rows = ours(
                folder,
                out,
                tokenizer,
                tokens,
                workers if way == "workers" else 0,
                near=way != "without_near_duplicates",
            )
    seconds, cpu = time.perf_counter() - began, cpu_s() - cpu_began
    written = sum(file.stat().st_size for file in out.iterdir())
    shutil.rmtree(out)
    total = sum(reached.values())
    return {
        "rows": rows, "trained_tokens": total, "seconds": round(seconds, 1), "rows_a_second": round(rows / seconds),
        "cpu_seconds": round(cpu, 1), "rows_a_cpu_second": round(rows / cpu), "peak_mib": round(peak[0] / 2**20), "bytes_written": written,
        "shares": {name: {"asked": SHARES[name], "reached": round(count / total, 4)} for name, count in reached.items()},
        "furthest_off_points": round(max(abs(reached[name] / total - SHARES[name]) for name in SHARES) * 100, 2),
    }  # fmt: skip


def cpu_s() -> float:
    """CPU seconds of this process and of those it started that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def ours(
    folder: Path, out: Path, tokenizer: Path, tokens: int, workers: int, *, near: bool
) -> tuple[dict[str, int], int]:
    from finetune import data_run
    from finetune.config import DataConfig

    config = DataConfig.model_validate(
        {
            "tokenizer": tokenizer, "total_tokens": tokens, "workers": workers, "near_duplicates": 0.8 if near else None,
            "sources": {kind: {"kind": kind, "share": share, "paths": [folder / f"{kind}.jsonl"]} for kind, share in SHARES.items()},
        }
    )  # fmt: skip
    report = data_run.build(config, out)["sources"]
    return {name: one["tokens"] for name, one in report.items()}, sum(
        one["conversations"] for one in report.values()
    )


def interleaved(folder: Path, out: Path, tokenizer: Path, tokens: int) -> tuple[dict[str, int], int]:
    """Rows drawn with the shares as probabilities."""
    from datasets import interleave_datasets, load_dataset

    from finetune.data_run import _line
    from finetune.prepare import CHUNK
    from finetune.records import Example
    from finetune.tokens import rendered
    from finetune.tokens import tokenizer as tokens_of
    from tutor_app.pedagogy.templates import Encoded

    tokens_for = tokens_of(tokenizer)

    def encoded(batch: dict[str, list[Any]], kind: str) -> dict[str, list[Any]]:
        size = len(next(iter(batch.values())))
        rows = ({key: column[i] for key, column in batch.items()} for i in range(size))
        examples = [Example("", kind, turns) for row in rows if (turns := talk(kind, row)) is not None]
        tokenize = tokens_for.together(examples)
        done = [rendered(one, "chatml", tokenize) for one in examples]
        return {"kind": [kind] * len(done), "ids": [one.ids for one in done], "trained": [one.trained for one in done]}  # fmt: skip

    streams = []
    for kind in SHARES:
        stream = load_dataset("json", data_files=str(folder / f"{kind}.jsonl"), split="train", streaming=True)
        columns = list(MAKE[kind](0, random.Random(0)))
        streams.append(
            stream.map(
                encoded, batched=True, batch_size=CHUNK, fn_kwargs={"kind": kind}, remove_columns=columns
            )
        )
    mixed = interleave_datasets(streams, probabilities=list(SHARES.values()), seed=0)
    reached, rows, total = dict.fromkeys(SHARES, 0), 0, 0
    with (out / "train.jsonl").open("w", encoding="utf-8") as file:
        for row in mixed:
            file.write(_line(Example(str(rows), row["kind"], ()), Encoded(row["ids"], row["trained"])))
            count = sum(row["trained"])
            reached[row["kind"]] += count
            total += count
            rows += 1
            if total >= tokens:
                break
    return reached, rows


def talk(kind: str, row: dict[str, Any]) -> Any:
    """The conversation of a row, or None."""
    from finetune.sources.shapes import messages
    from tutor_app.pedagogy.templates import Message

    if kind == "lmsys":
        return messages(row["conversation"], "role", "content")
    if kind in ("magpie", "openhermes"):
        return messages(row["conversations"], "from", "value")
    question, answer = (
        (row["context"], row["response"]) if kind == "prosocial" else (row["transcription"],) * 2
    )
    return Message("user", question), Message("assistant", answer)
