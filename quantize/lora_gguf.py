"""A LoRA, or a stack of them, as one GGUF LoRA for use at run time on top of a base."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from gguf.constants import GGUFValueType, Keys
from numpy.typing import NDArray

from quantize.adapter import Adapter, Pair, check_stack
from quantize.base import Base, base_sha256, open_base
from quantize.errors import Unsupported
from quantize.export import DIRECT_TYPES, plan_types, write_gguf
from quantize.files import check_output, part_of, publish, sha256_file
from quantize.gguf_adapter import open_adapter
from quantize.gguf_file import Field
from quantize.lineage import Lineage, evaluation_of, lineage_of
from quantize.manifest import Weights, manifest_path, write_manifest
from quantize.mapped import Float32, Rows
from quantize.merge import locate
from quantize.room import check_disk

AdapterType = Literal["F32", "F16", "Q8_0"]
"""In Q8_0 a factor whose rows do not fill a block of 32 values stays F16: B, when the rank is 16. Padding the rank with
zeros to 32 would be exact too, but 34 bytes a row instead of 32."""


@dataclass(frozen=True)
class Factor:
    """One of A and B as llama.cpp wants it."""

    name: str
    values: Float32

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""
        return self.values.shape

    def rows(self, start: int, stop: int) -> Float32:
        """See `mapped.Rows.rows`."""
        return self.values[start:stop]


@dataclass(frozen=True)
class AdapterBuilt:
    """What was written."""

    path: Path
    manifest: Path
    sha256: str
    size_bytes: int
    lineage: Lineage


def factors(pairs: list[Pair], name: str, order: NDArray[np.int64] | None, alpha: int) -> list[Rows]:
    """A [rank, in] and scaled B [out, rank] of a tensor; several pairs stand side by side.

    llama.cpp multiplies by alpha / rank, with alpha from the file and rank from B. The scale, and the inverse of that
    factor, go into B. With alpha = rank the factor is 1, so rank stabilisation and alpha patterns are exact. For an
    embedding llama.cpp wants A transposed.
    """
    rank = sum(pair.rank for pair in pairs)
    a = np.concatenate([pair.a.all() for pair in pairs], axis=0)
    scaled = [
        pair.rows_of_b(0, pair.b.shape[0], None if pair.embedding else order)
        * np.float32(pair.scale * rank / alpha)
        for pair in pairs
    ]
    b = np.concatenate(scaled, axis=1)
    if pairs[0].embedding:
        a = a.T
    return [
        Factor(f"{name}.lora_a", np.ascontiguousarray(a)),
        Factor(f"{name}.lora_b", np.ascontiguousarray(b)),
    ]


def lora_tensors(base: Base, adapters: list[Adapter]) -> tuple[list[Rows], int]:
    """Every factor to write, in the base's order, and the file's alpha: the largest rank of any tensor."""
    targets = locate(base, adapters)
    alpha = max(sum(pair.rank for pair in pairs) for pairs in targets.values())
    tensors: list[Rows] = []
    for tensor in base.tensors:
        if pairs := targets.get(tensor.name):
            tensors += factors(pairs, tensor.name, base.row_order(tensor.name, tensor.shape[0]), alpha)
    return tensors, alpha


def build_adapter(
    base_path: Path,
    folders: tuple[Path, ...],
    output: Path,
    *,
    kind: AdapterType = "Q8_0",
    below: tuple[Path, ...] = (),
    name: str | None = None,
    base_id: str | None = None,
    allow_unknown_base: bool = False,
    overwrite: bool = False,
) -> AdapterBuilt:
    """Write the adapters in `folders`, one or a stack of them, as one GGUF LoRA for `base_path`.

    `below` are adapters that will be loaded beside it and that it stands on: they are checked and recorded, not
    written. `stages` in the manifest lists them first.
    """
    check_output(output, overwrite=overwrite)
    base = open_base(base_path)
    stack = [open_adapter(folder) for folder in (*below, *folders)]
    sha256 = base_sha256(base_path)
    check_stack(stack, sha256, allow_unknown_base=allow_unknown_base)
    written = stack[len(below) :]
    tensors, alpha = lora_tensors(base, written)
    planned = plan_types(tensors, kind)
    check_disk(output.parent, sum(item.n_bytes for item in planned), "the adapter")
    weights = Weights(id=_base_id(base_id, written, base_path), sha256=sha256)
    lineage = lineage_of(name or output.name.removesuffix(".gguf"), weights, stack, None, None, None)
    lineage = dataclasses.replace(_with_template(lineage, written), languages=_languages(written))
    part = part_of(output)
    fields = {
        Keys.General.TYPE: Field("adapter", GGUFValueType.STRING),
        Keys.Adapter.TYPE: Field("lora", GGUFValueType.STRING),
        Keys.Adapter.LORA_ALPHA: Field(float(alpha), GGUFValueType.FLOAT32),
        Keys.General.NAME: Field(lineage.name, GGUFValueType.STRING),
        **lineage.fields(kind),
    }
    write_gguf(
        part,
        base.architecture.name,
        fields,
        planned,
        file_type=DIRECT_TYPES[kind][1],
        step=lambda _name: None,
    )
    publish(part, output)
    manifest = lineage.manifest(kind, evaluation_of(stack))
    # The app loads what an adapter stands on before it: these of its stages are in other files.
    below_weights = [adapter.weights.model_dump() for adapter in stack[: len(below)]]
    write_manifest(manifest_path(output), manifest.model_copy(update={"below": below_weights}))
    return AdapterBuilt(output, manifest_path(output), sha256_file(output), output.stat().st_size, lineage)


def _base_id(given: str | None, adapters: list[Adapter], base: Path) -> str:
    named = [adapter.manifest.base.id for adapter in adapters if adapter.manifest is not None]
    return given or (named[0] if named else base.name.removesuffix(".gguf"))


def _languages(adapters: list[Adapter]) -> tuple[str, ...]:
    """Those of the last stage that names any: a Spanish variant is for Spanish, whatever it stands on was taught."""
    named = [adapter.manifest.languages for adapter in adapters if adapter.manifest is not None]
    return tuple(next((languages for languages in reversed(named) if languages), ()))


def _with_template(lineage: Lineage, adapters: list[Adapter]) -> Lineage:
    """The lineage with the template that the adapters were trained with."""
    hashes = sorted(
        {a.manifest.template_sha256 for a in adapters if a.manifest and a.manifest.template_sha256}
    )
    if len(hashes) > 1:
        raise Unsupported(
            "the adapters were trained with different chat templates; they cannot share one file"
        )
    return dataclasses.replace(lineage, template_sha256=hashes[0] if hashes else None)
