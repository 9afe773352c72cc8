"""The learner's memory, measured: predictions against simpler ones, speed on large files, kills.

    python -m tests.benchmarks progress [--kills N]

Prints one JSON object. All of it in one run, on the machine named in it; no network, no model.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fsrs.scheduler import DEFAULT_PARAMETERS

from tests.progress import three_years
from tests.progress.killing import round_of_kills, what_is_wrong
from tests.progress.making import DAY, NOON
from tests.progress.simulated import memory_learner
from tests.progress.test_knowledge import HELD_BACK, predictions
from tutor_app.progress import fitting, queries
from tutor_app.progress.learners import database_of
from tutor_app.progress.outcomes import learner_gain
from tutor_app.progress.reviews import AGAIN, GOOD
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.insight import Insight, cards_with

History = list[list[tuple[int, float]]]

LEARNERS, CARDS, SEEN = 12, 300, 200
MANY = 100_000
REPEATS = 5


def main() -> dict[str, Any]:
    options = argparse.ArgumentParser()
    options.add_argument(
        "--kills", type=int, default=200, help="writers killed, in each of the two journal modes"
    )
    kills = options.parse_args().kills
    return {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "cpu": platform.processor(),
        },
        "scheduling": scheduling(),
        "many_cards": many_cards(),
        "form_model": form_model(),
        "three_years": large_file(),
        "kills": {kind: killed(kind, kills) for kind in ("wal", "network")},
    }


def scheduling() -> dict[str, Any]:
    """Log loss on held-back cards of simulated learners, in nats: FSRS, SM-2 and the learner's own mean."""
    losses: dict[str, list[float]] = {"fsrs_default": [], "fsrs_fitted": [], "sm2": [], "mean": []}
    fit_s = []
    for seed in range(LEARNERS):
        cards = [
            [(GOOD if one.knew else AGAIN, one.days) for one in card]
            for card in memory_learner(100 + seed, cards=CARDS)
        ]
        seen, held_back = cards[:SEEN], cards[SEEN:]
        past = fitting.histories(held_back)
        began = time.perf_counter()
        fitted = fitting.fit(fitting.histories(seen))
        fit_s.append(time.perf_counter() - began)
        assert fitted is not None
        losses["fsrs_default"].append(fitting.log_loss(past, DEFAULT_PARAMETERS))
        losses["fsrs_fitted"].append(fitting.log_loss(past, fitted))
        losses["sm2"].append(log_loss(sm2(held_back)))
        outcomes = [rated > AGAIN for card in seen for rated, _ in card[1:]]
        mean = sum(outcomes) / len(outcomes)
        losses["mean"].append(
            log_loss([(mean, rated > AGAIN) for card in held_back for rated, _ in card[1:]])
        )
    return {
        "log_loss": {name: round(float(np.mean(values)), 4) for name, values in losses.items()},
        "learners": LEARNERS,
        "cards_each": CARDS,
        "fit_s": round(float(np.median(fit_s)), 2),
        "note": "simulated memories are exponential and are not FSRS's; the mean is each learner's own",
    }


def sm2(cards: History) -> list[tuple[float, bool]]:
    """(predicted, remembered): SuperMemo 2's interval taken as the time to 90 %, as in srs-benchmark."""
    found = []
    for card in cards:
        easiness, repetition, interval = 2.5, 0, 1.0
        for place, (rated, days) in enumerate(card):
            if place:
                found.append((0.9 ** (days / interval), rated > AGAIN))
            grade = 4 if rated > AGAIN else 1
            repetition = repetition + 1 if grade >= 3 else 0
            interval = {0: 1.0, 1: 1.0, 2: 6.0}.get(repetition, interval * easiness)
            easiness = max(1.3, easiness + 0.1 - (5 - grade) * (0.08 + (5 - grade) * 0.02))
    return found


def log_loss(found: Sequence[tuple[float, bool]]) -> float:
    return -sum(math.log(min(max(p if yes else 1 - p, 1e-4), 1.0)) for p, yes in found) / len(found)


def many_cards() -> dict[str, float]:
    """Seconds to schedule 100,000 reviewed cards anew."""
    chance = np.random.default_rng(1)
    stability, difficulty = chance.uniform(0.5, 200, MANY), chance.uniform(1, 10, MANY)
    days, ratings = chance.integers(0, 300, MANY).astype(float), chance.integers(1, 4, MANY)

    def schedule() -> None:
        after, _ = fitting.advance(stability, difficulty, days, ratings, DEFAULT_PARAMETERS)
        fitting.intervals(after, DEFAULT_PARAMETERS)

    return {"cards": MANY, "seconds": round(median_s(schedule), 4)}


