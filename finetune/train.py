"""`tutor-finetune train`: from a config to an adapter folder that `tutor-quantize` takes."""

from __future__ import annotations

import json
import os
import signal
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from peft.helpers import disable_input_dtype_casting
from safetensors.torch import load_file, save_file
from tqdm import tqdm
from transformers import (
    PrinterCallback,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl.trainer.sft_config import SFTConfig

from finetune.errors import FinetuneError
from finetune.train_base import (
    WEIGHTS,
    Lineage,
    add_below,
    lineage,
    load_base,
    load_tokenizer,
    sha256_file,
    with_lora,
)
from finetune.train_checks import check_end_of_turn, check_room, end_of_turn_id
from finetune.train_config import TrainConfig
from finetune.train_loop import Falling, PackedTrainer, agreed, collate, columns, mean_nats, multiple
from finetune.train_packing import Pack, Reading, divided, packed, read_rows, tokens_computed
from finetune.train_report import Metrics, now, plot, tool_versions, write_text
from finetune.train_resume import begin, deciding, last_checkpoint
from tutor_app.pedagogy.templates import template_sha256

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Trained:
    """A finished adapter."""

    folder: Path
    steps: int
    seconds: float
    tokens: int
    """Computed, shared beginnings once."""
    loss: float
    """Mean of the last ten updates, nats a trained token."""
    held_out_loss: float | None
    sha256: str
    """Of adapter_model.safetensors."""


def train(
    config: TrainConfig, out: Path, *, resume: bool = True, say: Callable[[str], None] = print
) -> Trained:
    """Train as `config` says, in `out`, taking up the last checkpoint there; without `resume`, deleting what is there.

    Ctrl-C or SIGTERM ends after the running update, with a checkpoint and a usable adapter. Raises FinetuneError for
    what would waste the run (see `train_checks`), and when the checkpoints are another run's.
    """
    # The libraries tell each other's users what they will rename; nobody who trains can act on it.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    warnings.filterwarnings("ignore", message="The PEFT config's `base_model_name_or_path`")
    if config.threads:
        torch.set_num_threads(config.threads)
    out.mkdir(parents=True, exist_ok=True)
    stands_on = lineage(config)
    report = _report(config, stands_on)
    run = deciding(config, stands_on)
    last = last_checkpoint(out / CHECKPOINTS, run) if resume else None
    tokenizer = load_tokenizer(stands_on.base)
    model = load_base(stands_on.base, config.dtype)
    end = end_of_turn_id(tokenizer, stands_on.family, int(model.config.get_text_config().vocab_size))
    reading = Reading()
    rows = list(read_rows(config.data / "train.jsonl", end, config.sequence_tokens, reading))
    if len(rows) <= config.held_out:
        raise FinetuneError(
            f"{config.data} has {len(rows)} conversations of at most {config.sequence_tokens} tokens, and held_out "
            f"takes {config.held_out} of them. Make more data, or lower `held_out`."
        )
    warning = check_end_of_turn(model, tokenizer, end, rows, accept=config.accept_untrained_end)
    if warning:
        say(warning)
    kept_back, learnt_from = divided(rows, config.held_out)
    if not learnt_from:
        raise FinetuneError(
            f"All {len(rows)} conversations of {config.data} are among the {config.held_out} that `held_out` takes, or "
            "are those once more. Make more data, or lower `held_out`."
        )
    held = packed(kept_back, config.sequence_tokens, share=config.packing, seed=config.seed)
    packs = packed(learnt_from, config.sequence_tokens, share=config.packing, seed=config.seed)
    for line in _told(reading, packs, len(rows) - len(kept_back) - len(learnt_from)):
        say(line)
    add_below(model, stands_on.below)
    peft = with_lora(model, config.lora, stands_on.base, config.seed)
    for line in check_room(config, out, model, sum(p.numel() for p in peft.parameters() if p.requires_grad)):
        say(line)

    at = int(last.name.rpartition("-")[2]) if last else 0
    # Asked without `cpu`, each of several processes without a GPU would take itself for the only one.
    processes = PartialState(cpu=not torch.cuda.is_available())
    first = processes.is_main_process
    if first and last is None:
        begin(out / CHECKPOINTS, run)
    metrics = Metrics(out, at, writes=first)
    watch = _Watch(
        metrics, Falling(config.steps, config.warmup_steps, config.minutes, metrics.seconds), packs, config
    )
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out / "tensorboard")
    trainer = PackedTrainer(
        model=peft,
        args=_arguments(config, out, processes.num_processes),
        data_collator=partial(collate, multiple=multiple()),
        train_dataset=Dataset.from_dict(columns(packs)),
        eval_dataset=Dataset.from_dict(columns(held)) if held else None,
        processing_class=tokenizer,
        compute_metrics=mean_nats,
        callbacks=[watch],
    )
    trainer.falling = watch.falling
    trainer.text_config = model.config.get_text_config()
    for printing in (PrinterCallback, ProgressCallback):  # they write to stdout, which is for the result
        trainer.remove_callback(printing)
    if last:
        say(f"taking up update {at} from {last}")
    # Under mixed precision the small factors are narrowed to the wide inputs; PEFT would widen the inputs instead.
    with watch.stopping_on_signals(), disable_input_dtype_casting(peft):
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    trainer.accelerator.wait_for_everyone()
    # Asked of every process: each may hold only a part of the weights.
    state = trainer.accelerator.get_state_dict(trainer.model)
    if trainer.is_world_process_zero():
        _save(peft, state, out, config.save_dtype)
        _write_manifest(config, stands_on, report, metrics, out)
        plot(metrics, config.name, out / "loss.png")
    trainer.accelerator.wait_for_everyone()
    if not first:
        metrics = Metrics(out, trainer.state.global_step, writes=False)
    losses, held_losses = metrics.series("loss")[1][-10:], metrics.series("held_out_loss")[1]
    return Trained(
        out,
        trainer.state.global_step,
        round(metrics.seconds, 1),
        metrics.tokens,
        round(sum(losses) / max(1, len(losses)), 4),
        round(held_losses[-1], 4) if held_losses else None,
        sha256_file(out / WEIGHTS),
    )


