"""What differs between the model families that can be built: names, row order, norms, and what a layer holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from gguf.constants import MODEL_ARCH
from gguf.tensor_mapping import get_tensor_name_map
from numpy.typing import NDArray

from quantize.errors import Unsupported

PROJECTIONS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
PRE_NORMS = ("input_layernorm", "post_attention_layernorm")


@dataclass(frozen=True)
class Architecture:
    """One family, under the name it has in GGUF."""

    name: str
    hf_class: str
    """The entry of `architectures` in config.json."""
    model: MODEL_ARCH
    norms: tuple[str, ...] = PRE_NORMS
    """Modules of a layer that hold one vector `weight`."""
    qkv_bias: bool = False
    """Whether q, k and v have a bias that must be there."""
    may_have_bias: bool = False
    """Whether a projection may have a bias (`attention_bias`, `mlp_bias` in config.json)."""
    interleaves_rope: bool = False
    """llama.cpp rotates neighbouring values where transformers rotates halves: rows of q and k change places."""
    norm_offset: float = 0.0
    """Added to every norm weight: Gemma stores w and multiplies by 1 + w, llama.cpp multiplies by what is stored."""


ARCHITECTURES = (
    Architecture(
        "qwen3", "Qwen3ForCausalLM", MODEL_ARCH.QWEN3, (*PRE_NORMS, "self_attn.q_norm", "self_attn.k_norm")
    ),
    Architecture("qwen2", "Qwen2ForCausalLM", MODEL_ARCH.QWEN2, qkv_bias=True),
    Architecture("llama", "LlamaForCausalLM", MODEL_ARCH.LLAMA, may_have_bias=True, interleaves_rope=True),
    Architecture(
        "gemma3",
        "Gemma3ForCausalLM",
        MODEL_ARCH.GEMMA3,
        (
            *PRE_NORMS,
            "pre_feedforward_layernorm",
            "post_feedforward_layernorm",
            "self_attn.q_norm",
            "self_attn.k_norm",
        ),
        norm_offset=1.0,
    ),
)
SUPPORTED = ", ".join(architecture.hf_class for architecture in ARCHITECTURES)


def by_hf_class(name: str) -> Architecture:
    """The family that config.json names. Raises `Unsupported` with the name."""
    for architecture in ARCHITECTURES:
        if architecture.hf_class == name:
            return architecture
    raise Unsupported(f"the architecture {name} is not supported; these are: {SUPPORTED}")


def by_gguf_name(name: str) -> Architecture:
    """The family that `general.architecture` names. Raises `Unsupported` with the name."""
    for architecture in ARCHITECTURES:
        if architecture.name == name:
            return architecture
    names = ", ".join(architecture.name for architecture in ARCHITECTURES)
    raise Unsupported(f"the architecture {name} is not supported; these are: {names}")


class NameMap:
    """Names in transformers to names in GGUF, for one family and number of layers."""

    def __init__(self, architecture: Architecture, n_layers: int) -> None:
        self._map = get_tensor_name_map(architecture.model, n_layers)

    def tensor(self, hf_name: str) -> str | None:
        """`model.layers.0.mlp.up_proj.weight` → `blk.0.ffn_up.weight`; None when there is no such tensor."""
        return self._map.get_name(hf_name, try_suffixes=(".weight", ".bias"))

    def module(self, hf_module: str) -> str | None:
        """`model.layers.0.mlp.up_proj` → `blk.0.ffn_up.weight`: the matrix of a module."""
        return self.tensor(hf_module + ".weight")


def tensor_names(architecture: Architecture, n_layers: int, tied: bool) -> Iterator[tuple[str, bool]]:
    """Every tensor of such a model under its name in transformers, in file order, and whether it must be there."""
    yield "model.embed_tokens.weight", True
    for layer in range(n_layers):
        prefix = f"model.layers.{layer}."
        for module in PROJECTIONS:
            yield f"{prefix}{module}.weight", True
            if architecture.qkv_bias and module.endswith(("q_proj", "k_proj", "v_proj")):
                yield f"{prefix}{module}.bias", True
            elif architecture.may_have_bias:
                yield f"{prefix}{module}.bias", False
        for module in architecture.norms:
            yield f"{prefix}{module}.weight", True
    yield "model.norm.weight", True
    if not tied:
        yield "lm_head.weight", True


def rope_order(n_rows: int, n_heads: int) -> NDArray[np.int64]:
    """Which row of transformers stands at each row of GGUF, for q and k of a family that interleaves.

    Within a head of size d, transformers has the pair (i, i + d/2), llama.cpp (2i, 2i + 1).
    """
    half = n_rows // n_heads // 2
    order = np.arange(n_rows).reshape(n_heads, 2, half).swapaxes(1, 2).reshape(n_rows)
    return order.astype(np.int64)
