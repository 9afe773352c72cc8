"""How a running program gets its model: what is known before loading, and how to make it ready."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.llm import adapters, catalogue, models, parts
from tutor_app.llm.catalogue import Entry, PackageSource
from tutor_app.llm.client import ChildEngine
from tutor_app.llm.machine import memory
from tutor_app.llm.protocol import Engine
from tutor_app.session.host import Announced, ModelHost, Prepare, Ready
from tutor_app.session.overview import ModelOverview

PREFIXES = "prefixes"
"""Folder below the data folder for saved lesson prefixes."""


@dataclass(frozen=True)
class Expected:
    """The model that will run, by name, content and prompt family."""

    id: str
    sha256: str | None
    family: str


def expect(data_dir: Path, model_id: str | None) -> Expected:
    """Which model will run. Raises TutorError when there is none."""
    here = models.Models(data_dir)
    chosen = model_id or here.default()
    for model in here.installed():
        if model.id == chosen:
            return Expected(chosen, model.sha256, model.family)
    entry = catalogue.find(chosen)
    if entry is None:
        raise TutorError(f"There is no model {chosen!r} here. `tutor models list` shows what there is.")
    return Expected(chosen, entry.sha256, entry.family)


def announce(data_dir: Path, model_id: str | None, language: str | None, track: str | None) -> Announced:
    """Which model will run, with which adapters: known from what lies on the disk. Raises TutorError for no model."""
    model = expect(data_dir, model_id)
    names: tuple[str, ...] = ()
    if model.sha256 is not None:
        with contextlib.suppress(TutorError):  # a damaged manifest is named when the model is loaded
            found = adapters.find(adapters.folders(data_dir), model.id, model.sha256, model.family)
            names = tuple(one.manifest.name for one in adapters.fitting_stack(found, language, track))
    return Announced(model.id, model.sha256, names)


def preparation(data_dir: Path, model_id: str | None, language: str | None, track: str | None) -> Prepare:
    """What a ModelHost runs in its thread before loading."""

    def prepare(on_progress: Callable[[float], None]) -> Ready:
        found = models.resolve(data_dir, model_id, language=language, track=track, on_progress=on_progress)
        return Ready(found.spec, found.family, found.trained, found.margin_nats)

    return prepare


def make_host(
    data_dir: Path, model_id: str | None, *, language: str | None = None, track: str | None = None,
    engine: Engine | None = None,
) -> ModelHost:  # fmt: skip
    """A host for the model of this name, or for none at all when no model is installed and none was named."""
    runs = engine or ChildEngine(data_dir / PREFIXES)
    try:
        announced = announce(data_dir, model_id, language, track)
    except TutorError:
        if model_id is not None:
            raise
        return ModelHost(runs, None)
    return ModelHost(
        runs, preparation(data_dir, model_id, language, track), announced=announced,
        smaller=models.Models(data_dir).smaller_than,
    )  # fmt: skip


def adapt(host: ModelHost, data_dir: Path, model_id: str | None, language: str, track: str | None) -> None:
    """The adapters for this language and track, on whatever base runs."""
    try:
        announced = announce(data_dir, model_id, language, track)
    except TutorError:  # the model was removed while it runs; the next preparation says so
        return
    host.adapt(preparation(data_dir, model_id, language, track), announced)


def model_overviews(data_dir: Path, active: str | None, freed_bytes: int = 0) -> list[ModelOverview]:
    """What the catalogue and the model folder have, usable ones first.

    `freed_bytes`: what the model that runs now would give back to another one.
    """
    free = memory().available + freed_bytes
    installed = {model.id: model for model in models.Models(data_dir).installed()}
    found: list[ModelOverview] = []
    for entry in catalogue.ENTRIES:
        joinable = isinstance(entry.source, PackageSource) and not parts.missing(entry.source)
        usable = entry.id in installed or joinable
        # The active one is in that memory already, or may at least be tried again.
        refused = "" if entry.id == active else _refusal(entry, free)
        found.append(
            ModelOverview(entry.id, entry.size_bytes, entry.note, usable, entry.id == active, refused)
        )
    for model in installed.values():
        if catalogue.find(model.id) is None:
            note = f"Your own model: {', '.join(model.languages) or 'languages not named'}."
            found.append(ModelOverview(model.id, model.size_bytes, note, True, model.id == active))
    return sorted(found, key=lambda one: (not one.present, not one.active, one.size_bytes))


def _refusal(entry: Entry, free: int) -> str:
    if entry.memory_bytes <= free:
        return ""
    return f"needs about {entry.memory_bytes / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free"
