"""A session as JSON lines on standard input and output: the contract of `tutor session --jsonl`.

Every input line but `quit` is answered by exactly one `reply` or `error`. Nothing else is written to standard
output: stray prints of libraries go to standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from tutor_app.errors import TutorError
from tutor_app.session.events import (
    Asked,
    Attempt,
    Event,
    Explanation,
    Heard,
    ModelState,
    Problem,
    Reply,
    Said,
    SessionStarted,
    Sounded,
    Spoke,
    StepShown,
    Summary,
    TurnIn,
)  # fmt: skip
from tutor_app.session.session import Session

MAX_LINE = 1_000_000
"""Bytes of an input line that are read; a longer one is refused without being kept."""
MAX_ELAPSED_S = 366 * 24 * 3600
"""A year: more was not spent on one turn, and far more cannot be stored."""
COMMANDS = ("hint", "skip", "explain", "quit")


class BadLine(TutorError):
    """An input line that is not of the contract."""


def run_jsonl(session: Session, source: BinaryIO, out: TextIO) -> int:
    """Drive `session` from `source` until it ends; 0."""
    for event in session.start():
        _write(event, out)
        if isinstance(event, Summary):  # nothing was left to do in a lesson that is taken up
            return 0
    lost: ModelState | None = None
    for line in _lines(source):
        if not line.strip():
            continue
        try:
            turn = parse(line)
        except BadLine as error:
            _emit({"event": "error", "message": str(error)}, out)
            continue
        for event in session.submit(turn):
            if isinstance(event, ModelState) and event.state == "lost":
                lost = event
            elif isinstance(event, Reply) and lost is not None:
                _emit({**_reply(event), "model_lost": {"message": lost.message, "offer": lost.offer}}, out)
                lost = None
            else:
                _write(event, out)
        if session.over:
            return 0
    for event in session.submit(Asked("quit")):
        _write(event, out)
    return 0


def parse(line: bytes) -> TurnIn:
    """One line of input. Raises BadLine with what is wrong and what would be right."""
    if len(line) > MAX_LINE:
        raise BadLine(f"The line is longer than {MAX_LINE} bytes.")
    try:
        data = json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadLine(
            f'Not a JSON object in UTF-8 ({error}). Write for example {{"text": "hola"}}.'
        ) from error
    if not isinstance(data, dict):
        raise BadLine('A line is a JSON object, for example {"text": "hola"}.')
    kinds = [key for key in ("text", "audio", "command") if key in data]
    if len(kinds) != 1:
        raise BadLine('A line has exactly one of "text", "audio" and "command".')
    unknown = sorted(set(data) - {"text", "audio", "command", "elapsed_s"})
    if unknown:
        raise BadLine(f"Unknown key {unknown[0]!r}; known are text, audio, command and elapsed_s.")
    value, elapsed = data[kinds[0]], data.get("elapsed_s")
    if not isinstance(value, str):
        raise BadLine(f'"{kinds[0]}" is a string.')
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadLine(f'"{kinds[0]}" has half of a surrogate pair, which is no character.')
    if elapsed is not None and (
        isinstance(elapsed, bool)
        or not isinstance(elapsed, int | float)
        or not 0 <= elapsed <= MAX_ELAPSED_S  # false for NaN too
    ):
        raise BadLine(f'"elapsed_s" is a number of seconds, from 0 to {MAX_ELAPSED_S}.')
    match kinds[0]:
        case "text":
            return Said(value, elapsed)
        case "audio":
            return Spoke(Path(value), elapsed)
        case _ if value in COMMANDS:
            return Asked(value)  # type: ignore[arg-type]  # just checked against the literal's values
    raise BadLine(f"Unknown command {value!r}; known are {', '.join(COMMANDS)}.")


def as_json(event: Event) -> dict[str, Any] | None:
    """The object of the contract for this event; None for what only a screen shows."""
    match event:
        case SessionStarted():
            return {
                "event": "session", "set": event.set_id, "lesson": event.lesson_id, "language": event.language,
                "track": event.track, "level": event.level,
                "model": {"id": event.model, "sha256": event.model_sha256} if event.model else None,
                "adapters": list(event.adapters), "learner": event.learner, "resumed": event.resumed,
            }  # fmt: skip
        case StepShown():
            extra = {
                "step": event.step_id, "task": event.task, "support": event.support, "gloss": event.gloss,
                "text": event.text, "say": event.say, "left": list(event.left), "scenario": event.scenario,
                "goal": event.goal, "review": event.review, "check": event.check,
            }  # fmt: skip
            step: dict[str, Any] = {
                "event": "step",
                "id": event.id,
                "kind": event.kind,
                "prompt": event.prompt,
            }
            if event.choices:
                step["choices"] = list(event.choices)
            return (
                step
                | {key: value for key, value in extra.items() if value}
                | {"number": event.number, "of": event.of}
            )
        case Heard():
            return {
                "event": "heard", "text": event.text, "language": event.language, "confidence": event.confidence,
                "seconds": event.seconds,
            }  # fmt: skip
        case Sounded():
            return {
                "event": "sounded",
                "words": [asdict(word) for word in event.words],
            }
        case Attempt():
            attempt: dict[str, Any] = {
                "event": "attempt", "item": event.item, "correct": event.correct, "error_tags": list(event.error_tags),
                "given": event.given, "near_miss": event.near_miss, "expected_hidden": event.expected_hidden,
            }  # fmt: skip
            return attempt if event.expected_hidden else attempt | {"expected": list(event.expected)}
        case Reply():
            return _reply(event)
        case Explanation():
            return {"event": "explanation", "text": event.text}
        case Summary():
            return {
                "event": "summary", "items_seen": event.items_seen, "items_correct": event.items_correct,
                "moves": event.moves, "due_reviews": event.due_reviews, "minutes": event.minutes,
                "finished": event.finished, "forms": {form: list(tally) for form, tally in event.forms.items()},
                "uptake": list(event.uptake), "repair": list(event.repair),
                **({"gain": asdict(event.gain)} if event.gain is not None else {}),
            }  # fmt: skip
        case Problem():
            return {"event": "error", "message": event.message}
        case _:
            return None


def _reply(event: Reply) -> dict[str, Any]:
    return {
        "event": "reply", "text": event.text, "move": event.move, "signals": list(event.signals),
        "source": event.source, "hint_level": event.hint_level, "recast": event.recast,
        "uptake": event.uptake, "repair": event.repair, "ttft_ms": round(event.ttft_ms, 1),
        "total_ms": round(event.total_ms, 1), "prompt_tokens": event.prompt_tokens,
        "cached_tokens": event.cached_tokens,
    }  # fmt: skip


def _write(event: Event, out: TextIO) -> None:
    data = as_json(event)
    if data is not None:
        _emit(data, out)


def _emit(data: dict[str, Any], out: TextIO) -> None:
    out.write(json.dumps(data, ensure_ascii=False) + "\n")
    out.flush()


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines of any length, but never more of one in memory than can be valid."""
    while line := source.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = source.readline(MAX_LINE + 1)
            if not line:
                return


@contextlib.contextmanager
def guarded_stdout() -> Iterator[TextIO]:
    """Standard output for the protocol alone; whatever else prints goes to standard error meanwhile."""
    sys.stdout.flush()
    mine = os.dup(1)
    os.dup2(2, 1)
    # A lone surrogate, as of a path that is not UTF-8, is written as JSON's own escape.
    out = open(mine, "w", encoding="utf-8", errors="backslashreplace", newline="\n")  # noqa: SIM115  # closed below, after fd 1 is back
    try:
        yield out
    finally:
        with contextlib.suppress(BrokenPipeError):
            out.flush()
        os.dup2(mine, 1)
        with contextlib.suppress(BrokenPipeError):
            out.close()
