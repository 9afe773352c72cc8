"""What llama.cpp says while it works, caught instead of printed."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Callable, Iterator
from typing import Any

ERROR_LEVEL = 4
"""GGML_LOG_LEVEL_ERROR."""


@contextlib.contextmanager
def llama_log(on_line: Callable[[str], None] | None = None) -> Iterator[list[str]]:
    """Inside the block, llama.cpp's messages go to `on_line`; its errors are also collected in the list given out.

    The callback is process-wide, so it is left silent afterwards.
    """
    import llama_cpp

    errors: list[str] = []
    pending: list[str] = []

    def receive(level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
        line = text.decode("utf-8", "replace")
        if level == ERROR_LEVEL:
            errors.append(line.strip())
        pending.append(line)
        if line.endswith("\n"):
            whole = "".join(pending)
            pending.clear()
            if on_line is not None:
                on_line(whole)

    callback = llama_cpp.llama_log_callback(receive)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p())
    try:
        yield errors
    finally:
        llama_cpp.llama_log_set(_silence(), ctypes.c_void_p())


@functools.cache
def _silence() -> Any:
    """The callback that drops everything, kept for as long as the process lives, since llama.cpp keeps it too."""
    import llama_cpp

    return llama_cpp.llama_log_callback(lambda _level, _text, _data: None)
