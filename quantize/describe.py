"""What is in a GGUF or an adapter: lineage first, then what it is, then its tensors by type."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import Keys, LlamaFileType

from quantize.errors import Unreadable
from quantize.files import sha256_bytes, sha256_file
from quantize.gguf_file import GgufFile
from quantize.lineage import read_lineage
from quantize.manifest import manifest_path, read_manifest
from quantize.peft_adapter import MANIFEST_NAME, read_adapter


def describe(path: Path) -> dict[str, Any]:
    """A GGUF file or a PEFT adapter folder as plain data, in the order in which it is shown."""
    if path.is_dir():
        return _describe_folder(path)
    if not path.is_file():
        raise Unreadable(f"there is no {path}")
    file = GgufFile(path)
    lineage = read_lineage(file)
    shown: dict[str, Any] = {
        "file": path.name,
        "sha256": sha256_file(path),
        "size_bytes": path.stat().st_size,
    }
    if lineage is not None:
        shown["lineage"] = {
            "name": lineage.name,
            "base": f"{lineage.base.id} ({lineage.base.sha256})",
            "stages": [f"{stage.id} ({stage.sha256})" for stage in lineage.stages],
            "languages": list(lineage.languages),
            "track": lineage.track,
            "licence": lineage.licence,
            "template_sha256": lineage.template_sha256,
            "data": lineage.data,
        }
    else:
        shown["lineage"] = None
    shown["manifest"] = _manifest(manifest_path(path))
    shown["model"] = _model(file)
    shown["tokens"] = _tokens(file)
    shown["tensors"] = _tensors(file)
    return shown


def _manifest(path: Path) -> dict[str, Any] | None:
    return read_manifest(path).model_dump(mode="json") if path.is_file() else None


def _model(file: GgufFile) -> dict[str, Any]:
    name = str(file.get(Keys.General.ARCHITECTURE, "?"))
    number = file.get(Keys.General.FILE_TYPE)
    known = {int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in LlamaFileType}
    model = {
        "type": file.get(Keys.General.TYPE, "model"),
        "architecture": name,
        "name": file.get(Keys.General.NAME),
        "quantisation": file.get("tutor.quantisation", known.get(number)),
        "parameters": sum(int(np.prod(tensor.shape)) for tensor in file.tensors.values()),
    }
    for key in ("block_count", "embedding_length", "context_length", "rope.freq_base"):
        if (value := file.get(f"{name}.{key}")) is not None:
            model[key] = value
    if (alpha := file.get(Keys.Adapter.LORA_ALPHA)) is not None:
        model["lora_alpha"] = alpha
    return model


def _tokens(file: GgufFile) -> dict[str, Any] | None:
    if Keys.Tokenizer.LIST not in file.fields:
        return None
    texts = file.fields[Keys.Tokenizer.LIST].value
    tokens: dict[str, Any] = {
        "count": len(texts),
        "model": file.get(Keys.Tokenizer.MODEL),
        "pre": file.get(Keys.Tokenizer.PRE),
    }
    for name, key in (
        ("bos", Keys.Tokenizer.BOS_ID),
        ("eos", Keys.Tokenizer.EOS_ID),
        ("eot", Keys.Tokenizer.EOT_ID),
    ):
        token_id = file.get(key)
        if token_id is not None and token_id < len(texts):
            tokens[name] = f"{token_id} {texts[token_id].decode('utf-8', 'replace')}"
    template = file.get(Keys.Tokenizer.CHAT_TEMPLATE)
    tokens["template_sha256"] = sha256_bytes(template.encode("utf-8")) if template else None
    return tokens


def _tensors(file: GgufFile) -> dict[str, Any]:
    counts = Counter(tensor.type.name for tensor in file.tensors.values())
    sizes: Counter[str] = Counter()
    for tensor in file.tensors.values():
        sizes[tensor.type.name] += tensor.n_bytes
    return {name: {"count": count, "size_bytes": sizes[name]} for name, count in sorted(counts.items())}


def _describe_folder(folder: Path) -> dict[str, Any]:
    adapter = read_adapter(folder)
    config = adapter.config
    return {
        "file": folder.name,
        "sha256": adapter.sha256,
        "lineage": _manifest(folder / MANIFEST_NAME),
        "adapter": {
            "rank": config.rank,
            "alpha": config.alpha,
            "rank_stabilised": config.rank_stabilised,
            "base": config.base,
            "modules": len(adapter.pairs),
            "parameters": sum(
                int(np.prod(pair.a.shape)) + int(np.prod(pair.b.shape)) for pair in adapter.pairs
            ),
        },
    }


def table(shown: dict[str, Any], indent: int = 0) -> list[str]:
    """`describe`'s data as lines for people."""
    lines: list[str] = []
    for key, value in shown.items():
        label = "  " * indent + key
        if isinstance(value, dict) and value:
            lines += [label, *table(value, indent + 1)]
        elif isinstance(value, list):
            lines.append(f"{label:<22} {'; '.join(str(item) for item in value) or '–'}")
        else:
            lines.append(f"{label:<22} {'–' if value in (None, {}) else value}")
    return lines
