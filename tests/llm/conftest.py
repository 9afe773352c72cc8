"""The real small model, joined once a session, and engines that run it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor_app.llm.client import ChildEngine
from tutor_app.llm.models import resolve
from tutor_app.llm.protocol import LoadSpec


@pytest.fixture(scope="session")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> LoadSpec:
    """`gemma3-270m` from the installed packages, without adapters."""
    return resolve(tmp_path_factory.mktemp("models"), "gemma3-270m", adapter_paths=()).spec


@pytest.fixture(scope="module")
def engine(gemma: LoadSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildEngine]:
    """A loaded engine that a module's tests share; its prefixes are kept in a folder of their own."""
    engine = ChildEngine(tmp_path_factory.mktemp("prefixes"))
    engine.load(gemma)
    yield engine
    engine.close()


@pytest.fixture
def prefixes(tmp_path: Path) -> Path:
    """A fresh folder for saved prefixes."""
    return tmp_path / "prefixes"
