"""The importance matrix of a model on given texts, per language, through llama.cpp's own forward pass.

Each matrix product of the model is looked at while it is computed, as llama.cpp's `llama-imatrix` does, and the mean
square of every input column is kept: columns that are fed strongly should be rounded with more care.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import Keys
from numpy.typing import NDArray

from quantize.dialogues import Dialogue
from quantize.divergence import windows
from quantize.errors import QuantizeError, Unsupported
from quantize.ggml_tensor import TYPE_F32, GgmlTensor, matrix_product_op, rows_of
from quantize.gguf_file import GgufFile
from quantize.imatrix_file import Imatrix
from quantize.llama_model import LlamaModel, running
from quantize.progress import Progress
from quantize.rendered import spread_ids

MIN_ROWS = 16
"""Products with fewer rows than this are not of the text (llama-imatrix's own limit)."""
MIN_TOKENS = 512
"""Less text than this in a language says nothing about it."""


@dataclass
class Collector:
    """Sums of squares by tensor, for the language at hand."""

    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    failure: str | None = None
    """Why a value could not be used. An exception cannot cross the C code that calls."""

    def __call__(self, address: Any, ask: bool, _user_data: Any) -> bool:
        """llama.cpp asks whether it should show this node, then shows it."""
        node = ctypes.cast(address, ctypes.POINTER(GgmlTensor)).contents
        if node.op != matrix_product_op():
            return False
        name = node.src[0].contents.name.decode("utf-8", "replace")
        inputs = node.src[1].contents
        wanted = name.startswith("blk.") and name.endswith(".weight") and inputs.ne[1] >= MIN_ROWS
        if not wanted or inputs.type != TYPE_F32:
            return False
        if not ask:
            self._add(name, inputs)
        return True

    def _add(self, name: str, inputs: GgmlTensor) -> None:
        rows = rows_of(inputs)
        squares = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
        if not np.isfinite(squares).all():
            self.failure = f"{name} was fed NaN or infinity; the model is damaged"
            return
        self.sums[name] = self.sums.get(name, 0.0) + squares
        self.counts[name] = self.counts.get(name, 0) + rows.shape[0]

    def means(self) -> dict[str, NDArray[np.float64]]:
        """Mean square of each input column."""
        return {name: total / self.counts[name] for name, total in self.sums.items()}


def measure_importance(
    model: Path,
    texts: Mapping[str, str],
    *,
    dialogues: Sequence[Dialogue] = (),
    weights: Mapping[str, float] | None = None,
    chunk_tokens: int = 512,
    max_tokens: int = 50_000,
    adapters: tuple[Path, ...] = (),
    threads: int | None = None,
) -> Imatrix:
    """Run `texts` (language → text) and `dialogues`, which name their language, through `model`.

    Conversations are read in the model's own template. Where a language has both, each gets half of the tokens. The
    languages are averaged equally unless `weights` says else: equally, because otherwise the language with the most text decides what the others lose. At most `max_tokens` of
    each language are used, in windows of `chunk_tokens`. Raises `QuantizeError` when a text is too short.
    """
    matrix_product_op()
    collector = Collector()
    means: dict[str, dict[str, NDArray[np.float64]]] = {}
    used: dict[str, int] = {}
    with running(model, n_ctx=chunk_tokens, adapters=adapters, threads=threads, on_eval=collector) as llama:
        ids = _ids(llama, texts, dialogues, max_tokens)
        for language, tokens in ids.items():
            if len(tokens) < MIN_TOKENS:
                raise QuantizeError(
                    f"the text for {language} has {len(tokens)} tokens; give at least {MIN_TOKENS}"
                )
        cut = {
            language: windows(tokens, chunk_tokens, max_tokens, llama.start)
            for language, tokens in ids.items()
        }
        progress = Progress("measuring", sum(len(found) for found in cut.values()))
        for language, found in cut.items():
            collector.sums, collector.counts = {}, {}
            for window in found:
                llama.logits(window)
                progress.step(language)
            used[language] = sum(len(window) for window in found)
            if collector.failure:
                raise Unsupported(collector.failure)
            means[language] = collector.means()
        progress.close()
    return Imatrix(_average(means, weights or {}), used, chunk_tokens)


def _ids(
    llama: LlamaModel, texts: Mapping[str, str], dialogues: Sequence[Dialogue], most: int
) -> dict[str, list[int]]:
    """Language → ids of its texts and conversations, `most` at the most."""
    spoken: dict[str, list[Dialogue]] = {}
    for dialogue in dialogues:
        if dialogue.language is None:
            raise QuantizeError('every conversation must name its language, as in {"language": "es", …}')
        spoken.setdefault(dialogue.language, []).append(dialogue)
    template = GgufFile(llama.path).get(Keys.Tokenizer.CHAT_TEMPLATE)
    if spoken and not template:
        raise QuantizeError(f"{llama.path} has no chat template to read conversations in; give --text only")
    ids: dict[str, list[int]] = {}
    for language in sorted(set(texts) | set(spoken)):
        part = most // 2 if language in texts and language in spoken else most
        ids[language] = llama.tokenize(texts.get(language, ""))[:part]
        ids[language] += spread_ids(
            llama, str(template), [one.messages for one in spoken.get(language, [])], part
        )
    return ids


def _average(
    means: Mapping[str, Mapping[str, NDArray[np.float64]]], weights: Mapping[str, float]
) -> dict[str, NDArray[np.float32]]:
    total = sum(weights.get(language, 1.0) for language in means)
    names = sorted({name for of_language in means.values() for name in of_language})
    averaged = {}
    for name in names:
        parts = [weights.get(language, 1.0) * of_language[name] for language, of_language in means.items()]
        averaged[name] = (np.sum(parts, axis=0) / total).astype(np.float32)
    return averaged
