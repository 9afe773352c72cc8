"""A GGUF LoRA read back, so that what is shipped for run-time use can also be merged."""

from __future__ import annotations

from pathlib import Path

from gguf.constants import Keys

from quantize.adapter import Adapter, Pair, check_finite, check_product
from quantize.errors import Unreadable, Unsupported, WrongBase
from quantize.files import sha256_file
from quantize.gguf_file import GgufFile, GgufTensor
from quantize.lineage import read_lineage
from quantize.manifest import Manifest, Weights, manifest_path, read_manifest
from quantize.peft_adapter import read_adapter

ENDINGS = {".lora_a": "a", ".lora_b": "b"}
EMBEDDING = "token_embd.weight"


def open_adapter(path: Path) -> Adapter:
    """The adapter in a folder saved by PEFT, or in a GGUF file. Raises `Unreadable` and `Unsupported`."""
    return read_gguf_adapter(path) if path.is_file() else read_adapter(path)


def read_gguf_adapter(path: Path) -> Adapter:
    """The adapter in `path` with the manifest beside it, checked as one from PEFT is.

    Its values are those of the file: what Q8_0 rounded stays rounded. Raises `Unsupported` for a file that holds
    several stages, or a LoRA on the embedding (whose A lies the other way round).
    """
    file = GgufFile(path)
    if (
        file.get(Keys.General.TYPE, "model") != "adapter"
        or file.get(Keys.Adapter.TYPE, "lora").casefold() != "lora"
    ):
        raise Unsupported(
            f"{path} is a GGUF, but no LoRA; an adapter is a folder saved by PEFT or a GGUF LoRA"
        )
    found: dict[str, dict[str, GgufTensor]] = {}
    for name, tensor in file.tensors.items():
        ending = next((ending for ending in ENDINGS if name.endswith(ending)), None)
        if ending is None:
            raise Unsupported(f"{path.name}: {name} is not part of a LoRA, so it would be lost")
        found.setdefault(name.removesuffix(ending), {})[ENDINGS[ending]] = tensor
    if not found:
        raise Unsupported(f"{path.name} holds no tensors: nothing was trained")
    alpha = float(file.require(Keys.Adapter.LORA_ALPHA))
    pairs = tuple(_pair(path.name, name, factors, alpha) for name, factors in found.items())
    beside = manifest_path(path)
    manifest = read_manifest(beside) if beside.is_file() else None
    return Adapter(path, pairs, _stage(path, file, manifest), manifest)


def _pair(name: str, target: str, factors: dict[str, GgufTensor], alpha: float) -> Pair:
    if set(factors) != {"a", "b"}:
        raise Unreadable(f"{name}: {target} has only one of lora_a and lora_b; the file is incomplete")
    if target == EMBEDDING:
        raise Unsupported(f"{name} has a LoRA on the embedding; merge it from the folder that PEFT saved")
    a, b = factors["a"], factors["b"]
    check_product(name, target, a, b)
    check_finite(name, a, b)
    # As llama.cpp has it: no alpha, no scaling.
    scale = alpha / a.shape[0] if alpha else 1.0
    return Pair(target.removesuffix(".weight"), a, b, scale, embedding=False, tensor=target)


def _stage(path: Path, file: GgufFile, manifest: Manifest | None) -> str:
    """The sha256 by which others name this stage: that of the weights it was made of, or the file's own."""
    lineage = read_lineage(file)
    if lineage is None or not lineage.stages:
        return sha256_file(path)
    below: list[Weights] = []
    if manifest is not None:
        if [stage.sha256 for stage in manifest.stages] != [stage.sha256 for stage in lineage.stages]:
            raise WrongBase(f"{manifest_path(path)} is the manifest of another adapter than {path.name}")
        below = [Weights.model_validate(one) for one in (manifest.model_extra or {}).get("below", [])]
    if len(lineage.stages) - len(below) > 1:
        raise Unsupported(
            f"{path.name} holds {len(lineage.stages) - len(below)} stages in one; merge them from the folders that PEFT saved"
        )
    return lineage.stages[-1].sha256
