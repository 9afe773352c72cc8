"""The model that is trained: a base from a folder or a GGUF file, the stages it stands on, and a fresh LoRA."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from finetune.errors import FinetuneError
from finetune.train_config import Lora, TrainConfig
from tutor_app.pedagogy.templates import END_OF_TURN, template_sha256

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
MANIFEST = "manifest.json"
PREFIX = "base_model.model."


@dataclass(frozen=True)
class Below:
    """An adapter that is finished and under the one in training."""

    folder: Path
    manifest: dict[str, Any]
    config: dict[str, Any]
    sha256: str
    """Of adapter_model.safetensors."""


@dataclass(frozen=True)
class Lineage:
    """What the config and the adapters below say together."""

    base: Path
    base_id: str
    base_sha256: str
    family: str
    licence: str | None
    below: tuple[Below, ...]


def lineage(config: TrainConfig) -> Lineage:
    """Where training starts from. Raises FinetuneError when the stages do not stand on each other, this base and template."""
    below = tuple(_below(folder) for folder in config.inherits)
    last = below[-1] if below else None
    base = config.base or Path(str(last.config["base_model_name_or_path"]) if last else "")
    if not base.exists():
        raise FinetuneError(
            f"The base {base}, which {config.inherits[-1].name} was trained on, is not there. Set `base` to where it is."
        )
    sha256 = base_sha256(base)
    family = config.family or next(
        (name for name in END_OF_TURN if last and template_sha256(name) == last.manifest["template_sha256"]),
        "",
    )
    if not family:
        raise FinetuneError(
            f"{config.inherits[-1].name} was trained with a prompt template that is not the app's own; train it again."
        )
    expected: list[str] = []
    for one in below:
        on = one.manifest["base"]
        if on["sha256"] != sha256:
            raise FinetuneError(
                f"{one.folder.name} was trained on {on['id']} (sha256 {on['sha256'][:12]}…), but {base} has {sha256[:12]}…."
            )
        if one.manifest["template_sha256"] != template_sha256(family):
            raise FinetuneError(f"{one.folder.name} was trained with another prompt template than {family}.")
        stages = [stage["sha256"] for stage in one.manifest["stages"] if stage["sha256"] != one.sha256]
        if stages != expected:
            raise FinetuneError(
                f"{one.folder.name} does not stand on the adapters before it in `inherits`: list all of them, the first first."
            )
        expected.append(one.sha256)
    base_id = config.base_id or (str(last.manifest["base"]["id"]) if last else "")
    licence = config.licence or (last.manifest.get("licence") if last else None)
    return Lineage(base, base_id, sha256, family, licence, below)


def _below(folder: Path) -> Below:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return Below(folder, manifest, config, sha256_file(folder / WEIGHTS))
    except (OSError, ValueError) as error:
        raise FinetuneError(
            f"inherits: {folder} is no finished adapter ({error}). Train that stage first."
        ) from error


def sha256_file(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def base_sha256(base: Path) -> str:
    """As `tutor-quantize` names a base: a file's digest, or of the list of digests of a folder with several shards."""
    if base.is_file():
        return sha256_file(base)
    shards = sorted(base.glob("*.safetensors"))
    if not shards:
        raise FinetuneError(f"{base} has no .safetensors file, so it is no model folder.")
    if len(shards) == 1:
        return sha256_file(shards[0])
    lines = "".join(f"{sha256_file(shard)}  {shard.name}\n" for shard in shards)
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


def load_tokenizer(base: Path) -> PreTrainedTokenizerBase:
    """The base's tokenizer. It names control tokens; conversations were tokenised before."""
    where, extra = _where(base)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            where, local_files_only=True, **extra
        )
    except (OSError, ValueError) as error:
        raise FinetuneError(f"The tokenizer of {base} cannot be read: {error}") from error
    return tokenizer


def load_base(base: Path, dtype: str) -> PreTrainedModel:
    """The base's weights on the CPU; those of a GGUF are unpacked, so that training sees what the app runs."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    where, extra = _where(base)
    if extra:
        extra["quantization_config"] = GgufConfig(dequantize=True)
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            where,
            dtype=getattr(torch, dtype),
            # The mask of shared beginnings is a matrix of what may be seen, which this implementation takes as it is.
            attn_implementation="sdpa",
            local_files_only=True,
            **extra,
        )
    except (OSError, ValueError) as error:
        raise FinetuneError(f"The base {base} cannot be loaded: {error}") from error
    model.config.use_cache = False
    return model


def _where(base: Path) -> tuple[Path, dict[str, Any]]:
    return (base.parent, {"gguf_file": base.name}) if base.is_file() else (base, {})


def add_below(model: PreTrainedModel, below: tuple[Below, ...]) -> None:
    """Let each layer add what the stages below learnt, as the app does when it runs base and adapters side by side.

    They are not merged into the weights: in bfloat16 a merge would lose most of so small a change.
    """
    modules = dict(model.named_modules())
    for one in below:
        tensors = load_file(one.folder / WEIGHTS)
        used: set[str] = set()
        for key in [key for key in tensors if key.endswith(".lora_A.weight")]:
            name = key.removeprefix(PREFIX).removesuffix(".lora_A.weight")
            other = key.replace(".lora_A.", ".lora_B.")
            if not isinstance(modules.get(name), nn.Linear) or other not in tensors:
                raise FinetuneError(f"{one.folder.name}: {key} fits no layer of the base.")
            scale = float(one.config["lora_alpha"]) / int(one.config["r"])
            _hook(modules[name], tensors[key], tensors[other] * scale)
            used |= {key, other}
        if used != set(tensors):
            left = sorted(set(tensors) - used)[0]
            raise FinetuneError(f"{one.folder.name}: {left} is no part of a LoRA, so it would be lost.")


def _hook(layer: nn.Module, a: torch.Tensor, b: torch.Tensor) -> None:
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    number = len(layer._forward_hooks)
    # Not in the state, so that no checkpoint carries them; buffers, so that they go where the model goes.
    layer.register_buffer(f"below_a_{number}", a.to(weight), persistent=False)
    layer.register_buffer(f"below_b_{number}", b.to(weight), persistent=False)

    def add(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        first, second = getattr(module, f"below_a_{number}"), getattr(module, f"below_b_{number}")
        return output + nn.functional.linear(nn.functional.linear(inputs[0], first), second)

    layer.register_forward_hook(add)


def with_lora(model: PreTrainedModel, lora: Lora, base: Path, seed: int) -> PeftModel:
    """`model` frozen, with a LoRA in float32 to train; before training it changes nothing."""
    layers = int(model.config.get_text_config().num_hidden_layers)
    if lora.first_layer >= layers:
        raise FinetuneError(
            f"lora.first_layer is {lora.first_layer}, but the base has layers 0 to {layers - 1}."
        )
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.modules),
        layers_to_transform=list(range(lora.first_layer, layers)) if lora.first_layer else None,
        task_type="CAUSAL_LM",
        base_model_name_or_path=str(base),
    )
    trained = get_peft_model(model, config)
    assert isinstance(trained, PeftModel)
    # PEFT notes the name the model was loaded under, which for a GGUF is only its folder.
    trained.peft_config["default"].base_model_name_or_path = str(base)
    return trained
