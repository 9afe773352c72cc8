"""The manifest beside a model or an adapter: what it is, what it stands on, and how it was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quantize.errors import Unreadable
from quantize.files import read_text, replace_file

TOOLS = ("linguist-tutor", "gguf", "llama-cpp-python", "numpy", "tokenizers")


class Weights(BaseModel):
    """Weights by name and content."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    sha256: str


class Manifest(BaseModel):
    """Section 9 of the design. Fields that another tool added are kept."""

    model_config = ConfigDict(extra="allow")

    name: str
    base: Weights
    """The weights that everything else stands on."""
    stages: list[Weights] = Field(default_factory=list)
    """Adapters by id and sha256 of adapter_model.safetensors, in the order in which they were trained."""
    template_sha256: str | None = None
    languages: list[str] = Field(default_factory=list)
    track: str | None = None
    """heritage, l2, or none for a stage that serves both."""
    quantisation: str | None = None
    """llama.cpp's name of the type, as in Q4_K_M; none for an adapter in safetensors."""
    licence: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    """The mixture asked for and reached, by source."""
    evaluation: dict[str, Any] = Field(default_factory=dict)
    """Headline figures."""
    tool_versions: dict[str, str] = Field(default_factory=dict)
    created: str = ""
    """UTC, ISO 8601."""


def manifest_path(model: Path) -> Path:
    """`tutor-es.gguf` → `tutor-es.manifest.json`."""
    return model.with_name(model.name.removesuffix(".gguf") + ".manifest.json")


def read_manifest(path: Path) -> Manifest:
    """The manifest in `path`. Raises `Unreadable` with the field that is wrong."""
    try:
        return Manifest.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Unreadable(f"{path} is not a manifest: {place}: {first['msg'].lower()}") from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it whole. A model with a manifest is a model that is complete, so this comes last."""
    text = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=2)
    replace_file(path, (text + "\n").encode("utf-8"))


def tool_versions() -> dict[str, str]:
    """Installed versions of what shapes the bytes of a model."""
    versions = {"python": platform.python_version()}
    for tool in TOOLS:
        try:
            versions[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def now() -> str:
    """The time for `created`. The model's own bytes hold no clock: same input, same file."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
