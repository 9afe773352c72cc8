"""A PEFT LoRA folder as pairs of matrices with their scale, each tensor accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quantize.adapter import Adapter, Pair, check_finite, check_product
from quantize.errors import Unreadable, Unsupported
from quantize.files import sha256_file
from quantize.manifest import read_manifest
from quantize.mapped import StoredTensor
from quantize.peft_config import PeftConfig, read_config
from quantize.shards import read_safetensors

WEIGHTS_NAME = "adapter_model.safetensors"
MANIFEST_NAME = "manifest.json"
PREFIX = "base_model.model."
ENDINGS = {
    ".lora_A.weight": ("a", False),
    ".lora_B.weight": ("b", False),
    ".lora_embedding_A": ("a", True),
    ".lora_embedding_B": ("b", True),
}
"""Ending of a tensor's name → (which factor, whether of an embedding)."""


@dataclass(frozen=True)
class PeftAdapter(Adapter):
    """An adapter in a folder saved by PEFT."""

    config: PeftConfig


def read_adapter(folder: Path) -> PeftAdapter:
    """The adapter in `folder`, checked: every tensor is half of a pair, of the promised rank, and finite.

    Raises `Unsupported` naming the tensor that is none of a LoRA's, `Unreadable` for a broken or half-written file.
    """
    if not (folder / WEIGHTS_NAME).is_file():
        raise Unreadable(f"{folder} has no {WEIGHTS_NAME}; is it an adapter saved by PEFT?")
    config = read_config(folder)
    pairs = _pairs(folder.name, config, read_safetensors(folder / WEIGHTS_NAME))
    manifest = read_manifest(folder / MANIFEST_NAME) if (folder / MANIFEST_NAME).is_file() else None
    return PeftAdapter(folder, pairs, sha256_file(folder / WEIGHTS_NAME), manifest, config)


def _pairs(name: str, config: PeftConfig, tensors: dict[str, StoredTensor]) -> tuple[Pair, ...]:
    factors: dict[str, dict[str, StoredTensor]] = {}
    embeddings: set[str] = set()
    for key, tensor in tensors.items():
        ending = next((ending for ending in ENDINGS if key.endswith(ending)), None)
        if ending is None or not key.startswith(PREFIX):
            raise Unsupported(f"{name}: {key} is not part of a LoRA, so it would be lost; {_why(key)}")
        module = key[len(PREFIX) : -len(ending)]
        factor, embedding = ENDINGS[ending]
        factors.setdefault(module, {})[factor] = tensor
        if embedding:
            embeddings.add(module)
    if not factors:
        raise Unsupported(f"{name} holds no tensors: nothing was trained")
    return tuple(
        _pair(name, config, module, found, module in embeddings) for module, found in sorted(factors.items())
    )


def _why(key: str) -> str:
    """What such a tensor usually is, and what to do."""
    if "lora_magnitude" in key:
        return "it belongs to DoRA; train with use_dora=False"
    if "token_adapter" in key:
        return (
            "it holds trained rows of the embedding; merge with PEFT and pass the merged folder as the base"
        )
    if ".base_layer." in key:
        return "PEFT saved the base's own layer with it; save again with save_embedding_layers=False"
    if key.endswith((".weight", ".bias")):
        return "it replaces a whole layer (modules_to_save); merge with PEFT and pass the merged folder as the base"
    return "train with plain LoRA"


def _pair(
    name: str, config: PeftConfig, module: str, found: dict[str, StoredTensor], embedding: bool
) -> Pair:
    if set(found) != {"a", "b"}:
        raise Unreadable(f"{name}: {module} has only one of lora_A and lora_B; the file is incomplete")
    a, b = found["a"], found["b"]
    check_product(name, module, a, b)
    if a.shape[0] != config.rank_of(module):
        raise Unsupported(
            f"{name}: {module} has rank {a.shape[0]} but its configuration says {config.rank_of(module)}, "
            "so its scale is not known"
        )
    check_finite(name, a, b)
    return Pair(module, a, b, config.scale_of(module), embedding)
