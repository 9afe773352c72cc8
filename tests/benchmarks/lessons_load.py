"""A thousand lessons loaded and linted: seconds, memory, and how that compares with what was promised.

    python -m tests.benchmarks.lessons_load [--lessons N]

Linting reads, checks and validates every lesson; loading alone is what the app does. The lessons are those that come with the program, copied into sets of twenty under new ids.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lessons.lint import WORKERS, lint
from lessons.load import SET_FILE, builtin_sets_dir, lesson_files, load_set

LESSONS = 1_000
PER_SET = 20
MAX_SECONDS = 10.0
MAX_MIB = 500.0


def write_sets(folder: Path, count: int) -> list[Path]:
    """`count` lessons under `folder`, taken in turn from the built-in sets; returns the sets' folders."""
    sources = [path for path in sorted(builtin_sets_dir().iterdir()) if (path / SET_FILE).is_file()]
    sets: list[Path] = []
    written = 0
    while written < count:
        source = sources[len(sets) % len(sources)]
        home = folder / f"set-{len(sets):03}"
        (home / "lessons").mkdir(parents=True)
        (home / SET_FILE).write_bytes((source / SET_FILE).read_bytes())
        originals = lesson_files(source)
        for number in range(min(PER_SET, count - written)):
            original = originals[number % len(originals)].read_text(encoding="utf-8")
            head, ident, rest = original.partition("id: ")
            text = f"{head}{ident}copy-{number}-{rest}"
            # Each copy gets regular expressions of its own, or the cache would make the figures too good.
            text = text.replace("pattern: '/", f"pattern: '/(?#{written})").replace(
                'pattern: "/', f'pattern: "/(?#{written})'
            )
            (home / "lessons" / f"{number:02}.yaml").write_text(text, encoding="utf-8")
            written += 1
        sets.append(home)
    return sets


def measure(folder: Path) -> dict[str, float]:
    """Seconds to load every set in `folder`, then to lint them (which loads them again), and the most memory."""
    import resource

    sets = sorted(folder.iterdir())
    start = time.perf_counter()
    lessons = sum(len(load_set(path).lessons) for path in sets)
    loaded = time.perf_counter()
    findings = len(lint(folder))
    done = time.perf_counter()
    # The greatest of the processes that linted, as often as there are such, and this one.
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_kib += WORKERS * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "cpu_s": sum(usage.ru_utime + usage.ru_stime for usage in used),
        "lessons": lessons,
        "findings": findings,
        "load_s": loaded - start,
        "lint_s": done - loaded,
        "peak_mib": peak_kib / 1024,
    }


def main(count: int = LESSONS) -> dict[str, object]:
    """The figures, measured in a fresh process so that nothing else counts."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        size_bytes = sum(
            path.stat().st_size for home in write_sets(folder, count) for path in lesson_files(home)
        )
        command = [sys.executable, "-m", "tests.benchmarks.lessons_load", "--measure", scratch]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
        )
        figures: dict[str, float] = json.loads(done.stdout)
    return {
        **{name: round(value, 2) for name, value in figures.items()},
        "total_s": round(figures["load_s"] + figures["lint_s"], 2),
        "size_mib": round(size_bytes / 2**20, 1),
        "max_seconds": MAX_SECONDS,
        "max_mib": MAX_MIB,
        "kept": figures["lint_s"] <= MAX_SECONDS and figures["peak_mib"] <= MAX_MIB,
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lessons", type=int, default=LESSONS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    result = measure(arguments.measure) if arguments.measure else main(arguments.lessons)
    print(json.dumps(result, indent=None if arguments.measure else 2))
