"""A child process that answers JSON lines with JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

WORKER = (sys.executable, "-P", "-X", "utf8", "-m", "tutor_app.llm.worker")
"""-P: the current folder, which may be a stranger's, is not searched for modules."""
SPINS = {"GOMP_SPINCOUNT": "1000"}
"""How long the threads of llama.cpp (GNU OpenMP) wait for each other awake, about 50 µs, before they sleep: an idle
machine's waits are shorter. The default is 15 ms, which beside other work burns the very core that the other
thread needs (gemma3-270m, two cores, load 7: prompts 26 tokens/s with the default, 139 with this; decoding 4 and
11). It must stand in the environment before the library is loaded."""
HUGE_PAGES = "glibc.malloc.hugetlb=1"
"""Asks the C library for memory in pages of 2 MiB where the system leaves that to programs (`madvise`, the usual
setting of Linux): repacked weights are read whole for every token, and each page of 4 KiB is looked up anew
(qwen2.5-1.5b Q4_K_M, two cores: 84 ms a token instead of 102)."""
TUNABLES = "GLIBC_TUNABLES"
END_S = 0.4
"""How long a child may take to end by itself."""
LAST_LINES = 40

Event = dict[str, Any]


def environment(own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a child is started with: `own`, and what makes llama.cpp quick where `own` does not say otherwise."""
    tunables = ":".join(filter(None, (HUGE_PAGES, own.get(TUNABLES))))  # the last of a name wins
    return {**SPINS, **own, TUNABLES: tunables}


class Child:
    """Starts at once. Events are handed to whoever listens for their request; others are dropped."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._process = subprocess.Popen(
            list(command or WORKER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._listeners: dict[int, queue.SimpleQueue[Event | None]] = {0: queue.SimpleQueue()}
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._finished = threading.Event()
        self._complaints: deque[str] = deque(maxlen=LAST_LINES)
        self._complaining = threading.Thread(target=self._read_complaints, name="engine-pipe", daemon=True)
        self._complaining.start()
        threading.Thread(target=self._read_events, name="engine-pipe", daemon=True).start()

    # -- requests and events ---------------------------------------------------------------------------------

    def listen(self, request: int) -> None:
        """Keep the events of `request` until `forget`."""
        with self._lock:
            self._listeners[request] = queue.SimpleQueue()
            if self._finished.is_set():
                self._listeners[request].put(None)

    def forget(self, request: int) -> None:
        """Drop what comes for `request` from now on."""
        with self._lock:
            self._listeners.pop(request, None)

    def send(self, request: Event) -> None:
        """Write one request. A child that is gone shows when its answer is waited for."""
        data = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        assert self._process.stdin is not None
        with self._write_lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def next_event(self, request: int, limit_s: float) -> Event | None:
        """The next event of `request`; None if there was none in `limit_s`, or the child has `finished`."""
        with self._lock:
            events = self._listeners[request]
        try:
            return events.get(timeout=limit_s)
        except queue.Empty:
            return None

    def _read_events(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for data in self._process.stdout:
                self._hand_out(data)
        with self._lock:
            self._finished.set()
            for events in self._listeners.values():
                events.put(None)

    def _hand_out(self, data: bytes) -> None:
        """One line of output; what is no event of ours goes to the complaints."""
        try:
            event = json.loads(data)
            request = event["id"]
        except (ValueError, TypeError, KeyError):
            self._complaints.append(data.decode(errors="replace").rstrip())
            return
        with self._lock:
            if (events := self._listeners.get(request)) is not None:
                events.put(event)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            for data in self._process.stderr:
                self._complaints.append(data.decode(errors="replace").rstrip())

    # -- the process -----------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """True while it runs."""
        return self._process.poll() is None

    @property
    def finished(self) -> bool:
        """True when it will send nothing more."""
        return self._finished.is_set()

    @property
    def last_words(self) -> str:
        """The last lines it printed that were not events; all of them when it is over."""
        if self.finished:
            self._complaining.join(END_S)
        return "\n".join(self._complaints)

    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None if it closed its output and still runs."""
        try:
            return self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            return None

    def rss_bytes(self) -> int:
        """Resident memory, 0 when it is gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Close its input, which ends it; kill it if it does not."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
