"""Weights in large pages, where the system leaves that to programs."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

import pytest

from tutor_app.llm.child import HUGE_PAGES, TUNABLES, environment
from tutor_app.llm.client import ChildEngine

GLIBC = tuple(int(part) for part in platform.libc_ver()[1].split(".")[:2] if part.isdigit())
SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def test_what_the_user_set_comes_last_and_wins() -> None:
    own = {"GOMP_SPINCOUNT": "7", TUNABLES: "glibc.malloc.hugetlb=0", "LANG": "C"}
    made = environment(own)
    assert made[TUNABLES] == f"{HUGE_PAGES}:glibc.malloc.hugetlb=0"
    assert (made["GOMP_SPINCOUNT"], made["LANG"]) == ("7", "C")
    assert environment({})[TUNABLES] == HUGE_PAGES


@pytest.mark.model
@pytest.mark.skipif(
    sys.platform != "linux" or not SETTING.is_file() or "[never]" in SETTING.read_text() or GLIBC < (2, 35),
    reason="this system or its C library (glibc before 2.35) gives no large pages",
)
def test_repacked_weights_lie_in_large_pages(engine: ChildEngine) -> None:
    rollup = Path(f"/proc/{engine.pid}/smaps_rollup").read_text()
    found = re.search(r"^AnonHugePages:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found is not None
    assert int(found[1]) > 50_000
