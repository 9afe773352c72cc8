"""Speed and memory of `tutor-finetune train` against a plain TRL recipe, on the same conversations and base.

    python -m tests.benchmarks training [--base FOLDER|FILE.gguf] [--family gemma] [--conversations 48] [--threads N]
    python -m tests.benchmarks training --base FOLDER --family chatml --random-weights --dtype bfloat16 \
        --data FOLDER --conversations 512 --sequence-tokens 4096        # on a GPU, of any shape

The conversations are Spanish reformulations made from the lesson sets. Every recipe runs in a process of its own, does
one pass over them with the same LoRA, type of weights, learning rate and memory for activations (`--checkpointing`
computes those again instead, in all of them), and reports the tokens of the conversations as they stand alone: a
beginning that was computed once for many counts as often as it was learnt from. `plain` is otherwise `SFTTrainer` with
its defaults on the same ids and labels, in padded batches of 8; `unshared` is ours without shared sequences.

A GGUF is unpacked to a folder once, before anything is measured. `--random-weights` takes a folder with config.json and
tokenizer alone and draws the weights on the device: right for speed and memory. `--data` takes what `tutor-finetune data`
left, so that a machine needs only what trains. Seconds are those of training, of ours with the making
of its trainer; peak memory is that of the process from when its base is loaded (of the GPU too, where there is one).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tests.benchmarks._memory import forget_peak, own_peak

RANK = 16
LEARNING_RATE = 2e-4
PLAIN_BATCH = 8
TRAINED_TOKENS = 40
"""Of a conversation, more than it has: what is asked of `tutor-finetune data`, so that there are enough."""
WAYS = ("ours", "unshared", "plain")


@dataclass(frozen=True)
class Setting:
    """What every recipe is given."""

    base: Path
    family: str
    data: Path
    threads: int
    checkpointing: bool
    dtype: str
    sequence_tokens: int
    random_weights: bool


def main() -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="training")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--family", default="gemma")
    parser.add_argument("--conversations", type=int, default=48)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--checkpointing", action="store_true", help="Compute activations again.")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--sequence-tokens", type=int, default=1024)
    parser.add_argument("--data", type=Path, help="Conversations that were made before.")
    parser.add_argument("--random-weights", action="store_true", help="The base has none.")
    given = parser.parse_args()
    base = given.base or small_base()
    figures: dict[str, Any] = {
        "base": base.name, "threads": given.threads, "checkpointing": given.checkpointing, "dtype": given.dtype,
        "sequence_tokens": given.sequence_tokens,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if base.is_file():
            base = alone(unpacked, base, scratch / base.stem)
        data = chosen(
            scratch,
            given.data or make_data(scratch, base, given.family, given.conversations),
            given.conversations,
            given.sequence_tokens,
        )
        setting = Setting(
            base, given.family, data, given.threads, given.checkpointing, given.dtype, given.sequence_tokens,
            given.random_weights,
        )  # fmt: skip
        for way in given.ways:
            figures[way] = alone(run, way, setting, scratch / way)
            print(f"{way}: {json.dumps(figures[way])}", file=sys.stderr)  # what is known if it is stopped
    for way in [way for way in given.ways if way != "plain" and "plain" in given.ways]:
        figures[f"{way}_times_plain"] = round(figures["plain"]["seconds"] / figures[way]["seconds"], 2)
    return figures


def small_base() -> Path:
    """The smallest of the real models."""
    from tests.quantize.real import real_model

    return real_model("gemma3-270m")


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
    """A folder as `tutor-finetune data` leaves it, with at least so many conversations."""
    from finetune.cli import cli

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
    return scratch / "data"


def chosen(scratch: Path, data: Path, conversations: int, longest: int) -> Path:
    """The first so many conversations of `data` that no recipe would cut, in a folder of their own."""
    fitting: list[str] = []
    with (data / "train.jsonl").open(encoding="utf-8") as file:
        for line in file:
            # Longer ones would be cut, and what is left of them counted differently by each recipe.
            if len(json.loads(line)["ids"]) <= longest:
                fitting.append(line)
            if len(fitting) == conversations:
                break
    if len(fitting) < conversations:
        raise SystemExit(
            f"{data} gives {len(fitting)} conversations of at most {longest} tokens: ask for no more."
        )
    folder = scratch / "chosen"
    folder.mkdir()
    (folder / "train.jsonl").write_text("".join(fitting), encoding="utf-8")
    shutil.copy(data / "report.json", folder)
    return folder


def run(way: str, setting: Setting, out: Path) -> dict[str, Any]:
    """One pass in this process."""
    import torch

    torch.set_num_threads(setting.threads)
    rows = [
        json.loads(line) for line in (setting.data / "train.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    tokens, trained = sum(len(row["ids"]) for row in rows), sum(sum(row["trained"]) for row in rows)
    seconds, loss = plain(setting, rows, out) if way == "plain" else ours(setting, out, share=way == "ours")
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
        figures["gpu"] = torch.cuda.get_device_name()
    return figures


def ours(setting: Setting, out: Path, *, share: bool) -> tuple[float, float]:
    """`tutor-finetune train` for one pass over the data."""
    from finetune import train, train_base
    from finetune.train_base import load_tokenizer
    from finetune.train_checks import end_of_turn_id
    from finetune.train_config import TrainConfig
    from finetune.train_packing import Reading, packed, read_rows
    from finetune.train_report import Metrics

    longest, base = setting.sequence_tokens, setting.base
    end = end_of_turn_id(load_tokenizer(base), setting.family, 1 << 30)
    rows = read_rows(setting.data / "train.jsonl", end, longest, Reading())
    sequences = len(packed(rows, longest, share=share, seed=0))
    batch = 1 if share else PLAIN_BATCH
    steps = -(-sequences // batch)
    config = TrainConfig(
        name="benchmark", base=base, base_id=base.stem, family=setting.family, languages=["es"], data=setting.data,
        steps=steps, batch=batch, sequence_tokens=longest, packing=share, dtype=setting.dtype,
        learning_rate=LEARNING_RATE, gradient_checkpointing=setting.checkpointing, held_out=0, save_every=1_000_000,
        warmup_steps=0, accept_untrained_end=True,
    )  # fmt: skip
    with contextlib.ExitStack() as patches:
        if setting.random_weights:
            patches.enter_context(mock.patch.object(train, "load_base", random_base))
            patches.enter_context(mock.patch.object(train_base, "base_sha256", return_value="0" * 64))
        # What it says last, it says with the base loaded and the data read.
        done = train.train(config, out, say=lambda _: forget_peak())
    losses = Metrics(out, steps).series("loss")[1]
    return done.seconds, sum(losses) / len(losses)


def random_base(folder: Path, dtype: str) -> Any:
    """A model of the shape that `folder`/config.json gives, drawn where it is trained."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(
            AutoConfig.from_pretrained(folder), dtype=getattr(torch, dtype), attn_implementation="sdpa"
        )
    model.config.use_cache = False
    return model


