"""What this machine has: cores, memory, disk, and how fast a model proved to be on it."""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from tutor_app.llm.files import replace_file
from tutor_app.llm.protocol import ModelRefused

CGROUP_MEMORY = Path("/sys/fs/cgroup/memory.max")
CGROUP_USED = Path("/sys/fs/cgroup/memory.current")
CGROUP_CPU = (
    (Path("/sys/fs/cgroup/cpu.max"),),
    (Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")),
)
"""Quota and period of processor time, in version 2 and in version 1."""


@dataclass(frozen=True)
class Memory:
    """In bytes, within the container's limit if there is one."""

    total: int
    available: int


def memory() -> Memory:
    """Main memory of this machine, or what a container allows of it."""
    have = psutil.virtual_memory()
    try:
        limit = int(CGROUP_MEMORY.read_text(encoding="ascii"))
        used = int(CGROUP_USED.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return Memory(have.total, have.available)  # no container, or "max"
    return Memory(min(have.total, limit), min(have.available, max(0, limit - used)))


def busy() -> bool:
    """True when other programs keep most of the cores busy, so that nothing measured now means much."""
    # The load is that of the whole machine, also in a container that may use two of its cores.
    return psutil.getloadavg()[0] > 0.75 * (psutil.cpu_count() or 1)


def refuse_too_large(name: str, need_bytes: int) -> None:
    """Raise ModelRefused when `need_bytes` is more than this machine has at all."""
    total = memory().total
    if need_bytes > total:
        raise ModelRefused(
            f"{name} needs about {need_bytes / 1e9:.1f} GB of memory and this machine has {total / 1e9:.1f} GB. "
            "Choose a smaller model: see `tutor models list`."
        )


def cores() -> tuple[int, int]:
    """Physical and logical cores that this process may use: under `taskset` or in a container not all there are."""
    logical = psutil.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        logical = min(logical, len(os.sched_getaffinity(0)))
    # Rounded down: threads that wait for one that was put to sleep cost more than a part of a core brings.
    logical = max(1, int(min(logical, _quota())))
    return min(psutil.cpu_count(logical=False) or logical, logical), logical


def _quota() -> float:
    """How many cores' time a container gets; infinite without a limit."""
    for files in CGROUP_CPU:
        try:
            quota, period = (int(word) for path in files for word in path.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            continue  # the other version, or "max"
        if quota > 0:
            return quota / period
    return math.inf


def free_bytes(folder: Path) -> int:
    """Free space where `folder` is or would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class Measured:
    """A speed test made on this machine."""

    host: str
    """A data folder can be shared by many machines (a lab's home folders): figures count only where made."""
    model_id: str
    threads: int
    decode_tps: float
    """Tokens a second, one at a time."""
    prefill_tps: float
    """Tokens a second of a prompt."""


def host() -> str:
    """Names this machine well enough to know its figures again."""
    return f"{platform.node()}/{platform.machine()}/{cores()[1]}"


def measured(data_dir: Path) -> Measured | None:
    """The last speed test made on this machine, if any."""
    try:
        found = json.loads(_file(data_dir).read_text(encoding="utf-8"))[host()]
        return Measured(host=host(), **found)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(data_dir: Path, result: Measured) -> None:
    """Keep `result`, beside those of other machines. Raises OSError."""
    try:
        every = json.loads(_file(data_dir).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        every = {}
    every[result.host] = {
        "model_id": result.model_id,
        "threads": result.threads,
        "decode_tps": result.decode_tps,
        "prefill_tps": result.prefill_tps,
    }
    replace_file(_file(data_dir), json.dumps(every, indent=2, sort_keys=True).encode())


def _file(data_dir: Path) -> Path:
    return data_dir / "models" / "machines.json"
