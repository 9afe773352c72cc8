"""The arithmetic of a merge against a slow, obvious version, and which tensor goes where."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from quantize import export
from quantize.adapter import check_stack
from quantize.architectures import rope_order
from quantize.base import open_base
from quantize.build import Recipe, build
from quantize.errors import Unreadable, Unsupported, WrongBase
from quantize.merge import plan_merge
from quantize.peft_adapter import read_adapter
from quantize.peft_config import PeftConfig
from tests.quantize.conftest import Models
from tests.quantize.tiny import save_adapter


def test_every_row_is_the_base_plus_the_scaled_products(models: Models) -> None:
    tiny = models["qwen3"]
    adapters = [read_adapter(folder) for folder in tiny.adapters]
    tensors = {tensor.name: tensor for tensor in plan_merge(open_base(tiny.folder), adapters)}
    expected = tiny.model.model.layers[1].self_attn.q_proj.weight.detach().numpy().astype(np.float64)
    for adapter in adapters:
        pair = next(pair for pair in adapter.pairs if pair.module.endswith("layers.1.self_attn.q_proj"))
        expected = expected + pair.scale * pair.b.all().astype(np.float64) @ pair.a.all().astype(np.float64)
    merged = tensors["blk.1.attn_q.weight"]
    np.testing.assert_allclose(merged.rows(0, 64), expected, atol=1e-6)
    np.testing.assert_allclose(merged.rows(17, 23), expected[17:23], atol=1e-6)


def test_scales_follow_rank_stabilisation_and_patterns() -> None:
    plain = PeftConfig(8, 16.0, False, {}, {}, None)
    assert plain.scale_of("model.layers.0.self_attn.q_proj") == 2.0
    stabilised = PeftConfig(8, 16.0, True, {"q_proj": 2}, {r"layers\.1\.mlp\.up_proj": 5.0}, None)
    assert stabilised.scale_of("model.layers.0.self_attn.q_proj") == 16 / math.sqrt(2)
    assert stabilised.scale_of("model.layers.1.mlp.up_proj") == 5 / math.sqrt(8)
    assert stabilised.scale_of("model.layers.11.mlp.up_proj") == 16 / math.sqrt(8)


@settings(max_examples=30, deadline=None)
@given(heads=st.integers(1, 8), half=st.integers(1, 16))
def test_rope_order_interleaves_the_halves_of_every_head(heads: int, half: int) -> None:
    order = rope_order(heads * half * 2, heads)
    assert sorted(order) == list(range(heads * half * 2))
    for head in range(heads):
        start = head * half * 2
        for index in range(half):
            assert order[start + 2 * index] == start + index
            assert order[start + 2 * index + 1] == start + half + index


def test_small_chunks_give_the_same_file(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = models["llama"]
    whole = build(Recipe(tiny.folder, (tiny.adapters[0],), tmp_path / "a.gguf", type="F16", name="x"))
    monkeypatch.setattr(export, "CHUNK_VALUES", 64 * 8)
    pieces = build(Recipe(tiny.folder, (tiny.adapters[0],), tmp_path / "b.gguf", type="F16", name="x"))
    assert whole.sha256 == pieces.sha256


def edited(adapter: Path, target: Path, **changes: np.ndarray | None) -> Path:
    """A copy of an adapter with tensors added, replaced or (None) removed. `__` stands for a dot."""
    target.mkdir()
    tensors = load_file(adapter / "adapter_model.safetensors")
    for name, value in changes.items():
        name = name.replace("__", ".")
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value
    save_file(tensors, target / "adapter_model.safetensors")
    (target / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    return target


Q0 = "base_model__model__model__layers__0__self_attn__q_proj__"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_model__model__model__layers__9__mlp__up_proj__lora_A__weight": np.ones((4, 64), np.float32),
          "base_model__model__model__layers__9__mlp__up_proj__lora_B__weight": np.ones((96, 4), np.float32)},
         r"model\.layers\.9\.mlp\.up_proj is not in this"),
        ({"base_model__model__model__layers__0__input_layernorm__lora_A__weight": np.ones((4, 1), np.float32),
          "base_model__model__model__layers__0__input_layernorm__lora_B__weight": np.ones((64, 4), np.float32)},
         "LoRA on a norm"),
        ({Q0 + "lora_magnitude_vector__weight": np.ones(64, np.float32)}, "DoRA"),
        ({"base_model__model__lm_head__weight": np.ones((320, 64), np.float32)}, "modules_to_save"),
        ({"base_model__model__model__embed_tokens__token_adapter__trainable_tokens_delta": np.ones((2, 64), np.float32)},
         "trained rows of the embedding"),
        ({Q0 + "lora_A__weight": np.ones((4, 65), np.float32)}, "is for a 64 × 65 matrix"),
        ({Q0 + "lora_A__weight": np.full((4, 64), np.nan, np.float32)}, "q_proj.lora_A.weight holds NaN"),
        ({Q0 + "lora_A__weight": np.ones((3, 64), np.float32), Q0 + "lora_B__weight": np.ones((64, 3), np.float32)},
         "has rank 3 but its configuration says 4"),
    ],
    ids=["unknown module", "norm", "DoRA", "saved module", "token rows", "shape", "NaN", "rank"],
)  # fmt: skip
def test_a_tensor_that_cannot_be_merged_is_named(
    models: Models, tmp_path: Path, changes: dict[str, np.ndarray], said: str
) -> None:
    tiny = models["qwen3"]
    adapter = edited(tiny.adapters[0], tmp_path / "edited", **changes)
    output = tmp_path / "out.gguf"
    with pytest.raises(Unsupported, match=said):
        build(Recipe(tiny.folder, (adapter,), output, type="F16", allow_unknown_base=True))
    assert list(tmp_path.iterdir()) == [adapter]


def test_half_a_pair_is_named(models: Models, tmp_path: Path) -> None:
    adapter = edited(models["qwen3"].adapters[0], tmp_path / "edited", **{Q0 + "lora_B__weight": None})
    with pytest.raises(Unreadable, match=r"layers\.0\.self_attn\.q_proj has only one"):
        read_adapter(adapter)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("use_dora", True, "DoRA"),
        ("modules_to_save", ["lm_head"], "modules_to_save"),
        ("trainable_token_indices", [1, 2], "trainable_token_indices"),
        ("bias", "lora_only", "biases"),
        ("init_lora_weights", "pissa", "changed the base"),
        ("peft_type", "IA3", "IA3 adapter"),
        ("use_something_new", True, "use_something_new=True is not known"),
        ("layer_replication", [[0, 1]], "layer_replication"),
        ("alora_invocation_tokens", [5], "activated"),
    ],
)
def test_an_option_that_is_no_plain_lora_is_refused(
    models: Models, tmp_path: Path, option: str, value: object, said: str
) -> None:
    adapter = edited(models["qwen3"].adapters[0], tmp_path / "edited")
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    (adapter / "adapter_config.json").write_text(json.dumps(config | {option: value}), encoding="utf-8")
    with pytest.raises(Unsupported, match=said):
        read_adapter(adapter)


def test_a_tied_embedding_cannot_be_tuned_alone(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3-tied"]
    adapter = save_adapter(tiny.model, tmp_path / "a", target_modules=["embed_tokens", "q_proj"])
    with pytest.raises(Unsupported, match="one matrix as embedding and as output layer"):
        plan_merge(open_base(tiny.folder), [read_adapter(adapter)])


def test_an_adapter_of_another_base_is_refused(models: Models, tmp_path: Path) -> None:
    with pytest.raises(WrongBase, match="linguist was trained on qwen3 "):
        build(
            Recipe(
                models["qwen3-tied"].folder, (models["qwen3"].adapters[0],), tmp_path / "out.gguf", type="F16"
            )
        )


def test_stages_must_come_in_the_order_of_training(models: Models) -> None:
    tiny = models["qwen3"]
    first, second = (read_adapter(folder) for folder in tiny.adapters)
    check_stack([first, second], tiny.sha256, allow_unknown_base=False)
    with pytest.raises(WrongBase, match="heritage was trained on top of linguist"):
        check_stack([second], tiny.sha256, allow_unknown_base=False)
    with pytest.raises(WrongBase, match="heritage was trained on top of linguist"):
        check_stack([second, first], tiny.sha256, allow_unknown_base=False)


def test_an_adapter_without_a_manifest_needs_an_explicit_yes(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    adapter = read_adapter(edited(tiny.adapters[0], tmp_path / "bare"))
    with pytest.raises(WrongBase, match="--allow-unknown-base"):
        check_stack([adapter], tiny.sha256, allow_unknown_base=False)
    check_stack([adapter], tiny.sha256, allow_unknown_base=True)
