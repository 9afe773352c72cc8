"""One model and one context, driven through the C interface of llama.cpp.

Only the worker process imports this file. The package's own `Llama` class is not used: it cannot be stopped
during prefill, it compares tokens only when it reuses the context (so that it is silently wrong after an
adapter change), and its saved states carry hundreds of megabytes of unused scores.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp import llama_cpp as C
from numpy.typing import NDArray

from tutor_app.llm.amx import weights_may_be_repacked
from tutor_app.llm.tuner import ThreadTuner

Handle = Any
"""An opaque native pointer, or None."""

CHUNK = 64
"""Tokens of a prompt that are evaluated at a time. A call that is stopped leaves nothing behind, so that a prompt that
begins at the same place is cut the same way however often it was stopped, and gives the same bits. Stopping does not
wait for a chunk (`StopFlag`)."""
LAST_CHUNK = 96
"""A prompt's last chunk takes what is left when it is no more than this: a few tokens by themselves cost as much as
many, and a usual turn is 60 to 90."""
DEAR_CHUNK_S = 1.0
"""A chunk that takes so long (8 billion weights on two cores: five seconds) is not computed with fewer threads on trial
while a lesson begins."""


class Stopped(Exception):
    """The stop flag was raised; the context holds whole chunks only."""


class Refused(Exception):
    """The model or adapter cannot be loaded; the message is for the user."""


class DecodeFailed(Exception):
    """llama.cpp could not evaluate a batch."""


class StopFlag:
    """A byte that native code looks at after every operation of the graph.

    llama.cpp asks a callback whether to stop. A Python callback would take the interpreter's lock hundreds of
    times a token, so the callback is C's own `strlen` over two bytes: length 0 is "go on", 1 is "stop".
    """

    def __init__(self) -> None:
        self._bytes = ctypes.create_string_buffer(2)
        library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        self.callback = ctypes.cast(library.strlen, C.ggml_abort_callback)
        self.address = ctypes.cast(self._bytes, ctypes.c_void_p)

    def raise_(self) -> None:
        """Stop as soon as possible; from any thread."""
        self._bytes[0] = b"\x01"

    def lower(self) -> None:
        """Forget an earlier `raise_`."""
        self._bytes[0] = b"\x00"

    @property
    def raised(self) -> bool:
        """True between `raise_` and `lower`."""
        return self._bytes[0] != b"\x00"


class Runtime:
    """Weights, context, and the tokens whose KV state the context holds."""

    def __init__(self, stop: StopFlag) -> None:
        self.stop = stop
        self.past: list[int] = []
        self.n_ctx = 0
        self._tune([1])
        self.n_vocab = 0
        self.end_ids: tuple[int, ...] = ()
        """Every id that ends generation."""
        self._model: Handle = None
        self._vocab: Handle = None
        self._context: Handle = None
        self._batch = C.llama_batch_init(LAST_CHUNK, 0, 1)
        self._adapters: dict[str, Handle] = {}
        C.llama_backend_init()

    # -- loading ---------------------------------------------------------------------------------------------

    def load(
        self, path: Path, *, n_ctx: int, threads: Sequence[int], on_progress: Callable[[float], bool]
    ) -> None:
        """Open `path`. `on_progress` gets 0 to 1 and says whether to go on. Raises Refused, Stopped.

        `threads` are the counts to choose from while running, the first to be used first; one alone is kept to.
        """
        self.unload()
        callback = C.llama_progress_callback(lambda fraction, _: on_progress(fraction))
        params = C.llama_model_default_params()
        params.n_gpu_layers = 0
        params.use_extra_bufts = weights_may_be_repacked()
        # Repacked weights are copies. Beside them the mapped file would count twice, and the weights that are left in
        # it would lie in small pages (qwen2.5-1.5b Q4_K_M: 1.29 GB instead of 1.88, a token 72 ms instead of 81).
        params.load_mode = C.LLAMA_LOAD_MODE_NONE if params.use_extra_bufts else C.LLAMA_LOAD_MODE_MMAP
        params.progress_callback = callback
        model = C.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            if self.stop.raised:
                raise Stopped
            raise Refused("llama.cpp could not load the file")
        self._model = model
        self._vocab = C.llama_model_get_vocab(model)
        self.n_vocab = C.llama_vocab_n_tokens(self._vocab)
        # Once a model: asking for each of 262,144 ids takes a tenth of a second.
        self.end_ids = tuple(id for id in range(self.n_vocab) if C.llama_vocab_is_eog(self._vocab, id))
        trained_for = C.llama_model_n_ctx_train(model)
        wanted = min(n_ctx, trained_for) if trained_for > 0 else n_ctx
        self._context = self._new_context(wanted)
        self._tune(threads)
        self._touch()
        self.n_ctx = C.llama_n_ctx(self._context)

    def _touch(self) -> None:
        """Evaluate one token, so that weights are read from disk now and not when the first reply is waited for."""
        self.decode([0])
        self.keep(0)

    def _new_context(self, n_ctx: int) -> Handle:
        params = C.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = LAST_CHUNK
        params.n_ubatch = LAST_CHUNK
        params.flash_attn_type = C.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.swa_full = True  # else Gemma 3 forgets what is behind its window and no prefix could be reused
        params.abort_callback = self.stop.callback
        params.abort_callback_data = self.stop.address
        context = C.llama_init_from_model(self._model, params)
        if not context:
            raise Refused(f"there is not enough memory for a context of {n_ctx} tokens")
        return context

    def unload(self) -> None:
        """Give the memory back. The adapters go with the model."""
        if self._context:
            C.llama_free(self._context)
        if self._model:
            C.llama_model_free(self._model)
        self._context = self._model = self._vocab = None
        self._adapters.clear()
        self.past = []
        self.n_ctx = 0

    @property
    def cache_type(self) -> str:
        """How the KV state is laid out, for the key of a saved one."""
        return "f16/f16/plain/full-swa"

    @property
    def build(self) -> str:
        """Which llama.cpp this is."""
        return f"{llama_cpp.__version__}/{C.llama_version().decode()}"

    # -- vocabulary ------------------------------------------------------------------------------------------

    def is_control(self, token: int) -> bool:
        """True for ids that have no text of their own."""
        return bool(C.llama_vocab_is_control(self._vocab, token))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Ids of `text`, without BOS. Safe beside a running decode: the vocabulary does not change."""
        data = text.encode(errors="replace")  # half a surrogate pair is no text, and no reason to fail
        room = len(data) + 8
        tokens = (C.llama_token * room)()
        count = C.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes `token` stands for; none for a control token."""
        buffer = ctypes.create_string_buffer(64)
        size = C.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = C.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[:size]

    # -- context ---------------------------------------------------------------------------------------------

    def keep(self, count: int) -> None:
        """Forget all but the first `count` tokens."""
        if count == len(self.past):
            return
        memory = C.llama_get_memory(self._context)
        if count == 0 or not C.llama_memory_seq_rm(memory, 0, count, -1):
            C.llama_memory_clear(memory, False)
            count = 0
        del self.past[count:]

    def decode(self, tokens: Sequence[int], *, rows: int = 1) -> None:
        """Evaluate at most LAST_CHUNK more tokens; after it, the logits of the last `rows` of them can be read.

        Raises Stopped (the context is as before) and DecodeFailed.
        """
        start = len(self.past)
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = start + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = i >= len(tokens) - rows
        status = self._timed_decode(batch)
        if status != 0:
            C.llama_memory_seq_rm(C.llama_get_memory(self._context), 0, start, -1)
            if status == 2:
                raise Stopped
            raise DecodeFailed(f"llama.cpp returned {status} at token {start}")
        self.past.extend(tokens)

    def _tune(self, counts: Sequence[int]) -> None:
        """Single tokens are bound by memory and begin with `counts[0]`; prompts by arithmetic, and begin with all."""
        most = max(counts)
        for_prompts = [most, most - 1] if most > 1 and len(counts) > 1 else [most]
        self._token_tuner = ThreadTuner(counts, trial=4, stay=60)
        self._chunk_tuner = ThreadTuner(for_prompts, trial=1, stay=30, dear_s=DEAR_CHUNK_S)
        self._threads = (0, 0)

    def _timed_decode(self, batch: Any) -> int:
        """llama.cpp's status. Only single tokens and whole chunks are alike enough to be compared."""
        single, whole = batch.n_tokens == 1, batch.n_tokens == CHUNK
        for_prompts = self._chunk_tuner.threads if whole else self._chunk_tuner.best()
        wanted = (self._token_tuner.threads, for_prompts)
        if wanted != self._threads:
            C.llama_set_n_threads(self._context, *wanted)
            self._threads = wanted
        started = time.perf_counter()
        status: int = C.llama_decode(self._context, batch)
        if status == 0 and (single or whole):
            (self._token_tuner if single else self._chunk_tuner).took(time.perf_counter() - started)
        return status

    def logits(self, row: int = -1) -> NDArray[np.float32]:
        """A view of the logits, [n_vocab], of the last decode; -1 is its last row, -2 the one before.

        Valid until the next decode, and writable: sampling sees changes.
        """
        pointer = C.llama_get_logits_ith(self._context, row)
        address = ctypes.cast(pointer, ctypes.c_void_p).value
        assert address is not None
        return np.ctypeslib.as_array((ctypes.c_float * self.n_vocab).from_address(address))

    def state(self) -> NDArray[np.uint8]:
        """A copy of the KV state of all that is in the context."""
        size = C.llama_state_seq_get_size(self._context, 0)
        out = np.empty(size, dtype=np.uint8)
        written = C.llama_state_seq_get_data(self._context, _bytes_pointer(out), size, 0)
        return out[:written]

    def restore(self, tokens: Sequence[int], state: NDArray[np.uint8]) -> bool:
        """Put `state`, which was taken after `tokens`, into the context; False (and empty) if refused."""
        self.keep(0)
        if C.llama_state_seq_set_data(self._context, _bytes_pointer(state), len(state), 0) != len(state):
            C.llama_memory_clear(C.llama_get_memory(self._context), False)
            return False
        self.past = list(tokens)
        return True

    # -- adapters --------------------------------------------------------------------------------------------

    def set_adapters(self, adapters: Sequence[tuple[str, Path, float]]) -> None:
        """Replace the set: sha256, file and scale of each. Empties the context. Raises Refused."""
        self.keep(0)
        for sha256, path, _ in adapters:
            if sha256 not in self._adapters:
                loaded = C.llama_adapter_lora_init(self._model, str(path).encode())
                if not loaded:
                    raise Refused(f"the adapter {path.name} does not fit this model")
                self._adapters[sha256] = loaded
        count = len(adapters)
        handles = [self._adapters[sha256] for sha256, _, _ in adapters]
        pointers = (C.llama_adapter_lora_p_ctypes * count)(*handles)
        scales = (ctypes.c_float * count)(*(scale for _, _, scale in adapters))
        if C.llama_set_adapters_lora(self._context, pointers, count, scales) != 0:
            raise Refused("llama.cpp refused the adapters")

    @property
    def context(self) -> Handle:
        """For the sampler chain."""
        return self._context


def next_chunk(left: int) -> int:
    """How many of a prompt's `left` tokens to evaluate next."""
    return left if left <= LAST_CHUNK else CHUNK


def _bytes_pointer(array: NDArray[np.uint8]) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
