"""What an evaluation found, written into the manifest of the adapter or model that it is about.

The app reads `margin_nats` from there: how sure a model must be differs from model to model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError
from finetune.evaluate.config import EvaluateConfig, Model
from finetune.evaluate.summary import HEADLINE
from lessons.schema import Track
from tutor_app.errors import TutorError
from tutor_app.llm.manifest import Manifest, manifest_path, read_manifest, write_manifest


def manifest_of(model: Model) -> Path | None:
    """The manifest of what a model's own training made: its last adapter, or a GGUF file that was merged."""
    from finetune.evaluate.engine_speaker import chosen, data_dir

    if model.kind != "gguf":
        return None
    spec, _ = chosen(model, data_dir())
    path = manifest_path(spec.adapters[-1].path if spec.adapters else spec.path)
    return path if path.is_file() else None


def recorded_margins(model: Model) -> dict[Track, float]:
    """Track → `margin_nats` as an earlier evaluation recorded it. Raises FinetuneError for a manifest that is none."""
    path = manifest_of(model)
    if path is None:
        return {}
    given = _read(path).margin_nats
    tracks: tuple[Track, ...] = ("l2", "heritage")
    return {track: given[track] for track in tracks if track in given}


def record(config: EvaluateConfig, report: dict[str, Any]) -> list[Path]:
    """Write headline figures into the manifests of all trained models of the report; those written.

    What earlier evaluations recorded of other figures stays. Raises FinetuneError.
    """
    written: list[Path] = []
    for name, model in config.models.items():
        path = manifest_of(model)
        if path is None or model.prompt_style != "trained":
            continue
        found = report["models"][name]
        figures = {
            id: {"value": figure["value"], "low": figure["low"], "high": figure["high"], "n": figure["n"]}
            for id, figure in found["figures"].items()
            if figure["kind"] in HEADLINE
        }
        manifest = _read(path)
        margins = {**manifest.margin_nats, **found.get("margin_nats", {})}
        evaluation = {**manifest.evaluation, **figures, **({"margin_nats": margins} if margins else {})}
        try:
            write_manifest(path, manifest.model_copy(update={"evaluation": evaluation}))
        except OSError as error:
            raise FinetuneError(f"{path} cannot be written: {error.strerror}.") from error
        written.append(path)
    return written


def _read(path: Path) -> Manifest:
    try:
        return read_manifest(path)
    except (OSError, TutorError) as error:
        raise FinetuneError(f"{path} cannot be read: {error}") from error
