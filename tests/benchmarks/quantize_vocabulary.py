"""The real Qwen vocabulary, from the installed default model, as tokenizer files for random-weight models."""

from __future__ import annotations

import json
from pathlib import Path

from quantize.gguf_file import GgufFile
from quantize.vocabulary import QWEN2
from tests.quantize.real import real_model

CONTROL = 3


def write_tokenizer(folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json in the shape in which Qwen ships them."""
    file = GgufFile(real_model("qwen2.5-1.5b"))
    tokens, merges = file.texts("tokenizer.ggml.tokens"), file.texts("tokenizer.ggml.merges")
    kinds = file.get("tokenizer.ggml.token_type")
    named = {token: token_id for token_id, token in enumerate(tokens) if not token.startswith("[PAD")}
    special = {token: token_id for token, token_id in named.items() if kinds[token_id] == CONTROL}
    split = {"type": "Split", "pattern": {"Regex": QWEN2}, "behavior": "Isolated", "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [
            {"id": token_id, "content": token, "special": True, "normalized": False}
            | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
            for token, token_id in special.items()
        ],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "vocab": {token: token_id for token, token_id in named.items() if token not in special},
            "merges": merges,
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    config = {
        "tokenizer_class": "Qwen2Tokenizer",
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "add_bos_token": False,
        "chat_template": file.get("tokenizer.chat_template"),
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
