"""W + Σ scale·B·A, a few rows at a time, in float32."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantize.adapter import Adapter, Pair
from quantize.base import Base
from quantize.errors import Unsupported
from quantize.mapped import Float32, Rows, row_layout


@dataclass(frozen=True)
class Merged:
    """A tensor of the base with the deltas of every adapter that touches it."""

    base: Rows
    pairs: tuple[Pair, ...]
    order: NDArray[np.int64] | None
    """Row order of B, where llama.cpp's differs from transformers', for the pairs that came from there."""

    @property
    def name(self) -> str:
        """GGUF's name."""
        return self.base.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The base's."""
        return self.base.shape

    def rows(self, start: int, stop: int) -> Float32:
        """See `mapped.Rows.rows`. All adapters go in with one matrix product, so their sum is not rounded between."""
        left, right = zip(*(self._factors(pair, start, stop) for pair in self.pairs), strict=True)
        values = self.base.rows(start, stop)
        values += np.concatenate(left, axis=1) @ np.concatenate(right, axis=0)
        return values

    def _factors(self, pair: Pair, start: int, stop: int) -> tuple[Float32, Float32]:
        """(rows × rank, rank × columns): their product is these rows of the delta."""
        scale = np.float32(pair.scale)
        if pair.embedding:
            return np.ascontiguousarray(pair.a.all()[:, start:stop].T) * scale, np.ascontiguousarray(
                pair.b.all().T
            )
        return pair.rows_of_b(start, stop, self.order) * scale, pair.a.all()


def plan_merge(base: Base, adapters: Sequence[Adapter]) -> list[Rows]:
    """The tensors to write, with each adapter tensor in exactly one of them.

    Raises `Unsupported` naming the first module that has no place: an adapter that half fits merges to nothing that
    anyone trained.
    """
    targets = locate(base, adapters)
    return [
        Merged(tensor, tuple(pairs), base.row_order(tensor.name, tensor.shape[0]))
        if (pairs := targets.get(tensor.name))
        else tensor
        for tensor in base.tensors
    ]


def locate(base: Base, adapters: Iterable[Adapter]) -> dict[str, list[Pair]]:
    """GGUF tensor → the pairs that belong to it, in stack order. Raises `Unsupported` as `plan_merge` does."""
    tensors = {tensor.name: tensor for tensor in base.tensors}
    targets: dict[str, list[Pair]] = {}
    for adapter in adapters:
        for pair in adapter.pairs:
            targets.setdefault(_target(base, tensors, adapter, pair), []).append(pair)
    return targets


def _target(base: Base, tensors: dict[str, Rows], adapter: Adapter, pair: Pair) -> str:
    where = f"{adapter.id}: {pair.module}"
    name = pair.tensor or base.names.module(pair.module)
    if name is not None and name.endswith("_norm.weight"):
        raise Unsupported(f"{where} is a LoRA on a norm, which llama.cpp would ignore; train without it")
    if base.tied and (pair.module in ("lm_head", "model.embed_tokens") or name == "output.weight"):
        raise Unsupported(
            f"{where}: the base uses one matrix as embedding and as output layer, so a LoRA on one of them cannot be "
            "merged without changing the other; train without it"
        )
    tensor = tensors.get(name or "")
    if name is None or tensor is None:
        raise Unsupported(
            f"{where} is not in this {base.architecture.hf_class}; the adapter is for another model"
        )
    expected = (pair.a.shape[1], pair.b.shape[0]) if pair.embedding else (pair.b.shape[0], pair.a.shape[1])
    if row_layout(tensor.shape) != expected:
        raise Unsupported(
            f"{where} is for a {expected[0]} × {expected[1]} matrix but the base has "
            f"{' × '.join(str(n) for n in tensor.shape)}; the adapter is for another model"
            + ("" if pair.module not in ("lm_head", "model.embed_tokens") else " or a resized vocabulary")
        )
    return name
