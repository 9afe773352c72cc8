"""Packs that nobody's `tutor lessons pack` would write."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.lessons.sample import dump, info

TINY = {
    "id": "uno",
    "title": "Uno",
    "level": "A1",
    "objectives": ["Think."],
    "vocabulary": [],
    "forms": [{"id": "f", "name": "f", "explain": "?", "examples": ["a", "b"], "surface": ["a"]}],
    "steps": [{"kind": "reflect", "id": "r", "prompt": "p", "question": "q?", "follow_up": "f?"}],
}
"""The smallest lesson there is, so that every byte of its pack can be tried."""

Change = Callable[[dict[str, Any]], None]


def contents(**more: bytes | str) -> dict[str, bytes]:
    """The files of a tiny set, with others added or put in their place."""
    files: dict[str, bytes | str] = {"lessons/01-uno.yaml": dump(TINY), "set.yaml": dump(info()), **more}
    return {
        name: data.encode("utf-8") if isinstance(data, str) else data for name, data in sorted(files.items())
    }


def manifest(files: Mapping[str, bytes], change: Change | None = None) -> bytes:
    rows = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()
    }
    value: dict[str, Any] = {"format": 1, "id": "muestra", "version": "1.0.0", "files": rows}
    if change:
        change(value)
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode("ascii")


def write_zip(
    path: Path, files: Mapping[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def hostile(path: Path, files: Mapping[str, bytes], change: Change | None = None) -> Path:
    """A pack of these files with a manifest that fits them (unless `change` spoils it)."""
    return write_zip(path, {"pack.json": manifest(files, change), **files})
