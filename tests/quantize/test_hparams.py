"""config.json of both versions of transformers, and what is refused in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quantize.errors import Unreadable, Unsupported
from quantize.hparams import fields, read_hparams

QWEN3: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"],
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_hidden_layers": 36,
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "vocab_size": 151_936,
    "rope_theta": 1_000_000,
    "tie_word_embeddings": False,
}


def folder(tmp_path: Path, **changes: Any) -> Path:
    """A folder with such a config.json; a value of None removes the key."""
    config = {key: value for key, value in (QWEN3 | changes).items() if value is not None}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


def test_qwen3_8b_gets_the_keys_that_llama_cpp_reads(tmp_path: Path) -> None:
    keys = {key: field.value for key, field in fields(read_hparams(folder(tmp_path))).items()}
    assert keys == {
        "qwen3.block_count": 36,
        "qwen3.context_length": 32768,
        "qwen3.embedding_length": 4096,
        "qwen3.feed_forward_length": 12288,
        "qwen3.attention.head_count": 32,
        "qwen3.attention.head_count_kv": 8,
        "qwen3.attention.key_length": 128,
        "qwen3.attention.value_length": 128,
        "qwen3.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen3.rope.freq_base": 1_000_000.0,
    }


def test_rope_is_read_where_transformers_5_and_4_put_it(tmp_path: Path) -> None:
    old = read_hparams(folder(tmp_path, rope_scaling={"type": "linear", "factor": 4.0}))
    new = read_hparams(
        folder(
            tmp_path,
            rope_theta=None,
            rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 1_000_000},
        )
    )
    assert fields(old) == fields(new)
    assert fields(new)["qwen3.rope.scaling.factor"].value == 4.0


def test_yarn_keeps_its_numbers(tmp_path: Path) -> None:
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "beta_fast": 32}
    keys = fields(read_hparams(folder(tmp_path, rope_scaling=yarn)))
    assert keys["qwen3.rope.scaling.original_context_length"].value == 32768
    assert keys["qwen3.rope.scaling.yarn_beta_fast"].value == 32.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architectures": ["MambaForCausalLM"]}, "the architecture MambaForCausalLM is not supported"),
        ({"architectures": None}, "is not supported"),
        ({"rope_theta": None}, "gives no rope_theta"),
        ({"rope_scaling": {"rope_type": "longrope"}}, "rope scaling longrope"),
        ({"quantization_config": {"quant_method": "awq"}}, "quantised already"),
        ({"use_sliding_window": True}, "use_sliding_window"),
        ({"architectures": ["Gemma3ForCausalLM"], "sliding_window": 512, "layer_types": ["full_attention"] * 36},
         "every sixth layer"),
    ],
)  # fmt: skip
def test_what_llama_cpp_would_run_differently_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(Unsupported, match=said):
        fields(read_hparams(folder(tmp_path, **changes)))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"architectures": ["Qwen3ForCausalLM"]}'])
def test_a_config_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises((Unreadable, Unsupported), match=r"config\.json|not supported"):
        read_hparams(tmp_path)
