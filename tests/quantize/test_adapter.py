"""GGUF LoRA files for run time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gguf.constants import GGMLQuantizationType as Type

from quantize.build import Recipe, build
from quantize.errors import Unreadable, WrongBase
from quantize.gguf_file import GgufFile
from quantize.llama_model import running
from quantize.lora_gguf import build_adapter
from quantize.manifest import read_manifest
from quantize.peft_adapter import read_adapter
from tests.quantize.conftest import Models
from tests.quantize.tiny import save_adapter


def test_the_scale_is_in_b_and_alpha_is_the_rank(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    file = GgufFile(build_adapter(tiny.folder, tiny.adapters[:1], tmp_path / "a.gguf", kind="F32").path)
    assert file.get("adapter.lora.alpha") == 4.0
    pair = next(p for p in read_adapter(tiny.adapters[0]).pairs if p.module.endswith("0.mlp.up_proj"))
    np.testing.assert_array_equal(file.tensors["blk.0.ffn_up.weight.lora_a"].all(), pair.a.all())
    np.testing.assert_array_equal(file.tensors["blk.0.ffn_up.weight.lora_b"].all(), pair.b.all() * 4)


def test_modules_of_another_rank_are_scaled_to_the_files_alpha(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    first, second = tiny.adapters
    built = build_adapter(tiny.folder, (second,), tmp_path / "a.gguf", kind="F32", below=(first,))
    file = GgufFile(built.path)
    alpha = file.get("adapter.lora.alpha")
    for pair in read_adapter(second).pairs:
        if pair.module == "model.layers.0.self_attn.q_proj":
            a = file.tensors["blk.0.attn_q.weight.lora_a"].all()
            b = file.tensors["blk.0.attn_q.weight.lora_b"].all()
            assert a.shape[0] == 2
            expected = pair.scale * pair.b.all() @ pair.a.all()
            np.testing.assert_allclose(alpha / a.shape[0] * b @ a, expected, rtol=1e-5, atol=1e-7)


def test_lineage_names_the_base_the_order_and_what_lies_below(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    first, second = tiny.adapters
    built = build_adapter(tiny.folder, (second,), tmp_path / "heritage-es.gguf", below=(first,))
    file = GgufFile(built.path)
    hashes = [read_adapter(folder).sha256 for folder in tiny.adapters]
    assert file.texts("tutor.stages") == ["linguist", "heritage"]
    assert file.texts("tutor.stages_sha256") == hashes
    assert file.get("tutor.base.sha256") == tiny.sha256
    manifest = read_manifest(built.manifest)
    assert [stage.sha256 for stage in manifest.stages] == hashes
    assert (manifest.model_extra or {})["below"] == [{"id": "linguist", "sha256": hashes[0]}]
    assert (manifest.track, manifest.languages, manifest.quantisation) == ("heritage", ["es", "zh"], "Q8_0")
    assert file.get("tutor.quantisation") == "Q8_0"


def test_a_variant_is_for_its_own_languages_not_for_those_of_what_it_stands_on(
    models: Models, tmp_path: Path
) -> None:
    tiny = models["qwen3"]
    first = tiny.adapters[0]
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    variant = save_adapter(
        tiny.model,
        tmp_path / "fr-l2",
        seed=3,
        manifest=manifest
        | {"name": "fr-l2", "languages": ["fr"], "stages": [read_adapter(first).weights.model_dump()]},
    )
    beside = build_adapter(tiny.folder, (variant,), tmp_path / "beside.gguf", below=(first,))
    together = build_adapter(tiny.folder, (first, variant), tmp_path / "together.gguf")
    for built in (beside, together):
        assert read_manifest(built.manifest).languages == ["fr"]


@pytest.mark.parametrize(("rank", "of_b"), [(4, Type.F16), (32, Type.Q8_0)])
def test_in_eight_bits_b_stays_f16_where_its_rows_are_shorter_than_a_block(
    models: Models, rank: int, of_b: Type, tmp_path: Path
) -> None:
    tiny = models["qwen3"]
    folder = save_adapter(tiny.model, tmp_path / "peft", r=rank)
    files = {
        kind: GgufFile(
            build_adapter(
                tiny.folder, (folder,), tmp_path / f"{kind}.gguf", kind=kind, allow_unknown_base=True
            ).path
        )
        for kind in ("F32", "Q8_0")
    }
    for name, tensor in files["Q8_0"].tensors.items():
        exact = files["F32"].tensors[name].all()
        assert tensor.type == (of_b if name.endswith("lora_b") else Type.Q8_0)
        # Half a step of a block, whose largest value is 127 steps (the step itself is kept in F16).
        np.testing.assert_allclose(tensor.all(), exact, atol=np.abs(exact).max() / 127 * 0.52)


@pytest.mark.parametrize("family", ["qwen3", "llama", "gemma3"])
def test_llama_cpp_runs_eight_bits_as_it_runs_f16(models: Models, family: str, tmp_path: Path) -> None:
    tiny = models[family]
    base = build(Recipe(tiny.folder, (), tmp_path / "base.gguf", type="F32")).path
    folder = save_adapter(tiny.model, tmp_path / "peft", r=32, lora_alpha=32)
    ids = list(range(10, 90))
    logits = {}
    for kind in ("F32", "F16", "Q8_0"):
        lora = build_adapter(
            tiny.folder, (folder,), tmp_path / f"{kind}.gguf", kind=kind, allow_unknown_base=True
        ).path
        with running(base, n_ctx=128, adapters=(lora,), exact_cache=True) as llama:
            logits[kind] = llama.logits(ids).copy()
    with running(base, n_ctx=128, exact_cache=True) as llama:
        effect = np.abs(llama.logits(ids) - logits["F32"]).mean()
    assert np.abs(logits["F16"] - logits["F32"]).mean() < 0.01 * effect
    assert np.abs(logits["Q8_0"] - logits["F32"]).mean() < 0.03 * effect


def test_a_variant_without_what_it_stands_on_is_refused(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    with pytest.raises(WrongBase, match="on top of linguist"):
        build_adapter(tiny.folder, tiny.adapters[1:], tmp_path / "a.gguf")
    assert list(tmp_path.iterdir()) == []


def test_llama_cpp_refuses_the_adapter_on_another_model(
    models: Models, plain: dict[str, Path], tmp_path: Path
) -> None:
    tiny = models["qwen3"]
    adapter = build_adapter(tiny.folder, tiny.adapters[:1], tmp_path / "a.gguf").path
    with (
        pytest.raises(Unreadable, match="cannot load the adapter"),
        running(plain["llama"], adapters=(adapter,)),
    ):
        pass


def test_a_broken_manifest_is_named_with_its_field(models: Models, tmp_path: Path) -> None:
    source = models["qwen3"].adapters[0]
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder / name).write_bytes((source / name).read_bytes())
    (folder / "manifest.json").write_text(json.dumps({"name": "x", "base": {"id": "y"}}), encoding="utf-8")
    with pytest.raises(Unreadable, match=r"manifest\.json is not a manifest: base\.sha256: field required"):
        read_adapter(folder)
