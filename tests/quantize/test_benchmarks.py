"""The measured comparisons as such: that one command goes from adapters to a table, on a tiny model."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from quantize.build import Recipe, build
from quantize.files import sha256_file
from tests.benchmarks import quantize_adapter, quantize_quality
from tests.quantize.conftest import Models
from tests.quantize.tiny import CORPUS, save_adapter

TEXTS = {language: text * 40 for language, text in zip(("es", "zh", "fr"), CORPUS[:3], strict=True)}


@pytest.fixture
def stack(models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two stages on a base that is a GGUF file, as the real ones are."""
    tiny = models["qwen3"]
    base = build(Recipe(tiny.folder, (), tmp_path / "base.gguf", type="F16")).path
    manifest = {"base": {"id": "tiny", "sha256": sha256_file(base)}, "languages": ["es", "zh"]}
    first = save_adapter(tiny.model, tmp_path / "linguist", seed=1, manifest={"name": "linguist"} | manifest)
    below = [{"id": "linguist", "sha256": sha256_file(first / "adapter_model.safetensors")}]
    variant = {"name": "zh-heritage", "stages": below} | manifest | {"languages": ["zh"]}
    second = save_adapter(tiny.model, tmp_path / "zh-heritage", seed=2, manifest=variant)
    for module in (quantize_quality, quantize_adapter):
        monkeypatch.setattr(module, "real_model", lambda _: base)
        monkeypatch.setattr(module, "lesson_texts", lambda: (TEXTS, TEXTS))
    monkeypatch.setenv("QUANTIZE_BENCH_ADAPTER", f"{first}{os.pathsep}{second}")
    monkeypatch.setenv("QUANTIZE_BENCH_TOKENS", "300")
    monkeypatch.setenv("QUANTIZE_BENCH_THREADS", "1")
    monkeypatch.setenv("QUANTIZE_BENCH_DIR", str(tmp_path))
    return first, second


@pytest.mark.usefixtures("stack")
def test_the_quality_table_has_every_type_and_the_base_with_its_adapters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTIZE_BENCH_TYPES", "Q8_0 Q4_0")
    monkeypatch.setenv("QUANTIZE_BENCH_PLOT", str(tmp_path / "plot.svg"))
    found = json.loads(json.dumps(quantize_quality.main(), allow_nan=False))
    rows = {(row["type"], row["imatrix"]): row for row in found["rows"]}
    assert set(rows) == {
        ("Q8_0", False), ("Q4_0", False), ("Q4_0", True), (quantize_quality.AT_RUN_TIME, False)
    }  # fmt: skip
    assert found["adapters"] == "linguist + zh-heritage"
    for row in rows.values():
        assert {"es", "zh", "fr"} == set(row["languages"])
        assert row["languages"]["zh"]["positions"] > row["languages"]["es"]["positions"]
    kl = {key: row["worst"]["mean_kl"] for key, row in rows.items()}
    # The adapters at run time are the adapters merged, to within rounding, and eight bits lose less than four.
    assert kl[quantize_quality.AT_RUN_TIME, False] < kl["Q8_0", False] < kl["Q4_0", False]
    assert rows["Q4_0", True]["worst"]["stop_rate"] is not None
    assert (tmp_path / "plot.svg").read_text(encoding="utf-8").count("<polygon") >= 4


@pytest.mark.usefixtures("stack")
def test_the_types_of_an_adapter_are_compared_on_either_base() -> None:
    found = quantize_adapter.main()
    assert [len(sizes) for sizes in found["bytes"].values()] == [2, 2, 2]
    assert found["ratio"] < 1
    for of_base in found["against_float32"].values():
        assert of_base["Q8_0"]["mean_kl"] < of_base["without"]["mean_kl"] / 10
