"""Several models against one source on the same windows of text, each window read once by every model."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quantize.divergence import Figures, Tally, windows
from quantize.llama_model import LlamaModel, running
from quantize.progress import Progress

WINDOW = 256
SKIP = 16
"""Positions at the beginning of a window that are not counted, as in `verify`."""
DECODED = 24
"""Tokens generated to time decoding."""


def threads_to_use() -> int:
    """QUANTIZE_BENCH_THREADS, else every core: on a quiet machine that is what is fastest."""
    return int(os.environ.get("QUANTIZE_BENCH_THREADS", os.cpu_count() or 1))


@dataclass(frozen=True)
class Runs:
    """A model to compare: a GGUF, and adapters on it."""

    path: Path
    adapters: tuple[Path, ...] = ()


@dataclass
class Compared:
    """What was measured of one model."""

    windows: dict[str, list[Tally]] = field(default_factory=dict)
    read_seconds: float = 0.0
    read_tokens: int = 0
    decode: float | None = None
    """Tokens a second while generating."""

    def languages(self) -> dict[str, dict[str, Any]]:
        """Language → figures, with standard errors over windows."""
        return {name: _with_errors(tallies) for name, tallies in self.windows.items()}

    def figures(self) -> dict[str, Figures]:
        """Language → figures, as `verify` judges them."""
        return {name: _sum(tallies).figures() for name, tallies in self.windows.items()}

    def speed(self) -> dict[str, float]:
        """Tokens a second, reading a window at once and generating."""
        found = {"read_tokens_per_s": round(self.read_tokens / self.read_seconds, 1)}
        return found | ({"decode_tokens_per_s": round(self.decode, 1)} if self.decode else {})


def compare(
    source: Path,
    others: Mapping[str, Runs],
    texts: Mapping[str, str],
    tokens: Mapping[str, int],
    source_adapters: tuple[Path, ...] = (),
) -> dict[str, Compared]:
    """Name → what is measured. `tokens`: how many of each language at the most.

    All models are mapped at once, so that divergence is over the whole vocabulary and the source is read once.
    """
    threads = threads_to_use()
    found = {name: Compared() for name in others}
    with ExitStack() as stack, ThreadPoolExecutor(threads) as pool:
        reference = stack.enter_context(
            running(source, n_ctx=WINDOW, adapters=source_adapters, threads=threads)
        )
        models = {
            name: stack.enter_context(
                running(runs.path, n_ctx=WINDOW, adapters=runs.adapters, threads=threads)
            )
            for name, runs in others.items()
        }
        cut = {
            language: windows(reference.tokenize(text), WINDOW, tokens[language], reference.start)
            for language, text in sorted(texts.items())
        }
        progress = Progress("comparing", sum(len(parts) for parts in cut.values()))
        for language, parts in cut.items():
            for window in parts:
                _one(window, language, reference, models, found, pool)
                progress.step(language)
        progress.close()
        for name, model in models.items():
            found[name].decode = _decode_speed(model, next(iter(cut.values()))[0][:64])
    return found


def _one(
    window: Sequence[int],
    language: str,
    reference: LlamaModel,
    models: Mapping[str, LlamaModel],
    found: Mapping[str, Compared],
    pool: ThreadPoolExecutor,
) -> None:
    counted = slice(min(SKIP, len(window) // 2), len(window) - 1)
    targets = np.array(window[1:], dtype=np.int64)[counted]
    expected = reference.logits(window)[counted]
    waiting = []
    for name, model in models.items():
        began = time.perf_counter()
        logits = model.logits(window)[counted]
        found[name].read_seconds += time.perf_counter() - began
        found[name].read_tokens += len(window)
        tally = Tally()
        found[name].windows.setdefault(language, []).append(tally)
        waiting.append((tally, logits))
    for _ in pool.map(lambda one: one[0].add(expected, one[1], targets), waiting):
        pass


def _decode_speed(model: LlamaModel, ids: Sequence[int]) -> float | None:
    """Tokens a second after the first; None when the model has nothing to say."""
    began = time.perf_counter()
    model.generate(ids, 1)
    first = time.perf_counter()
    made, _ = model.generate(ids, 1 + DECODED)
    seconds = (time.perf_counter() - first) - (first - began)
    return (len(made) - 1) / seconds if len(made) > DECODED // 2 and seconds > 0 else None


def _sum(tallies: Sequence[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        for name, value in asdict(tally).items():
            setattr(total, name, getattr(total, name) + value)
    return total


def _with_errors(tallies: Sequence[Tally]) -> dict[str, Any]:
    figures = _sum(tallies).figures()
    shown: dict[str, Any] = {
        **asdict(figures),
        "perplexity_ratio": figures.perplexity_ratio,
        "mean_kl_error": _error([one.kl_sum / one.positions for one in tallies]),
        "log_ratio_error": _error([(one.result_nll - one.source_nll) / one.positions for one in tallies]),
    }
    return {name: value if value is None else round(value, 6) for name, value in shown.items()}


def _error(values: Sequence[float]) -> float | None:
    """Standard error of a mean over windows; None for a single one."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
