"""A safetensors checkpoint, one file or many, as named tensors that are read in place."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from quantize.errors import Unreadable, Unsupported
from quantize.files import reading
from quantize.mapped import NUMPY_TYPES, MappedFile, StoredTensor

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
HEADER_LIMIT_BYTES = 100_000_000
"""The format's own limit: a longer header means that this is something else."""


def read_safetensors(path: Path) -> dict[str, StoredTensor]:
    """Every tensor in one file, by name. Raises `Unreadable` when the file is not whole.

    Format: 8 bytes length N (little endian), N bytes of JSON, then the data at the offsets given there.
    """
    file = MappedFile(path)
    broken = f"{path} is truncated or not a safetensors file; copy or download it again"
    if file.size < 8:
        raise Unreadable(broken)
    (header_bytes,) = struct.unpack("<Q", file.data[:8])
    if header_bytes > HEADER_LIMIT_BYTES or 8 + header_bytes > file.size:
        raise Unreadable(broken)
    try:
        header: dict[str, Any] = json.loads(file.data[8 : 8 + header_bytes])
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        tensors = {name: _tensor(name, entry, file, 8 + header_bytes) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(broken) from error
    for tensor in tensors.values():
        if tensor.offset + tensor.n_bytes > file.size:
            raise Unreadable(
                f"{path} is truncated: {tensor.name} ends past its end; copy or download it again"
            )
    return tensors


def _tensor(name: str, entry: dict[str, Any], file: MappedFile, data_start: int) -> StoredTensor:
    dtype, shape = str(entry["dtype"]), tuple(int(n) for n in entry["shape"])
    if dtype not in NUMPY_TYPES:
        raise Unsupported(
            f"{file.path.name}: {name} is stored as {dtype}; save the model as F32, F16 or BF16 first"
        )
    start, end = entry["data_offsets"]
    tensor = StoredTensor(name, dtype, shape, file, data_start + int(start))
    if tensor.n_bytes != int(end) - int(start):
        raise ValueError(name)
    return tensor


def shard_paths(folder: Path) -> list[Path]:
    """The weight files of a checkpoint folder, sorted by name. Raises `Unreadable` when one is missing."""
    index = folder / INDEX
    if not index.is_file():
        single = folder / SINGLE
        if single.is_file():
            return [single]
        raise Unreadable(
            f"{folder} holds no {SINGLE} and no {INDEX}; is it a model folder in Hugging Face's layout?"
        )
    with reading(index):
        text = index.read_text(encoding="utf-8")
    try:
        names = sorted(set(json.loads(text)["weight_map"].values()))
    except (ValueError, KeyError, AttributeError) as error:
        raise Unreadable(f"{index} is not a shard index; download it again") from error
    for name in names:
        if Path(name).name != name:
            raise Unreadable(f"{index} names a file outside its folder: {name}")
        if not (folder / name).is_file():
            raise Unreadable(f"{folder} lacks the shard {name}; download it again")
    return [folder / name for name in names]


def read_checkpoint(folder: Path) -> dict[str, StoredTensor]:
    """Every tensor of a checkpoint folder by name. Raises `Unreadable` when a shard is missing or truncated."""
    tensors: dict[str, StoredTensor] = {}
    for path in shard_paths(folder):
        for name, tensor in read_safetensors(path).items():
            if name in tensors:
                raise Unreadable(f"{name} is in two shards of {folder}; download the model again")
            tensors[name] = tensor
    index = folder / INDEX
    if index.is_file():
        with reading(index):
            promised = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
        if missing := sorted(promised - set(tensors)):
            raise Unreadable(
                f"{folder}: {missing[0]} is in the index but in no shard; download the model again"
            )
    return tensors
