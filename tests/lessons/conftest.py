"""Fixtures shared by the tests of lesson sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.signing import Key
from tests.lessons.sample import write_set


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The folder of the sample set."""
    return write_set(tmp_path / "muestra")


@pytest.fixture(scope="session")
def author() -> Key:
    return Key.create("Prof. Ñandú")


@pytest.fixture(scope="session")
def stranger() -> Key:
    return Key.create("Somebody Else")
