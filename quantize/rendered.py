"""Conversations as the token ids that a model is asked with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gguf.constants import Keys

from quantize.gguf_file import GgufFile
from quantize.llama_model import LlamaModel
from quantize.template import Message, pieces


def special_texts(path: Path) -> dict[str, str]:
    """bos_token and eos_token of a GGUF as a template may use them."""
    file = GgufFile(path)
    texts = file.fields[Keys.Tokenizer.LIST].value

    def token(key: str) -> str:
        token_id = file.get(key)
        return "" if token_id is None else str(texts[token_id].decode("utf-8", "replace"))

    return {"bos_token": token(Keys.Tokenizer.BOS_ID), "eos_token": token(Keys.Tokenizer.EOS_ID)}


def piece_ids(model: LlamaModel, found: Sequence[tuple[str, bool]]) -> list[int]:
    """Ids of the pieces of a prompt; control tokens are recognised only in what the template wrote."""
    return [token for text, special in found for token in model.tokenize(text, special=special)]


def spread_ids(
    model: LlamaModel, template: str, conversations: Sequence[Sequence[Message]], most: int
) -> list[int]:
    """Whole conversations one after another, from all over the list, until there are `most` tokens."""
    tokens = special_texts(model.path)
    ids: list[int] = []
    # Steps of the golden section come near every part of the list early, and need no random numbers.
    for number in sorted(range(len(conversations)), key=lambda n: n * 0.6180339887498949 % 1):
        if len(ids) >= most:
            break
        found = pieces(template, conversations[number], add_generation_prompt=False, tokens=tokens)
        ids += piece_ids(model, found)
    return ids[:most]
