"""What a model said, in a file that a second run reads instead of asking again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from finetune.evaluate.asking import Answer, Ask, Speaker


class Answers:
    """One model's answers: those of earlier runs, and new ones as they come, each written before the next is asked.

    A run that was killed therefore goes on where it stopped. Other weights, another template or another prompt
    make another key, so nothing stale is ever used.
    """

    def __init__(
        self, path: Path, fingerprint: str, speaker: Callable[[], Speaker], on_answer: Callable[[bool], None] | None = None
    ) -> None:  # fmt: skip
        """`speaker` is called when the first answer is missing; `on_answer` hears whether an answer was known."""
        self._path = path
        self._fingerprint = fingerprint
        self._open = speaker
        self._speaker: Speaker | None = None
        self._on_answer = on_answer or (lambda known: None)
        self._known: dict[str, Answer] = {}
        self.asked = 0
        """Answers of this run that were not known before."""
        self._cut_short = False
        """The file ends in half a line, from a run that was killed."""
        if path.is_file():
            written = path.read_text(encoding="utf-8", errors="replace")
            self._cut_short = bool(written) and not written.endswith("\n")
            for line in written.split("\n"):
                with suppress(ValueError, KeyError, TypeError):
                    row = json.loads(line)
                    self._known[row["key"]] = Answer(**row["answer"])

    def of(self, asks: Sequence[Ask]) -> list[Answer]:
        """The answer to each, in order."""
        keys = [ask.key(self._fingerprint) for ask in asks]
        missing = {key: ask for key, ask in zip(keys, asks, strict=True) if key not in self._known}
        for _ in range(len(asks) - len(missing)):
            self._on_answer(True)
        if missing:
            speaker = self._ready()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                if self._cut_short:
                    file.write("\n")
                    self._cut_short = False
                for (key, ask), answer in zip(
                    missing.items(), speaker.answers([*missing.values()]), strict=True
                ):
                    said = ask.messages[-1].content if ask.messages else ask.before
                    row = {"key": key, "id": ask.id, "asked": said, "answer": asdict(answer)}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                    file.flush()
                    self._known[key] = answer
                    self.asked += 1
                    self._on_answer(False)
                os.fsync(file.fileno())
        return [self._known[key] for key in keys]

    def _ready(self) -> Speaker:
        if self._speaker is None:
            self._speaker = self._open()
        return self._speaker

    def close(self) -> None:
        """Give the model back, if it was loaded at all."""
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None
