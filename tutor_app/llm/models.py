"""The models on this machine: which there are, which is used, and how one gets there."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tutor_app.errors import TutorError
from tutor_app.llm import adapters, catalogue, machine, parts
from tutor_app.llm.catalogue import Entry, HubSource, PackageSource
from tutor_app.llm.files import copy_checked, need_room, remove_begun, replace_file, sha256_file
from tutor_app.llm.manifest import Manifest, Weights, manifest_path, read_manifest, write_manifest
from tutor_app.llm.protocol import Adapter, LoadSpec, ModelRefused, Progress

Origin = Literal["packages", "hub", "file"]
GOOD_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Installed:
    """A model that can be run now."""

    id: str
    path: Path
    sha256: str
    size_bytes: int
    family: str
    origin: Origin
    licence: str
    languages: tuple[str, ...]
    trained: bool = False
    """Stages of our training are merged into it."""
    margin_nats: Mapping[str, float] = field(default_factory=dict)
    """See `Manifest.margin_nats`."""

    @property
    def memory_bytes(self) -> int:
        """Memory to have for it."""
        entry = catalogue.find(self.id)
        return entry.memory_bytes if entry else int(self.size_bytes * 1.1) + 300 * 10**6


@dataclass(frozen=True)
class Resolved:
    """What to run for a lesson, and in whose format to write the prompt."""

    spec: LoadSpec
    family: str
    trained: bool = False
    """The weights of the model itself went through our training."""
    margin_nats: Mapping[str, float] = field(default_factory=dict)
    """Of the last stage that runs: see `Manifest.margin_nats`."""


class Models:
    """The folder `models` of the data folder: a GGUF and a manifest each, and the name of the chosen one."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "models"

    # -- asking ----------------------------------------------------------------------------------------------

    def installed(self) -> list[Installed]:
        """Every model that is complete, by name. Damaged manifests are left out: `verify` names them."""
        found = []
        for path in sorted(self.folder.glob("*.manifest.json")):
            try:
                found.append(self._read(path.name.removesuffix(".manifest.json")))
            except TutorError:
                continue
        return found

    def get(self, model_id: str) -> Installed:
        """The installed model of that name. Raises TutorError when there is none, or it is not whole."""
        if not GOOD_ID.fullmatch(model_id) or not self._manifest(model_id).is_file():
            raise TutorError(f"There is no model {model_id!r} here. `tutor models list` shows what there is.")
        return self._read(model_id)

    def selected(self) -> str | None:
        """Name of the model the user chose, or None."""
        try:
            chosen = json.loads((self.folder / "selected.json").read_text(encoding="utf-8"))["model"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return chosen if isinstance(chosen, str) else None

    def default(self) -> str:
        """The chosen model, or the first of the catalogue's defaults that is here or can be joined here.

        Raises TutorError saying how to get one.
        """
        if (chosen := self.selected()) is not None:
            return chosen
        here = {model.id for model in self.installed()}
        for model_id in catalogue.DEFAULTS:
            entry = catalogue.find(model_id)
            assert entry is not None
            assert isinstance(entry.source, PackageSource)
            if model_id in here or not parts.missing(entry.source):
                return model_id
        if here:
            return min(here)
        raise TutorError(
            'No language model is installed. Run: pip install "linguist-tutor[embedded]", '
            "or `tutor models import FILE.gguf`."
        )

    def smaller_than(self, model_id: str) -> str | None:
        """The largest model that is here, or can be joined here, and is smaller: to offer when memory ran out."""
        sizes = {model.id: model.size_bytes for model in self.installed()}
        for entry in catalogue.ENTRIES:
            if entry.id in sizes or isinstance(entry.source, HubSource) or entry.languages == ("en",):
                continue
            if not parts.missing(entry.source):
                sizes[entry.id] = entry.size_bytes
        known = catalogue.find(model_id)
        limit = sizes.get(model_id) or (known.size_bytes if known else 0)
        return max((id for id, size in sizes.items() if size < limit), key=sizes.__getitem__, default=None)

    # -- changing --------------------------------------------------------------------------------------------

    def select(self, model_id: str, on_progress: Progress | None = None) -> Installed:
        """Use `model_id` from now on; joins its parts if they are installed. Raises TutorError."""
        model = self.ensure(model_id, on_progress)
        self._write("selected.json", json.dumps({"model": model_id}).encode())
        return model

    def ensure(self, model_id: str, on_progress: Progress | None = None) -> Installed:
        """The model, made ready from installed packages when it is not yet. Raises TutorError."""
        remove_begun(self.folder)
        if GOOD_ID.fullmatch(model_id) and self._manifest(model_id).is_file():
            return self._unchanged(self._read(model_id), on_progress)
        entry = catalogue.find(model_id)
        if entry is None:
            raise TutorError(f"There is no model {model_id!r}. `tutor models list` shows what there is.")
        if isinstance(entry.source, HubSource):
            raise TutorError(
                f"{entry.title} is not here. Get it with `tutor models pull {model_id}` "
                f"({entry.size_bytes / 1e9:.1f} GB), or `tutor models import FILE --as {model_id}`."
            )
        if len(entry.source.files) == 1:
            return self._use_in_place(entry, parts.locate(entry.source)[0], on_progress)
        target = self.folder / f"{entry.id}.gguf"
        sha256 = parts.join(entry, target, on_progress)
        return self.add(entry.id, target, sha256, entry.family, "packages", _described(entry))

    def _use_in_place(self, entry: Entry, path: Path, on_progress: Progress | None) -> Installed:
        """A whole GGUF in a package is run where it is, after one check of its bytes."""
        assert isinstance(entry.source, PackageSource)
        sha256 = _sha256(path, on_progress)
        if sha256 != entry.sha256:
            raise TutorError(
                f"{path} is damaged (the checksum differs). Run: {entry.source.install} --force-reinstall"
            )
        return self.add(entry.id, path, sha256, entry.family, "packages", _described(entry))

    def import_file(
        self,
        source: Path,
        model_id: str | None = None,
        *,
        in_place: bool = False,
        on_progress: Progress | None = None,
    ) -> Installed:
        """Check `source`, copy it here (or use it where it is), and describe it. Raises ModelRefused, TutorError.

        A manifest beside it comes along; without one, what the file's own keys say of its making.
        """
        from tutor_app.llm.accept import accept, lineage, refuse_unrunnable
        from tutor_app.llm.gguf_header import read_header

        source = source.expanduser().absolute()
        header = read_header(source)
        refuse_unrunnable(header)  # before the long copy
        beside = manifest_path(source)
        manifest = read_manifest(beside) if beside.is_file() else None
        part = self.folder / f".{os.getpid()}.import.part"
        try:
            if in_place:
                sha256 = sha256_file(source, on_progress)
            else:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                need_room(self.folder, header.file_bytes, machine.free_bytes(self.folder))
                sha256 = copy_checked([source], part, header.file_bytes, on_progress)
            accepted = accept(header, sha256, manifest.template_sha256 if manifest else None)
            name = self._free_name(model_id, source, sha256)
            path = source
            if not in_place:
                path = self.folder / f"{name}.gguf"
                os.replace(part, path)
        except OSError as error:
            raise TutorError(
                f"{source.name} could not be imported: {os.strerror(error.errno or 0)}."
            ) from error
        finally:
            part.unlink(missing_ok=True)
        entry = catalogue.find(name)
        described = manifest or (_described(entry) if entry else lineage(header, name))
        return self.add(name, path, sha256, accepted.family, "file", described)

    def add(
        self, model_id: str, path: Path, sha256: str, family: str, origin: Origin, described: Manifest
    ) -> Installed:
        """Write the manifest that makes the weights at `path` a model. Raises TutorError."""
        status = path.stat()
        record = described.model_copy(
            update={
                "tutor": {
                    "file": path.name if path.parent == self.folder else str(path),
                    "sha256": sha256,
                    "size_bytes": status.st_size,
                    "mtime_ns": status.st_mtime_ns,
                    "family": family,
                    "origin": origin,
                }
            }
        )
        try:
            write_manifest(self._manifest(model_id), record)
        except OSError as error:
            raise TutorError(f"{self.folder} cannot be written: {error.strerror}.") from error
        return self._read(model_id)

    def verify(self, model_id: str, on_progress: Progress | None = None) -> Installed:
        """The model, after reading all of it. Raises TutorError when its bytes are not those of its manifest."""
        model = self.ensure(model_id)
        if _sha256(model.path, on_progress) != model.sha256:
            raise TutorError(
                f"{model_id} is damaged: the checksum of {model.path.name} differs. "
                f"Run `tutor models remove {model_id}` and get it again."
            )
        return model

    def remove(self, model_id: str) -> int:
        """Forget a model and delete its file if it is ours; gives the bytes freed. Raises TutorError."""
        manifest = self._manifest(model_id)
        if not GOOD_ID.fullmatch(model_id) or not manifest.is_file():
            raise TutorError(f"There is no model {model_id!r} here.")
        weights = self.folder / f"{model_id}.gguf"
        try:
            freed = weights.stat().st_size if weights.is_file() else 0
            manifest.unlink()  # first: weights without a manifest are no model
            weights.unlink(missing_ok=True)
            if self.selected() == model_id:
                (self.folder / "selected.json").unlink(missing_ok=True)
        except OSError as error:
            raise TutorError(f"{model_id} could not be removed: {error.strerror}.") from error
        return freed

    # -- inside ----------------------------------------------------------------------------------------------

    def _manifest(self, model_id: str) -> Path:
        return self.folder / f"{model_id}.manifest.json"

    def _read(self, model_id: str) -> Installed:
        path = self._manifest(model_id)
        try:
            manifest = read_manifest(path)
            record = (manifest.model_extra or {})["tutor"]
            weights = self.folder / record["file"]  # an absolute path stays as it is
            size = weights.stat().st_size
            model = Installed(
                id=model_id,
                path=weights,
                sha256=record["sha256"],
                size_bytes=size,
                family=record["family"],
                origin=record["origin"],
                licence=manifest.licence or "unknown",
                languages=tuple(manifest.languages),
                trained=bool(manifest.stages),
                margin_nats=manifest.margin_nats,
            )
        except (KeyError, TypeError) as error:
            raise TutorError(
                f"{path} does not describe an installed model. Import the file again."
            ) from error
        except OSError as error:
            raise ModelRefused(
                f"The file of {model_id} cannot be read: {error.strerror}. Get it again."
            ) from error
        if size != record["size_bytes"]:
            raise ModelRefused(_changed(model_id))
        return model

    def _unchanged(self, model: Installed, on_progress: Progress | None) -> Installed:
        """`model`, after another look at a file of somebody else's that was written since it was checked.

        One that was built anew may have the same size, and states and adapters of the old weights mean nothing to it.
        Raises ModelRefused, TutorError.
        """
        if model.path.parent == self.folder:
            return model  # only we write there
        manifest = read_manifest(self._manifest(model.id))
        record = (manifest.model_extra or {})["tutor"]
        if record.get("mtime_ns") == model.path.stat().st_mtime_ns:
            return model
        if _sha256(model.path, on_progress) != model.sha256:
            raise ModelRefused(_changed(model.id))
        with contextlib.suppress(TutorError):  # what cannot be noted is only read again next time
            self.add(model.id, model.path, model.sha256, model.family, model.origin, manifest)
        return model

    def _free_name(self, wanted: str | None, source: Path, sha256: str) -> str:
        """The name to import under. Raises TutorError when it is taken by other weights, or is no name."""
        known = catalogue.find_by_sha256(sha256)
        slug = re.sub(r"[^a-z0-9._-]+", "-", source.name.removesuffix(".gguf").lower()).strip("-._")
        name = wanted or (known.id if known else slug[:64])
        if not GOOD_ID.fullmatch(name):
            raise TutorError(
                f"{name!r} is no name for a model: use small letters, digits, dots and dashes (--as NAME)."
            )
        entry = catalogue.find(name)
        if entry is not None and entry.sha256 not in (None, sha256):
            raise TutorError(f"{name} is another model of the catalogue. Choose a name with --as NAME.")
        if self._manifest(name).is_file() and self._read(name).sha256 != sha256:
            raise TutorError(
                f"There is another model {name!r} here. Remove it, or choose a name with --as NAME."
            )
        return name

    def _write(self, name: str, data: bytes) -> None:
        try:
            replace_file(self.folder / name, data)
        except OSError as error:
            raise TutorError(f"{self.folder} cannot be written: {error.strerror}.") from error


def _changed(model_id: str) -> str:
    return (
        f"The file of {model_id} has changed since it was checked. "
        f"Run `tutor models remove {model_id}` and get it again."
    )


def _sha256(path: Path, on_progress: Progress | None) -> str:
    """Checksum of a file. Raises TutorError when it cannot be read."""
    try:
        return sha256_file(path, on_progress)
    except OSError as error:
        raise TutorError(f"{path} cannot be read: {error.strerror}.") from error


def _described(entry: Entry) -> Manifest:
    return Manifest(
        name=entry.id,
        base=Weights(id=entry.id, sha256=entry.sha256) if entry.sha256 else None,
        languages=list(entry.languages),
        licence=entry.licence,
    )


def resolve(
    data_dir: Path,
    model_id: str | None = None,
    *,
    language: str | None = None,
    track: str | None = None,
    adapter_paths: Sequence[Adapter] | None = None,
    n_ctx: int = 4096,
    on_progress: Progress | None = None,
) -> Resolved:
    """What to load for a lesson: `model_id`, else the chosen model, else the default one.

    Joins installed parts on first use (`on_progress` gets 0 to 1). Adapters that ship for these weights, the
    lesson's language and its track are added, or exactly `adapter_paths` when given. Raises TutorError.
    """
    models = Models(data_dir)
    model = models.ensure(model_id or models.default(), on_progress)
    machine.refuse_too_large(model.id, model.memory_bytes)
    margin_nats = model.margin_nats
    if adapter_paths is None:
        found = adapters.find(adapters.folders(data_dir), model.id, model.sha256, model.family)
        stack = adapters.fitting_stack(found, language, track)
        chosen = adapters.to_load(stack)
        if stack:
            margin_nats = stack[-1].manifest.margin_nats
    else:
        chosen = tuple(adapter_paths)
    spec = LoadSpec(
        model_id=model.id,
        path=model.path,
        sha256=model.sha256,
        n_ctx=n_ctx,
        adapters=chosen,
    )
    return Resolved(spec, model.family, model.trained, margin_nats)
