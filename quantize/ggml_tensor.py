"""The C struct `ggml_tensor` as Python sees it, checked against the installed library before it is trusted."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np

from quantize.errors import QuantizeError
from quantize.mapped import Float32

TYPE_F32 = 0


class GgmlTensor(ctypes.Structure):
    """ggml/include/ggml.h at llama-cpp-python 0.3.36 (GGML_MAX_DIMS 4, MAX_SRC 10, MAX_OP_PARAMS 64, MAX_NAME 64)."""


GgmlTensor._fields_ = [
    ("type", ctypes.c_int),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * 4),
    ("nb", ctypes.c_size_t * 4),
    ("op", ctypes.c_int),
    ("op_params", ctypes.c_int32 * 16),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(GgmlTensor) * 10),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * 64),
    ("extra", ctypes.c_void_p),
    ("padding", ctypes.c_char * 8),
]


class _InitParams(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


@functools.cache
def matrix_product_op() -> int:
    """The number of GGML_OP_MUL_MAT in the installed library.

    Found by making one and looking at it, which also proves that `GgmlTensor` has the library's layout. Raises
    `QuantizeError` when it has not: another version is installed.
    """
    import llama_cpp
    from llama_cpp._ctypes_extensions import load_shared_library

    lib: Any = load_shared_library("ggml-base", Path(llama_cpp.__file__).parent / "lib")
    pointer = ctypes.POINTER(GgmlTensor)
    lib.ggml_init.restype, lib.ggml_init.argtypes = ctypes.c_void_p, [_InitParams]
    lib.ggml_free.argtypes = [ctypes.c_void_p]
    lib.ggml_set_name.restype, lib.ggml_set_name.argtypes = pointer, [pointer, ctypes.c_char_p]
    lib.ggml_new_tensor_2d.restype = lib.ggml_mul_mat.restype = pointer
    lib.ggml_new_tensor_2d.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    lib.ggml_mul_mat.argtypes = [ctypes.c_void_p, pointer, pointer]
    lib.ggml_op_name.restype, lib.ggml_op_name.argtypes = ctypes.c_char_p, [ctypes.c_int]
    context = lib.ggml_init(_InitParams(1 << 16, None, False))
    try:
        left = lib.ggml_new_tensor_2d(context, TYPE_F32, 3, 5)
        right = lib.ggml_new_tensor_2d(context, TYPE_F32, 3, 7)
        lib.ggml_set_name(left, b"left")
        product = lib.ggml_mul_mat(context, left, right).contents
        seen = (list(product.ne), product.src[0].contents.name, list(product.src[1].contents.ne))
        same = seen == ([5, 7, 1, 1], b"left", [3, 7, 1, 1]) and lib.ggml_op_name(product.op) == b"MUL_MAT"
        operation = int(product.op)
    finally:
        lib.ggml_free(context)
    if not same:
        raise QuantizeError(
            "the installed llama-cpp-python lays tensors out differently; install the pinned version, 0.3.36"
        )
    return operation


def rows_of(tensor: GgmlTensor) -> Float32:
    """A float32 tensor in main memory as [rows, columns], copied only when it is not contiguous."""
    columns = int(tensor.ne[0])
    shape = (int(tensor.ne[3]), int(tensor.ne[2]), int(tensor.ne[1]), columns)
    last = sum((n - 1) * int(stride) for n, stride in zip(reversed(shape), tensor.nb, strict=True)) + 4
    raw: Any = (ctypes.c_uint8 * last).from_address(int(tensor.data or 0))
    strides = tuple(int(stride) for stride in reversed(list(tensor.nb)))
    values = np.ndarray(shape, dtype=np.float32, buffer=raw, strides=strides)
    return values.reshape(-1, columns)