def _report(config: TrainConfig, stands_on: Lineage) -> dict[str, Any]:
    """report.json of the data. Raises FinetuneError when it was made for another template, or is not finished."""
    path = config.data / "report.json"
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        given = report["template_sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise FinetuneError(
            f"{path} cannot be read ({error}). Run `tutor-finetune data` to its end first."
        ) from error
    if given != template_sha256(stands_on.family):
        raise FinetuneError(
            f"The data in {config.data} was made with another prompt template than {stands_on.family}. Make it again."
        )
    return report


def _told(reading: Reading, packs: list[Pack], again: int) -> list[str]:
    computed = sum(len(pack.ids) for pack in packs)
    lines = [
        f"{reading.conversations:,} conversations, {reading.tokens:,} tokens, {reading.trained:,} of them trained; "
        f"{len(packs):,} sequences, {computed:,} tokens computed"
    ]
    if reading.cut or reading.left_out:
        lines.append(f"too long: {reading.cut:,} cut after a turn that fits, {reading.left_out:,} left out")
    if again:
        lines.append(f"held out: {again:,} later passes over those conversations left out")
    return lines


def _arguments(config: TrainConfig, out: Path, processes: int) -> SFTConfig:
    if config.batch % processes:
        raise FinetuneError(f"batch is {config.batch}, which {processes} processes cannot share evenly.")
    cpu = not torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(out / CHECKPOINTS),
        max_steps=config.steps,
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=config.batch // processes,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        bf16=config.dtype == "bfloat16",
        fp16=False,
        use_cpu=cpu,
        gradient_checkpointing=config.gradient_checkpointing,
        logging_steps=1,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if config.held_out else "no",
        eval_steps=config.evaluate_every,
        prediction_loss_only=True,
        save_steps=config.save_every,
        save_total_limit=config.keep,
        report_to=["tensorboard"],
        seed=config.seed,
        data_seed=config.seed,
        max_length=None,
        packing=False,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_num_workers=0,
        dataloader_pin_memory=not cpu,
        disable_tqdm=True,
    )