def form_model() -> dict[str, Any]:
    """Calibration on simulated learners that the constants were not fitted on."""
    found = sorted(predictions(HELD_BACK))
    share = sum(right for _, right in found) / len(found)
    tenths = [found[part * len(found) // 10 : (part + 1) * len(found) // 10] for part in range(10)]
    reliability = [
        {
            "predicted": round(sum(p for p, _ in part) / len(part), 3),
            "happened": round(sum(right for _, right in part) / len(part), 3),
        }
        for part in tenths
    ]
    return {
        "brier": round(sum((p - right) ** 2 for p, right in found) / len(found), 4),
        "brier_of_a_constant": round(share * (1 - share), 4),
        "reliability": reliability,
        "predictions": len(found),
    }


def large_file() -> dict[str, Any]:
    """A file of three years of daily use: seconds to open it, and milliseconds of every query of a screen."""
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = Path(scratch)
        learner_id, now = three_years.make(data_dir)
        size = database_of(data_dir, learner_id).stat().st_size
        open_s = median_s(lambda: Store.open(data_dir, learner_id).close())
        in_a_new_process_s = float(
            subprocess.run(
                [sys.executable, "-c", _OPEN, scratch, learner_id], capture_output=True, text=True, check=True
            ).stdout
        )
        with Store.open(data_dir, learner_id) as store:
            queried: dict[str, Callable[[], object]] = {
                "overview": lambda: queries.overview(store, now),
                "calendar": lambda: queries.calendar(store.database),
                "lessons": lambda: queries.lessons(store, "es-l2"),
                "errors": lambda: queries.errors(store.database),
                "moves": lambda: queries.moves(store.database),
                "form_history": lambda: queries.form_history(store.database, "es-l2", "form-1"),
                "search_common": lambda: queries.search(store.database, "mercado"),
                "search_absent": lambda: queries.search(store.database, "no está en ninguna parte"),
                "sessions": lambda: queries.sessions(store.database),
                "turns_of_a_session": lambda: store.turns(500),
                "lesson_progress": lambda: store.lesson_progress("es-l2"),
                "item_results": lambda: store.item_results("es-l2", "lesson-1"),
                "form_knowledge": lambda: store.form_knowledge("es-l2", now),
                "due": lambda: store.due("es", now),
                "due_count": lambda: store.due_count(now),
                "pace": lambda: store.pace("es"),
                "sessions_on_a_day": lambda: queries.sessions_on(store.database, queries.local_day(now)),
                "cards": lambda: store.cards(now),
                "gain": lambda: learner_gain(store.database, "es-l2"),
            }
            took = {name: round(1000 * median_s(query), 1) for name, query in queried.items()}
            screens = whole_screens(Insight(store, {}, clock=lambda: now))
        return {
            "size_bytes": size,
            "open_s": round(open_s, 4),
            "import_and_open_in_a_new_process_s": round(in_a_new_process_s, 3),
            "query_ms": took,
            "slowest_ms": max(took.values()),
            "screen_ms": screens,
        }


def whole_screens(insight: Insight) -> dict[str, float]:
    """Milliseconds of everything that a screen about the learner asks when it is opened, or changed by a key."""
    day = insight.today()
    remembered = insight.remembered()
    asked: dict[str, Callable[[], object]] = {
        "progress": lambda: insight.progress(),
        "progress_of_a_set": lambda: insight.progress("es-l2"),
        "calendar": lambda: insight.calendar(),
        "calendar_day": lambda: insight.sessions_on(day),
        "forms": lambda: insight.forms(),
        "form": lambda: insight.form_history("es-l2", "form-1"),
        "talks": lambda: insight.latest_sessions(),
        "talks_found": lambda: insight.search("mercado"),
        "transcript": lambda: insight.transcript(500),
        "memory": lambda: insight.remembered(),
        "memory_found": lambda: cards_with(remembered.cards, "palabra 77"),
    }
    return {name: round(1000 * median_s(ask), 1) for name, ask in asked.items()}


_OPEN = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from tutor_app.progress.store import Store
Store.open(Path(sys.argv[1]), sys.argv[2]).close()
print(time.perf_counter() - began)
"""


def killed(kind: str, kills: int) -> dict[str, Any]:
    """Writers killed at random points, two at a time; what was acknowledged and is missing, and any other harm."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = Path(scratch)
        learner = create_learner(data_dir, "Ana", now=NOON - DAY)
        acknowledged: list[tuple[int, int]] = []
        wrong: list[str] = []
        for _ in range(kills // 2):
            acknowledged += round_of_kills(data_dir, learner.id, kind, chance)
            wrong += what_is_wrong(data_dir, learner.id, kind, acknowledged)
        return {"kills": kills // 2 * 2, "acknowledged_turns": len(acknowledged), "wrong": wrong[:10]}


def median_s(work: Callable[[], object]) -> float:
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return sorted(took)[REPEATS // 2]
