"""Token ids for training, through the very function the app renders with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from finetune.errors import FinetuneError
from finetune.gguf_tokenizer import tokenizer_json
from finetune.records import Example
from tutor_app.pedagogy.templates import Encoded, Piece, Tokenize, content, encode, pieces

KEPT_PIECES = 4096
"""System parts and template pieces come back in every conversation."""


class Tokens:
    """A base model's tokenizer. Control tokens are recognised only in what the template wrote."""

    def __init__(self, text: str, path: Path) -> None:
        """`text`: its `tokenizer.json`. Raises FinetuneError, naming `path`, when it is not that."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # the library raises bare Exception for every kind of bad file
            raise _unreadable(path, error) from error
        self._tokenizer.encode_special_tokens = True
        self._kept = lru_cache(maxsize=KEPT_PIECES)(self._alone)

    def __call__(self, text: str, special: bool) -> list[int]:
        """The ids of a piece."""
        return list(self._kept(text, special))

    def together(self, examples: Iterable[Example]) -> Tokenize:
        """The same, what is said in these conversations being encoded at once, which takes a fraction of the time."""
        said = (content(message) for example in examples for message in example.messages)
        texts = [text for text in dict.fromkeys(said) if text]
        batch = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        ids = {text: one.ids for text, one in zip(texts, batch, strict=True)}

        def tokenize(text: str, special: bool) -> list[int]:
            found = None if special else ids.get(text)
            return self(text, special) if found is None else found

        return tokenize

    def _alone(self, text: str, special: bool) -> tuple[int, ...]:
        # One tokenizer told each time, since a second one would take as long to load and as much memory again.
        self._tokenizer.encode_special_tokens = not special
        try:
            return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
        finally:
            self._tokenizer.encode_special_tokens = True


def tokenizer_text(path: Path) -> str:
    """The `tokenizer.json` of a base model, which is never re-saved, or what its GGUF file has in its place."""
    file = path / "tokenizer.json" if path.is_dir() else path
    if file.suffix == ".gguf":
        return tokenizer_json(file)
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from error


def tokenizer(path: Path) -> Tokens:
    """The tokenizer of a base model from its `tokenizer.json`, its folder, or its GGUF file."""
    return Tokens(tokenizer_text(path), path)


def _unreadable(path: Path, error: Exception) -> FinetuneError:
    return FinetuneError(f"{path} is not a tokenizer.json that can be read: {error}")


def _masked(parts: list[Piece], untrained: frozenset[int]) -> list[Piece]:
    """`parts` without loss on these messages, their ends of turn included."""
    if not untrained:
        return parts
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
