"""One lesson's talk as the model reads it: the fixed beginning, what was said, and what is asked for next, as token ids.

Nothing that changes stands before anything that does not, so that each prompt begins with most of the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tutor_app.llm.common_prefix import common_length
from tutor_app.llm.protocol import Engine
from tutor_app.pedagogy import prompts, templates
from tutor_app.pedagogy.templates import Message

TURN_RESERVE = 360
"""Tokens kept free in the window for the learner's turn, the hidden reformulation and the reply."""
PIECES_KEPT = 1000
"""Pieces of text whose tokens are remembered: more than a window holds, whatever half-written text was read as well."""


class Dialogue:
    """What a tutor and a learner said. Not thread-safe."""

    def __init__(self, engine: Engine, family: str, brief: prompts.Brief) -> None:
        self._engine = engine
        self._family = family
        self._prefix = prompts.prefix(brief)
        self._history: list[Message] = []
        self._ids: dict[tuple[str, bool], list[int]] = {}

    @property
    def begun(self) -> bool:
        """Whether the tutor said anything yet."""
        return bool(self._history)

    def begin(self, line: str) -> None:
        """A new talk, which the tutor opens with `line`."""
        self._history = prompts.opened(line)

    def remember(self, learner: str, direction: str, reply: str) -> None:
        """Add a turn that is over."""
        self._history += prompts.answered(learner, direction, reply)

    def native_request(self, text: str) -> list[int]:
        """What the native version of a sentence is asked for with. It needs nothing of what was said."""
        return self._encode([*self._prefix, Message("user", prompts.native_request(text))], reply=True)

    def reply_request(self, learner: str, direction: prompts.Direction) -> list[int]:
        """What the reply to a turn is asked for with."""
        return self._request(Message("user", prompts.learner_turn(learner, direction)))

    def any_request(self) -> list[int]:
        """What every request for the next reply begins with, whatever the learner will have said."""
        return shared(lambda text: self._request(Message("user", text)))

    def tokens(self, text: str, special: bool = False) -> list[int]:
        """Ids of a piece; every piece of a conversation comes back each turn, so they are kept."""
        known = self._ids.get((text, special))
        if known is None:
            if len(self._ids) >= PIECES_KEPT:
                self._ids.clear()
            known = self._ids[text, special] = self._engine.tokenize(text, special=special)
        return known

    def end_of_turn(self) -> list[int]:
        return self.tokens(templates.END_OF_TURN[self._family], special=True)

    def _request(self, turn: Message) -> list[int]:
        return self._encode([*self._prefix, *self._window(turn), turn], reply=True)

    def _window(self, turn: Message) -> list[Message]:
        loaded = self._engine.loaded
        if loaded is None:
            return list(self._history)
        sizes = [len(self._encode([message], reply=False)) for message in self._history]
        fixed = len(self._encode([*self._prefix, turn], reply=True))
        return prompts.windowed(self._history, sizes, fixed, loaded.n_ctx, TURN_RESERVE)

    def _encode(self, messages: Sequence[Message], *, reply: bool) -> list[int]:
        parts = templates.pieces(self._family, messages, reply=reply)
        return templates.encode(parts, self.tokens).ids


def shared(prompt: Callable[[str], list[int]], texts: tuple[str, str] = ("A", "¿")) -> list[int]:
    """What a prompt begins with whatever the learner says: its tokens up to where two that differ at once part."""
    one, other = (prompt(text) for text in texts)
    return one[: common_length(one, other)]


def so_far(prompt: Callable[[str], list[int]], text: str) -> list[int]:
    """What a prompt begins with whatever the learner adds to `text`."""
    return shared(lambda rest: prompt(f"{text}{rest}"), ("", " …"))
