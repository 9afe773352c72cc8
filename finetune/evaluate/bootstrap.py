"""Intervals by resampling writers, with numpy and without loops over resamples.

Sentences of one writer are alike, so whole writers are drawn (the cluster bootstrap; Field & Welsh 2007). A
statistic of sums needs only each writer's sums: a resample is a row of counts, and all of them together one matrix
product. The same seed draws the same writers, so that two models asked the same can be compared pair by pair.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z = 1.959964
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """Cases it rests on."""
    clusters: int
    """Writers, talks or items that they come from."""


def estimate(
    clusters: Sequence[str], columns: Sequence[Sequence[float]], statistic: Callable[[Floats], Floats], *, resamples: int, seed: int
) -> tuple[Estimate, Floats] | None:  # fmt: skip
    """`statistic` of the columns' sums, and its value in every resample; None without cases.

    Shapes: `columns` [cases][k]; `statistic` gets [..., k] and gives [...]; resampled values [resamples].
    """
    if not clusters:
        return None
    names, place = np.unique(np.asarray(clusters), return_inverse=True)
    values = np.asarray(columns, dtype=np.float64)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, place, values)
    value = float(statistic(sums.sum(axis=0)))
    if math.isnan(value):
        return None
    drawn = statistic(draws(tuple(names.tolist()), resamples, seed) @ sums)
    return Estimate(value, *_middle(drawn, value), len(clusters), len(names)), drawn


def quantile(
    clusters: Sequence[str], values: Sequence[float], share: float, *, resamples: int, seed: int
) -> Estimate | None:
    """The value below which `share` of the cases lie (the median for 0.5), with its interval."""
    if not clusters:
        return None
    names, place = np.unique(np.asarray(clusters), return_inverse=True)
    order = np.argsort(np.asarray(values), kind="stable")
    ordered = np.asarray(values, dtype=np.float64)[order]
    counts = draws(tuple(names.tolist()), resamples, seed)[:, place[order]]
    reached = np.cumsum(counts, axis=1)
    at = (reached >= share * reached[:, -1:]).argmax(axis=1)
    value = float(ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))])
    return Estimate(value, *_middle(ordered[at], value), len(values), len(names))


@lru_cache(maxsize=64)
def draws(names: tuple[str, ...], resamples: int, seed: int) -> Floats:
    """How often each cluster is drawn, [resamples, clusters]. The same names and seed give the same draws.

    Kept, since many figures are about the same writers; not to be changed in place.
    """
    rng = np.random.default_rng([seed, zlib.crc32("\n".join(names).encode())])
    return rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples).astype(np.float64)


def _middle(drawn: Floats, value: float) -> tuple[float, float]:
    kept = drawn[~np.isnan(drawn)]
    if not len(kept):
        return value, value
    low, high = np.quantile(kept, (0.025, 0.975))
    return float(min(low, value)), float(max(high, value))


def ratio(sums: Floats) -> Floats:
    """First sum over second; not a number where there was nothing to count. Shape [..., 2] → [...]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan))


def precision(sums: Floats) -> Floats:
    """True positives over all positives; sums are (tp, fp, fn). Shape [..., 3] → [...]."""
    return ratio(np.stack([sums[..., 0], sums[..., 0] + sums[..., 1]], axis=-1))


def recall(sums: Floats) -> Floats:
    """True positives over all that was there; sums are (tp, fp, fn). Shape [..., 3] → [...]."""
    return ratio(np.stack([sums[..., 0], sums[..., 0] + sums[..., 2]], axis=-1))


def f_half(sums: Floats) -> Floats:
    """F0.5 of (tp, fp, fn): precision counts twice as much as recall, as is usual for corrections."""
    tp, fp, fn = sums[..., 0], sums[..., 1], sums[..., 2]
    return ratio(np.stack([1.25 * tp, 1.25 * tp + 0.25 * fn + fp], axis=-1))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Interval of a share that is 0 or 1 in the sample, which resampling would call certain (Wilson 1927)."""
    middle = (hits + Z * Z / 2) / (n + Z * Z)
    half = Z / (n + Z * Z) * math.sqrt(hits * (n - hits) / n + Z * Z / 4)
    return max(0.0, middle - half), min(1.0, middle + half)
