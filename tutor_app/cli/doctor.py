"""`tutor doctor`: what this machine can run, and what to change."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from tutor_app.cli.context import Context
from tutor_app.errors import TutorError
from tutor_app.llm import amx, catalogue, machine, parts, speed
from tutor_app.llm.catalogue import PackageSource
from tutor_app.llm.machine import Measured, Memory
from tutor_app.llm.models import Installed, Models
from tutor_app.llm.protocol import Engine, LoadSpec
from tutor_app.llm.tuner import candidates

Verdict = Literal["good", "warning", "bad"]
LITTLE_DISK_BYTES = 2 * 10**9
SMALLEST_TERMINAL = (60, 20)
"""Columns and lines that the app is laid out for at least."""
MARKS: dict[Verdict, str] = {"good": "ok  ", "warning": "note", "bad": "BAD "}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    text: str
    """What it is, and what to do when it is not good."""


@click.command("doctor", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.option("--no-speed", is_flag=True, help="Leave out the speed test (about ten seconds).")
@click.pass_obj
def doctor(context: Context, as_json: bool, no_speed: bool) -> None:
    """Say what this machine can run and what to change.

    The speed test loads the model in use and times it with one core left free, with all and with half of them.
    What proves best is kept for this machine and decides which model is recommended.
    """
    store = Models(context.data_dir)
    memory = machine.memory()
    findings = [cores_finding(), memory_finding(memory), disk_finding(context.data_dir)]
    model, model_finding = model_in_use(store, memory)
    findings += [model_finding, *matrix_findings()]
    measured = machine.measured(context.data_dir)
    if model is not None and not no_speed:
        if not as_json:
            click.echo(f"Timing {model.id} …", err=True)
        measured, finding = speed_finding(context.data_dir, model)
        findings.append(finding)
    findings += [terminal_finding(), *speech_findings(context.data_dir, timed=not no_speed)]
    timed = _bytes_of(store, measured)
    advice, why = speed.recommend(memory, measured if timed else None, timed, _obtainable())
    good = all(finding.verdict != "bad" for finding in findings)
    if as_json:
        report = {
            "good": good,
            "findings": [asdict(finding) for finding in findings],
            "cores": dict(zip(("physical", "logical"), machine.cores(), strict=True)),
            "memory": asdict(memory),
            "disk_free_bytes": machine.free_bytes(context.data_dir),
            "model": model.id if model else None,
            "speed": asdict(measured) if measured else None,
            "recommended": {"model": advice, "why": why},
        }
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for finding in findings:
        click.echo(f"{MARKS[finding.verdict]}  {finding.name}: {finding.text}")
    click.echo(f"Recommended model: {advice}. {why}{_how(store, advice)}")


def cores_finding() -> Finding:
    """Cores, and whether leaving one free leaves any."""
    physical, logical = machine.cores()
    if physical < 2:
        return Finding("Cores", "warning", "1 core: replies will be slow while anything else runs.")
    return Finding("Cores", "good", f"{physical} ({logical} threads)")


def matrix_findings(cpuinfo: Path = amx.CPUINFO) -> list[Finding]:
    """Whether llama.cpp uses the processor's matrix unit; nothing where there is none."""
    if not amx.has_amx(cpuinfo):
        return []
    if amx.amx_works():
        return [Finding("Matrix unit", "good", "AMX, used")]
    text = (
        "AMX, not used: llama.cpp was built by a GCC that gets it wrong (before 12.4 or 13.3). Prompts are read up to "
        f"twice as fast after `{amx.rebuild()}` (five minutes)."
    )
    return [Finding("Matrix unit", "warning", text)]


def memory_finding(memory: Memory) -> Finding:
    """Memory, against what the smallest useful model needs."""
    text = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    default = catalogue.find(catalogue.DEFAULTS[0])
    assert default is not None
    if memory.available < default.memory_bytes:
        return Finding("Memory", "warning", f"{text}. Close other programs, or use `gemma3-270m`.")
    return Finding("Memory", "good", text)


def disk_finding(data_dir: Path) -> Finding:
    """Whether the data folder can be written, and has room for a model."""
    free = machine.free_bytes(data_dir)
    text = f"{free / 1e9:.1f} GB free in {data_dir}"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
    except OSError as error:
        return Finding(
            "Disk", "bad", f"{data_dir} cannot be written ({error.strerror}). Choose another with --data-dir."
        )
    if free < LITTLE_DISK_BYTES:
        return Finding("Disk", "warning", f"{text}. A model takes 0.3 to 5 GB.")
    return Finding("Disk", "good", text)


