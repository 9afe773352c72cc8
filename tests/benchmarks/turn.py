"""What a tutor's turn costs, against plain llama-cpp-python on the same conversation, model and machine.

    python -m tests.benchmarks turn [--quick] [--scratch DIR] [--model ID]... [--repeat N]

For each model: time to first token of turn 1 from nothing and from the saved prefix, and of later turns; tokens a
second; peak memory. `--quick` leaves out the 8B-shaped file (4.7 GB on disk, about a quarter of an hour).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks._conversation import CONTEXT_TOKENS, REPLY_TOKENS, SYSTEM, TURNS
from tests.benchmarks._random_qwen3 import build
from tutor_app.llm import machine
from tutor_app.llm.client import ChildEngine
from tutor_app.llm.common_prefix import common_length
from tutor_app.llm.models import resolve
from tutor_app.llm.protocol import Done, LoadSpec, Sampling
from tutor_app.pedagogy.templates import Message, encode, pieces

SAMPLING = Sampling(temperature=0.0, repeat_penalty=1.1, max_tokens=REPLY_TOKENS)
SMALL = ("gemma3-270m", "qwen2.5-1.5b")
LARGE = "qwen3-8b-random"
RESTORED_SOONER = 10.0
DECODE_SHARE = 0.95
LATER_NOISE = 1.05
"""Times are compared to five per cent, which is what two runs of the same thing differ by on a quiet machine."""


@dataclass(frozen=True)
class Subject:
    """A model to measure."""

    spec: LoadSpec
    family: str
    turns: int
    repeats: int


def main() -> dict[str, Any]:
    """Everything that was measured, as one object."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks turn", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the 8B-shaped file; one repeat")
    parser.add_argument(
        "--scratch", type=Path, help="where models and states are written (default: temporary)"
    )
    parser.add_argument("--model", action="append", choices=[*SMALL, LARGE], help="only these")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each small model; the median counts")
    options = parser.parse_args()
    names = options.model or [*SMALL, *([] if options.quick else [LARGE])]
    result: dict[str, Any] = {"machine": _machine(), "models": {}}
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for name in names:
            subject = _subject(name, Path(folder), 1 if options.quick else options.repeat)
            result["models"][name] = measure(subject, Path(folder))
            subject.spec.path.unlink()
    result["load_after"] = os.getloadavg()
    return result


def _subject(name: str, folder: Path, repeats: int) -> Subject:
    print(f"preparing {name}", file=sys.stderr)
    if name == LARGE:
        apart = folder / "vocabulary"  # that of the model that was measured is gone by now
        vocabulary = resolve(apart, "qwen2.5-1.5b", adapter_paths=()).spec.path
        path = folder / f"{LARGE}.gguf"
        build(path, vocabulary)
        vocabulary.unlink()
        return Subject(LoadSpec(LARGE, path, "8" * 64, n_ctx=CONTEXT_TOKENS), "chatml", turns=3, repeats=2)
    resolved = resolve(folder, name, adapter_paths=(), n_ctx=CONTEXT_TOKENS)
    return Subject(resolved.spec, resolved.family, turns=len(TURNS), repeats=repeats)


def measure(subject: Subject, folder: Path) -> dict[str, Any]:
    """Ours and the peer's, in turn, so that what else the machine does hits both."""
    ours, plain = [], []
    for repeat in range(subject.repeats):
        prefixes = folder / f"prefixes-{subject.spec.model_id}-{repeat}"
        cold = run_ours(subject, prefixes, saved=False)
        restored = run_ours(subject, prefixes, saved=True)
        ours.append({"cold": cold, "restored": restored})
        plain.append(run_plain(subject, 0))
        print(f"{subject.spec.model_id}: {repeat + 1} of {subject.repeats}", file=sys.stderr)
    figures = {
        "file_bytes": subject.spec.path.stat().st_size,
        "prompt_tokens": ours[0]["cold"]["turns"][0]["prompt_tokens"],
        "ours": {
            "load_ms": _median(run["cold"]["load_ms"] for run in ours),
            "ttft_cold_ms": _median(run["cold"]["turns"][0]["ttft_ms"] for run in ours),
            "ttft_restored_ms": _median(run["restored"]["turns"][0]["ttft_ms"] for run in ours),
            "ttft_later_ms": _median(t["ttft_ms"] for run in ours for t in _later(run)),
            "decode_tps": _tps(t for run in ours for kind in run.values() for t in kind["turns"]),
            "peak_rss_bytes": max(kind["peak_rss_bytes"] for run in ours for kind in run.values()),
            "prefix_file_bytes": ours[0]["cold"]["prefix_file_bytes"],
        },
        "plain": {
            "load_ms": _median(run["load_ms"] for run in plain),
            "ttft_cold_ms": _median(run["turns"][0]["ttft_ms"] for run in plain),
            "ttft_later_ms": _median(t["ttft_ms"] for run in plain for t in run["turns"][1:]),
            "decode_tps": _tps(t for run in plain for t in run["turns"]),
            "peak_rss_bytes": max(run["peak_rss_bytes"] for run in plain),
        },
    }
    if subject.spec.model_id in SMALL:
        # The package takes half of the cores by default; the same with all of them, for a fair look at decoding.
        all_cores = run_plain(subject, machine.cores()[0])
        figures["plain_all_cores"] = {
            "ttft_later_ms": _median(t["ttft_ms"] for t in all_cores["turns"][1:]),
            "decode_tps": _tps(all_cores["turns"]),
        }
    mine, peer = figures["ours"], figures["plain"]
    sooner = mine["ttft_cold_ms"] / mine["ttft_restored_ms"]
    figures["shown"] = {
        "restored_sooner_times": round(sooner, 1),
        "restored_at_least_10_times_sooner": sooner >= RESTORED_SOONER,
        "later_turns_no_slower": mine["ttft_later_ms"] <= peer["ttft_later_ms"] * LATER_NOISE,
        "decode_within_5_percent": mine["decode_tps"] >= peer["decode_tps"] * DECODE_SHARE,
    }
    return figures


