"""The next token, chosen by llama.cpp's own samplers, and how likely the model thought it.

Only the worker process imports this file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from llama_cpp import llama_cpp as C
from numpy.typing import NDArray

from tutor_app.llm.protocol import Sampling
from tutor_app.llm.runtime import Handle, Runtime

SEED_RANGE = 2**32


def log_normaliser(logits: NDArray[np.float32], scratch: NDArray[np.float32]) -> float:
    """Natural log of the sum of exp(logits); `scratch` has their shape and is overwritten."""
    top = float(logits.max())
    np.subtract(logits, np.float32(top), out=scratch)
    np.exp(scratch, out=scratch)
    return top + math.log(float(scratch.sum()))


class Sampler:
    """One reply's worth of choices. The order is llama.cpp's: penalty, top k, top p, min p, temperature."""

    def __init__(self, runtime: Runtime, sampling: Sampling) -> None:
        self._runtime = runtime
        self._sampling = sampling
        self._scratch = np.empty(runtime.n_vocab, dtype=np.float32)
        self._chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        if sampling.temperature <= 0:
            self._add(C.llama_sampler_init_greedy())
        else:
            self._add(C.llama_sampler_init_top_k(sampling.top_k))
            self._add(C.llama_sampler_init_top_p(sampling.top_p, 1))
            self._add(C.llama_sampler_init_min_p(sampling.min_p, 1))
            self._add(C.llama_sampler_init_temp(sampling.temperature))
            self._add(C.llama_sampler_init_dist(sampling.seed % SEED_RANGE))

    def _add(self, sampler: Handle) -> None:
        C.llama_sampler_chain_add(self._chain, sampler)  # the chain owns it

    def next(self, recent: Iterable[int]) -> tuple[int, float]:
        """A token and its natural log-probability before penalties and filters.

        `recent` are the tokens to penalise: the last of prompt and reply.
        """
        logits = self._runtime.logits()
        normaliser = log_normaliser(logits, self._scratch)
        unpenalised = self._penalise(logits, recent)
        token = C.llama_sampler_sample(self._chain, self._runtime.context, -1)
        logit = unpenalised.get(token, float(logits[token]))
        return token, logit - normaliser

    def _penalise(self, logits: NDArray[np.float32], recent: Iterable[int]) -> dict[int, float]:
        """Weaken recent tokens in place (64 of them, not the whole vocabulary); give back what they were."""
        penalty = self._sampling.repeat_penalty
        if penalty == 1.0:
            return {}
        before = {token: float(logits[token]) for token in set(recent)}
        for token, logit in before.items():
            logits[token] = logit * penalty if logit <= 0 else logit / penalty
        return before

    def close(self) -> None:
        """Free the native samplers."""
        if self._chain:
            C.llama_sampler_free(self._chain)
            self._chain = None
