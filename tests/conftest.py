"""The order of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LAST = ("finetune", "quantize")
"""What these leave behind of torch and transformers every later garbage collection looks through: after them the tests of
the app take more than twice as long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] in LAST)
