"""The spine on real weights, through the command that scripts use."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.schema import MatchItem, items_of
from tests.session.test_jsonl import events_of, tutor
from tutor_app.pedagogy.validator import Situation, validate
from tutor_app.session.events import Reply, Said
from tutor_app.session.models import make_host
from tutor_app.session.people import open_or_create
from tutor_app.session.session import Session

pytestmark = [pytest.mark.model, pytest.mark.slow]


def test_a_whole_lesson_on_the_small_model(tmp_path: Path) -> None:
    lesson = load_set(builtin_sets_dir() / "es-l2").lessons[1]
    lines: list[dict[str, str]] = []
    for step in lesson.steps:
        for item in items_of(step):
            lines.append(
                {"command": "skip"} if isinstance(item, MatchItem) else {"text": item.accept[0].text}
            )
        if not items_of(step):
            lines += [{"text": "Me llamo Sam y soy de Queens."}] * 2 + [{"command": "skip"}]
        elif step.culture:
            lines.append({"command": "skip"})
    send = "\n".join(json.dumps(line) for line in lines).encode()
    events = events_of(
        tutor(
            tmp_path,
            "session",
            "--jsonl",
            "--set",
            "es-l2",
            "--lesson",
            lesson.id,
            "--model",
            "gemma3-270m",
            send=send,
            timeout=500,
        )
    )
    assert events[0]["model"]["id"] == "gemma3-270m"
    assert events[-1]["event"] == "summary"
    for event in events:
        if event["event"] == "reply":
            assert {v.rule for v in validate(event["text"], Situation("es", "l2", "A1"))} <= {"vocabulary"}, (
                event
            )


def test_a_talk_on_the_embedded_default(tmp_path: Path) -> None:
    said = ["Mi hermana es en casa con mi mamá.", "No entiendo.", "Me gusta mucho la música de mi barrio."]
    send = "\n".join(json.dumps({"text": text, "elapsed_s": 6}) for text in said).encode()
    events = events_of(
        tutor(
            tmp_path,
            "session",
            "--jsonl",
            "--set",
            "es-l2",
            "--talk",
            "--level",
            "A2",
            send=send,
            timeout=500,
        )
    )
    replies = [event for event in events if event["event"] == "reply"]
    assert len(replies) == 3
    assert events[0]["model"]["id"] == "qwen2.5-1.5b"
    assert "error:ser-estar" in replies[0]["signals"]
    assert replies[0]["move"] == "recast"
    assert "está en casa" in replies[0]["text"]
    assert replies[1]["move"] == "simplify"
    assert any(event["source"] != "authored" for event in replies)
    assert replies[2]["cached_tokens"] > 300


def test_reading_along_is_stopped_by_a_key_and_leaves_the_answer_to_enter(tmp_path: Path) -> None:
    host = make_host(tmp_path, "gemma3-270m")
    host.start()
    try:
        lessons = load_set(builtin_sets_dir() / "es-l2")
        with open_or_create(tmp_path, "Ana", lessons.info) as store:
            session = Session(lessons, None, store, host, level="A2", seed=1)
            list(session.start())
            for _ in host.wait(lambda: False):
                pass
            begun = Said("Vivo en Queens con mi familia y mi perro, que se llama Canela.", 6.0)
            asked = threading.Event()

            def wanted() -> bool:
                asked.set()
                return True

            def read() -> None:
                while not asked.is_set():  # the lesson itself is being read in at first
                    session.read_along(begun, whole=True, wanted=wanted)

            reading = threading.Thread(target=read)
            reading.start()
            assert asked.wait(60.0)
            while reading.is_alive():
                session.stop_reading()
                reading.join(0.01)
            assert host.state.state == "ready"
            said = Said("Vivo en Queens con mi familia y mi perro, que se llama Canelo.", 8.0)
            session.read_along(said, whole=True, wanted=lambda: True)
            (reply,) = (event for event in session.submit(said) if isinstance(event, Reply))
            assert reply.total_ms == reply.ttft_ms  # it was there
            assert validate(reply.text, Situation("es", "l2", "A2", learner=said.text)) == []
            later = Said("Me gusta mucho la música de mi barrio.", 5.0)
            (reply,) = (event for event in session.submit(later) if isinstance(event, Reply))
            assert reply.total_ms > reply.ttft_ms
            assert reply.cached_tokens > 0.8 * reply.prompt_tokens
    finally:
        host.close()
