"""What each type of quantisation costs, by language, with and without our importance matrix.

    QUANTIZE_BENCH_ADAPTER=runs/linguist:runs/es-l2 python -m tests.benchmarks quantize_quality

The source is QUANTIZE_BENCH_MODEL (default `qwen2.5-1.5b`) in F16 with a stack of adapters merged in: the PEFT folders or GGUF
files in QUANTIZE_BENCH_ADAPTER, else a random LoRA of 1 % of each weight. Beside the merged files stands what the app does by
itself, the base as it is with the adapters at run time. Mind that the installed bases are Q4_K_M files already: their
weights lie on that type's grid, so Q4_K_M loses less than it would from the original weights, and the table answers which
type to make from *these* files. Texts are our lesson sets: even lessons make the matrix, odd lessons are measured.

All models are read side by side, window by window (10 GB of files for the 1.5B model, 13 GB of scratch in
QUANTIZE_BENCH_DIR). Seconds of each part go to stderr, with the figures that `verify`'s limits are set from:
`worst` is the worst language, `over_limits` what the built-in limits would say.

QUANTIZE_BENCH_TYPES and QUANTIZE_BENCH_TOKENS (of each language, twice as many of the adapter's own) may be set. With
QUANTIZE_BENCH_PLOT=FILE.svg the table is also drawn.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from quantize.build import Recipe, build
from quantize.dialogues import BUILT_IN
from quantize.imatrix_file import write_imatrix
from quantize.importance import measure_importance
from quantize.limits import Limits
from quantize.llama_model import running
from quantize.llama_quantise import quantise
from quantize.verify import over_limits, stop_rate
from tests.benchmarks._adapters import described, main_language, run_time_files, stack_for
from tests.benchmarks._compare import Compared, Runs, compare, threads_to_use
from tests.benchmarks.quantize_plot import draw
from tests.quantize.real import real_model

SETS = Path(__file__).resolve().parents[2] / "lessons" / "sets"
TEMPLATES = Path(__file__).resolve().parents[2] / "assets" / "templates"
MATRIX_TOKENS = 1024
"""Of each language, for the matrix; more changes little (llama.cpp's own finding, and ours)."""
STOP_TOKENS = 80
"""Four times the words of a tutor's reply: one that is longer does not stop."""
AT_RUN_TIME = "base + adapters"


def strings(value: Any) -> Iterator[str]:
    """Every text in a lesson, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("id", "kind", "level", "media", "pattern"):
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def lesson_texts() -> tuple[dict[str, str], dict[str, str]]:
    """(for the matrix, to measure on): language → text of its lesson sets."""
    halves: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for folder in sorted(SETS.iterdir()):
        if not (folder / "set.yaml").is_file():
            continue
        settings = yaml.safe_load((folder / "set.yaml").read_text(encoding="utf-8"))
        language = str(settings["language"]).split("-")[0]
        for number, path in enumerate(sorted((folder / "lessons").glob("*.yaml"))):
            lesson = yaml.safe_load(path.read_text(encoding="utf-8"))
            half = halves[number % 2]
            half[language] = half.get(language, "") + "\n".join(strings(lesson)) + "\n"
    return halves


class Clock:
    """Says on stderr how long each part took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._at = time.perf_counter()

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part], self._at = round(now - self._at, 1), now
        print(f"{part}: {self.seconds[part]} s", file=sys.stderr, flush=True)


def make_files(
    source: Path, kinds: list[str], texts: dict[str, str], work: Path, clock: Clock
) -> dict[tuple[str, bool], Path]:
    """(type, with matrix) → file. The matrix is measured on the first of them, which should be the Q8_0 one."""
    files: dict[tuple[str, bool], Path] = {}
    matrix = None
    for kind in kinds:
        # Q8_0 takes no matrix, and at six bits none is worth its while.
        for with_matrix in (False, True) if kind.startswith(("Q5", "Q4", "Q3", "IQ")) else (False,):
            if with_matrix and matrix is None:
                reader = next(iter(files.values())) if files else source
                matrix = measure_importance(reader, texts, max_tokens=MATRIX_TOKENS, threads=threads_to_use())
                write_imatrix(work / "matrix.gguf", matrix)
                clock.lap("matrix")
            path = work / f"{kind}{'-matrix' if with_matrix else ''}.gguf"
            chosen = matrix.importance if with_matrix and matrix else None
            quantise(source, path, kind, imatrix=chosen, threads=threads_to_use())
            files[kind, with_matrix] = path
            clock.lap(path.stem)
    return files


