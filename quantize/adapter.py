"""A LoRA that is ready to merge, wherever it was read from, and the order in which stages stand on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.errors import Unreadable, Unsupported, WrongBase
from quantize.gguf_file import GgufTensor
from quantize.manifest import Manifest, Weights
from quantize.mapped import Float32, StoredTensor

Matrix = StoredTensor | GgufTensor


@dataclass(frozen=True)
class Pair:
    """The LoRA of one module.

    Shapes: for a linear layer [out, in], A [rank, in] and B [out, rank], delta = scale·B·A. For an embedding
    [vocabulary, hidden], A [rank, vocabulary] and B [hidden, rank], delta = scale·(B·A)ᵀ.
    """

    module: str
    a: Matrix
    b: Matrix
    scale: float
    embedding: bool
    tensor: str | None = None
    """GGUF's name of what it changes, where it came from a GGUF: its rows are then in llama.cpp's order already."""

    @property
    def rank(self) -> int:
        """Width of the bottleneck."""
        return self.a.shape[0]

    def rows_of_b(self, start: int, stop: int, order: NDArray[np.int64] | None) -> Float32:
        """B's rows as llama.cpp has them; `order` is where transformers keeps each, None when both agree."""
        if order is None or isinstance(self.b, GgufTensor):
            return self.b.rows(start, stop)
        return self.b.rows_at(order[start:stop])


@dataclass(frozen=True)
class Adapter:
    """One stage."""

    path: Path
    """A folder saved by PEFT, or a GGUF file."""
    pairs: tuple[Pair, ...]
    sha256: str
    """Of adapter_model.safetensors as it was trained: a GGUF made of it is the same stage."""
    manifest: Manifest | None

    @property
    def id(self) -> str:
        """The name in the manifest, else the file's."""
        return self.manifest.name if self.manifest else self.path.name.removesuffix(".gguf")

    @property
    def weights(self) -> Weights:
        """This adapter as a stage."""
        return Weights(id=self.id, sha256=self.sha256)


def check_product(name: str, target: str, a: Matrix, b: Matrix) -> None:
    """Raises `Unreadable` when the two factors for `target` in the adapter `name` cannot be multiplied."""
    if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != b.shape[1]:
        raise Unreadable(
            f"{name}: {target} has A {list(a.shape)} and B {list(b.shape)}, which do not multiply"
        )


def check_finite(name: str, *factors: Matrix) -> None:
    """Raises `Unsupported` naming the first of an adapter's factors that is not finite throughout."""
    for tensor in factors:
        if not np.isfinite(tensor.all()).all():
            raise Unsupported(
                f"{name}: {tensor.name} holds NaN or infinity; training diverged, use an earlier checkpoint"
            )


def check_stack(adapters: Sequence[Adapter], base_sha256: str, *, allow_unknown_base: bool) -> None:
    """Refuse a stack that was not trained this way: another base, or a stage on top of other stages.

    A manifest's `stages` are what the adapter stands on; its own entry may be the last. Raises `WrongBase`.
    """
    below: list[str] = []
    for adapter in adapters:
        if adapter.manifest is None:
            if not allow_unknown_base:
                raise WrongBase(
                    f"{adapter.path} has no manifest, so nothing says which base it was trained on; "
                    "if you are sure, pass --allow-unknown-base"
                )
        else:
            trained_on = adapter.manifest.base
            if trained_on.sha256 != base_sha256:
                raise WrongBase(
                    f"{adapter.id} was trained on {trained_on.id} (sha256 {trained_on.sha256[:12]}…), "
                    f"but the base given has {base_sha256[:12]}…; give the base it was trained on"
                )
            stages = [stage.sha256 for stage in adapter.manifest.stages if stage.sha256 != adapter.sha256]
            if stages != below:
                names = [stage.id for stage in adapter.manifest.stages if stage.sha256 != adapter.sha256]
                raise WrongBase(
                    f"{adapter.id} was trained on top of {' + '.join(names) or 'the bare base'}; give the adapters "
                    "in that order, all of them and no other before it"
                )
        below.append(adapter.sha256)
