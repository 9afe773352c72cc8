"""The garbage collector works between the turns."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tutor_app.ui import pauses


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Nothing set aside before or after."""
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_is_in_use_is_left_out_of_later_rounds_until_it_is_let_go() -> None:
    kept = [[number] for number in range(1000)]
    pauses.tidy_up()
    assert gc.get_freeze_count() > 1000
    assert not any(thing is kept for thing in gc.get_objects())
    pauses.let_go()
    assert gc.get_freeze_count() == 0
    assert any(thing is kept for thing in gc.get_objects())


def test_rings_are_collected_before_the_rest_is_set_aside() -> None:
    class Ring:
        alive = 0

        def __init__(self) -> None:
            Ring.alive += 1
            self.me = self

        def __del__(self) -> None:
            Ring.alive -= 1

    Ring()
    pauses.tidy_up()
    assert Ring.alive == 0
