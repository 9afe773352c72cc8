"""The contract of `tutor session --jsonl`, through the real command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lessons.schema import LessonSet
from tutor_app.jsonl import MAX_LINE, BadLine, parse, run_jsonl
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.events import Asked, Said, Spoke
from tutor_app.session.session import Session


def tutor(
    home: Path, *args: str, send: bytes = b"", timeout: float = 120, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [
        sys.executable,
        "-c",
        "from tutor_app.cli.main import main; main()",
        "--data-dir",
        str(home),
        *args,
    ]
    return subprocess.run(command, input=send, capture_output=True, timeout=timeout, check=False, env=env)


def events_of(result: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


LESSON = ("session", "--jsonl", "--set", "es-l2", "--lesson", "hola", "--no-llm")


def test_every_line_but_quit_is_answered_by_one_reply_or_error(tmp_path: Path) -> None:
    lines = [
        b'{"text": "hola", "elapsed_s": 4.2}', b"nonsense", b'{"command": "hint"}', b'{"command": "dance"}', b"[]", b'{"text": 5}',
        b'{"text": "a", "audio": "b"}', b"\xff\xfe", b'{"audio": "/no/such.wav"}', b'{"text": ""}', b'{"command": "explain"}',
        b'{"text": "x", "elapsed_s": -1}', b'{"text": "x", "unknown": 1}', b'{"command": "skip"}', b'{"command": "quit"}',
    ]  # fmt: skip
    events = events_of(tutor(tmp_path, *LESSON, send=b"\n".join(lines)))
    names = [event["event"] for event in events]
    assert names[:2] == ["session", "step"]
    assert names[-1] == "summary"
    assert sum(name in ("reply", "error") for name in names) == len(lines) - 1


def test_the_end_of_input_ends_and_saves_the_session(tmp_path: Path) -> None:
    first = events_of(tutor(tmp_path, *LESSON, send=b'{"command": "skip"}\n'))
    second = events_of(tutor(tmp_path, *LESSON))
    assert first[-1]["event"] == "summary"
    assert second[0]["resumed"]
    assert second[1]["id"] == first[-2]["id"]


def test_the_events_have_the_fields_of_the_contract(tmp_path: Path) -> None:
    events = events_of(tutor(tmp_path, *LESSON, send=b'{"command": "skip"}\n{"text": "1a"}\n'))
    by_name = {event["event"]: event for event in events}
    assert {"set", "lesson", "language", "track", "level", "model", "adapters", "learner"} <= by_name[
        "session"
    ].keys()
    assert {"id", "kind", "prompt"} <= by_name["step"].keys()
    assert {"item", "correct", "error_tags", "given", "expected_hidden"} <= by_name["attempt"].keys()
    assert {
        "text", "move", "signals", "source", "hint_level", "recast", "uptake", "repair", "ttft_ms", "total_ms", "prompt_tokens",
        "cached_tokens",
    } <= by_name["reply"].keys()  # fmt: skip
    assert {"items_seen", "items_correct", "moves", "due_reviews", "minutes"} <= by_name["summary"].keys()


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("session", "--jsonl", "--set", "xx", "--talk", "--no-llm"), 1, "no lesson set"),
        (("session", "--jsonl", "--set", "es-l2", "--lesson", "xx", "--no-llm"), 1, "no lesson 'xx'"),
        (("session", "--jsonl", "--set", "es-l2", "--no-llm"), 2, "--lesson"),
        (("session", "--jsonl", "--set", "es-l2", "--talk", "--model", "xx"), 1, "xx"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    args: tuple[str, ...], code: int, told: str, tmp_path: Path
) -> None:
    result = tutor(tmp_path, *args)
    assert result.returncode == code
    assert told in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()
    assert result.stdout == b""


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = tutor(tmp_path / "file" / "home", *LESSON)
    assert result.returncode == 1
    assert "--data-dir" in result.stderr.decode()


def test_a_huge_line_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    huge = b'{"text": "' + b"x" * (MAX_LINE + 10) + b'"}\n'
    names = [
        event["event"] for event in events_of(tutor(tmp_path, *LESSON, send=huge + b'{"command": "hint"}\n'))
    ]
    assert names.count("error") == 1
    assert names.count("reply") == 1


def test_lines_become_turns() -> None:
    assert parse(b'{"text": "hola", "elapsed_s": 3}') == Said("hola", 3)
    assert parse(b'{"audio": "a.wav"}') == Spoke(Path("a.wav"))
    assert parse(b'{"command": "skip"}') == Asked("skip")


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "a", "elapsed_s": 1' + b"0" * 400 + b"}",
        b'{"text": "a", "elapsed_s": 1e19}',
        b'{"audio": "\\ud800.wav"}',
        b"[" * 100_000,
        b'{"text": "\\ud800"}',
        b'{"text": "a", "elapsed_s": NaN}',
        b"null",
        b"{}",
    ],
)
def test_no_line_breaks_the_parser(line: bytes) -> None:
    with pytest.raises(BadLine):
        parse(line)


def test_no_line_ends_the_session(tmp_path: Path) -> None:
    lines = [
        b'{"text": "a", "elapsed_s": 1e19}',
        b'{"text": "a", "elapsed_s": 1' + b"0" * 400 + b"}",
        b'{"audio": "\\ud800.wav"}',
        b'{"text": "\\ud800"}',
    ]
    events = events_of(tutor(tmp_path, *LESSON, send=b"\n".join(lines)))
    assert [event["event"] for event in events] == ["session", "step", *["error"] * len(lines), "summary"]


def test_what_comes_after_a_summary_is_nothing(spanish: LessonSet, store: Store) -> None:
    session = Session(spanish, "hola", store, None, seed=1)
    list(session.start())
    list(session.submit(Asked("skip")))
    saved = store.open_session("es-l2", "hola")
    assert saved is not None
    # As after a kill between the last reply and the summary.
    store.save_position(saved.id, saved.position | {"unit": len(session._units)})
    out = io.StringIO()
    run_jsonl(Session(spanish, "hola", store, None, seed=1), io.BytesIO(b'{"text": "hola"}\n'), out)
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["session", "summary"]


def test_a_talk_is_of_the_learners_level_as_in_the_app(tmp_path: Path) -> None:
    create_learner(tmp_path, "Ana", {"language": "es", "track": "l2", "start_level.es-l2": "B1"})
    talk = ("session", "--jsonl", "--set", "es-l2", "--talk", "--learner", "Ana", "--no-llm")
    assert events_of(tutor(tmp_path, *talk))[0]["level"] == "B1"
    assert events_of(tutor(tmp_path, *talk, "--level", "A2"))[0]["level"] == "A2"


def test_plain_reads_what_is_no_utf8(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    result = tutor(tmp_path, "--plain", send=b"\xff\xfe\n1\n\n\n\n\n\n0\n", env=environ)
    assert result.returncode == 0, result.stderr.decode()
    assert "Welcome, \ufffd\ufffd." in result.stdout.decode()
