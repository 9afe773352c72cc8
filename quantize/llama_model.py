"""A GGUF run by llama.cpp for measuring: token ids in, logits of every position out.

The low-level calls are used because the package's `Llama` class renders its own templates, keeps half a gigabyte of
scores, and takes one adapter at the most.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quantize.errors import QuantizeError, Unreadable
from quantize.llama_log import llama_log
from quantize.mapped import Float32

EvalCallback = Callable[[Any, bool, Any], bool]


def has_amx() -> bool:
    """Whether this Linux processor has AMX, for which llama.cpp must not repack weights: built by GCC before 12.4 or 13.3,
    it dies of its first matrix product (ggml-org/llama.cpp#20824)."""
    try:
        return "amx_tile" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


class LlamaModel:
    """A loaded model with its context. Not for more than one thread."""

    def __init__(
        self,
        path: Path,
        *,
        n_ctx: int = 512,
        adapters: Sequence[Path] = (),
        threads: int | None = None,
        on_eval: EvalCallback | None = None,
        exact_cache: bool = False,
        vocabulary_only: bool = False,
    ) -> None:
        """`exact_cache` keeps keys and values in float32, to compare with other programs; the app keeps F16.

        With `vocabulary_only` no weights are read, and it can tokenise but not run.
        """
        import llama_cpp

        self.lib: Any = llama_cpp
        self.path, self.n_ctx = path, n_ctx
        self._model: Any = None
        self._context: Any = None
        self._batch: Any = None
        llama_cpp.llama_backend_init()
        try:
            with llama_log() as errors:
                self._load(errors, vocabulary_only)
                if not vocabulary_only:
                    self._context = self._new_context(threads, on_eval, exact_cache)
                    self._add_adapters(adapters)
        except QuantizeError:
            self.close()
            raise
        self.vocab: Any = llama_cpp.llama_model_get_vocab(self._model)
        self.n_vocab = int(llama_cpp.llama_vocab_n_tokens(self.vocab))
        adds_bos = llama_cpp.llama_vocab_get_add_bos(self.vocab)
        self.start: list[int] = [int(llama_cpp.llama_vocab_bos(self.vocab))] if adds_bos else []
        """What every text begins with. Without it Gemma's perplexity is four times as high."""
        if not vocabulary_only:
            self._batch = llama_cpp.llama_batch_init(n_ctx, 0, 1)

    def _load(self, errors: list[str], vocabulary_only: bool) -> None:
        params = self.lib.llama_model_default_params()
        params.n_gpu_layers = 0
        params.use_extra_bufts = not has_amx()
        params.vocab_only = vocabulary_only
        self._model = self.lib.llama_model_load_from_file(os.fsencode(self.path), params)
        if not self._model:
            raise Unreadable(f"llama.cpp cannot load {self.path}: {(errors or ['no reason given'])[0]}")

    def _new_context(self, threads: int | None, on_eval: EvalCallback | None, exact_cache: bool) -> Any:
        params = self.lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self.n_ctx
        # One core is left to others: threads that wait for one another crawl when a core is taken from one of them.
        params.n_threads = params.n_threads_batch = threads or max(1, (os.cpu_count() or 2) - 1)
        params.no_perf = True
        if exact_cache:
            params.type_k = params.type_v = self.lib.GGML_TYPE_F32
            params.flash_attn_type = self.lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if on_eval is not None:
            # Kept on the object: the library calls it for as long as the context lives.
            self._on_eval = self.lib.ggml_backend_sched_eval_callback(on_eval)
            params.cb_eval = self._on_eval
        context = self.lib.llama_init_from_model(self._model, params)
        if not context:
            raise QuantizeError(
                f"llama.cpp has no memory for {self.path.name} with {self.n_ctx} tokens of context"
            )
        return context

    def _add_adapters(self, adapters: Sequence[Path]) -> None:
        if not adapters:
            return
        loaded = (self.lib.llama_adapter_lora_p_ctypes * len(adapters))()
        for index, path in enumerate(adapters):
            adapter = self.lib.llama_adapter_lora_init(self._model, os.fsencode(path))
            if not adapter:
                raise Unreadable(f"llama.cpp cannot load the adapter {path} on {self.path.name}")
            loaded[index] = adapter
        scales = (ctypes.c_float * len(adapters))(*[1.0] * len(adapters))
        if self.lib.llama_set_adapters_lora(self._context, loaded, len(adapters), scales):
            raise QuantizeError(f"llama.cpp did not take the adapters on {self.path.name}")

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Ids of `text`, without `start`. `special`: text such as <|im_end|> becomes its token."""
        data = text.encode("utf-8")
        size = len(data) + 16
        ids = (ctypes.c_int32 * size)()
        count = self.lib.llama_tokenize(self.vocab, data, len(data), ids, size, False, special)
        if count < 0:
            raise QuantizeError(f"{self.path.name} cannot tokenize a text of {len(data)} bytes")
        return list(ids[:count])

    def ends(self, token: int) -> bool:
        """Whether this token ends a generation."""
        return bool(self.lib.llama_vocab_is_eog(self.vocab, token))

    def logits(self, ids: Sequence[int]) -> Float32:
        """Logits after each token [len(ids), vocabulary], from an empty context. Valid until the next call."""
        self._forget()
        self._decode(ids, 0, every=True)
        pointer = self.lib.llama_get_logits(self._context)
        return np.ctypeslib.as_array(pointer, shape=(len(ids), self.n_vocab))

    def generate(self, ids: Sequence[int], max_tokens: int) -> tuple[list[int], bool]:
        """The likeliest continuation, and whether it ended of itself within `max_tokens` and the context."""
        self._forget()
        self._decode(ids, 0, every=False)
        made: list[int] = []
        while len(made) < max_tokens and len(ids) + len(made) < self.n_ctx:
            row = np.ctypeslib.as_array(
                self.lib.llama_get_logits_ith(self._context, -1), shape=(self.n_vocab,)
            )
            token = int(row.argmax())
            if self.ends(token):
                return made, True
            made.append(token)
            self._decode([token], len(ids) + len(made) - 1, every=False)
        return made, False

    def _forget(self) -> None:
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self._context), True)

    def _decode(self, ids: Sequence[int], start: int, *, every: bool) -> None:
        if not 0 < len(ids) <= self.n_ctx - start:
            raise QuantizeError(f"{len(ids)} tokens do not fit the context of {self.n_ctx}")
        batch = self._batch
        batch.n_tokens = len(ids)
        for index, token in enumerate(ids):
            batch.token[index] = token
            batch.pos[index] = start + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = every or index == len(ids) - 1
        if (failed := self.lib.llama_decode(self._context, batch)) != 0:
            raise QuantizeError(f"llama.cpp failed on {self.path.name} (llama_decode returned {failed})")

    def close(self) -> None:
        """Give the memory back."""
        if self._batch is not None:
            self.lib.llama_batch_free(self._batch)
        if self._context:
            self.lib.llama_free(self._context)
        if self._model:
            self.lib.llama_model_free(self._model)
        self._batch = self._context = self._model = None


@contextlib.contextmanager
def running(path: Path, **options: Any) -> Iterator[LlamaModel]:
    """A `LlamaModel` for the length of a block."""
    model = LlamaModel(path, **options)
    try:
        yield model
    finally:
        model.close()
