"""How two models differ on the same token ids: agreement, divergence, perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantize.mapped import Float32


@dataclass
class Tally:
    """Sums over positions."""

    positions: int = 0
    agreed: int = 0
    kl_sum: float = 0.0
    source_nll: float = 0.0
    result_nll: float = 0.0

    def add(self, source: Float32, result: Float32, targets: NDArray[np.int64]) -> None:
        """Count positions with these logits [positions, vocabulary]; `targets` are the tokens that follow."""
        for start in range(0, len(targets), ROWS_AT_A_TIME):
            part = slice(start, start + ROWS_AT_A_TIME)
            self._add(source[part], result[part], targets[part])

    def _add(self, source: Float32, result: Float32, targets: NDArray[np.int64]) -> None:
        p, q = log_softmax(source), log_softmax(result)
        rows = np.arange(len(targets))
        self.positions += len(targets)
        self.agreed += int((source.argmax(axis=1) == result.argmax(axis=1)).sum())
        self.kl_sum += float((np.exp(p) * (p - q)).sum())
        self.source_nll -= float(p[rows, targets].sum())
        self.result_nll -= float(q[rows, targets].sum())

    def figures(self) -> Figures:
        """Means. Raises ZeroDivisionError when nothing was added."""
        return Figures(
            positions=self.positions,
            top1_agreement=self.agreed / self.positions,
            mean_kl=self.kl_sum / self.positions,
            source_perplexity=math.exp(self.source_nll / self.positions),
            result_perplexity=math.exp(self.result_nll / self.positions),
        )


ROWS_AT_A_TIME = 32
"""Positions that are worked on at once: with a vocabulary of 151,936 that is 39 MB for each array of float64."""


@dataclass(frozen=True)
class Figures:
    """How the result compares with its source in one language."""

    positions: int
    top1_agreement: float
    """Share of positions where the likeliest token is the same."""
    mean_kl: float
    """KL(source ‖ result), nats a token."""
    source_perplexity: float
    result_perplexity: float

    @property
    def perplexity_ratio(self) -> float:
        """Over 1 when quantising lost something."""
        return self.result_perplexity / self.source_perplexity


def log_softmax(logits: Float32) -> NDArray[np.float64]:
    """Log-probabilities [positions, vocabulary] in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def windows(ids: Sequence[int], length: int, most: int, start: Sequence[int] = ()) -> list[list[int]]:
    """`ids`, `most` at the most, cut into windows of `length`, each beginning with the ids in `start`.

    A rest shorter than half a window is left out, unless it is all there is.
    """
    ids, step = ids[:most], length - len(start)
    parts = [list(ids[at : at + step]) for at in range(0, len(ids), step)]
    return [[*start, *part] for number, part in enumerate(parts) if number == 0 or len(part) >= step // 2]
