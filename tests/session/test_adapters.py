"""Which adapters a session names at once, and that it runs on no others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lessons.schema import LessonSet
from tests.session.test_talk import GOOD, replied, scripted
from tests.session.test_writing import writing
from tutor_app.llm import catalogue
from tutor_app.llm.fake import SCRIPTED, ScriptedEngine
from tutor_app.llm.manifest import Manifest, manifest_path, write_manifest
from tutor_app.llm.protocol import Adapter
from tutor_app.progress.store import Store
from tutor_app.session.events import ModelState, Said, SessionStarted
from tutor_app.session.host import Announced, ModelHost, Ready
from tutor_app.session.models import announce
from tutor_app.session.session import Session

STACK = tuple(Adapter(name, Path(f"{name}.gguf"), name[0] * 64) for name in ("linguist", "es-l2"))
OTHER = (STACK[0], Adapter("zh-heritage", Path("zh.gguf"), "z" * 64))
SHIPPED: dict[str, dict[str, Any]] = {
    "linguist": {"languages": ["es", "zh", "fr"]},
    "es-l2": {"languages": ["es"], "track": "l2"},
    "es-heritage": {"languages": ["es"], "track": "heritage"},
    "zh-heritage": {"languages": ["zh"], "track": "heritage"},
    "fr-l2": {"languages": ["fr"], "track": "l2"},
}


def ship(data_dir: Path, base: str) -> None:
    """Adapters as they will ship, beside the user's own; their weights are not looked at before they are loaded."""
    entry = catalogue.find(base)
    assert entry is not None
    linguist = {"id": "linguist", "sha256": "1" * 64}
    for name, fields in SHIPPED.items():
        path = data_dir / "adapters" / base / f"{name}.gguf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        below = [] if name == "linguist" else [linguist]
        own = linguist if name == "linguist" else {"id": name, "sha256": name.ljust(64, "0")}
        described = {"name": name, "base": {"id": base, "sha256": entry.sha256}, "stages": [*below, own]}
        write_manifest(manifest_path(path), Manifest.model_validate(described | fields | {"below": below}))


@pytest.mark.parametrize(
    ("language", "track", "expected"),
    [
        ("es", "l2", ("linguist", "es-l2")),
        ("es-MX", "heritage", ("linguist", "es-heritage")),
        ("zh-Hans", "heritage", ("linguist", "zh-heritage")),
        ("fr", "l2", ("linguist", "fr-l2")),
        ("fr", "heritage", ("linguist",)),
        ("ar", "l2", ()),
    ],
)
def test_each_set_is_announced_its_own_stack_before_anything_is_loaded(
    language: str, track: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    ship(tmp_path, "qwen2.5-1.5b")
    announced = announce(tmp_path, "qwen2.5-1.5b", language, track)
    entry = catalogue.find("qwen2.5-1.5b")
    assert entry is not None
    assert announced == Announced("qwen2.5-1.5b", entry.sha256, expected)
    others = ("ar-l2",) if language == "ar" else ()  # what ships for it
    assert announce(tmp_path, "gemma3-270m", language, track).adapters == others


def test_a_damaged_manifest_does_not_keep_the_model_from_being_announced(tmp_path: Path) -> None:
    ship(tmp_path, "qwen2.5-1.5b")
    manifest_path(tmp_path / "adapters" / "qwen2.5-1.5b" / "es-l2.gguf").write_text("{", encoding="utf-8")
    assert announce(tmp_path, "qwen2.5-1.5b", "es", "l2").adapters == ()


class Bench:
    """A host whose loading waits, and what it was asked to load."""

    def __init__(self) -> None:
        self.loading, self.go = threading.Event(), threading.Event()
        self.engine = scripted([GOOD])
        self.host = ModelHost(
            self.engine, self.prepares(STACK), announced=Announced("m", "0" * 64, ("linguist", "es-l2"))
        )
        self.states: list[ModelState] = []

    def prepares(self, stack: tuple[Adapter, ...]) -> Callable[[Callable[[float], None]], Ready]:
        def prepare(_: Callable[[float], None]) -> Ready:
            self.loading.set()
            assert self.go.wait(10)
            return Ready(replace(SCRIPTED, adapters=stack), "chatml")

        return prepare

    def until_ready(self) -> None:
        self.go.set()
        for _ in self.host.wait(lambda: False):
            pass


@pytest.fixture
def bench() -> Any:
    made = Bench()
    yield made
    made.go.set()
    made.host.close()


def test_a_session_names_model_and_adapters_while_the_model_loads(
    bench: Bench, spanish: LessonSet, store: Store
) -> None:
    bench.host.start()
    session = Session(spanish, None, store, bench.host, level="A2", seed=1)
    started = next(iter(session.start()))
    assert isinstance(started, SessionStarted)
    assert bench.host.ready is None
    assert (started.model, started.model_sha256) == ("m", "0" * 64)
    assert started.adapters == ("linguist", "es-l2")


def test_adapters_asked_for_while_the_model_loads_are_there_for_the_first_reply(
    bench: Bench, spanish: LessonSet, store: Store
) -> None:
    bench.host.start()
    assert bench.loading.wait(10)
    bench.host.adapt(bench.prepares(OTHER), Announced("m", "0" * 64, ("linguist", "zh-heritage")))
    session = Session(spanish, None, store, bench.host, level="A2", seed=1)
    started = next(iter(session.start()))
    assert isinstance(started, SessionStarted)
    bench.until_ready()
    replied(list(session.submit(Said("Vivo en Queens con mi familia", 5.0))))
    assert bench.engine.adapters == OTHER
    assert started.adapters == ("linguist", "zh-heritage")


def test_a_writing_task_is_read_with_the_adapters_of_its_set(
    bench: Bench, spanish: LessonSet, store: Store
) -> None:
    bench.host.start()
    bench.until_ready()
    assert bench.engine.adapters == STACK
    bench.host.adapt(bench.prepares(OTHER), Announced("m", "0" * 64, ("linguist", "zh-heritage")))
    list(writing(spanish, store, bench.host).submit(Said("Mi abuela vive en Santiago con mi tío.", 60.0)))
    assert bench.engine.adapters == OTHER


def test_weights_that_went_through_our_training_need_no_examples(spanish: LessonSet, store: Store) -> None:
    def said(trained: bool) -> int:
        engine: ScriptedEngine = scripted([GOOD])
        host = ModelHost(engine, lambda _: Ready(SCRIPTED, "chatml", trained), announced=Announced("m", None))
        host.start()
        for _ in host.wait(lambda: False):
            pass
        session = Session(spanish, None, store, host, level="A2", seed=1, fresh=True)
        list(session.start())
        reply = replied(list(session.submit(Said("Vivo en Queens con mi familia", 5.0))))
        host.close()
        return reply.prompt_tokens or 0

    assert said(trained=True) < said(trained=False) / 2
