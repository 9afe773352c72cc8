"""Which adapters ship for a model, and which of them a lesson gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.llm.files import sha256_file
from tutor_app.llm.manifest import Manifest, manifest_path, read_manifest
from tutor_app.llm.protocol import Adapter
from tutor_app.pedagogy.templates import template_sha256
from tutor_app.resources import asset


@dataclass(frozen=True)
class Found:
    """An adapter file and what its manifest says."""

    path: Path
    manifest: Manifest

    @property
    def own_stages(self) -> tuple[str, ...]:
        """sha256 of the stages whose weights are in this file."""
        below = set(_below(self.manifest))
        return tuple(stage.sha256 for stage in self.manifest.stages if stage.sha256 not in below)


def _below(manifest: Manifest) -> list[str]:
    """sha256 of the stages that it was trained on top of and that are *not* in its file: the field `below`."""
    extra = (manifest.model_extra or {}).get("below") or []
    return [str(item["sha256"]) for item in extra if isinstance(item, dict) and "sha256" in item]


def folders(data_dir: Path) -> tuple[Path, ...]:
    """Where adapters are looked for: those the user put there come before those that ship."""
    return (data_dir / "adapters", asset("adapters"))


def find(folders: Sequence[Path], base_id: str, base_sha256: str, family: str) -> list[Found]:
    """Every adapter made for exactly these weights and our template, in the order of their names.

    An adapter on other weights, even of the same name, would run and speak nonsense, so the checksum decides.
    Raises TutorError when a manifest cannot be read.
    """
    found: dict[str, Found] = {}
    for folder in folders:
        for path in sorted((folder / base_id).glob("*.gguf")):
            if path.name in found or not manifest_path(path).is_file():
                continue  # a file without its manifest is not complete
            try:
                manifest = read_manifest(manifest_path(path))
            except OSError as error:
                raise TutorError(f"{manifest_path(path)} cannot be read: {error.strerror}.") from error
            fits = manifest.base is not None and manifest.base.sha256 == base_sha256
            if fits and manifest.template_sha256 in (None, template_sha256(family)):
                found[path.name] = Found(path, manifest)
    return [found[name] for name in sorted(found)]


def to_load(stack: Sequence[Found]) -> tuple[Adapter, ...]:
    """A stack as the engine takes it; reads every file for its checksum. Raises TutorError when one cannot be read."""
    return tuple(Adapter(item.manifest.name, item.path, _sum_of(item.path)) for item in stack)


def _sum_of(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise TutorError(
            f"The adapter {path} cannot be read: {error.strerror}. Install it again, or remove it with its manifest."
        ) from error


def fitting_stack(found: Sequence[Found], language: str | None, track: str | None) -> list[Found]:
    """The adapters for a lesson, those below first; none when none fits. Reads none of their files.

    The most particular one that fits wins: its own track over none, its own language over all.
    """
    fitting = [item for item in found if _fits(item.manifest, language, track)]
    if not fitting:
        return []
    best = max(
        fitting, key=lambda item: (bool(item.manifest.track), -len(item.manifest.languages or [""] * 99))
    )
    chain = [best]
    missing = set(_below(best.manifest))
    while missing:
        under = next((item for item in found if item.own_stages and set(item.own_stages) <= missing), None)
        if under is None:
            return []  # without what it stands on, its weights mean nothing
        chain.insert(0, under)
        missing -= set(under.own_stages)
    return chain


def _fits(manifest: Manifest, language: str | None, track: str | None) -> bool:
    primary = language.split("-")[0].lower() if language else None
    languages = {name.split("-")[0].lower() for name in manifest.languages}
    speaks = primary is None or not languages or primary in languages
    return speaks and (manifest.track is None or track is None or manifest.track == track)
