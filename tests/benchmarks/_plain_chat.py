"""The peer of `talk`: what a tutor costs and says that is plain llama-cpp-python and a prompt with examples.

One step and no more: the system part and example turns of the app's untrained prompt, the talk so far, and the learner's
turn with `[ask]` at its end. The package keeps the common beginning of two prompts in its cache by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lessons.schema import Level, Track
from tests.benchmarks._plain_llama import plain_llama
from tutor_app.llm import machine
from tutor_app.pedagogy import prompts
from tutor_app.pedagogy.prompts import Brief
from tutor_app.pedagogy.templates import Message
from tutor_app.session.tutor import REPLY_TOKENS

DIRECTION = "ask"


@dataclass(frozen=True)
class PlainReply:
    text: str
    seconds: float
    tokens: int


class PlainChat:
    """One talk after another with the peer, in a process of its own that has all cores, as the tutor's has."""

    def __init__(self, model: Path, chat_format: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", __name__, str(model), chat_format, str(machine.cores()[0])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._messages: list[Message] = []
        self._level: Level = "A2"

    def begin(self, language: str, track: Track, level: Level, opening: str) -> None:
        """A new talk, which the tutor opened with `opening`. What it begins with is read in here, not in a turn."""
        self._level = level
        brief = Brief(language, track, level, "free talk", trained=False)
        self._messages = [*_without_native(prompts.prefix(brief)), *prompts.opened(opening)]
        self._ask([*self._messages, Message("user", f"[{DIRECTION}]")], max_tokens=1)

    def say(self, text: str) -> PlainReply:
        self._messages.append(Message("user", prompts.learner_turn(text, DIRECTION)))
        reply = PlainReply(**self._ask(self._messages, max_tokens=REPLY_TOKENS[self._level]))
        self._messages.append(Message("assistant", reply.text))
        return reply

    def close(self) -> None:
        self._child.communicate()

    def _ask(self, messages: Sequence[Message], *, max_tokens: int) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        request = {"messages": [_as_dict(message) for message in messages], "max_tokens": max_tokens}
        self._child.stdin.write(json.dumps(request) + "\n")
        self._child.stdin.flush()
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer


def _without_native(messages: Sequence[Message]) -> list[Message]:
    """The example turns that are talk; the peer never asks for a native version."""
    kept: list[Message] = []
    for message in messages:
        if kept and kept[-1].content.startswith(prompts.NATIVE):
            kept.pop()
        else:
            kept.append(message)
    return kept


def _as_dict(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def main(path: str, chat_format: str, threads: int) -> None:
    llama = plain_llama(path, chat_format, threads)
    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        answer: Any = llama.create_chat_completion(
            request["messages"],
            temperature=0.7,
            repeat_penalty=1.05,
            max_tokens=request["max_tokens"],
            stop=["\n", " ["],
            seed=1,
        )
        seconds = time.perf_counter() - started
        text = answer["choices"][0]["message"]["content"]
        print(json.dumps(asdict(PlainReply(text, seconds, answer["usage"]["completion_tokens"]))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
