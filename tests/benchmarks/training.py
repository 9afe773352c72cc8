"""Speed and memory of `tutor-finetune train` against a plain TRL recipe, on the same conversations and base.

    python -m tests.benchmarks training [--base FILE.gguf] [--family gemma] [--conversations 48] [--threads N]

The conversations are Spanish reformulations made from the lesson sets. Every recipe runs in a process of its own, does
one pass over them with the same LoRA, and reports the tokens of the conversations as they stand alone: a beginning that
was computed once for many counts as often as it was learnt from. `plain` is `SFTTrainer` with its defaults on the same
ids and labels, in batches of 8, weights and arithmetic in the same type; `unshared` is ours without shared sequences.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from finetune.cli import cli
from tests.quantize.real import real_model

SEQUENCE_TOKENS = 1024
RANK = 16
PLAIN_BATCH = 8
WAYS = ("ours", "unshared", "plain")


def main() -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="training")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--family", default="gemma")
    parser.add_argument("--conversations", type=int, default=48)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    base = given.base or real_model("gemma3-270m")
    figures: dict[str, Any] = {"base": base.name, "threads": given.threads}
    with tempfile.TemporaryDirectory() as scratch:
        data = make_data(Path(scratch), base, given.family, given.conversations)
        for way in WAYS:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
                figures[way] = pool.submit(
                    run, way, base, given.family, data, Path(scratch) / way, given.threads
                ).result()
    figures["times_faster_than_plain"] = round(figures["plain"]["seconds"] / figures["ours"]["seconds"], 2)
    return figures


def make_data(scratch: Path, base: Path, family: str, conversations: int) -> Path:
    """A folder as `tutor-finetune data` leaves it, with so many conversations."""
    (scratch / "synthesize.yaml").write_text(
        f"talks: {{es: {{l2: 1}}}}\nitem_share: 0\nnative: {{most: {conversations * 3}}}\n", encoding="utf-8"
    )
    (scratch / "data.yaml").write_text(
        f"tokenizer: {base}\nfamily: {family}\ntotal_tokens: {conversations * 12}\nreweight: true\nsources:\n"
        "  native: {kind: dialogues, share: 1.0, paths: [dialogues/native.jsonl]}\n",
        encoding="utf-8",
    )
    for command in (
        ["synthesize", str(scratch / "synthesize.yaml"), "--out", str(scratch / "dialogues"), "--json"],
        ["data", str(scratch / "data.yaml"), "--out", str(scratch / "data"), "--json"],
    ):
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for the figures
            cli.main(command, standalone_mode=False)
    train = scratch / "data" / "train.jsonl"
    lines = train.read_text(encoding="utf-8").splitlines()[:conversations]
    train.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return scratch / "data"


def run(way: str, base: Path, family: str, data: Path, out: Path, threads: int) -> dict[str, Any]:
    """One pass in this process: seconds of training (not of loading), tokens a second, peak memory."""
    import torch

    torch.set_num_threads(threads)
    rows = [json.loads(line) for line in (data / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    tokens, trained = sum(len(row["ids"]) for row in rows), sum(sum(row["trained"]) for row in rows)
    if way == "plain":
        seconds, loss = plain(base, rows, out)
    else:
        seconds, loss = ours(base, family, data, out, share=way == "ours")
    return {
        "conversations": len(rows),
        "seconds": round(seconds, 1),
        "tokens_per_s": round(tokens / seconds, 1),
        "trained_tokens_per_s": round(trained / seconds, 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "mean_loss": round(loss, 3),
    }


def ours(base: Path, family: str, data: Path, out: Path, *, share: bool) -> tuple[float, float]:
    """`tutor-finetune train` for one pass over the data."""
    from finetune.train import train
    from finetune.train_base import load_tokenizer
    from finetune.train_checks import end_of_turn_id
    from finetune.train_config import TrainConfig
    from finetune.train_packing import Reading, packed, read_rows

    end = end_of_turn_id(load_tokenizer(base), family, 1 << 30)
    rows = read_rows(data / "train.jsonl", end, SEQUENCE_TOKENS, Reading())
    sequences = len(packed(rows, SEQUENCE_TOKENS, share=share, seed=0))
    batch = 1 if share else PLAIN_BATCH
    config = TrainConfig(
        name="benchmark", base=base, base_id=base.stem, family=family, languages=["es"], data=data,
        steps=-(-sequences // batch), batch=batch, sequence_tokens=SEQUENCE_TOKENS, packing=share, dtype="float32",
        gradient_checkpointing=False, held_out=0, save_every=1_000_000, warmup_steps=0, accept_untrained_end=True,
    )  # fmt: skip
    done = train(config, out, say=lambda _: None)
    return done.seconds, done.loss


def plain(base: Path, rows: list[dict[str, Any]], out: Path) -> tuple[float, float]:
    """`SFTTrainer` as its documentation has it, on ids and labels."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from finetune.train_base import load_base, load_tokenizer
    from finetune.train_config import ALL_LINEAR
    from finetune.train_loop import IGNORED

    labels = [
        [token if on else IGNORED for token, on in zip(row["ids"], row["trained"], strict=True)]
        for row in rows
    ]
    trainer = SFTTrainer(
        model=load_base(base, "float32"),
        args=SFTConfig(
            output_dir=str(out), num_train_epochs=1, per_device_train_batch_size=PLAIN_BATCH, use_cpu=True, bf16=False,
            max_length=SEQUENCE_TOKENS, report_to=[], save_strategy="no", disable_tqdm=True, logging_steps=1_000_000,
        ),
        train_dataset=Dataset.from_dict({"input_ids": [row["ids"] for row in rows], "labels": labels}),
        processing_class=load_tokenizer(base),
        peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=list(ALL_LINEAR), task_type="CAUSAL_LM"),
    )  # fmt: skip
    started = time.monotonic()
    result = trainer.train()
    return time.monotonic() - started, result.training_loss