def model_in_use(store: Models, memory: Memory) -> tuple[Installed | None, Finding]:
    """The model that lessons use, made ready if its parts are installed."""
    try:
        model = store.ensure(store.default())
    except TutorError as error:
        return None, Finding("Model", "bad", str(error))
    need = model.memory_bytes
    text = f"{model.id}, {model.size_bytes / 1e9:.2f} GB"
    if need > memory.available:
        return model, Finding("Model", "warning", f"{text}; it wants {need / 1e9:.1f} GB of free memory.")
    return model, Finding("Model", "good", text)


def speed_finding(
    data_dir: Path, model: Installed, make_engine: Callable[[], Engine] | None = None
) -> tuple[Measured | None, Finding]:
    """Time `model` with each sensible number of threads, and keep the best for this machine."""
    from tutor_app.llm.client import ChildEngine

    spec = LoadSpec(model.id, model.path, model.sha256)
    busy = machine.busy()
    engine: Engine = make_engine() if make_engine else ChildEngine()
    try:
        tried = [speed.measure(engine, spec, threads) for threads in candidates(machine.cores()[0])]
    except TutorError as error:
        return None, Finding("Speed", "bad", str(error))
    finally:
        engine.close()
    chosen = speed.best(tried)
    decode_tps, prefill_tps = round(chosen.decode_tps, 2), round(chosen.prefill_tps, 2)
    result = Measured(machine.host(), model.id, chosen.threads, decode_tps, prefill_tps)
    try:
        machine.remember(data_dir, result)
    except OSError as error:
        return result, Finding("Speed", "warning", f"measured, but not kept ({error.strerror})")
    text = (
        f"{model.id}: {chosen.decode_tps:.1f} tokens a second, "
        f"prompts {chosen.prefill_tps:.0f}, with {chosen.threads} thread{'s' * (chosen.threads > 1)}"
    )
    if busy:
        return result, Finding(
            "Speed", "warning", f"{text}, beside other busy programs. Measure again when it is quiet."
        )
    if chosen.decode_tps < speed.USABLE_TPS:
        return result, Finding("Speed", "warning", f"{text}. Use a smaller model, or close other programs.")
    return result, Finding("Speed", "good", text)


def terminal_finding() -> Finding:
    """Encoding, size and colours of the terminal; `tutor --plain` works in any."""
    encoding = (sys.stdout.encoding or "ascii").lower()
    if "utf" not in encoding:
        return Finding(
            "Terminal", "warning", f"its encoding is {encoding}, so accents may not show. Set LANG=C.UTF-8."
        )
    if not sys.stdout.isatty():
        return Finding("Terminal", "good", "none (output goes to a file or another program)")
    size = shutil.get_terminal_size()
    text = f"{size.columns}×{size.lines}, {os.environ.get('COLORTERM') or os.environ.get('TERM', 'unknown')}"
    if size.columns < SMALLEST_TERMINAL[0] or size.lines < SMALLEST_TERMINAL[1]:
        columns, lines = SMALLEST_TERMINAL
        return Finding(
            "Terminal", "warning", f"{text}. Make it at least {columns}×{lines}, or use `tutor --plain`."
        )
    return Finding("Terminal", "good", text)


def speech_findings(data_dir: Path, *, timed: bool) -> list[Finding]:
    """Microphone and, if `timed`, recogniser; none where speech is not installed."""
    from tutor_app.session.speech import installed

    if not installed():
        return []
    from tutor_app.speech import check

    works, text = check.microphone()
    findings = [Finding("Microphone", "good" if works else "warning", text)]
    spoken, text = check.voice(data_dir)
    findings.append(Finding("Voice", "good" if spoken else "warning", text))
    if timed:
        heard, text, _ = check.recogniser(data_dir)
        findings.append(Finding("Speech recognition", "good" if heard else "warning", text))
    return findings


def _bytes_of(store: Models, measured: Measured | None) -> int:
    sizes = {model.id: model.size_bytes for model in store.installed()}
    return sizes.get(measured.model_id, 0) if measured else 0


def _obtainable() -> list[str]:
    """Models that are here, can be joined here, or can be fetched."""
    return [
        entry.id
        for entry in catalogue.ENTRIES
        if not isinstance(entry.source, PackageSource) or not parts.missing(entry.source)
    ]


def _how(store: Models, model_id: str) -> str:
    entry = catalogue.find(model_id)
    here = {model.id for model in store.installed()}
    if entry is None or model_id in here or isinstance(entry.source, PackageSource):
        return "" if store.selected() in (model_id, None) else f" `tutor models use {model_id}` chooses it."
    return f" Get it with `tutor models pull {model_id}`."
