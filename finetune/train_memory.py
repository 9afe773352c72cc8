"""Memory that stays with the process between updates."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_MAX = -4
"""Parameters of mallopt(3), glibc's <malloc.h>."""
TOP_PAD = 256 << 20
NEVER = -1


def keep_freed_memory() -> bool:
    """Let glibc reuse large blocks instead of returning them to the system; False where there is no glibc.

    Every tensor of a training step is larger than what malloc(3) takes from its own heap, so each is mapped, cleared by
    the kernel and unmapped again, and on two cores that is a quarter of the step. The peak is what it was.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if hasattr(ctypes, "CDLL") else None
    if mallopt is None:
        return False
    # In this order: with mapping forbidden before, the padding itself would still be mapped.
    return all(
        mallopt(parameter, value) == 1
        for parameter, value in ((M_TRIM_THRESHOLD, NEVER), (M_TOP_PAD, TOP_PAD), (M_MMAP_MAX, 0))
    )