class _Watch(TrainerCallback):
    """Writes the figures, and ends the run in good order when the time is up or somebody asks."""

    def __init__(self, metrics: Metrics, falling: Falling, packs: list[Pack], config: TrainConfig) -> None:
        self.metrics, self.falling, self.batch = metrics, falling, config.batch
        self.sizes = [len(pack.ids) for pack in packs]
        self.bar: Any = None
        self.stop = False
        """Whether this process was asked to stop."""
        self.all_stop = False

    def stopping_on_signals(self) -> _Signals:
        return _Signals(self)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # A bar on a terminal, nothing in a log; one process draws it.
        hidden = None if state.is_world_process_zero else True
        self.bar = tqdm(total=state.max_steps, initial=state.global_step, disable=hidden, unit="update")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.bar.close()

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # Comes just before the next rate is set. A process that ended alone would leave the others waiting for ever.
        self.falling.elapsed, self.all_stop = agreed(self.falling.now, self.stop)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.bar.update()
        if self.all_stop or self.falling.over:
            control.should_save = control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if not state.is_world_process_zero or not logs:
            return
        row: dict[str, Any] = {"step": state.global_step, "seconds": round(self.falling.now, 2)}
        if "loss" in logs:
            row |= {
                "loss": logs["loss"],
                "rate": logs["learning_rate"],
                "grad_norm": float(logs["grad_norm"]),
            }
            row["tokens"] = tokens_computed(self.sizes, self.batch, args.world_size, state.global_step)
            self.bar.set_postfix(loss=f"{logs['loss']:.3f}")
        elif "eval_loss" in logs:
            row["held_out_loss"] = logs["eval_loss"]
        else:
            return
        self.metrics.add(row)


class _Signals:
    """SIGINT and SIGTERM ask `watch` to stop, for as long as training lasts."""

    def __init__(self, watch: _Watch) -> None:
        self.watch = watch

    def __enter__(self) -> None:
        self.before = {one: signal.signal(one, self._asked) for one in (signal.SIGINT, signal.SIGTERM)}

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.watch.stop = True

    def __exit__(self, *_: object) -> None:
        for one, handler in self.before.items():
            signal.signal(one, handler)


def _save(peft: Any, state: dict[str, Any], out: Path, dtype: str) -> None:
    """adapter_model.safetensors and adapter_config.json, without the model card that would name this machine's paths.

    `state` are the gathered weights; those in `peft` may be one process's part.
    """
    peft.save_pretrained(str(out), save_embedding_layers=False, state_dict=state)
    (out / "README.md").unlink(missing_ok=True)
    if dtype == "float32":
        return  # as PEFT keeps it
    weights = out / WEIGHTS
    tensors = {name: tensor.to(getattr(torch, dtype)) for name, tensor in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})


def _write_manifest(
    config: TrainConfig, stands_on: Lineage, report: dict[str, Any], metrics: Metrics, out: Path
) -> None:
    """Last of all: a folder with a manifest is an adapter that is finished."""
    held = metrics.series("held_out_loss")
    own = {"id": config.name, "sha256": sha256_file(out / WEIGHTS)}
    manifest = {
        "name": config.name,
        "base": {"id": stands_on.base_id, "sha256": stands_on.base_sha256},
        "stages": [{"id": one.manifest["name"], "sha256": one.sha256} for one in stands_on.below] + [own],
        "template_sha256": template_sha256(stands_on.family),
        "languages": config.languages,
        "track": config.track,
        "licence": stands_on.licence,
        "data": {"tokens": report.get("tokens"), "sources": report.get("sources", {})},
        "evaluation": {"held_out_loss": held[1][-1]} if held[1] else {},
        "training": {
            "steps": metrics.rows[-1]["step"] if metrics.rows else 0,
            "seconds": metrics.seconds,
            "tokens_computed": metrics.tokens,
            "settings": config.model_dump(mode="json", exclude={"base", "data", "inherits", "threads"}),
        },
        "tool_versions": tool_versions(),
        "created": now(),
    }
    write_text(out / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")


def as_json(trained: Trained) -> dict[str, Any]:
    """Its figures."""
    return asdict(trained) | {"folder": str(trained.folder)}
