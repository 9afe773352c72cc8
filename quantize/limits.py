"""How far a quantised model may be from its source, as a YAML file."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from quantize.errors import Unreadable
from quantize.files import read_text


class Limits(BaseModel):
    """What `verify` accepts. Figures are the worst that may be; none switches a check off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top1_agreement_min: float | None = 0.85
    """Share of positions where both would say the same next token, in every language (0 to 1)."""
    mean_kl_max: float | None = 0.06
    """Kullback–Leibler divergence of the result from its source, nats a token, in every language. Llama-3-8B:
    0.0014 at Q8_0, 0.0055 at Q6_K, 0.011 at Q5_K_M, 0.03 at Q4_K_M. Qwen2.5 1.5B with our Spanish variant, from weights
    that were in Q4_K_M before: 0.0009, 0.006, 0.018 and 0.08 to 0.1, and the last is what the limit is there to refuse."""
    perplexity_ratio_max: float | None = 1.06
    """Perplexity of the result ÷ that of its source, in every language."""
    stop_rate_min: float | None = 0.99
    """Share of prompts to which the result ends its reply by itself. A base that never saw the template fails this."""
    stop_tokens: int = 200
    """A reply longer than this counts as one that does not stop."""
    window_tokens: int = 256
    """Texts are read in windows of this length."""
    skip_tokens: int = 16
    """Positions at the start of a window that are not counted: with so little context both models guess."""
    max_tokens: int = 4096
    """Tokens of each language at the most."""


def read_limits(path: Path | None) -> Limits:
    """The limits in a YAML file, or the defaults. Raises `Unreadable` with the key that is wrong."""
    if path is None:
        return Limits()
    try:
        loaded = yaml.safe_load(read_text(path))
        return Limits.model_validate(loaded or {})
    except yaml.YAMLError as error:
        raise Unreadable(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Unreadable(f"{path}: {place}: {first['msg'].lower()}") from error
