"""The tokenizer inside a GGUF file, so that a base that is only a GGUF needs no other file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError


def tokenizer_json(gguf: Path) -> str:
    """What `tokenizer.json` would hold. Raises FinetuneError for a file without a tokenizer that can be read."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise FinetuneError(
            "Reading a GGUF's tokenizer needs transformers. Run: pip install 'linguist-tutor[finetune]'"
        ) from error
    try:
        loaded: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise FinetuneError(f"{gguf} has no tokenizer that can be read: {error}") from error
    text: str = loaded.backend_tokenizer.to_str()
    return text
