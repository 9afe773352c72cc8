"""What would waste hours of training is found before it begins."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import psutil
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.errors import FinetuneError
from finetune.train_config import TrainConfig
from finetune.train_packing import Row
from tutor_app.pedagogy.templates import END_OF_TURN

ALIKE = 0.9
"""Cosine with the row of a token that no text contains, from which on a row may never have been trained. Instruct
models can be that near too (0.95 in Qwen2.5), so what they say is asked as well."""
SAID_AT_LEAST = 0.01
"""Probability of the end of a turn at the ends of tutors' turns, below which the base does not know it."""
ASKED = 3
"""Conversations it is asked on."""
CHECKPOINT_BYTES = 12
"""A trained weight and its two moments in float32."""
ACTIVATION_FLOATS = {False: 34, True: 2}
"""Numbers kept for the way back, a token and layer, in units of the hidden size: without and with checkpointing
(estimated from the shapes of Qwen2.5 1.5B, whose inner layer is 5.8 times the hidden size; not measured)."""


def end_of_turn_id(tokenizer: PreTrainedTokenizerBase, family: str, vocabulary: int) -> int:
    """The token that ends a turn. Raises FinetuneError for a tokenizer without it, or with ids beyond the embedding."""
    token = END_OF_TURN[family]
    found = tokenizer.convert_tokens_to_ids(token)
    unknown = tokenizer.unk_token_id
    if not isinstance(found, int) or (unknown is not None and found == unknown):
        raise FinetuneError(
            f"The base's tokenizer has no {token!r}, with which the template {family} ends a turn."
        )
    if found >= vocabulary or len(tokenizer) > vocabulary:
        raise FinetuneError(
            f"The tokenizer has {len(tokenizer)} tokens but the base has rows for {vocabulary}; added tokens cannot be "
            "carried in an adapter. Use the base's own tokenizer."
        )
    return found


def check_end_of_turn(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    end_of_turn: int,
    rows: Sequence[Row],
    *,
    accept: bool,
) -> str | None:
    """A warning when the base never learnt to say that a turn is over, or None. Raises FinetuneError unless `accept`.

    LoRA leaves the embedding frozen. When the row of the end of turn was never trained, it looks like those of tokens
    that no text contains, and models talk on for ever (QwenLM/Qwen3#1064).
    """
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    assert head is not None
    weight = head.weight
    assert isinstance(weight, torch.Tensor)
    never = [token for token in _never_trained(tokenizer, weight.shape[0]) if token != end_of_turn]
    if not never:
        return None
    with torch.no_grad():
        found = torch.nn.functional.normalize(weight[[end_of_turn, *never]].float(), dim=1)
        nearest = float((found[1:] @ found[0]).max())
    said = _said(model, end_of_turn, rows[:ASKED]) if nearest >= ALIKE else 1.0
    if said >= SAID_AT_LEAST:
        return None
    told = (
        f"The base never learnt its end of turn: the row has cosine {nearest:.2f} with that of an unused token, it is "
        f"given {said:.2%} where tutors' turns end, and LoRA leaves it as it is"
    )
    if not accept:
        raise FinetuneError(
            f"{told}, so the model may never stop. Use an instruct base, or set `accept_untrained_end: true` and look "
            "at the stop rate that `tutor-finetune evaluate` reports."
        )
    return f"{told}; look at the stop rate that `tutor-finetune evaluate` reports."


def _said(model: PreTrainedModel, end_of_turn: int, rows: Sequence[Row]) -> float:
    """Mean probability of the end of turn where it stands in `rows`, the untrained base asked."""
    found: list[float] = []
    for row in rows:
        ends = [i for i, token in enumerate(row.ids) if i and token == end_of_turn and row.trained[i]]
        with torch.no_grad():
            logits = model(
                input_ids=torch.tensor([row.ids], device=model.device),
                logits_to_keep=torch.tensor([end - 1 for end in ends], device=model.device),
            ).logits[0]
        found += logits.float().softmax(-1)[:, end_of_turn].tolist()
    return sum(found) / max(1, len(found))


def _never_trained(tokenizer: PreTrainedTokenizerBase, rows: int) -> list[int]:
    """Rows beyond the vocabulary, and tokens whose names say that they are unused."""
    beyond = list(range(len(tokenizer), rows))
    named = [
        token
        for name, token in tokenizer.get_vocab().items()
        if name.startswith(("<unused", "[unused", "<|reserved", "[PAD"))
    ]
    return sorted({*beyond[:64], *sorted(named)[:64]})


def check_room(config: TrainConfig, out: Path, model: PreTrainedModel, trained: int) -> list[str]:
    """What the run will take, as lines to show. Raises FinetuneError when memory or disk cannot hold it."""
    text = model.config.get_text_config()
    layers = int(text.num_hidden_layers) - (0 if config.gradient_checkpointing else config.lora.first_layer)
    width = 2 if config.dtype == "bfloat16" else 4
    logits = 3 * 4 * config.sequence_tokens // 3 * int(text.vocab_size)
    activations = (
        ACTIVATION_FLOATS[config.gradient_checkpointing]
        * config.sequence_tokens
        * layers
        * int(text.hidden_size)
        * width
    )
    more = activations + logits + trained * 16
    disk = trained * CHECKPOINT_BYTES * (config.keep + 1)
    free_disk = shutil.disk_usage(out).free
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    if torch.cuda.is_available():
        free, needed, where = torch.cuda.mem_get_info()[0], more + weights, "on the GPU"
    else:
        free, needed, where = psutil.virtual_memory().available, more, "beside the base"
    lines = [
        f"memory {where}: about {needed / 1e9:.1f} GB of {free / 1e9:.1f} GB free",
        f"disk: {disk / 1e9:.2f} GB of {free_disk / 1e9:.1f} GB free",
    ]
    if needed > free:
        raise FinetuneError(
            f"Training needs about {needed / 1e9:.1f} GB {where}, but {free / 1e9:.1f} GB are free. Lower "
            "`sequence_tokens`, raise `lora.first_layer`, or set `gradient_checkpointing: true`."
        )
    if disk > free_disk:
        raise FinetuneError(
            f"Checkpoints take {disk / 1e9:.1f} GB, but {free_disk / 1e9:.1f} GB are free at {out}. Lower `keep`."
        )
    return lines
