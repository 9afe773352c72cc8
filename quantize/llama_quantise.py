"""llama.cpp's own quantiser, for every type that is not written directly."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import LlamaFileType

from quantize.errors import NoRoom, QuantizeError, Unsupported
from quantize.export import DIRECT_TYPES
from quantize.files import part_of, publish, writing
from quantize.llama_log import llama_log
from quantize.mapped import Float32

ROW_BUFFER_BYTES = 128 * 1024 * 1024
"""llama.cpp's default is 8 GiB; speed is the same from a few megabytes on."""
PROGRESS_LINE = re.compile(r"\[\s*(\d+)/\s*\d+\]\s+(\S+)")
OVERRIDE_BYTES = 127
"""Longest string in a llama_model_kv_override."""
TYPES: dict[str, int] = {
    kind.name.removeprefix("MOSTLY_").removeprefix("ALL_"): int(kind)
    for kind in LlamaFileType
    if kind is not LlamaFileType.GUESSED
}
"""llama.cpp's name of a type → its number."""
NEEDS_IMATRIX = {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "Q2_K_S"}


def check_type(name: str, has_imatrix: bool) -> str:
    """The type in llama.cpp's spelling. Raises `QuantizeError` for an unknown one, or one that needs a matrix."""
    upper = name.upper()
    if upper not in TYPES:
        raise QuantizeError(
            f"there is no type {name}; Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16 and BF16 are the usual ones"
        )
    if upper in NEEDS_IMATRIX and not has_imatrix:
        raise QuantizeError(
            f"{upper} is useless without an importance matrix; pass --imatrix (see: tutor-quantize imatrix)"
        )
    return upper


def is_direct(name: str) -> bool:
    """Whether the type is written without llama.cpp."""
    return name in DIRECT_TYPES


def quantise(
    source: Path,
    target: Path,
    kind: str,
    *,
    imatrix: Mapping[str, Float32] | None = None,
    overrides: Mapping[str, str] | None = None,
    threads: int | None = None,
    step: Callable[[int, str], None] = lambda _done, _name: None,
) -> None:
    """Write `source` (F16 or F32 GGUF) to `target` in another type; whole or not at all.

    `imatrix`: GGUF tensor → mean square of each input column. `overrides`: string keys that change on the way.
    `step` is told the number and name of each tensor as it begins.
    """
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = TYPES[kind]
    params.nthread = threads or os.cpu_count() or 1
    params.max_buf_size = ROW_BUFFER_BYTES
    kept_alive: list[object] = []
    if imatrix:
        entries = _imatrix_array(imatrix, kept_alive)
        params.imatrix = ctypes.cast(entries, ctypes.POINTER(llama_cpp.llama_model_imatrix_data))
    if overrides:
        changes = _override_array(overrides)
        kept_alive.append(changes)
        params.kv_overrides = ctypes.cast(changes, ctypes.POINTER(llama_cpp.llama_model_kv_override))
    part = part_of(target)

    def on_line(line: str) -> None:
        if match := PROGRESS_LINE.search(line):
            step(int(match[1]), match[2])

    # Opened here first, so that a folder that cannot be written is reported as such.
    with writing(part):
        part.write_bytes(b"")
    with llama_log(on_line) as errors, _interruptible():
        failed = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(part), ctypes.byref(params))
    if failed:
        part.unlink(missing_ok=True)
        reason = " ".join(errors[-1:]) or "no reason given"
        if "iostream" in reason or "basic_ios" in reason:
            raise NoRoom(
                f"the disk is full: {target.name} could not be written to {target.parent}; free some space"
            )
        if "imatrix size" in reason:
            raise Unsupported(f"the importance matrix is for another model: {reason}")
        raise QuantizeError(f"llama.cpp could not make {kind} of {source.name}: {reason}")
    publish(part, target)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Inside one long C call Python never sees Ctrl-C, so the system's own handling (end at once) stands in for it.

    Nothing is lost: only a `.part` file is being written, and the finished 16-bit file is taken up by the next run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _imatrix_array(imatrix: Mapping[str, Float32], kept_alive: list[object]) -> Any:
    """A C array that ends with an empty entry; what it points to goes into `kept_alive`."""
    import llama_cpp

    array: Any = (llama_cpp.llama_model_imatrix_data * (len(imatrix) + 1))()
    for index, (name, values) in enumerate(sorted(imatrix.items())):
        data = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
        kept_alive.append(data)
        array[index].name = name.encode("utf-8")
        array[index].data = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        array[index].size = data.size
    kept_alive.append(array)
    return array


def _override_array(overrides: Mapping[str, str]) -> Any:
    """A C array that ends with an empty key."""
    import llama_cpp

    array: Any = (llama_cpp.llama_model_kv_override * (len(overrides) + 1))()
    for index, (key, value) in enumerate(overrides.items()):
        if len(value.encode("utf-8")) > OVERRIDE_BYTES:
            raise QuantizeError(f"{key} is longer than {OVERRIDE_BYTES} bytes: {value[:40]}…")
        array[index].tag = llama_cpp.LLAMA_KV_OVERRIDE_TYPE_STR
        array[index].key = key.encode("utf-8")
        array[index].value.val_str = value.encode("utf-8")
    return array
