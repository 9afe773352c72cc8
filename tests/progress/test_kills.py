"""What was acknowledged is there after `kill -9`, whichever journal the file system allows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.progress.killing import round_of_kills, what_is_wrong
from tests.progress.making import NOON
from tutor_app.progress.store import Store, create_learner

ROUNDS = 5
"""Two kills each, twenty in all; `python -m tests.benchmarks progress` makes four hundred."""


@pytest.mark.parametrize("kind", ["wal", "network"])
def test_nothing_acknowledged_is_lost_when_two_writers_are_killed(tmp_path: Path, kind: str) -> None:
    learner = create_learner(tmp_path, "Ana", now=NOON)
    chance = random.Random(7)
    acknowledged: list[tuple[int, int]] = []
    for _ in range(ROUNDS):
        acknowledged += round_of_kills(tmp_path, learner.id, kind, chance)
        assert what_is_wrong(tmp_path, learner.id, kind, acknowledged) == []
    assert len(acknowledged) >= 2 * ROUNDS
    with Store.open(tmp_path, learner.id, network=kind == "network") as store:
        assert store.database.journal_mode == ("delete" if kind == "network" else "wal")
