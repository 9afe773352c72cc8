"""`kill -9` at random moments: whatever was answered is on disk."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from tutor_app.progress.store import Store, learners

KILLS = 20


def start(home: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from tutor_app.cli.main import main; main()", "--data-dir", str(home)]
    return subprocess.Popen(
        [*command, "session", "--jsonl", "--set", "es-l2", *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )  # fmt: skip


@pytest.mark.slow
def test_twenty_kills_of_the_program_lose_no_answered_turn(tmp_path: Path) -> None:
    rng = random.Random(20)
    acknowledged: list[str] = []
    for kill in range(KILLS):
        process = start(tmp_path, "--lesson", "hola", "--no-llm")
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(rng.randrange(1, 6)):
            text = f"respuesta {kill} {number}"
            process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                if json.loads(line)["event"] == "reply":
                    acknowledged.append(text)
                    break
        process.stdin.write(b'{"text": "en vuelo"}\n' * 3)
        process.stdin.flush()
        killer = threading.Timer(rng.random() * 0.05, process.kill)
        killer.start()
        process.wait()
        killer.join()
        assert process.returncode == -signal.SIGKILL
    learner = learners(tmp_path)[0].id
    with Store.open(tmp_path, learner) as store:
        # So many turns may finish the lesson and begin it again, so every sitting is looked at.
        saved = [turn for sitting in range(1, KILLS + 1) for turn in store.turns(sitting)]
        assert set(acknowledged) <= {turn.text for turn in saved}
        answered = {turn.text for turn in saved if turn.reply is not None and turn.reply.status == "final"}
        assert set(acknowledged) <= answered


@pytest.mark.model
@pytest.mark.slow
def test_killing_the_engine_again_and_again_loses_nothing_and_every_turn_is_answered(tmp_path: Path) -> None:
    rng = random.Random(3)
    process = start(tmp_path, "--talk", "--model", "gemma3-270m")
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        replies = 0
        for number in range(6):
            process.stdin.write(
                json.dumps({"text": f"Vivo en la calle {number} con mi familia"}).encode() + b"\n"
            )
            process.stdin.flush()
            if number % 2:
                for child in psutil.Process(process.pid).children(recursive=True):
                    threading.Timer(rng.random(), child.kill).start()
            for line in process.stdout:
                event = json.loads(line)
                assert event["event"] != "error", event
                if event["event"] == "reply":
                    replies += 1
                    break
        assert replies == 6
    finally:
        process.kill()
        process.wait()
    with Store.open(tmp_path, learners(tmp_path)[0].id) as store:
        saved = store.open_session("es-l2", None)
        assert saved is not None
        assert len(saved.turns) == 6
