"""What a decoder makes of a piece of sound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The likeliest words, with how sure they are."""

    text: str
    language: str
    avg_logprob: float
    """Mean log probability of a token."""
    no_speech_prob: float
    compression_ratio: float
    tokens: int
    unsure: bool = False
    """Another language was heard in it, but could not be told apart: some of it may be translated or missing."""
