"""A base and a stack of adapters into one GGUF of any type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gguf.constants import GGUFValueType, Keys

from quantize.adapter import Adapter, check_stack
from quantize.base import Base, base_sha256, open_base
from quantize.errors import QuantizeError, Unreadable
from quantize.export import DIRECT_TYPES, DirectType, Planned, plan_types, write_gguf
from quantize.files import check_output, part_of, publish, sha256_file
from quantize.gguf_adapter import open_adapter
from quantize.gguf_file import Field, GgufFile
from quantize.imatrix_file import read_imatrix
from quantize.lineage import PREFIX, Lineage, evaluation_of, lineage_of, read_lineage
from quantize.llama_quantise import check_type, is_direct, quantise
from quantize.manifest import Weights, manifest_path, write_manifest
from quantize.mapped import Rows
from quantize.merge import plan_merge
from quantize.progress import Progress
from quantize.room import (
    check_disk,
    check_memory,
    merge_memory,
    output_bytes,
    quantise_memory,
    quantised_bytes,
)
from quantize.template import Template, choose_template


@dataclass(frozen=True)
class Recipe:
    """What to build."""

    base: Path
    adapters: tuple[Path, ...]
    output: Path
    type: str = "Q4_K_M"
    imatrix: Path | None = None
    template: Path | None = None
    name: str | None = None
    base_id: str | None = None
    keep_f16: bool = False
    overwrite: bool = False
    allow_unknown_base: bool = False
    threads: int | None = None


@dataclass(frozen=True)
class Built:
    """What was built."""

    path: Path
    manifest: Path
    sha256: str
    size_bytes: int
    type: str
    lineage: Lineage
    template_source: str
    kept_f16: Path | None
    resumed: bool
    """Whether the 16-bit file of an interrupted run was taken up."""


@dataclass(frozen=True)
class Prepared:
    """Everything that can be known, and refused, before a byte is written."""

    base: Base
    lineage: Lineage
    template: Template
    tensors: list[Rows]
    evaluation: dict[str, Any]
    """Headline figures of the stages."""


def prepare(recipe: Recipe) -> Prepared:
    """Read and check all inputs. Raises `QuantizeError` in the trainer's words."""
    adapters = [open_adapter(path) for path in recipe.adapters]
    base = open_base(recipe.base)
    tensors = plan_merge(base, adapters)
    trained_with = [
        adapter.manifest.template_sha256
        for adapter in adapters
        if adapter.manifest is not None and adapter.manifest.template_sha256
    ]
    template = choose_template(recipe.template, trained_with, recipe.adapters, base.template)
    # Last of the checks, since hashing 16 GB takes a while.
    sha256 = base_sha256(recipe.base)
    check_stack(adapters, sha256, allow_unknown_base=recipe.allow_unknown_base)
    name = recipe.name or recipe.output.name.removesuffix(".gguf")
    weights = Weights(id=_base_id(recipe, adapters), sha256=sha256)
    lineage = lineage_of(name, weights, adapters, template, base.tokenizer_sha256, base.config_sha256)
    return Prepared(base, lineage, template, tensors, evaluation_of(adapters))


def _base_id(recipe: Recipe, adapters: Sequence[Adapter]) -> str:
    named = [adapter.manifest.base.id for adapter in adapters if adapter.manifest is not None]
    return recipe.base_id or (named[0] if named else recipe.base.name.removesuffix(".gguf"))


def build(recipe: Recipe) -> Built:
    """Build it. The final name appears only when the file is whole; the manifest comes last."""
    kind = check_type(recipe.type, recipe.imatrix is not None)
    output = recipe.output
    check_output(output, overwrite=recipe.overwrite)
    prepared = prepare(recipe)
    if is_direct(kind):
        _write_direct(prepared, kind, output)
        kept, resumed = None, False
    else:
        kept, resumed = _write_through_f16(prepared, kind, recipe)
    check_readback(output, prepared)
    manifest = manifest_path(output)
    write_manifest(manifest, prepared.lineage.manifest(kind, prepared.evaluation))
    return Built(
        path=output,
        manifest=manifest,
        sha256=sha256_file(output),
        size_bytes=output.stat().st_size,
        type=kind,
        lineage=prepared.lineage,
        template_source=prepared.template.source,
        kept_f16=kept,
        resumed=resumed,
    )