def plain(setting: Setting, rows: list[dict[str, Any]], out: Path) -> tuple[float, float]:
    """`SFTTrainer` as its documentation has it, on ids and labels."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from finetune.train_base import load_base, load_tokenizer
    from finetune.train_config import ALL_LINEAR
    from finetune.train_loop import IGNORED

    load = random_base if setting.random_weights else load_base
    labels = [
        [token if on else IGNORED for token, on in zip(row["ids"], row["trained"], strict=True)]
        for row in rows
    ]
    on_gpu = torch.cuda.is_available()
    trainer = SFTTrainer(
        model=load(setting.base, setting.dtype),
        args=SFTConfig(
            output_dir=str(out), num_train_epochs=1, per_device_train_batch_size=PLAIN_BATCH,
            use_cpu=not on_gpu, bf16=on_gpu and setting.dtype == "bfloat16", gradient_checkpointing=setting.checkpointing,
            learning_rate=LEARNING_RATE, max_length=setting.sequence_tokens, report_to=[], save_strategy="no",
            disable_tqdm=True, logging_steps=1_000_000,
        ),
        train_dataset=Dataset.from_dict({"input_ids": [row["ids"] for row in rows], "labels": labels}),
        processing_class=load_tokenizer(setting.base),
        peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=list(ALL_LINEAR), task_type="CAUSAL_LM"),
    )  # fmt: skip
    forget_peak()
    started = time.monotonic()
    result = trainer.train()
    return time.monotonic() - started, result.training_loss
