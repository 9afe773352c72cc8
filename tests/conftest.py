"""The order of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LAST = ("finetune", "quantize")
"""These load torch and transformers, whose millions of objects every later garbage collection would look through: after
them the tests of the app take five times as long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] in LAST)