def run_ours(subject: Subject, prefixes: Path, *, saved: bool) -> dict[str, Any]:
    """The conversation in a fresh child; with `saved`, the prefix comes from disk and its time counts in turn 1."""
    engine = ChildEngine(prefixes)
    try:
        loaded = engine.load(subject.spec)
        lesson = _prefix(engine, subject.family)
        messages = [Message("system", SYSTEM)]
        rows = []
        for index, text in enumerate(TURNS[: subject.turns]):
            messages.append(Message("user", text))
            ids = _ids(engine, subject.family, messages)
            warm_ms = engine.warm(lesson).ms if saved and index == 0 else 0.0
            row, reply = _turn(engine, ids)
            row["ttft_ms"] += warm_ms
            rows.append(row)
            messages.append(Message("assistant", reply))
        if not saved:
            engine.warm(lesson)  # leaves the state on disk for the second run
        files = list(prefixes.glob("*.prefix"))
        return {
            "load_ms": loaded.load_ms,
            "turns": rows,
            "peak_rss_bytes": _peak_rss(engine),
            "prefix_file_bytes": sum(path.stat().st_size for path in files),
        }
    finally:
        engine.close()


def _turn(engine: ChildEngine, ids: list[int]) -> tuple[dict[str, Any], str]:
    text, at, tokens = "", [], []
    for event in engine.generate(ids, SAMPLING):
        if isinstance(event, Done):
            row = {
                "ttft_ms": event.ttft_ms,
                "decode_s": at[-1] - at[0],
                "decoded": sum(tokens[1:]),
                "prompt_tokens": event.prompt_tokens,
                "cached_tokens": event.cached_tokens,
            }
            return row, text
        if hasattr(event, "text"):
            text += event.text
            at.append(time.perf_counter())
            tokens.append(len(event.token_ids))
    raise AssertionError("a reply ends with Done")


def run_plain(subject: Subject, threads: int) -> dict[str, Any]:
    """The peer in a process of its own."""
    path, family = str(subject.spec.path), subject.family
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks._plain_llama",
        path,
        family,
        str(subject.turns),
        str(threads),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _ids(engine: ChildEngine, family: str, messages: list[Message]) -> list[int]:
    parts = pieces(family, messages, reply=True)
    return encode(parts, lambda text, special: engine.tokenize(text, special=special)).ids


def _prefix(engine: ChildEngine, family: str) -> list[int]:
    """What all prompts of the lesson begin with: two that differ in the learner's words, as far as they agree."""
    one, two = (
        _ids(engine, family, [Message("system", SYSTEM), Message("user", text)]) for text in ("a", "1")
    )
    return one[: common_length(one, two)]


def _later(run: dict[str, Any]) -> list[dict[str, Any]]:
    return [*run["cold"]["turns"][1:], *run["restored"]["turns"][1:]]


def _tps(turns: Any) -> float:
    rows = list(turns)
    return float(sum(row["decoded"] for row in rows) / sum(row["decode_s"] for row in rows))


def _median(values: Any) -> float:
    return float(statistics.median(values))


def _peak_rss(engine: ChildEngine) -> int:
    """Highest resident memory of the child so far (Linux), else what it has now."""
    try:
        status = Path(f"/proc/{engine.pid}/status").read_text(encoding="ascii")
    except OSError:
        return engine.stats().rss_bytes
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def _machine() -> dict[str, Any]:
    memory = machine.memory()
    return {
        "processor": _processor(),
        "cores": machine.cores()[0],
        "memory_bytes": memory.total,
        "system": platform.platform(),
        "load_before": os.getloadavg(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