def row(kind: str, with_matrix: bool, size: int, found: Compared, ends: float | None) -> dict[str, Any]:
    """A line of the table."""
    figures = found.figures()
    worst = {
        "top1_agreement": round(min(of.top1_agreement for of in figures.values()), 4),
        "mean_kl": round(max(of.mean_kl for of in figures.values()), 5),
        "perplexity_ratio": round(max(of.perplexity_ratio for of in figures.values()), 4),
        "stop_rate": ends,
    }
    return {
        "type": kind,
        "imatrix": with_matrix,
        "gb": round(size / 1e9, 6),
        "worst": worst,
        "over_limits": over_limits(figures, ends, Limits()),
        **found.speed(),
        "languages": found.languages(),
    }


def main() -> dict[str, Any]:
    """A row a type: size, and figures by language."""
    kinds = os.environ.get("QUANTIZE_BENCH_TYPES", "Q8_0 Q6_K Q5_K_M Q4_K_M").split()
    tokens = int(os.environ.get("QUANTIZE_BENCH_TOKENS", "512"))
    model = os.environ.get("QUANTIZE_BENCH_MODEL", "qwen2.5-1.5b")
    template = TEMPLATES / ("gemma.jinja" if model.startswith("gemma") else "chatml.jinja")
    for_matrix, to_measure = lesson_texts()
    clock = Clock()
    with tempfile.TemporaryDirectory(
        dir=os.environ.get("QUANTIZE_BENCH_DIR"), prefix="quantize-quality-"
    ) as scratch:
        work = Path(scratch)
        base = real_model(model)
        stack = stack_for(base, work)
        clock.lap("base")
        source = build(
            Recipe(base, stack, work / "F16.gguf", "F16", None, template, "bench", allow_unknown_base=True)
        ).path
        run_time = run_time_files(base, stack, work, "Q8_0")
        clock.lap("F16 and adapters")
        files = make_files(source, kinds, for_matrix, work, clock)
        runs = {str(path): Runs(path) for path in files.values()} | {AT_RUN_TIME: Runs(base, run_time)}
        own = main_language(stack)
        wanted = {language: tokens * (2 if language == own else 1) for language in to_measure}
        found = compare(source, runs, to_measure, wanted)
        clock.lap("comparing")
        smallest = list(files)[-1]
        text = template.read_text(encoding="utf-8")
        rows = []
        for key, path in files.items():
            ends = ending(path, (), text) if key == smallest else None
            rows.append(row(*key, path.stat().st_size, found[str(path)], ends))
        size = sum(path.stat().st_size for path in (base, *run_time))
        rows.append(row(AT_RUN_TIME, False, size, found[AT_RUN_TIME], ending(base, run_time, text)))
        clock.lap("stopping")
        for one in rows:
            print(json.dumps({k: v for k, v in one.items() if k != "languages"}), file=sys.stderr, flush=True)
    if plot := os.environ.get("QUANTIZE_BENCH_PLOT"):
        Path(plot).write_text(draw(rows), encoding="utf-8")
    return {
        "base": model,
        "adapters": described(stack),
        "matrix_tokens_of_each_language": MATRIX_TOKENS,
        "seconds": clock.seconds,
        "rows": rows,
    }


def ending(path: Path, adapters: tuple[Path, ...], template: str) -> float | None:
    """Share of `verify`'s built-in prompts that are answered and ended."""
    with running(path, n_ctx=STOP_TOKENS + 512, adapters=adapters, threads=threads_to_use()) as model:
        return stop_rate(model, template, BUILT_IN, STOP_TOKENS)


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
