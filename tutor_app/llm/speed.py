"""How fast this machine runs a model, and which models that makes usable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tutor_app.llm import catalogue, machine
from tutor_app.llm.catalogue import Entry
from tutor_app.llm.machine import Measured
from tutor_app.llm.protocol import Done, Engine, Fragment, LoadSpec, Sampling

DECODED = 32
"""Tokens timed one at a time."""
PREFILLED = 64
"""Tokens of the timed prompt: one chunk."""
TEXT = "El tren sale de la estación a las ocho y llega a la costa antes del mediodía. "
USABLE_TPS = 5.0
"""Tokens a second below which a reply of 40 words is no longer waited for gladly (10 s)."""
CLEARLY_FASTER = 1.1
"""More threads than leave one core free must gain this much: the screen and the learner need one too."""


@dataclass(frozen=True)
class Speed:
    """Of one thread count."""

    threads: int
    decode_tps: float
    prefill_tps: float


def measure(
    engine: Engine, spec: LoadSpec, threads: int, clock: Callable[[], float] = time.perf_counter
) -> Speed:
    """Load `spec` with so many threads and time it. Raises EngineError."""
    engine.load(replace(spec, threads=threads, adapters=(), n_ctx=512))
    ids = engine.tokenize(TEXT * 20, special=False)[:PREFILLED]
    for _ in engine.generate(ids[:2], Sampling(temperature=0.0, max_tokens=2)):
        pass  # touches all weights once, so that the disk is not what is timed
    started = clock()
    engine.warm(ids, save=False)
    prefill_s = clock() - started
    first_at, last_at, tokens = 0.0, 0.0, 0
    sampling = Sampling(temperature=0.0, repeat_penalty=1.3, max_tokens=DECODED)
    for event in engine.generate(ids, sampling):
        if isinstance(event, Fragment):
            last_at = clock()
            if first_at:
                tokens += len(event.token_ids)
            first_at = first_at or last_at
        elif isinstance(event, Done):
            break
    elapsed = last_at - first_at
    decode_tps = tokens / elapsed if elapsed > 0 else 0.0
    return Speed(threads, decode_tps, len(ids) / prefill_s if prefill_s > 0 else 0.0)


def best(speeds: Sequence[Speed]) -> Speed:
    """The fastest, but fewer threads unless more are clearly faster."""
    chosen, *more = sorted(speeds, key=lambda speed: speed.threads)
    for speed in more:
        if speed.decode_tps > chosen.decode_tps * CLEARLY_FASTER:
            chosen = speed
    return chosen


def expected_tps(entry: Entry, measured: Measured, measured_bytes: int) -> float:
    """Tokens a second to expect: a token reads every weight once, so speed goes with one over size."""
    return measured.decode_tps * measured_bytes / entry.size_bytes


def recommend(
    memory: machine.Memory, measured: Measured | None, measured_bytes: int, obtainable: Sequence[str]
) -> tuple[str, str]:
    """The largest model of `obtainable` that fits in memory and is fast enough, and a sentence why.

    Without a measurement only memory decides. There is always one: the smallest that speaks more than English.
    """
    entries = [entry for entry in catalogue.ENTRIES if entry.id in obtainable and entry.languages != ("en",)]
    entries.sort(key=lambda entry: entry.size_bytes, reverse=True)
    for entry in entries:
        if entry.memory_bytes > memory.available:
            continue
        if measured is None:
            return (
                entry.id,
                f"It needs {entry.memory_bytes / 1e9:.1f} GB of the {memory.available / 1e9:.1f} GB free.",
            )
        tps = expected_tps(entry, measured, measured_bytes)
        if tps >= USABLE_TPS:
            return entry.id, (
                f"It needs {entry.memory_bytes / 1e9:.1f} GB of the {memory.available / 1e9:.1f} GB free, "
                f"and about {tps:.0f} tokens a second are to be expected."
            )
    smallest = entries[-1].id if entries else catalogue.DEFAULTS[-1]
    return smallest, "It is the smallest; memory or speed allow no larger one."
