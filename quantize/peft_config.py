"""adapter_config.json of PEFT: the scale of every module, and a refusal of all that is not W + scale·B·A."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantize.errors import Unreadable, Unsupported
from quantize.files import reading

CONFIG_NAME = "adapter_config.json"
MEANS_NOTHING_HERE = {
    "task_type",
    "peft_type",
    "auto_mapping",
    "peft_version",
    "base_model_name_or_path",
    "revision",
    "inference_mode",
    "r",
    "target_modules",
    "exclude_modules",
    "lora_alpha",
    "lora_dropout",
    "use_rslora",
    "layers_to_transform",
    "layers_pattern",
    "rank_pattern",
    "alpha_pattern",
    "megatron_core",
    "qalora_group_size",
    "runtime_config",
    "ensure_weight_tying",
    "loftq_config",
    "eva_config",
}
"""Options that are read elsewhere, or that only matter while training."""
REFUSED = {
    "use_dora": "DoRA also rescales each row of the weight, which neither this merge nor llama.cpp's LoRA does; "
    "train with use_dora=False, or merge with PEFT and pass the merged folder as the base",
    "modules_to_save": "modules_to_save replaces whole layers, which is no LoRA; train without it, or merge with PEFT "
    "and pass the merged folder as the base",
    "trainable_token_indices": "trainable_token_indices changes rows of the embedding, which is no LoRA; merge with "
    "PEFT and pass the merged folder as the base",
    "alora_invocation_tokens": "an activated LoRA works only after its invocation tokens and cannot be merged",
    "layer_replication": "layer_replication makes a model with more layers than its base",
    "target_parameters": "target_parameters tunes expert weights, which none of the supported families has",
    "fan_in_fan_out": "fan_in_fan_out is for layers that store their weight transposed, which none here does",
    "lora_bias": "lora_bias adds a vector that a LoRA file cannot hold; train with lora_bias=False",
    "corda_config": "CorDA changes the base weights before training; convert the adapter to a plain LoRA with PEFT",
    "lora_ga_config": "LoRA-GA changes the base weights before training; convert the adapter to a plain LoRA with PEFT",
}
KEEPS_BASE = (True, False, None, "gaussian", "orthogonal", "eva")
"""Values of init_lora_weights that leave the base as it is; PiSSA, OLoRA, CorDA and LoftQ take a part out of it."""


@dataclass(frozen=True)
class PeftConfig:
    """What is needed of adapter_config.json."""

    rank: int
    alpha: float
    rank_stabilised: bool
    rank_pattern: dict[str, int]
    alpha_pattern: dict[str, float]
    base: str | None
    """The name or path of the base that PEFT noted."""

    def rank_of(self, module: str) -> int:
        """The rank that was asked for in this module."""
        return int(_by_pattern(self.rank_pattern, module, self.rank))

    def scale_of(self, module: str) -> float:
        """What B·A is multiplied by: alpha / rank, or alpha / √rank with rank stabilisation (arXiv 2312.03732)."""
        alpha, rank = float(_by_pattern(self.alpha_pattern, module, self.alpha)), self.rank_of(module)
        return alpha / math.sqrt(rank) if self.rank_stabilised else alpha / rank


def _by_pattern(patterns: dict[str, Any], module: str, otherwise: float) -> float:
    """The first pattern that matches the end of the module's name, as `peft.utils.other.get_pattern_key` picks it."""
    for pattern, value in patterns.items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return float(value)
    return otherwise


def read_config(folder: Path) -> PeftConfig:
    """The configuration of the adapter in `folder`. Raises `Unsupported` for whatever would not merge exactly."""
    path = folder / CONFIG_NAME
    with reading(path):
        text = path.read_text(encoding="utf-8")
    try:
        raw: dict[str, Any] = json.loads(text)
        _refuse(folder, raw)
        return PeftConfig(
            rank=int(raw["r"]),
            alpha=float(raw["lora_alpha"]),
            rank_stabilised=bool(raw.get("use_rslora")),
            rank_pattern=dict(raw.get("rank_pattern") or {}),
            alpha_pattern=dict(raw.get("alpha_pattern") or {}),
            base=raw.get("base_model_name_or_path"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path} is not an adapter's configuration ({error})") from error


def _refuse(folder: Path, raw: dict[str, Any]) -> None:
    kind = str(raw.get("peft_type")).rpartition(".")[2]
    if kind != "LORA":
        raise Unsupported(f"{folder.name} is a {kind} adapter; only LORA can be merged")
    for option, reason in REFUSED.items():
        if raw.get(option):
            raise Unsupported(f"{folder.name}: {reason}")
    if raw.get("bias", "none") != "none":
        raise Unsupported(
            f"{folder.name}: trained biases (bias={raw['bias']}) are no LoRA; train with bias='none'"
        )
    if raw.get("init_lora_weights") not in KEEPS_BASE:
        raise Unsupported(
            f"{folder.name}: init_lora_weights={raw['init_lora_weights']} changed the base before training, so the "
            "adapter does not fit the original; convert it with PEFT (save_pretrained, path_initial_model_for_weight_conversion)"
        )
    handled = MEANS_NOTHING_HERE | set(REFUSED) | {"bias", "init_lora_weights"}
    for option, value in raw.items():
        if option not in handled and value:
            raise Unsupported(
                f"{folder.name}: the option {option}={value!r} is not known here, so it is not ignored"
            )
