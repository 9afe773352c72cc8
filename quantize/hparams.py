"""config.json of transformers (4 or 5) as the keys that llama.cpp reads."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import GGUFValueType

from quantize.architectures import Architecture, by_hf_class
from quantize.errors import Unreadable, Unsupported
from quantize.files import reading
from quantize.gguf_file import Field
from quantize.mapped import Float32

GEMMA3_GLOBAL_EVERY = 6
"""llama.cpp takes every sixth layer of Gemma 3 as a global one."""


@dataclass(frozen=True)
class Hparams:
    """The shape of a model, as config.json says it."""

    architecture: Architecture
    raw: dict[str, Any]
    n_layers: int
    n_heads: int
    n_kv_heads: int
    hidden: int
    head_dim: int
    vocab_size: int
    tied: bool
    rope: dict[str, Any]
    """rope_theta and rope_type of full attention, wherever the version of transformers put them."""
    rope_local: float | None
    """rope_theta of sliding-window layers (Gemma 3)."""


def read_hparams(folder: Path) -> Hparams:
    """The shape of the model in `folder`. Raises `Unsupported` for what llama.cpp or this package lacks."""
    path = folder / "config.json"
    with reading(path):
        text = path.read_text(encoding="utf-8")
    try:
        raw: dict[str, Any] = json.loads(text)
        architecture = by_hf_class(str((raw.get("architectures") or ["(none named)"])[0]))
        if raw.get("quantization_config"):
            raise Unsupported(f"{folder} is quantised already; use the 16-bit model, or a GGUF, as the base")
        n_heads = int(raw["num_attention_heads"])
        rope, rope_local = _rope(raw, architecture)
        return Hparams(
            architecture=architecture,
            raw=raw,
            n_layers=int(raw["num_hidden_layers"]),
            n_heads=n_heads,
            n_kv_heads=int(raw.get("num_key_value_heads") or n_heads),
            hidden=int(raw["hidden_size"]),
            head_dim=int(raw.get("head_dim") or int(raw["hidden_size"]) // n_heads),
            vocab_size=int(raw["vocab_size"]),
            tied=bool(raw.get("tie_word_embeddings", architecture.name == "gemma3")),
            rope=rope,
            rope_local=rope_local,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path} is not a model's config.json ({error})") from error


def _rope(raw: dict[str, Any], architecture: Architecture) -> tuple[dict[str, Any], float | None]:
    """Transformers 5 writes `rope_parameters`; 4 wrote `rope_theta` and `rope_scaling` apart. Both are read."""
    given: dict[str, Any] = dict(raw.get("rope_parameters") or raw.get("rope_scaling") or {})
    local = given.get("sliding_attention", {}).get("rope_theta", raw.get("rope_local_base_freq"))
    rope = dict(given.get("full_attention") or given)
    rope.setdefault("rope_theta", raw.get("rope_theta"))
    rope["rope_type"] = rope.get("rope_type") or rope.get("type") or "default"
    if rope["rope_theta"] is None:
        raise Unsupported(
            f"config.json of this {architecture.hf_class} gives no rope_theta, in neither place where it may stand; "
            "llama.cpp would take 10000 and the model would lose its way in long texts"
        )
    if rope["rope_type"] not in ("default", "linear", "yarn", "llama3"):
        raise Unsupported(f"the rope scaling {rope['rope_type']} is not supported")
    return rope, None if local is None else float(local)


def fields(hparams: Hparams) -> dict[str, Field]:
    """The keys of llama.cpp for this model, without vocabulary and general ones."""
    raw, name = hparams.raw, hparams.architecture.name

    def u32(value: Any) -> Field:
        return Field(int(value), GGUFValueType.UINT32)

    def f32(value: Any) -> Field:
        return Field(float(value), GGUFValueType.FLOAT32)

    keys = {
        "block_count": u32(hparams.n_layers),
        "context_length": u32(raw["max_position_embeddings"]),
        "embedding_length": u32(hparams.hidden),
        "feed_forward_length": u32(raw["intermediate_size"]),
        "attention.head_count": u32(hparams.n_heads),
        "attention.head_count_kv": u32(hparams.n_kv_heads),
        "rope.freq_base": f32(hparams.rope["rope_theta"]),
        "attention.layer_norm_rms_epsilon": f32(raw["rms_norm_eps"]),
    }
    if raw.get("head_dim") or name == "gemma3":
        keys["attention.key_length"] = keys["attention.value_length"] = u32(hparams.head_dim)
    if name == "llama":
        keys["vocab_size"] = u32(hparams.vocab_size)
        keys["rope.dimension_count"] = u32(hparams.head_dim)
    if name == "gemma3":
        keys |= _gemma3(hparams)
    elif raw.get("use_sliding_window"):
        raise Unsupported(f"use_sliding_window in config.json: llama.cpp runs {name} without a window")
    if hparams.rope["rope_type"] in ("linear", "yarn"):
        keys |= _scaling(hparams.rope)
    return {f"{name}.{key}": value for key, value in keys.items()}


def _gemma3(hparams: Hparams) -> dict[str, Field]:
    raw = hparams.raw
    kinds = raw.get("layer_types") or []
    expected = [
        "full_attention" if (n + 1) % GEMMA3_GLOBAL_EVERY == 0 else "sliding_attention"
        for n in range(len(kinds))
    ]
    if kinds != expected or raw.get("sliding_window_pattern", GEMMA3_GLOBAL_EVERY) != GEMMA3_GLOBAL_EVERY:
        raise Unsupported(
            "layer_types of this Gemma 3: llama.cpp takes every sixth layer as global, and no other"
        )
    if raw.get("attn_logit_softcapping"):
        raise Unsupported("attn_logit_softcapping in config.json: Gemma 3 has none in llama.cpp")
    keys = {"attention.sliding_window": Field(int(raw["sliding_window"]), GGUFValueType.UINT32)}
    if hparams.rope_local is not None:
        keys["rope.freq_base_swa"] = Field(hparams.rope_local, GGUFValueType.FLOAT32)
    if raw.get("final_logit_softcapping"):
        keys["final_logit_softcapping"] = Field(float(raw["final_logit_softcapping"]), GGUFValueType.FLOAT32)
    return keys


def _scaling(rope: dict[str, Any]) -> dict[str, Field]:
    keys = {
        "rope.scaling.type": Field(rope["rope_type"], GGUFValueType.STRING),
        "rope.scaling.factor": Field(float(rope["factor"]), GGUFValueType.FLOAT32),
    }
    if rope["rope_type"] == "yarn":
        length = int(rope["original_max_position_embeddings"])
        keys["rope.scaling.original_context_length"] = Field(length, GGUFValueType.UINT32)
        for ours, theirs in YARN_KEYS.items():
            if rope.get(theirs) is not None:
                keys[f"rope.scaling.{ours}"] = Field(float(rope[theirs]), GGUFValueType.FLOAT32)
    return keys


YARN_KEYS = {
    "yarn_ext_factor": "extrapolation_factor",
    "yarn_attn_factor": "attention_factor",
    "yarn_beta_fast": "beta_fast",
    "yarn_beta_slow": "beta_slow",
}


def rope_factors(hparams: Hparams) -> Float32 | None:
    """The tensor `rope_freqs.weight` [head_dim / 2] of Llama 3.1 and later; None for any other scaling.

    Slow frequencies are divided by `factor`, fast ones are left, those between are blended, as in
    `transformers.modeling_rope_utils._compute_llama3_parameters`.
    """
    rope = hparams.rope
    if rope["rope_type"] != "llama3":
        return None
    theta, factor = float(rope["rope_theta"]), float(rope["factor"])
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    old_length = float(rope["original_max_position_embeddings"])
    return np.array(list(_llama3(theta, factor, low, high, old_length, hparams.head_dim)), dtype=np.float32)


def _llama3(theta: float, factor: float, low: float, high: float, length: float, dim: int) -> Iterator[float]:
    for index in range(0, dim, 2):
        wavelength = 2 * math.pi * theta ** (index / dim)
        if wavelength < length / high:
            yield 1.0
        elif wavelength > length / low:
            yield factor
        else:
            smooth = (length / wavelength - low) / (high - low)
            yield 1.0 / ((1.0 - smooth) / factor + smooth)
