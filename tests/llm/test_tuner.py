"""The number of threads follows what the machine shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tutor_app.llm.tuner import ThreadTuner, candidates


def run(tuner: ThreadTuner, time_of: Callable[[int], float], pieces: int) -> list[int]:
    used = []
    for _ in range(pieces):
        used.append(tuner.threads)
        tuner.took(time_of(tuner.threads))
    return used


@pytest.mark.parametrize(
    ("cores", "counts"), [(1, (1,)), (2, (1, 2)), (4, (3, 4, 2)), (8, (7, 8, 4)), (3, (2, 3, 1))]
)
def test_one_core_is_left_free_at_first(cores: int, counts: tuple[int, ...]) -> None:
    assert candidates(cores) == counts


def test_idle_cores_are_used() -> None:
    used = Counter(run(ThreadTuner((1, 2), trial=4, stay=60), lambda n: 1 / n, 1000))
    assert used[2] > 900


def test_more_threads_that_gain_little_are_not_used() -> None:
    used = Counter(run(ThreadTuner((1, 2), trial=4, stay=60), lambda n: 1.0 - 0.05 * (n == 2), 1000))
    assert used[1] > 900


def test_other_work_on_the_machine_is_noticed() -> None:
    tuner = ThreadTuner((1, 2), trial=4, stay=60)
    run(tuner, lambda n: 1 / n, 200)
    busy = run(tuner, lambda n: 1.0 if n == 1 else 5.0, 1000)
    assert Counter(busy[500:])[1] > 450
    idle = run(tuner, lambda n: 1 / n, 1000)
    assert Counter(idle[500:])[2] > 450


def test_a_trial_that_goes_badly_costs_one_piece_of_work() -> None:
    used = run(ThreadTuner((1, 2), trial=4, stay=60), lambda n: 1.0 if n == 1 else 5.0, 60)
    assert used.count(2) == 1


def test_trials_become_rare_while_nothing_changes() -> None:
    used = run(ThreadTuner((1, 2), trial=4, stay=60), lambda n: 1.0 if n == 1 else 5.0, 2000)
    assert used[1000:].count(2) <= 3


def test_what_the_change_itself_costs_is_not_counted() -> None:
    tuner = ThreadTuner((1, 2), trial=4, stay=60)
    previous = 0

    def time_of(threads: int) -> float:
        nonlocal previous
        changed, previous = threads != previous, threads
        return 1.9 if changed else 1 / threads

    assert Counter(run(tuner, time_of, 1000))[2] > 900


def test_a_single_count_is_kept_to() -> None:
    assert set(run(ThreadTuner((3,), trial=1, stay=30), lambda n: 1.0, 100)) == {3}


def test_where_a_piece_is_dear_nothing_is_tried_before_the_first_stay_is_over() -> None:
    def dear() -> ThreadTuner:
        return ThreadTuner([2, 1], trial=1, stay=30, dear_s=1.0)

    assert run(dear(), lambda n: 10 / n, 31) == [2] * 31
    assert 1 in run(dear(), lambda n: 10 / n, 40), (
        "then it is, since other work may make fewer threads better"
    )
    assert run(dear(), lambda n: 0.1 / n, 2) == [2, 1], "a cheap piece is tried at once"
