"""Adapters at run time: applied, weighed, taken off again, and never mixed up with saved states."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.llm.gguf_files import write_lora
from tutor_app.llm.client import ChildEngine
from tutor_app.llm.files import sha256_file
from tutor_app.llm.joint_adapter import SUFFIX
from tutor_app.llm.protocol import Adapter, EngineError, LoadSpec, ModelRefused

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def lora(gemma: LoadSpec, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    path = write_lora(tmp_path_factory.mktemp("lora") / "random.gguf", gemma.path)
    return Adapter("random", path, sha256_file(path))


@pytest.fixture(scope="module")
def other(gemma: LoadSpec, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    path = write_lora(tmp_path_factory.mktemp("lora") / "other.gguf", gemma.path, seed=1)
    return Adapter("other", path, sha256_file(path))


@pytest.fixture(autouse=True)
def bare(engine: ChildEngine) -> Iterator[None]:
    yield
    engine.set_adapters(())


def scaled(adapter: Adapter, scale: float) -> Adapter:
    return Adapter(adapter.id, adapter.path, adapter.sha256, scale)


def scores(engine: ChildEngine) -> list[float]:
    ids = engine.tokenize("<bos>", special=True) + engine.tokenize("El perro corre por", special=False)
    return engine.score(ids, engine.tokenize(" el parque verde y grande", special=False))


def distance(one: list[float], two: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def test_an_adapter_changes_the_logits_and_scale_zero_restores_them(
    engine: ChildEngine, lora: Adapter
) -> None:
    plain = scores(engine)
    engine.set_adapters([lora])
    assert engine.loaded is not None
    assert engine.loaded.adapters == ("random",)
    assert distance(scores(engine), plain) > 0.01
    engine.set_adapters([scaled(lora, 0.0)])
    assert scores(engine) == plain
    engine.set_adapters([])
    assert scores(engine) == plain


def test_scales_weigh_and_adapters_add_up(engine: ChildEngine, lora: Adapter, other: Adapter) -> None:
    engine.set_adapters([scaled(lora, 0.5)])
    half = scores(engine)
    engine.set_adapters([scaled(lora, 0.25), scaled(other, 0.0)])
    quarter = scores(engine)
    engine.set_adapters([scaled(lora, 0.5), other])
    both = scores(engine)
    assert distance(half, quarter) > 1e-3
    assert distance(half, both) > 1e-3


def test_an_adapter_given_with_the_model_is_used(gemma: LoadSpec, engine: ChildEngine, lora: Adapter) -> None:
    engine.set_adapters([lora])
    swapped = scores(engine)
    fresh = ChildEngine()
    try:
        loaded = fresh.load(LoadSpec(gemma.model_id, gemma.path, gemma.sha256, adapters=(lora,)))
        assert loaded.adapters == ("random",)
        assert scores(fresh) == swapped
    finally:
        fresh.close()


def test_adapters_are_joined_once_and_a_damaged_file_is_made_anew(
    gemma: LoadSpec, lora: Adapter, other: Adapter, tmp_path: Path
) -> None:
    def said() -> list[float]:
        fresh = ChildEngine(cache_folder=tmp_path)
        try:
            fresh.load(
                LoadSpec(gemma.model_id, gemma.path, gemma.sha256, adapters=(lora, scaled(other, 0.5)))
            )
            return scores(fresh)
        finally:
            fresh.close()

    first = said()
    (file,) = tmp_path.glob(f"*{SUFFIX}")
    made, kept = file.stat().st_ino, file.read_bytes()
    assert said() == first
    assert file.stat().st_ino == made
    file.write_bytes(kept[: len(kept) // 2])
    # A millionth of scale changes these by as much, since activations are rounded to 8 bits; the adapters change them by 1.6.
    assert distance(said(), first) < 0.4
    assert not file.exists()
    assert said() == first
    assert file.read_bytes() == kept


def test_a_prefix_saved_under_one_adapter_is_not_used_under_another(
    engine: ChildEngine, lora: Adapter
) -> None:
    ids = engine.tokenize("<bos>", special=True) + engine.tokenize(
        "Hoy hablamos del tiempo. " * 4, special=False
    )
    assert not engine.warm(ids).restored
    engine.set_adapters([lora])
    assert not engine.warm(ids).restored
    engine.set_adapters([scaled(lora, 0.5)])
    assert not engine.warm(ids).restored
    engine.set_adapters([])
    assert engine.warm(ids).restored
    engine.set_adapters([lora])
    assert engine.warm(ids).restored


def test_an_adapter_that_does_not_fit_is_refused_and_the_model_goes_on(
    engine: ChildEngine, tmp_path: Path
) -> None:
    plain = scores(engine)
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(ModelRefused, match=r"junk\.gguf"):
        engine.set_adapters([Adapter("junk", junk, "1" * 64)])
    with pytest.raises(EngineError):
        engine.set_adapters([Adapter("gone", tmp_path / "gone.gguf", "2" * 64)])
    assert scores(engine) == plain
