"""Where a model comes from, as GGUF keys under `tutor.` and as a manifest; the two say the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gguf.constants import GGUFValueType

from quantize.adapter import Adapter
from quantize.gguf_file import Field, GgufFile
from quantize.manifest import Manifest, Weights, now, tool_versions
from quantize.template import Template

PREFIX = "tutor."


@dataclass(frozen=True)
class Lineage:
    """What a model or adapter is made of."""

    name: str
    base: Weights
    stages: tuple[Weights, ...]
    template_sha256: str | None
    languages: tuple[str, ...]
    track: str | None
    licence: str | None
    data: dict[str, Any]
    tokenizer_sha256: str | None = None
    config_sha256: str | None = None
    """Of the base's config.json, which decides keys and even tensors."""

    @property
    def recipe_sha256(self) -> str:
        """Names the content: the same base, stages and template give the same tensors and keys."""
        parts = [
            self.name,
            self.base.sha256,
            *(stage.sha256 for stage in self.stages),
            str(self.template_sha256),
            str(self.tokenizer_sha256),
            str(self.config_sha256),
        ]
        parts += [tool_versions().get("linguist-tutor", ""), tool_versions().get("gguf", "")]
        return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()

    def fields(self, quantisation: str) -> dict[str, Field]:
        """The keys of the file. `data` is JSON, since GGUF has no nested values."""
        texts = {
            "name": self.name,
            "base.id": self.base.id,
            "base.sha256": self.base.sha256,
            "template_sha256": self.template_sha256,
            "tokenizer_sha256": self.tokenizer_sha256,
            "config_sha256": self.config_sha256,
            "track": self.track,
            "licence": self.licence,
            "quantisation": quantisation,
            "recipe_sha256": self.recipe_sha256,
            "data": json.dumps(self.data, ensure_ascii=False, sort_keys=True) if self.data else None,
            "tool_versions": json.dumps(tool_versions(), sort_keys=True),
        }
        lists = {
            "stages": [stage.id for stage in self.stages],
            "stages_sha256": [stage.sha256 for stage in self.stages],
            "languages": list(self.languages),
        }
        keys = {PREFIX + key: Field(text, GGUFValueType.STRING) for key, text in texts.items() if text}
        for key, items in lists.items():
            if items:
                keys[PREFIX + key] = Field(items, GGUFValueType.ARRAY, GGUFValueType.STRING)
        return keys

    def manifest(self, quantisation: str | None, evaluation: dict[str, Any]) -> Manifest:
        """The manifest of a file made now. `evaluation`: what is known before anything is measured here."""
        return Manifest(
            name=self.name,
            base=self.base,
            stages=list(self.stages),
            template_sha256=self.template_sha256,
            languages=list(self.languages),
            track=self.track,
            quantisation=quantisation,
            licence=self.licence,
            data=self.data,
            evaluation=evaluation,
            tool_versions=tool_versions(),
            created=now(),
        )


def lineage_of(
    name: str,
    base: Weights,
    adapters: Sequence[Adapter],
    template: Template | None,
    tokenizer_sha256: str | None,
    config_sha256: str | None,
) -> Lineage:
    """The lineage of `adapters` on `base`: languages of all, track and licence of the last that names one."""
    manifests = [adapter.manifest for adapter in adapters if adapter.manifest is not None]
    languages: list[str] = []
    for manifest in manifests:
        languages += [language for language in manifest.languages if language not in languages]
    tracks = [manifest.track for manifest in manifests if manifest.track]
    licences = [manifest.licence for manifest in manifests if manifest.licence]
    return Lineage(
        name=name,
        base=base,
        stages=tuple(adapter.weights for adapter in adapters),
        template_sha256=template.sha256 if template else None,
        languages=tuple(languages),
        track=tracks[-1] if tracks else None,
        licence=licences[-1] if licences else None,
        data={manifest.name: manifest.data for manifest in manifests if manifest.data},
        tokenizer_sha256=tokenizer_sha256,
        config_sha256=config_sha256,
    )


def evaluation_of(adapters: Sequence[Adapter]) -> dict[str, Any]:
    """Stage → the headline figures of its training, for the manifest of what is made of them."""
    manifests = [adapter.manifest for adapter in adapters if adapter.manifest is not None]
    return {manifest.name: manifest.evaluation for manifest in manifests if manifest.evaluation}


def read_lineage(file: GgufFile) -> Lineage | None:
    """The lineage in a GGUF's keys; None when it was not made here."""
    if f"{PREFIX}base.sha256" not in file.fields:
        return None
    hashes = file.texts(f"{PREFIX}stages_sha256")
    stages = zip(file.texts(f"{PREFIX}stages"), hashes, strict=True)
    return Lineage(
        name=str(file.get(f"{PREFIX}name", "")),
        base=Weights(id=str(file.get(f"{PREFIX}base.id", "")), sha256=str(file.get(f"{PREFIX}base.sha256"))),
        stages=tuple(Weights(id=stage, sha256=sha256) for stage, sha256 in stages),
        template_sha256=file.get(f"{PREFIX}template_sha256"),
        languages=tuple(file.texts(f"{PREFIX}languages")),
        track=file.get(f"{PREFIX}track"),
        licence=file.get(f"{PREFIX}licence"),
        data=json.loads(file.get(f"{PREFIX}data", "{}")),
        tokenizer_sha256=file.get(f"{PREFIX}tokenizer_sha256"),
        config_sha256=file.get(f"{PREFIX}config_sha256"),
    )
