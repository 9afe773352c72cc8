"""Merging what is shipped for run-time use: GGUF LoRA files as the adapters of a build."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from quantize.build import Recipe, build
from quantize.cli import cli
from quantize.errors import Unreadable, Unsupported, WrongBase
from quantize.gguf_adapter import open_adapter, read_gguf_adapter
from quantize.gguf_file import GgufFile
from quantize.lineage import read_lineage
from quantize.lora_gguf import AdapterType, build_adapter
from quantize.manifest import manifest_path
from tests.quantize.conftest import Models, Tiny
from tests.quantize.tiny import FAMILIES, save_adapter


def shipped(tiny: Tiny, folder: Path, kind: AdapterType = "F32") -> tuple[Path, Path]:
    """The two stages as files that are loaded beside each other."""
    first, second = tiny.adapters
    return (
        build_adapter(tiny.folder, (first,), folder / "linguist.gguf", kind=kind).path,
        build_adapter(tiny.folder, (second,), folder / "heritage.gguf", kind=kind, below=(first,)).path,
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_files_merge_to_what_the_folders_merge_to(models: Models, family: str, tmp_path: Path) -> None:
    tiny = models[family]
    expected = build(Recipe(tiny.folder, tiny.adapters, tmp_path / "folders.gguf", type="F32", name="m"))
    found = build(Recipe(tiny.folder, shipped(tiny, tmp_path), tmp_path / "files.gguf", type="F32", name="m"))
    ours, theirs = GgufFile(found.path), GgufFile(expected.path)
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name, tensor in theirs.tensors.items():
        np.testing.assert_allclose(ours.tensors[name].all(), tensor.all(), rtol=1e-5, atol=1e-7, err_msg=name)
    assert read_lineage(ours) == read_lineage(theirs)


def test_a_folder_and_a_file_can_stand_on_each_other(models: Models, tmp_path: Path) -> None:
    tiny = models["llama"]  # whose rows llama.cpp has in another order
    first, _ = shipped(tiny, tmp_path)
    mixed = build(Recipe(tiny.folder, (first, tiny.adapters[1]), tmp_path / "mixed.gguf", type="F32")).path
    whole = build(Recipe(tiny.folder, tiny.adapters, tmp_path / "whole.gguf", type="F32")).path
    for name, tensor in GgufFile(whole).tensors.items():
        np.testing.assert_allclose(GgufFile(mixed).tensors[name].all(), tensor.all(), rtol=1e-5, atol=1e-7)


def test_eight_bits_merge_to_what_they_give_at_run_time(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    first, _ = shipped(tiny, tmp_path, kind="Q8_0")
    base = GgufFile(build(Recipe(tiny.folder, (), tmp_path / "base.gguf", type="F32")).path)
    merged = GgufFile(build(Recipe(tiny.folder, (first,), tmp_path / "m.gguf", type="F32")).path)
    lora = GgufFile(first)
    name = "blk.0.attn_q.weight"
    a, b = (lora.tensors[f"{name}.lora_{factor}"].all() for factor in "ab")
    delta = merged.tensors[name].all() - base.tensors[name].all()
    np.testing.assert_allclose(delta, lora.get("adapter.lora.alpha") / len(a) * b @ a, rtol=1e-4, atol=1e-6)


def test_two_files_become_one(models: Models, tmp_path: Path) -> None:
    tiny = models["llama"]
    again = build_adapter(tiny.folder, shipped(tiny, tmp_path), tmp_path / "both.gguf", kind="F32").path
    direct = build_adapter(tiny.folder, tiny.adapters, tmp_path / "direct.gguf", kind="F32").path
    for name, tensor in GgufFile(direct).tensors.items():
        np.testing.assert_allclose(GgufFile(again).tensors[name].all(), tensor.all(), rtol=1e-5, atol=1e-7)


def test_a_stage_without_what_it_stands_on_is_refused(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    _, second = shipped(tiny, tmp_path)
    with pytest.raises(WrongBase, match="on top of linguist"):
        build(Recipe(tiny.folder, (second,), tmp_path / "m.gguf", type="F32"))


def test_a_file_without_its_manifest_must_be_vouched_for(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    first, _ = shipped(tiny, tmp_path)
    manifest_path(first).unlink()
    with pytest.raises(WrongBase, match="allow-unknown-base"):
        build(Recipe(tiny.folder, (first,), tmp_path / "m.gguf", type="F32"))
    built = build(Recipe(tiny.folder, (first,), tmp_path / "m.gguf", type="F32", allow_unknown_base=True))
    assert built.lineage.stages[0].sha256 == open_adapter(tiny.adapters[0]).sha256


def test_the_manifest_of_another_adapter_is_refused(models: Models, tmp_path: Path) -> None:
    first, second = shipped(models["qwen3"], tmp_path)
    shutil.copy(manifest_path(second), manifest_path(first))
    with pytest.raises(WrongBase, match="another adapter"):
        read_gguf_adapter(first)


def test_a_stack_in_one_file_is_refused(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    both = build_adapter(tiny.folder, tiny.adapters, tmp_path / "both.gguf").path
    with pytest.raises(Unsupported, match="holds 2 stages"):
        read_gguf_adapter(both)


def test_a_lora_on_the_embedding_is_refused(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]  # untied
    folder = save_adapter(tiny.model, tmp_path / "e", seed=3, target_modules=["embed_tokens", "q_proj"])
    path = build_adapter(
        tiny.folder, (folder,), tmp_path / "e.gguf", kind="F32", allow_unknown_base=True
    ).path
    with pytest.raises(Unsupported, match="embedding"):
        read_gguf_adapter(path)


def test_a_file_that_is_no_adapter_is_refused_in_one_line(
    models: Models, plain: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(Unsupported, match="no LoRA"):
        read_gguf_adapter(plain["qwen3"])
    broken = tmp_path / "broken.gguf"
    first, _ = shipped(models["qwen3"], tmp_path)
    broken.write_bytes(first.read_bytes()[:-200])
    with pytest.raises(Unreadable, match="truncated"):
        read_gguf_adapter(broken)


def test_the_command_takes_files(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = models["qwen3"]
    first, second = shipped(tiny, tmp_path)
    arguments = ["build", tiny.folder, first, second, "--type", "Q8_0", "-o", tmp_path / "out.gguf"]
    cli.main([str(one) for one in arguments], standalone_mode=False)
    assert "out.gguf" in capsys.readouterr().out
    assert GgufFile(tmp_path / "out.gguf").texts("tutor.stages") == ["linguist", "heritage"]
