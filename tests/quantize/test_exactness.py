"""Merging and exporting against PEFT and transformers, on logits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantize.build import Recipe, build
from quantize.gguf_file import GgufFile
from quantize.llama_model import running
from quantize.lora_gguf import build_adapter
from tests.quantize.conftest import Models
from tests.quantize.tiny import FAMILIES, peft_logits, save_adapter, save_model

IDS = list(range(10, 90))
TOLERANCE = {"gemma3": 5e-3}
"""llama.cpp looks GELU up in a table of half-precision values, so Gemma differs in the third decimal."""


def tolerance(family: str) -> float:
    """Largest difference of a logit; logits here have a spread of about 0.7."""
    return TOLERANCE.get(family, 1e-5)


@pytest.mark.parametrize("stacked", [False, True], ids=["base", "two adapters"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_float32_file_gives_the_logits_of_transformers(
    models: Models, family: str, stacked: bool, tmp_path: Path
) -> None:
    tiny = models[family]
    adapters = tiny.adapters if stacked else ()
    built = build(Recipe(tiny.folder, adapters, tmp_path / "out.gguf", type="F32"))
    with running(built.path, n_ctx=128, exact_cache=True) as llama:
        ours = llama.logits(IDS).copy()
    theirs = peft_logits(tiny.model, list(adapters), IDS).numpy()
    assert np.abs(ours - theirs).max() < tolerance(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_merged_file_and_the_adapters_at_run_time_agree(
    models: Models, family: str, tmp_path: Path
) -> None:
    tiny = models[family]
    merged = build(Recipe(tiny.folder, tiny.adapters, tmp_path / "merged.gguf", type="F32")).path
    base = build(Recipe(tiny.folder, (), tmp_path / "base.gguf", type="F32")).path
    first, second = tiny.adapters
    separate = (
        build_adapter(tiny.folder, (first,), tmp_path / "first.gguf", kind="F32").path,
        build_adapter(tiny.folder, (second,), tmp_path / "second.gguf", kind="F32", below=(first,)).path,
    )
    stacked = build_adapter(tiny.folder, tiny.adapters, tmp_path / "both.gguf", kind="F32").path
    with running(merged, n_ctx=128, exact_cache=True) as llama:
        expected = llama.logits(IDS).copy()
    with running(base, n_ctx=128, exact_cache=True) as llama:
        without = llama.logits(IDS).copy()
    for adapters in (separate, (stacked,)):
        with running(base, n_ctx=128, adapters=adapters, exact_cache=True) as llama:
            assert np.abs(llama.logits(IDS) - expected).max() < tolerance(family)
    assert np.abs(without - expected).max() > 0.05  # the adapters do something


@pytest.mark.parametrize("family", ["qwen3", "llama", "gemma3"])
def test_a_gguf_base_merges_like_the_folder_it_came_from(models: Models, family: str, tmp_path: Path) -> None:
    tiny = models[family]
    exported = build(Recipe(tiny.folder, (), tmp_path / "base.gguf", type="F32")).path
    options = {"allow_unknown_base": True, "type": "F32"}
    adapters = [
        save_adapter(tiny.model, tmp_path / f"plain{seed}", seed=seed, r=3 + seed, lora_alpha=7)
        for seed in (5, 6)
    ]
    from_folder = build(Recipe(tiny.folder, tuple(adapters), tmp_path / "a.gguf", **options)).path
    from_gguf = build(Recipe(exported, tuple(adapters), tmp_path / "b.gguf", **options)).path
    left, right = GgufFile(from_folder), GgufFile(from_gguf)
    assert set(left.tensors) == set(right.tensors)
    for name, tensor in left.tensors.items():
        np.testing.assert_array_equal(tensor.all(), right.tensors[name].all(), err_msg=name)


def test_the_number_of_shards_makes_no_difference(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    sharded = save_model(tiny.model, tmp_path / "sharded", "qwen3", shard="100KB")
    assert len(list(sharded.glob("*.safetensors"))) > 2
    one = GgufFile(build(Recipe(tiny.folder, (), tmp_path / "one.gguf", type="F16")).path)
    many = GgufFile(build(Recipe(sharded, (), tmp_path / "many.gguf", type="F16")).path)
    assert {name: tensor.all().tobytes() for name, tensor in one.tensors.items()} == {
        name: tensor.all().tobytes() for name, tensor in many.tensors.items()
    }


def test_the_same_input_gives_the_same_file(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    hashes = {
        build(Recipe(tiny.folder, tiny.adapters, tmp_path / f"{n}.gguf", type="Q8_0", name="same")).sha256
        for n in range(2)
    }
    assert len(hashes) == 1


def test_an_embedding_and_an_output_layer_of_their_own_can_be_tuned(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    adapter = save_adapter(
        tiny.model, tmp_path / "a", target_modules=["embed_tokens", "lm_head", "q_proj"], spread=0.2
    )
    merged = build(
        Recipe(tiny.folder, (adapter,), tmp_path / "m.gguf", type="F32", allow_unknown_base=True)
    ).path
    base = build(Recipe(tiny.folder, (), tmp_path / "b.gguf", type="F32")).path
    lora = build_adapter(
        tiny.folder, (adapter,), tmp_path / "l.gguf", kind="F32", allow_unknown_base=True
    ).path
    expected = peft_logits(tiny.model, [adapter], IDS).numpy()
    with running(merged, n_ctx=128, exact_cache=True) as llama:
        assert np.abs(llama.logits(IDS) - expected).max() < 1e-5
    with running(base, n_ctx=128, adapters=(lora,), exact_cache=True) as llama:
        assert np.abs(llama.logits(IDS) - expected).max() < 1e-5
