"""The state of a prompt's beginning on disk, so that a lesson opened again costs no prefill.

A file is: MAGIC, the header's length (uint32, little endian), the header as JSON, the state as llama.cpp wrote
it. The header repeats the whole key, and is compared with it before a byte of the state is used: a file made
with another model, adapter, scale, window, cache type, llama.cpp build or prompt is not used at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tutor_app.llm.files import remove_begun

MAGIC = b"TUTORPFX1\n"
LENGTH = struct.Struct("<I")
HEADER_LIMIT_BYTES = 4 * 2**20
"""A header holds one number a token: far more than any window needs."""
SUFFIX = ".prefix"
DEFAULT_LIMIT_BYTES = 2 * 10**9


@dataclass(frozen=True)
class PrefixKey:
    """Everything the saved state depends on."""

    model_sha256: str
    adapters: tuple[tuple[str, float], ...]
    """sha256 and scale of each, in order."""
    n_ctx: int
    cache_type: str
    """Element types of K and V, and whether attention is the fused kind (it lays V out differently)."""
    build: str
    """Which llama.cpp wrote it."""
    token_ids: tuple[int, ...]

    def to_json(self) -> str:
        """The same text for equal keys."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def file_name(self) -> str:
        """Where it is kept, inside the cache folder."""
        return hashlib.sha256(self.to_json().encode()).hexdigest() + SUFFIX


class PrefixCache:
    """A folder of saved states, the least recently used of which goes when there are too many bytes."""

    def __init__(self, folder: Path, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def save(self, key: PrefixKey, state: bytes | memoryview) -> bool:
        """Keep `state` under `key`; False when it is larger than the cache may be. Raises OSError."""
        body = json.dumps({"key": key.to_json(), "size": len(state), "crc32": zlib.crc32(state)}).encode()
        size = len(MAGIC) + LENGTH.size + len(body) + len(state)
        if size > self.limit_bytes:
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room(size)
        path = self.folder / key.file_name
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                file.write(MAGIC + LENGTH.pack(len(body)) + body)
                file.write(state)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        return True

    def has(self, key: PrefixKey) -> bool:
        """True when there is a file for `key` (whole or not: `load` decides)."""
        return (self.folder / key.file_name).exists()

    def load(self, key: PrefixKey) -> bytes | None:
        """The state saved under `key`, or None: absent, damaged, or made for something else."""
        path = self.folder / key.file_name
        try:
            with path.open("rb") as file:
                state = _read(file.read(), key)
            if state is None:
                path.unlink(missing_ok=True)
            else:
                os.utime(path)
        except OSError:
            return None  # a cache that cannot be read is a cache miss
        return state

    def size_bytes(self) -> int:
        """What all saved states take on disk."""
        return sum(size for _, size, _ in self._files())

    def _files(self) -> Sequence[tuple[float, int, Path]]:
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            try:
                status = path.stat()
            except OSError:
                continue  # another process removed it
            found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def _make_room(self, size: int) -> None:
        remove_begun(self.folder)  # joint adapters too, which are kept beside the states
        files = self._files()
        total = size + sum(file_size for _, file_size, _ in files)
        for _, file_size, path in files:
            if total <= self.limit_bytes:
                break
            path.unlink(missing_ok=True)
            total -= file_size


def _read(data: bytes, key: PrefixKey) -> bytes | None:
    """The state in `data` if it is whole and was saved under exactly `key`."""
    start = len(MAGIC) + LENGTH.size
    if len(data) < start or not data.startswith(MAGIC):
        return None
    (length,) = LENGTH.unpack_from(data, len(MAGIC))
    if length > HEADER_LIMIT_BYTES:
        return None
    try:
        header = json.loads(data[start : start + length])
    except ValueError:
        return None
    state = data[start + length :]
    if not isinstance(header, dict) or header.get("key") != key.to_json():
        return None
    if header.get("size") != len(state) or header.get("crc32") != zlib.crc32(state):
        return None
    return state
