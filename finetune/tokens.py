"""Token ids for training, through the very function the app renders with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from finetune.errors import FinetuneError
from finetune.records import Example
from tutor_app.pedagogy.templates import Encoded, Tokenize, encode, pieces

KEPT_PIECES = 4096
"""System parts and template pieces come back in every conversation."""


def tokenizer(path: Path) -> Tokenize:
    """The tokenizer of a base model from its `tokenizer.json`, which is never re-saved.

    Control tokens are recognised only in what the template wrote.
    """
    from tokenizers import Tokenizer

    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        plain, special = Tokenizer.from_file(str(file)), Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception for every kind of bad file
        raise FinetuneError(f"{file} is not a tokenizer.json that can be read: {error}") from error
    plain.encode_special_tokens = True

    @lru_cache(maxsize=KEPT_PIECES)
    def tokenize(text: str, is_special: bool) -> tuple[int, ...]:
        return tuple((special if is_special else plain).encode(text, add_special_tokens=False).ids)

    return lambda text, is_special: list(tokenize(text, is_special))


def rendered(example: Example, family: str, tokenize: Tokenize) -> Encoded:
    """Ids and loss mask of one conversation. Raises FinetuneError when nothing of it would be trained."""
    encoded = encode(pieces(family, example.messages, reply=False), tokenize)
    if not any(encoded.trained):
        raise FinetuneError(
            f"{example.source} {example.id} has no tutor turn, so nothing of it would be trained."
        )
    return encoded
