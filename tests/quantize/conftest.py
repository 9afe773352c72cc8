"""Tiny models, made once for all tests of the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from transformers import PreTrainedModel

from quantize.base import base_sha256
from quantize.build import Recipe, build
from quantize.peft_adapter import read_adapter
from tests.quantize.tiny import FAMILIES, random_model, save_adapter, save_model


@dataclass(frozen=True)
class Tiny:
    """A model in memory and on disk, with two adapters of different options."""

    family: str
    model: PreTrainedModel
    folder: Path
    adapters: tuple[Path, Path]

    @property
    def sha256(self) -> str:
        """Content hash of the base."""
        return base_sha256(self.folder)


class Models:
    """Makes each family on first use."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.made: dict[str, Tiny] = {}

    def __getitem__(self, family: str) -> Tiny:
        assert family in FAMILIES
        if family not in self.made:
            model = random_model(family)
            folder = save_model(model, self.root / family, family)
            base = {"id": family, "sha256": base_sha256(folder)}
            first = save_adapter(
                model,
                self.root / f"{family}-stage1",
                seed=1,
                manifest={"name": "linguist", "base": base, "languages": ["es"], "licence": "Apache-2.0"},
            )
            stage = {"id": "linguist", "sha256": read_adapter(first).sha256}
            second = save_adapter(
                model,
                self.root / f"{family}-stage2",
                seed=2,
                use_rslora=True,
                rank_pattern={"q_proj": 2},
                alpha_pattern={"up_proj": 5},
                manifest={
                    "name": "heritage",
                    "base": base,
                    "stages": [stage],
                    "languages": ["es", "zh"],
                    "track": "heritage",
                },
            )
            self.made[family] = Tiny(family, model, folder, (first, second))
        return self.made[family]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """`models["qwen3"]`, `models["llama"]` …"""
    return Models(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def plain(models: Models, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """F16 exports without adapters, by family."""
    folder = tmp_path_factory.mktemp("plain")
    return {
        family: build(Recipe(models[family].folder, (), folder / f"{family}.gguf", type="F16")).path
        for family in ("qwen3", "llama")
    }
