"""Token ids for training, through the very function the app renders with."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from finetune.errors import FinetuneError
from finetune.gguf_tokenizer import tokenizer_json
from finetune.records import Example
from tutor_app.pedagogy.templates import Encoded, Piece, Tokenize, encode, pieces

KEPT_PIECES = 4096
"""System parts and template pieces come back in every conversation."""


def tokenizer(path: Path) -> Tokenize:
    """The tokenizer of a base model from its `tokenizer.json` (which is never re-saved), or from its GGUF file.

    Control tokens are recognised only in what the template wrote.
    """
    from tokenizers import Tokenizer

    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        text = tokenizer_json(file) if file.suffix == ".gguf" else file.read_text(encoding="utf-8")
        plain, special = Tokenizer.from_str(text), Tokenizer.from_str(text)
    except FinetuneError:
        raise
    except Exception as error:  # the library raises bare Exception for every kind of bad file
        raise FinetuneError(f"{file} is not a tokenizer.json that can be read: {error}") from error
    plain.encode_special_tokens = True

    @lru_cache(maxsize=KEPT_PIECES)
    def tokenize(text: str, is_special: bool) -> tuple[int, ...]:
        return tuple((special if is_special else plain).encode(text, add_special_tokens=False).ids)

    return lambda text, is_special: list(tokenize(text, is_special))


def _masked(parts: list[Piece], untrained: frozenset[int]) -> list[Piece]:
    """`parts` without loss on these messages, their ends of turn included."""
    masked, message = [], -1
    for part in parts:
        message = part.message if part.message is not None else message
        masked.append(replace(part, trained=part.trained and message not in untrained))
    return masked


def rendered(example: Example, family: str, tokenize: Tokenize) -> Encoded:
    """Ids and loss mask of one conversation. Raises FinetuneError when nothing of it would be trained."""
    encoded = encode(_masked(pieces(family, example.messages, reply=False), example.untrained), tokenize)
    if not any(encoded.trained):
        raise FinetuneError(
            f"{example.source} {example.id} has no tutor turn, so nothing of it would be trained."
        )
    return encoded
