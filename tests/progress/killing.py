"""Two processes writing to one learner's file, killed at random; shared by the test and the benchmark."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

from tutor_app.progress import health
from tutor_app.progress.store import Store


class WriterFailed(Exception):
    """A writer ended by itself, which it never should."""


def round_of_kills(
    data_dir: Path, learner_id: str, kind: str, chance: random.Random
) -> list[tuple[int, int]]:
    """Start two writers, kill each with SIGKILL at a random moment; what they had acknowledged by then."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.progress.writer", str(data_dir), learner_id, kind],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for _ in range(2)
    ]
    acknowledged: list[tuple[int, int]] = []
    failed: list[str] = []
    # Killed after so many acknowledgements and then some instructions: a line read is no moment between writes,
    # the writer is already at its next one.
    watchers = [
        threading.Thread(
            target=_kill_after, args=(writer, chance.randrange(1, 25), chance.random(), acknowledged, failed)
        )
        for writer in writers
    ]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join()
    if failed:
        raise WriterFailed("\n".join(failed))
    return acknowledged


def _kill_after(
    writer: subprocess.Popen[str],
    lines: int,
    fraction: float,
    acknowledged: list[tuple[int, int]],
    failed: list[str],
) -> None:
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.readline()  # "started", or the end when it failed
    for _ in range(lines):
        _note(writer.stdout.readline(), acknowledged)
    for _ in range(int(fraction * 40_000)):  # some milliseconds, to fall inside the next transactions
        pass
    writer.kill()
    failed += [complaint] if (complaint := writer.stderr.read()) else []
    for line in writer.stdout:
        _note(line, acknowledged)
    writer.wait()
    writer.stdout.close()
    writer.stderr.close()


def _note(line: str, acknowledged: list[tuple[int, int]]) -> None:
    fields = line.split()
    if line.endswith("\n") and len(fields) == 2:
        acknowledged.append((int(fields[0]), int(fields[1])))


def what_is_wrong(
    data_dir: Path, learner_id: str, kind: str, acknowledged: list[tuple[int, int]]
) -> list[str]:
    """Acknowledged rows that are missing, and everything the health check finds; empty when all is well."""
    with Store.open(data_dir, learner_id, network=kind == "network") as store:
        turns = {row["id"] for row in store.database.rows("SELECT id FROM turns")}
        attempts = {row["id"] for row in store.database.rows("SELECT id FROM attempts")}
        wrong = [f"turn {turn}" for turn, _ in acknowledged if turn not in turns]
        wrong += [f"attempt {attempt}" for _, attempt in acknowledged if attempt not in attempts]
        notice = [store.notice] if store.notice else []
        return wrong + notice + health.problems(store.database.connection)
