"""What a model is asked, and what it answers, whether it runs in llama.cpp or in torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

from tutor_app.pedagogy.templates import Message

Ended = Literal["model", "line", "length"]
"""By the end-of-turn token; at a line break or bracket, where the app cuts; or at the longest allowed."""

CUTS = ("\n", " [")
"""Where the app ends a reply that the model does not end itself."""
CUTS_OF_VERSION = ("\n", "[")
ROOM_TOKENS = 8


@dataclass(frozen=True)
class Ask:
    """One thing wanted of a model."""

    id: str
    """For people who read the file of answers."""
    kind: Literal["reply", "revise", "score"]
    """A reply; the likeliest version of `text`; or how likely `text` is."""
    messages: tuple[Message, ...] = ()
    before: str = ""
    """Without messages: plain text that comes before. With them: words the reply begins with."""
    text: str = ""
    max_tokens: int = 0
    temperature: float = 0.0
    """0 is greedy; otherwise the sampling is the app's."""
    seed: int = 0

    def key(self, fingerprint: str) -> str:
        """Names what is asked of which weights, so that the same is never asked twice."""
        asked = asdict(self) | {"id": "", "fingerprint": fingerprint}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Answer:
    """What came of it."""

    text: str = ""
    ended: Ended = "model"
    nats: float | None = None
    """Natural log-likelihood of `text`, its end included; None when it was not asked for, or has no end."""
    draft_nats: float = 0.0
    """The same of the text to be revised."""
    tokens: int = 0
    """Generated, or scored."""
    seconds: float = 0.0


class Speaker(Protocol):
    """One model with its adapters."""

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """One each, in order."""

    def close(self) -> None:
        """Give the memory back."""


def cut(text: str, marks: Sequence[str] = CUTS) -> tuple[str, bool]:
    """A reply up to where the app would end it, and whether it had to be cut there."""
    ends = [at for mark in marks if (at := text.find(mark)) >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


def longest_version(own_tokens: int, most: int) -> int:
    """Tokens that the native version of a sentence may have: as in the app, twice its own and a few."""
    return min(most, 2 * own_tokens + ROOM_TOKENS)


def version_ends(text: str) -> tuple[str, ...]:
    """What ends a native version besides its own end, as in the app: a chatty model goes on with a question."""
    return CUTS_OF_VERSION if "?" in text else (*CUTS_OF_VERSION, " ¿")
