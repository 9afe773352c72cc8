"""Speed, memory and shares of `tutor-finetune data` against `datasets.interleave_datasets` on the same files.

    python -m tests.benchmarks mixing [--rows 1000000] [--tokens N] [--workers N] [--tokenizer tokenizer.json]

A synthetic corpus of so many rows in the shapes of LMSYS-Chat-1M, Magpie, OpenHermes, WAXAL and ProsocialDialog, of very
different lengths. Both sides stream the files, render with the app's template, tokenise, and stop at the same number
of trained tokens (by default a third of what the corpus has). `interleave_datasets` draws rows with the shares as
probabilities, as its documentation shows, so its shares of *tokens* follow the lengths. `without_near_duplicates` is
ours with that check left out, which the other side has not. Each way runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

SHARES = {"lmsys": 0.40, "magpie": 0.10, "openhermes": 0.10, "waxal": 0.15, "prosocial": 0.25}
PARTS = {"lmsys": 0.3, "magpie": 0.2, "openhermes": 0.2, "waxal": 0.15, "prosocial": 0.15}
"""Of the rows; chosen so that no source runs out at a third of the tokens."""
WORDS = [f"w{i}" for i in range(5000)]
WAYS = ("ours", "without_near_duplicates", "interleave_datasets")


def main() -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="mixing")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tokens", type=int, default=0, help="Trained tokens to stop at.")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--tokenizer", type=Path, help="Default: one that cuts at spaces.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus(folder, given.rows)
        tokenizer = given.tokenizer or small_tokenizer(folder)
        # About 16 trained tokens a row on average; two thirds stay unread, so that no source runs out.
        tokens = given.tokens or given.rows * 5
        figures: dict[str, Any] = {
            "rows": given.rows, "trained_tokens": tokens, "workers": given.workers, "asked": SHARES,
            "bytes": sum(file.stat().st_size for file in folder.glob("*.jsonl")),
        }  # fmt: skip
        for way in WAYS:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
                figures[way] = pool.submit(run, way, folder, tokenizer, tokens, given.workers).result()
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
    """One way in this process: rows a second, peak memory in MiB, shares of trained tokens reached."""
    began = time.perf_counter()
    if way == "interleave_datasets":
        reached, rows = interleaved(folder, tokenizer, tokens)
    else:
        reached, rows = ours(folder, tokenizer, tokens, workers, near=way == "ours")
    seconds = time.perf_counter() - began
    total = sum(reached.values())
    return {
        "rows": rows, "seconds": round(seconds, 1), "rows_a_second": round(rows / seconds),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "shares": {name: round(count / total, 4) for name, count in reached.items()},
        "furthest_off_points": round(max(abs(reached[name] / total - SHARES[name]) for name in SHARES) * 100, 2),
    }  # fmt: skip


def ours(
    folder: Path, tokenizer: Path, tokens: int, workers: int, *, near: bool
) -> tuple[dict[str, int], int]:
    from finetune import data_run
    from finetune.config import DataConfig

    config = DataConfig.model_validate(
        {
            "tokenizer": tokenizer, "total_tokens": tokens, "workers": workers,
            "sources": {kind: {"kind": kind, "share": share, "paths": [folder / f"{kind}.jsonl"]} for kind, share in SHARES.items()},
        }
    )  # fmt: skip
    if not near:
        data_run.Gate.__call__ = lambda gate, prepared, first: None  # type: ignore[method-assign]
    report = data_run.build(config, folder / ("out" if near else "out-without"))["sources"]
    return {name: one["tokens"] for name, one in report.items()}, sum(
        one["conversations"] for one in report.values()
    )


def interleaved(folder: Path, tokenizer: Path, tokens: int) -> tuple[dict[str, int], int]:
    """Rows drawn with the shares as probabilities, prepared by the same code and written to the same format."""
    from datasets import interleave_datasets, load_dataset

    from finetune.records import Example
    from finetune.sources.shapes import messages
    from finetune.tokens import rendered
    from finetune.tokens import tokenizer as tokens_of
    from tutor_app.pedagogy.templates import Message

    def talk(kind: str, row: dict[str, Any]) -> tuple[Message, ...] | None:
        if kind == "lmsys":
            return messages(row["conversation"], "role", "content")
        if kind in ("magpie", "openhermes"):
            return messages(row["conversations"], "from", "value")
        question, answer = (
            (row["context"], row["response"]) if kind == "prosocial" else (row["transcription"],) * 2
        )
        return Message("user", question), Message("assistant", answer)

    tokenize = tokens_of(tokenizer)
    streams = []
    for kind in SHARES:
        stream = load_dataset("json", data_files=str(folder / f"{kind}.jsonl"), split="train", streaming=True)
        # Columns differ, so each row travels as text with the name of its dataset, as one has to do by hand.
        stream = stream.map(
            lambda row, kind: {"kind": kind, "row": json.dumps(row)}, fn_kwargs={"kind": kind},
            remove_columns=list(next(iter(stream))),
        )  # fmt: skip
        streams.append(stream)
    mixed = interleave_datasets(
        streams, probabilities=list(SHARES.values()), seed=0, stopping_strategy="all_exhausted"
    )
    reached, rows = dict.fromkeys(SHARES, 0), 0
    with (folder / "interleaved.jsonl").open("w", encoding="utf-8") as file:
        for row in mixed:
            turns = talk(row["kind"], json.loads(row["row"]))
            if turns is None:
                continue
            encoded = rendered(Example(str(rows), row["kind"], turns), "chatml", tokenize)
            file.write(
                json.dumps(
                    {"id": rows, "source": row["kind"], "ids": encoded.ids, "trained": [int(t) for t in encoded.trained]}
                )
                + "\n"
            )  # fmt: skip
            reached[row["kind"]] += sum(encoded.trained)
            rows += 1
            if sum(reached.values()) >= tokens:
                break
    return reached, rows
