"""Intel's matrix unit (AMX): used where the llama.cpp that is installed was built so that it works, else left alone.

llama.cpp repacks weights for AMX where the processor has it. Built by GCC before 12.4 or 13.3, as on Debian 12 and
Ubuntu 22.04, it then dies of its first matrix product: the compiler takes the tile configuration for a dead store
(ggml-org/llama.cpp#20824, #26954; `BUILD_FLAGS` keeps it). How a library was built cannot be asked, so a small product
is tried in a process of its own. Where that fails, AMX is taken off llama.cpp's list of ways to repack, which leaves
the others.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CPUINFO = Path("/proc/cpuinfo")
AMX = b"AMX"
"""What llama.cpp calls a buffer of weights that are repacked for it."""
BUILD_FLAGS = "-DCMAKE_CXX_FLAGS=-fno-dse"
"""`CMAKE_ARGS` with which an older GCC builds llama.cpp right."""
TRIAL = (sys.executable, "-P", "-m", "tutor_app.llm.amx")
TRIAL_S = 20.0
OUT, ROWS, IN = 64, 5, 64
"""The product tried, [ROWS, IN] by [IN, OUT]: both are multiples of a tile's sides, and one row would not use tiles."""
BLOCK = 32
"""Weights of a Q8_0 block."""
Q8_0, F32 = 8, 0
"""ggml's numbers of the types (ggml.h, `ggml_type`)."""
ARENA_BYTES = 2**20
PR_SET_DUMPABLE = 4


def has_amx(cpuinfo: Path = CPUINFO) -> bool:
    """Whether this Linux processor has AMX."""
    try:
        return "amx_tile" in cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def amx_works() -> bool:
    """Whether the installed llama.cpp multiplies with AMX and gets it right; takes a fifth of a second."""
    try:
        tried = subprocess.run(
            TRIAL,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TRIAL_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def rebuild() -> str:
    """The command that builds the same llama.cpp so that AMX works."""
    package = "llama-cpp-python"
    return (
        f'CMAKE_ARGS="{BUILD_FLAGS}" {sys.executable} -m pip install --force-reinstall --no-deps --no-cache-dir '
        f"--no-binary {package} {package}=={version(package)}"
    )


@cache
def weights_may_be_repacked() -> bool:
    """Whether this process may load weights in another order than the file's; without AMX where that does not work.

    On two cores of an AMX Xeon, qwen2.5-1.5b Q4_K_M: a token takes a quarter less time than with weights as they are in
    the file; 30 tokens at once take 0.43 s, with AMX 0.25 s.
    """
    return not has_amx() or amx_works() or _leave_out_amx()


def _leave_out_amx() -> bool:
    """Take AMX off the list of orders that llama.cpp tries; False when this build does not show its list."""
    try:
        _, names, kinds = _Ggml().repacking()
    except (AttributeError, OSError):
        return False
    kept = [kind for kind, name in zip(kinds[: len(names)], names, strict=True) if name != AMX]
    for index, kind in enumerate([*kept, *[None] * (len(names) - len(kept))]):
        kinds[index] = kind
    return True


class _Parameters(ctypes.Structure):
    """ggml.h, `ggml_init_params`."""

    _fields_ = [("size", ctypes.c_size_t), ("buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool)]


class _Ggml:
    """The few functions of ggml that are called here (ggml.h, ggml-alloc.h, ggml-backend.h). Raises AttributeError, OSError."""

    def __init__(self) -> None:
        package = find_spec("llama_cpp")  # found without running it, which would take longer than the trial
        if package is None or package.origin is None:
            raise OSError("llama-cpp-python is not installed")
        folder = Path(package.origin).parent / "lib"
        self._library = ctypes.CDLL(str(folder / "libggml.so"))  # finds what is in those it needs, too

    def call(self, name: str, *given: Any) -> Any:
        """`ggml_{name}`, whose result is a pointer, a status or nothing. Integers are passed as 64 bits."""
        function = getattr(self._library, f"ggml_{name}")
        function.restype = ctypes.c_void_p
        return function(*(ctypes.c_int64(value) if isinstance(value, int) else value for value in given))

    def repacking(self) -> tuple[Any, list[bytes], Any]:
        """The processor as a device, the names of the ways to repack, and llama.cpp's own list of them, which ends with
        a null pointer (ggml-backend.h, `ggml_backend_dev_get_extra_bufts_t`)."""
        processor = self.call("backend_reg_by_name", b"CPU")
        name = b"ggml_backend_dev_get_extra_bufts"
        address = processor and self.call("backend_reg_get_proc_address", processor, name)
        if not address:
            raise AttributeError(name.decode())
        listed = ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)(address)
        device = self.call("backend_reg_dev_get", processor, 0)
        kinds = listed(device)
        names: list[bytes] = []
        while kinds and kinds[len(names)]:
            named = self.call("backend_buft_name", kinds[len(names)])
            names.append(ctypes.cast(named, ctypes.c_char_p).value or b"")
        return device, names, kinds


def multiplies() -> bool:
    """Whether a product with weights that are repacked for AMX is right; where AMX does not work, the process ends here."""
    ggml = _Ggml()
    device, names, kinds = ggml.repacking()
    random = np.random.default_rng(0)
    weights = random.integers(-127, 128, (OUT, IN)).astype(np.int8)
    given = random.integers(-127, 128, (ROWS, IN)).astype(np.float32)
    given[:, ::BLOCK] = 127.0  # so that rounding a block to 8 bits changes none of it

    arena = ggml.call("init", _Parameters(ARENA_BYTES, None, True))
    a = ggml.call("new_tensor_2d", arena, Q8_0, IN, OUT)
    b = ggml.call("new_tensor_2d", arena, F32, IN, ROWS)
    product = ggml.call("mul_mat", arena, a, b)
    graph = ggml.call("new_graph", arena)
    ggml.call("build_forward_expand", graph, product)

    kind = kinds[names.index(AMX)]
    repacked = ggml.call("backend_buft_alloc_buffer", kind, ggml.call("backend_buft_get_alloc_size", kind, a))
    ggml.call("backend_tensor_alloc", repacked, a, ggml.call("backend_buffer_get_base", repacked))
    backend = ggml.call("backend_dev_init", device, None)
    ggml.call("backend_alloc_ctx_tensors", arena, backend)  # what has no place yet

    for tensor, values in ((a, _q8_0(weights)), (b, given)):
        ggml.call("backend_tensor_set", tensor, values.ctypes.data, 0, values.nbytes)
    ggml.call("backend_graph_compute", backend, graph)
    got = np.zeros((ROWS, OUT), dtype=np.float32)
    ggml.call("backend_tensor_get", product, got.ctypes.data, 0, got.nbytes)
    return bool(np.array_equal(got, given @ weights.T.astype(np.float32)))


def _q8_0(values: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Blocks of 32 with the scale 1 before each (ggml-common.h, `block_q8_0`)."""
    blocks = values.reshape(-1, BLOCK).view(np.uint8)
    scale = np.broadcast_to(np.ones(1, np.float16).view(np.uint8), (len(blocks), 2))
    return np.ascontiguousarray(np.concatenate([scale, blocks], axis=1))


def _leave_no_dump() -> None:
    """A trial that fails is no crash to be reported (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    _leave_no_dump()
    sys.exit(not multiplies())
