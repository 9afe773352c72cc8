"""Intel's matrix unit (AMX), which llama.cpp must not be let use, and the other way to repack weights, which it may.

llama.cpp repacks weights for AMX where the processor has it, and then dies of its first matrix product when it was built
by GCC before 12.4 or 13.3, as on Debian 12 and Ubuntu 22.04: the tile configuration is optimised away
(ggml-org/llama.cpp#20824, #26954). How a library was built cannot be asked, so AMX is taken off its list. Only the
worker process imports this file.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import llama_cpp

CPUINFO = Path("/proc/cpuinfo")
AMX = b"AMX"
"""What llama.cpp calls a buffer of weights that are repacked for it."""


def has_amx(cpuinfo: Path = CPUINFO) -> bool:
    """Whether this Linux processor has AMX."""
    try:
        return "amx_tile" in cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def weights_may_be_repacked() -> bool:
    """Whether weights may be loaded in another order than the file's; on a processor with AMX, without AMX from now on.

    On two cores of such a Xeon a token then takes a quarter less time than with weights as they are in the file.
    """
    return not has_amx() or _leave_out_amx()


def _leave_out_amx() -> bool:
    """Take AMX off the list of orders that llama.cpp tries; False when this build does not show its list."""
    try:
        names, kinds = _kinds()
    except (AttributeError, OSError):
        return False
    kept = [kind for kind, name in zip(kinds[: len(names)], names, strict=True) if name != AMX]
    for index, kind in enumerate([*kept, *[None] * (len(names) - len(kept))]):
        kinds[index] = kind
    return True


def _kinds() -> tuple[list[bytes], Any]:
    """Names of the orders, and llama.cpp's own list of them, which ends with a null pointer (ggml-backend.h,
    `ggml_backend_dev_get_extra_bufts_t`)."""
    folder = Path(llama_cpp.__file__).parent / "lib"
    base, all_backends = (ctypes.CDLL(str(folder / name)) for name in ("libggml-base.so", "libggml.so"))
    pointer: Any = ctypes.c_void_p
    text: Any = ctypes.c_char_p
    for function, result, arguments in (
        (all_backends.ggml_backend_reg_by_name, pointer, [text]),
        (base.ggml_backend_reg_get_proc_address, pointer, [pointer, text]),
        (base.ggml_backend_reg_dev_get, pointer, [pointer, ctypes.c_size_t]),
        (base.ggml_backend_buft_name, text, [pointer]),
    ):
        function.restype, function.argtypes = result, arguments
    processor = all_backends.ggml_backend_reg_by_name(b"CPU")
    address = processor and base.ggml_backend_reg_get_proc_address(
        processor, b"ggml_backend_dev_get_extra_bufts"
    )
    if not address:
        raise AttributeError("ggml_backend_dev_get_extra_bufts")
    listed = ctypes.CFUNCTYPE(ctypes.POINTER(pointer), pointer)(address)
    kinds = listed(base.ggml_backend_reg_dev_get(processor, 0))
    names: list[bytes] = []
    while kinds and kinds[len(names)]:
        names.append(base.ggml_backend_buft_name(kinds[len(names)]))
    return names, kinds
