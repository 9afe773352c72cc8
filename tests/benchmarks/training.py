"""Speed and memory of `tutor-finetune train` against a plain TRL recipe, on the same conversations and base.

    python -m tests.benchmarks training [--base FOLDER|FILE.gguf] [--family gemma] [--conversations 48] [--threads N]

The conversations are Spanish reformulations made from the lesson sets. Every recipe runs in a process of its own, does
one pass over them with the same LoRA, weights in float32, learning rate and memory for activations (`--checkpointing`
computes those again instead, in all of them), and reports the tokens of the conversations as they stand alone: a
beginning that was computed once for many counts as often as it was learnt from. `plain` is otherwise `SFTTrainer` with
its defaults on the same ids and labels, in padded batches of 8; `unshared` is ours without shared sequences.

A GGUF is unpacked to a folder once, before anything is measured. Seconds are those of training, of ours with the making
of its trainer; peak memory is that of the process from when its base is loaded (of the GPU too, where there is one).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from finetune.cli import cli
from tests.benchmarks._memory import forget_peak, own_peak
from tests.quantize.real import real_model

SEQUENCE_TOKENS = 1024
RANK = 16
LEARNING_RATE = 2e-4
PLAIN_BATCH = 8
TRAINED_TOKENS = 40
"""Of a conversation, more than it has: what is asked of `tutor-finetune data`, so that there are enough."""
WAYS = ("ours", "unshared", "plain")


def main() -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="training")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--family", default="gemma")
    parser.add_argument("--conversations", type=int, default=48)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--checkpointing", action="store_true", help="Compute activations again.")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    given = parser.parse_args()
    base = given.base or real_model("gemma3-270m")
    figures: dict[str, Any] = {
        "base": base.name, "threads": given.threads, "checkpointing": given.checkpointing,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if base.is_file():
            base = alone(unpacked, base, scratch / base.stem)
        data = make_data(scratch, base, given.family, given.conversations)
        for way in given.ways:
            figures[way] = alone(
                run, way, base, given.family, data, scratch / way, given.threads, given.checkpointing
            )
            print(f"{way}: {json.dumps(figures[way])}", file=sys.stderr)  # what is known if it is stopped
    for way in [way for way in given.ways if way != "plain" and "plain" in given.ways]:
        figures[f"{way}_times_plain"] = round(figures["plain"]["seconds"] / figures[way]["seconds"], 2)
    return figures


def alone(do: Callable[..., Any], *given: Any) -> Any:
    """What `do` gives, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        return pool.submit(do, *given).result()


def unpacked(gguf: Path, folder: Path) -> Path:
    """The base as a model folder: reading it from the GGUF takes a minute each time, and more memory than training."""
    from finetune.train_base import load_base, load_tokenizer

    model = load_base(gguf, "float32")
    model.config.__dict__.pop("quantization_config", None)  # it is not quantised any more
    model.save_pretrained(folder)
    load_tokenizer(gguf).save_pretrained(folder)
    return folder


def make_data(scratch: Path, base: Path, family: str, conversations: int) -> Path:
    """A folder as `tutor-finetune data` leaves it, with so many conversations."""
    (scratch / "synthesize.yaml").write_text(
        f"talks: {{es: {{l2: 1}}}}\nitem_share: 0\nnative: {{most: {conversations * 3}}}\n", encoding="utf-8"
    )
    (scratch / "data.yaml").write_text(
        f"tokenizer: {base}\nfamily: {family}\ntotal_tokens: {conversations * TRAINED_TOKENS}\nreweight: true\nsources:\n"
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
    every = train.read_text(encoding="utf-8").splitlines()
    # Longer ones would be cut, and what is left of them counted differently by each recipe.
    fitting = [line for line in every if len(json.loads(line)["ids"]) <= SEQUENCE_TOKENS]
    if len(fitting) < conversations:
        raise SystemExit(
            f"The lesson sets give {len(fitting)} conversations of at most {SEQUENCE_TOKENS} tokens: ask for no more."
        )
    train.write_text("\n".join(fitting[:conversations]) + "\n", encoding="utf-8")
    return scratch / "data"


def run(
    way: str, base: Path, family: str, data: Path, out: Path, threads: int, checkpointing: bool
) -> dict[str, Any]:
    """One pass in this process."""
    import torch

    torch.set_num_threads(threads)
    rows = [json.loads(line) for line in (data / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    tokens, trained = sum(len(row["ids"]) for row in rows), sum(sum(row["trained"]) for row in rows)
    if way == "plain":
        seconds, loss = plain(base, rows, out, checkpointing)
    else:
        seconds, loss = ours(base, family, data, out, checkpointing, share=way == "ours")
    figures = {
        "conversations": len(rows),
        "tokens": tokens,
        "seconds": round(seconds, 1),
        "tokens_per_s": round(tokens / seconds, 1),
        "trained_tokens_per_s": round(trained / seconds, 2),
        "peak_gb": round(own_peak() / 1e9, 2),
        "mean_loss": round(loss, 3),
    }
    if torch.cuda.is_available():
        figures["peak_gpu_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    return figures


def ours(
    base: Path, family: str, data: Path, out: Path, checkpointing: bool, *, share: bool
) -> tuple[float, float]:
    """`tutor-finetune train` for one pass over the data."""
    from finetune.train import train
    from finetune.train_base import load_tokenizer
    from finetune.train_checks import end_of_turn_id
    from finetune.train_config import TrainConfig
    from finetune.train_packing import Reading, packed, read_rows
    from finetune.train_report import Metrics

    end = end_of_turn_id(load_tokenizer(base), family, 1 << 30)
    rows = read_rows(data / "train.jsonl", end, SEQUENCE_TOKENS, Reading())
    sequences = len(packed(rows, SEQUENCE_TOKENS, share=share, seed=0))
    batch = 1 if share else PLAIN_BATCH
    steps = -(-sequences // batch)
    config = TrainConfig(
        name="benchmark", base=base, base_id=base.stem, family=family, languages=["es"], data=data,
        steps=steps, batch=batch, sequence_tokens=SEQUENCE_TOKENS, packing=share, dtype="float32",
        learning_rate=LEARNING_RATE, gradient_checkpointing=checkpointing, held_out=0, save_every=1_000_000,
        warmup_steps=0, accept_untrained_end=True,
    )  # fmt: skip
    # What it says last, it says with the base loaded and the data read.
    done = train(config, out, say=lambda _: forget_peak())
    losses = Metrics(out, steps).series("loss")[1]
    return done.seconds, sum(losses) / len(losses)


def plain(base: Path, rows: list[dict[str, Any]], out: Path, checkpointing: bool) -> tuple[float, float]:
    """`SFTTrainer` as its documentation has it, on ids and labels."""
    import torch
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
            output_dir=str(out), num_train_epochs=1, per_device_train_batch_size=PLAIN_BATCH,
            use_cpu=not torch.cuda.is_available(), bf16=False, gradient_checkpointing=checkpointing,
            learning_rate=LEARNING_RATE, max_length=SEQUENCE_TOKENS, report_to=[], save_strategy="no",
            disable_tqdm=True, logging_steps=1_000_000,
        ),
        train_dataset=Dataset.from_dict({"input_ids": [row["ids"] for row in rows], "labels": labels}),
        processing_class=load_tokenizer(base),
        peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=list(ALL_LINEAR), task_type="CAUSAL_LM"),
    )  # fmt: skip
    forget_peak()
    started = time.monotonic()
    result = trainer.train()
    return time.monotonic() - started, result.training_loss
