"""A learner, a set and a scripted engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.schema import LessonSet
from tutor_app.llm.fake import SCRIPTED, ScriptedEngine
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.host import Announced, ModelHost, Ready


@pytest.fixture(scope="session")
def spanish() -> LessonSet:
    return load_set(builtin_sets_dir() / "es-l2")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, create_learner(tmp_path, "Ana").id) as opened:
        yield opened


@pytest.fixture
def hosted() -> Iterator[Callable[[ScriptedEngine], ModelHost]]:
    hosts: list[ModelHost] = []

    def make(engine: ScriptedEngine) -> ModelHost:
        host = ModelHost(
            engine, lambda _: Ready(SCRIPTED, "chatml"), announced=Announced("scripted", "0" * 64)
        )
        hosts.append(host)
        host.start()
        for _ in host.wait(lambda: False):
            pass
        return host

    yield make
    for host in hosts:
        host.close()