def _write_direct(prepared: Prepared, kind: str, output: Path) -> None:
    planned = plan_types(prepared.tensors, cast(DirectType, kind))
    check_disk(output.parent, output_bytes(planned), f"the {kind} file")
    check_memory(merge_memory(), "merging")
    _export(prepared, kind, planned, output)


def _export(prepared: Prepared, kind: str, planned: Sequence[Planned], output: Path) -> None:
    fields = {
        Keys.General.TYPE: Field("model", GGUFValueType.STRING),
        **prepared.base.keys(prepared.template),
        Keys.General.NAME: Field(prepared.lineage.name, GGUFValueType.STRING),
        **prepared.lineage.fields(kind),
    }
    progress = Progress("merging", len(planned))
    part = part_of(output)
    write_gguf(
        part,
        prepared.base.architecture.name,
        fields,
        planned,
        file_type=DIRECT_TYPES[kind][1],
        step=progress.step,
    )
    publish(part, output)
    progress.close()


def _write_through_f16(prepared: Prepared, kind: str, recipe: Recipe) -> tuple[Path | None, bool]:
    """Write a 16-bit file, then have llama.cpp quantise it. Returns the file kept, and whether it was there before."""
    output = recipe.output
    stem = output.name.removesuffix(".gguf")
    f16 = output.with_name(f"{stem}.F16.gguf" if recipe.keep_f16 else f".{stem}.F16.gguf.resume")
    matrix = read_imatrix(recipe.imatrix) if recipe.imatrix else None
    planned = plan_types(prepared.tensors, "F16")
    resumed = is_same(f16, prepared)
    if recipe.keep_f16 and f16.exists() and not resumed and not recipe.overwrite:
        raise QuantizeError(f"{f16} is another model; move it away, or pass --overwrite to replace it")
    needed = quantised_bytes(prepared.tensors) + (0 if resumed else output_bytes(planned))
    check_disk(output.parent, needed, f"building {kind} by way of F16")
    check_memory(max(merge_memory(), quantise_memory(planned)), f"building {kind}")
    if not resumed:
        _export(prepared, "F16", planned, f16)
    progress = Progress("quantising", len(planned))
    overrides = {f"{PREFIX}quantisation": kind}
    if recipe.imatrix is not None:
        overrides[f"{PREFIX}imatrix_sha256"] = sha256_file(recipe.imatrix)
    quantise(
        f16,
        output,
        kind,
        imatrix=matrix.importance if matrix else None,
        overrides=overrides,
        threads=recipe.threads,
        step=lambda done, name: progress.step(name, done),
    )
    progress.close()
    if recipe.keep_f16:
        write_manifest(manifest_path(f16), prepared.lineage.manifest("F16", prepared.evaluation))
        return f16, resumed
    f16.unlink()
    return None, resumed


def is_same(path: Path, prepared: Prepared) -> bool:
    """Whether `path` is the whole file that `prepared` gives, left by an interrupted run."""
    if not path.is_file():
        return False
    try:
        file = GgufFile(path)
    except Unreadable:
        return False
    # The hash also names the versions of the tools. What is said of a model but not of its tensors, such as its licence,
    # is only in the lineage, and the special tokens stand in other files than the tokenizer's own.
    made_alike = file.get(f"{PREFIX}recipe_sha256") == prepared.lineage.recipe_sha256
    return made_alike and _misread(file, prepared) is None


def check_readback(path: Path, prepared: Prepared) -> None:
    """Read the finished file again: template, special tokens and lineage must be what was meant."""
    file = GgufFile(path)
    if (what := _misread(file, prepared)) is not None:
        raise QuantizeError(
            f"{path} does not hold the {what} that was written; this is a defect, please report it"
        )
    if file.get(Keys.Tokenizer.EOS_ID) is None:
        raise QuantizeError(
            f"{path} names no end token, so replies would never stop; give a base whose tokenizer has one"
        )


def _misread(file: GgufFile, prepared: Prepared) -> str | None:
    """What of vocabulary, template and lineage is not in `file` as it was meant, or None."""
    for key, field in prepared.base.keys(prepared.template).items():
        if key.startswith("tokenizer.") and file.fields.get(key) != field:
            return "chat template" if key == Keys.Tokenizer.CHAT_TEMPLATE else key
    return None if read_lineage(file) == prepared.lineage else "lineage"
