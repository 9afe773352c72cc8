"""One way from a conversation to token ids, used in training and in the app alike.

A template is an ordinary Jinja chat template in `assets/templates/`. It is rendered with placeholders where
the messages go, so that the result falls into pieces: what the template wrote (control tokens are
recognised there) and what people wrote (they are not, so nobody can forge a turn by typing `<|im_end|>`).
The pieces are tokenised one by one. Whoever trains and whoever runs the model therefore sees the same ids,
and the loss mask follows from which piece is the tutor's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import jinja2
import jinja2.sandbox

from tutor_app.errors import TutorError
from tutor_app.resources import asset

Role = Literal["system", "user", "assistant"]

END_OF_TURN = {"chatml": "<|im_end|>", "gemma": "<end_of_turn>"}
"""Family → the control token that ends a turn. The tutor learns to write it, so it is inside the loss."""

Tokenize = Callable[[str, bool], list[int]]
"""(text, special) → ids; control tokens are recognised only when `special`. No BOS is added."""

KEPT_FRAMES = 1024
"""Orders of roles whose frame is kept; a corpus has few, and rendering takes longer than all else of a short talk."""
_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: removed from every message, so they cannot collide
_PLACEHOLDER = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


class TemplateError(TutorError):
    """The template is missing, or does not do what a chat template must."""


@dataclass(frozen=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True)
class Piece:
    """A stretch of the rendered conversation."""

    text: str
    special: bool
    """Written by the template: control tokens are recognised here and nowhere else."""
    message: int | None
    """Index of the message this is the content of; None for what the template wrote."""
    trained: bool
    """Part of the tutor's turn (its end included), so the loss counts here."""


@dataclass(frozen=True)
class Encoded:
    """Token ids and, aligned with them, whether the loss counts. Shapes: [T] each."""

    ids: list[int]
    trained: list[bool]


@cache
def template_text(family: str) -> str:
    """The template's source. Raises TemplateError for a family that has none."""
    path = asset("templates", f"{family}.jinja")
    if family not in END_OF_TURN or not path.is_file():
        known = ", ".join(sorted(END_OF_TURN))
        raise TemplateError(f"There is no prompt template for the model family {family!r} (known: {known}).")
    return path.read_text(encoding="utf-8")


def template_sha256(family: str) -> str:
    """Identifies the template in adapters, GGUF files and manifests (DESIGN section 8)."""
    return hashlib.sha256(template_text(family).encode()).hexdigest()


def family_of(sha256: str) -> str | None:
    """The family whose template has this hash, or None: then the model must be refused."""
    return next((family for family in END_OF_TURN if template_sha256(family) == sha256), None)


@cache
def _compiled(family: str) -> jinja2.Template:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=False
    )
    return environment.from_string(template_text(family))


def pieces(family: str, messages: Sequence[Message], *, reply: bool) -> list[Piece]:
    """`messages` in the model's own format; with `reply`, up to where the tutor's next words begin."""
    found: list[Piece] = []
    roles = tuple(message.role for message in messages)
    for piece in _frame(family, END_OF_TURN.get(family, ""), roles, reply):
        if piece.message is None:
            found.append(piece)
        else:
            found.append(Piece(content(messages[piece.message]), False, piece.message, piece.trained))
    return found


def content(message: Message) -> str:
    """The text of a message's piece."""
    return message.content.replace(_OPEN, "").replace(_CLOSE, "").strip()


@lru_cache(maxsize=KEPT_FRAMES)
def _frame(family: str, end: str, roles: tuple[Role, ...], reply: bool) -> tuple[Piece, ...]:
    """The pieces of a conversation between these roles, those of its messages still without their text.

    The template is rendered with placeholders, so nothing but the roles can change what it writes.
    """
    shown = [{"role": role, "content": f"{_OPEN}{index}{_CLOSE}"} for index, role in enumerate(roles)]
    rendered = _compiled(family).render(messages=shown, add_generation_prompt=reply)
    found: list[Piece] = []
    position, after_tutor = 0, False
    for match in _PLACEHOLDER.finditer(rendered):
        found.extend(_between(rendered[position : match.start()], end, after_tutor))
        index = int(match.group(1))
        after_tutor = roles[index] == "assistant"
        found.append(Piece("", False, index, after_tutor))
        position = match.end()
    found.extend(_between(rendered[position:], end, after_tutor))
    return tuple(found)


def _between(text: str, end: str, after_tutor: bool) -> list[Piece]:
    """The template's text between two messages, cut after the end of the tutor's turn."""
    if not after_tutor:
        return [Piece(text, True, None, False)] if text else []
    if not text.startswith(end):
        raise TemplateError(
            f"The tutor's turn is not followed by {end!r}, so the model would never learn to stop. "
            "Put it directly after the message in the template."
        )
    rest = text[len(end) :]
    return [Piece(end, True, None, True), *([Piece(rest, True, None, False)] if rest else [])]


def encode(parts: Sequence[Piece], tokenize: Tokenize) -> Encoded:
    """Token ids of `parts`, piece by piece, with the loss mask."""
    ids: list[int] = []
    trained: list[bool] = []
    for piece in parts:
        new = tokenize(piece.text, piece.special) if piece.text else []
        ids.extend(new)
        trained.extend([piece.trained] * len(new))
    return Encoded(ids, trained)
