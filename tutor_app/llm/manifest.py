"""The manifest beside a model or adapter: what it is and what it stands on (DESIGN section 9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tutor_app.errors import TutorError
from tutor_app.llm.files import replace_file


class Weights(BaseModel):
    """Weights by name and content."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    sha256: str


class Manifest(BaseModel):
    """What is read of it here; fields that other tools wrote are kept."""

    model_config = ConfigDict(extra="allow")

    name: str
    base: Weights | None = None
    """The weights it was made from, or needs."""
    stages: list[Weights] = Field(default_factory=list)
    """Adapters, in the order in which they were trained."""
    template_sha256: str | None = None
    languages: list[str] = Field(default_factory=list)
    track: str | None = None
    """heritage, l2, or none when it serves both."""
    quantisation: str | None = None
    licence: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    evaluation: dict[str, Any] = Field(default_factory=dict)
    created: str = ""

    @property
    def margin_nats(self) -> dict[str, float]:
        """Track → how much likelier than the learner's own sentence a version must be before it is believed.

        Measured by `tutor-finetune evaluate --record` as `evaluation.margin_nats`; empty for a model that was not.
        """
        given = self.evaluation.get("margin_nats")
        if not isinstance(given, dict):
            return {}
        return {str(track): float(nats) for track, nats in given.items() if isinstance(nats, int | float)}


def manifest_path(model: Path) -> Path:
    """`tutor-es.gguf` → `tutor-es.manifest.json`."""
    return model.with_name(model.name.removesuffix(".gguf") + ".manifest.json")


def read_manifest(path: Path) -> Manifest:
    """The manifest in `path`. Raises TutorError, with the field that is wrong, and OSError."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise TutorError(f"{path} is not a manifest: {place}: {first['msg'].lower()}.") from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it whole. It comes last: weights with a manifest are complete. Raises OSError."""
    replace_file(path, (manifest.model_dump_json(indent=2) + "\n").encode())
