"""TRL's trainer on packed sequences: the mask, the loss at trained positions alone, and a learning rate that knows the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import reduce
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Sampler, SequentialSampler
from transformers import EvalPrediction
from trl.trainer.sft_trainer import SFTTrainer

from finetune.train_packing import Pack

IGNORED = -100
NO_BRANCH = -1
"""Of tokens that only fill a sequence up."""
MULTIPLE = 64
"""On a processor, tokens in a sequence, and trained ones, are filled up to a multiple of this. With a new shape at every
update its memory falls to pieces: on qwen2.5-1.5b the process grew from 9.8 to 11.4 GB in ten updates."""


def multiple() -> int:
    """Of how many tokens a sequence is made here."""
    return 1 if torch.cuda.is_available() else MULTIPLE


def collate(packs: Sequence[dict[str, list[int]]], multiple: int = 1) -> dict[str, torch.Tensor]:
    """One sequence as tensors, filled up to a `multiple` of tokens that are seen by none. Shapes: [1, T] each."""
    (pack,) = packs
    labels = [
        token if trained else IGNORED for token, trained in zip(pack["ids"], pack["trained"], strict=True)
    ]
    more = -len(labels) % multiple
    columns = {
        "input_ids": [*pack["ids"], *[pack["ids"][-1]] * more],
        "position_ids": [*pack["positions"], *[0] * more],
        "branches": [*pack["branches"], *[NO_BRANCH] * more],
        "labels": [*labels, *[IGNORED] * more],
    }
    return {name: torch.tensor([column]) for name, column in columns.items()}


def columns(packs: Sequence[Pack]) -> dict[str, list[list[int]]]:
    """`packs` as the columns of a dataset."""
    return {
        "ids": [list(pack.ids) for pack in packs],
        "positions": [list(pack.positions) for pack in packs],
        "branches": [list(pack.branches) for pack in packs],
        "trained": [[int(one) for one in pack.trained] for pack in packs],
    }


def may_see(branches: torch.Tensor, positions: torch.Tensor, window: int | None = None) -> torch.Tensor:
    """Which token sees which: those before it in the shared beginning or its own branch, no further than `window`.

    Shapes: [1, T], [1, T] → [1, 1, T, T], query first.
    """
    branch, position = branches[0], positions[0]
    seen = (branch[None, :] == 0) | (branch[None, :] == branch[:, None])
    # Within what may be seen at all, positions grow as the tokens go on, so they decide what is before and how far.
    distance = position[:, None] - position[None, :]
    seen &= distance >= 0
    if window is not None:
        seen &= distance < window
    return seen[None, None]


def masks(config: Any, branches: torch.Tensor, positions: torch.Tensor) -> Any:
    """The attention mask that a model with this config takes: one, or one for each kind of layer."""
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds == {"full_attention"}:
        return may_see(branches, positions)
    window = int(config.sliding_window)
    return {
        kind: may_see(branches, positions, window if kind == "sliding_attention" else None) for kind in kinds
    }


def trained_loss(
    model: nn.Module, config: Any, inputs: dict[str, torch.Tensor], multiple: int = 1
) -> tuple[torch.Tensor, int]:
    """Sum of -log p over the trained tokens, in nats, and how many they are.

    The output head is by far the widest layer, so it runs only where the next token is trained (and, to a `multiple`,
    at the first place again, where it is not).
    """
    labels = inputs["labels"][0, 1:]
    wanted = (labels != IGNORED).nonzero()[:, 0]
    count = len(wanted)
    wanted = nn.functional.pad(wanted, (0, -count % multiple))
    logits = model(
        input_ids=inputs["input_ids"],
        position_ids=inputs["position_ids"],
        attention_mask=masks(config, inputs["branches"], inputs["position_ids"]),
        logits_to_keep=wanted,
        use_cache=False,
    ).logits[0]
    targets = labels[wanted]
    targets[count:] = IGNORED
    total = nn.functional.cross_entropy(logits.float(), targets, ignore_index=IGNORED, reduction="sum")
    return total, count


def agreed(elapsed: float, stop: bool) -> tuple[float, bool]:
    """The seconds of the first process, and whether any was asked to stop. Every process must call it."""
    state = PartialState()
    if state.num_processes == 1:
        return elapsed, stop
    told = [elapsed if state.is_main_process else 0.0, float(stop)]
    most = reduce(torch.tensor(told, dtype=torch.float64, device=state.device), "max").tolist()
    return float(most[0]), bool(most[1])


def mean_nats(held: EvalPrediction) -> dict[str, float]:
    """The loss over all held-out sequences, nats a trained token: Trainer's own is a mean of the sequences' means.

    Shapes: nats and trained tokens [sequences], those of every process.
    """
    nats, tokens = np.asarray(held.predictions, dtype=np.float64), np.asarray(held.label_ids)
    return {"loss": float(nats.sum() / max(1, tokens.sum()))}


class Falling:
    """Share of the full learning rate: up through the warm-up, then down in a line, by steps or by time."""

    def __init__(self, steps: int, warmup: int, minutes: float | None, spent: float = 0.0) -> None:
        """`spent` are the seconds that earlier runs of this training took."""
        self.steps, self.warmup, self.seconds = steps, warmup, minutes * 60 if minutes else None
        self._started = time.monotonic() - spent
        self.elapsed = spent
        """Seconds that rate and end follow. Set once an update, so that it can be the same in every process."""

    @property
    def now(self) -> float:
        """Seconds of training so far by this process's clock, those before a resume included."""
        return time.monotonic() - self._started

    @property
    def over(self) -> bool:
        """Whether the time asked for is used up."""
        return self.seconds is not None and self.elapsed >= self.seconds

    def at(self, step: int) -> float:
        """0 to 1."""
        left = (self.steps - step) / max(1, self.steps - self.warmup)
        if self.seconds is not None:
            left = min(left, 1 - self.elapsed / self.seconds)
        return max(0.0, min(1.0, (step + 1) / (self.warmup + 1), left))


class PackedTrainer(SFTTrainer):
    """`SFTTrainer` on sequences that are already token ids, in the order of the mixture."""

    falling: Falling
    text_config: Any

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> LambdaLR:
        """The rate follows `falling`."""
        if self.lr_scheduler is None:
            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, self.falling.at)  # type: ignore[arg-type]
        return self.lr_scheduler

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Mean over the trained tokens of the whole update, whichever process and sequence they are in."""
        total, count = trained_loss(model, self.text_config, inputs, multiple())
        if num_items_in_batch is None:
            loss = total / max(1, count)
        else:
            # The processes' gradients are averaged afterwards, but this count is of all of them.
            loss = total / num_items_in_batch * self.accelerator.num_processes
        return (loss, {}) if return_outputs else loss

    def prediction_step(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Any:
        """Of one held-out sequence the loss, and for `mean_nats` its nats and trained tokens."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad():
            total, count = trained_loss(model, self.text_config, inputs, multiple())
        return total / max(1, count), total[None], torch.tensor([count], device=total.device)

    def _get_train_sampler(self, *_: Any, **__: Any) -> Sampler[int]:
        return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None: the manifest says what an adapter is."""
