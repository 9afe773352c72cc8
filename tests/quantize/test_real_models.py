"""Real weights: a GGUF base with an adapter, merged and at run time, against transformers and PEFT.

QUANTIZE_REAL=qwen2.5-1.5b adds that model, which takes minutes, 16 GB of memory and 13 GB of scratch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, GgufConfig, PreTrainedModel

from quantize.build import Recipe, build
from quantize.gguf_file import GgufFile
from quantize.llama_model import running
from quantize.lora_gguf import build_adapter
from tests.quantize.real import real_model
from tests.quantize.tiny import TEMPLATE, peft_logits, save_adapter

pytestmark = pytest.mark.model
TEXT = "The tutor listens, notices what was meant, and asks one more question. Ayer fui al mercado con mi abuela."
TOLERANCE = {"smollm2-135m": 2e-3, "gemma3-270m": 0.1}
"""Largest difference of a logit, of a spread of 3 to 5. Gemma: llama.cpp's GELU is a table of half-precision values."""


@dataclass(frozen=True)
class Real:
    """A model from its GGUF, in torch and as a file, with an adapter."""

    name: str
    gguf: Path
    model: PreTrainedModel
    adapter: Path
    template: Path


MORE = os.environ.get("QUANTIZE_REAL", "").split()


@pytest.fixture(scope="module", params=[*sorted(TOLERANCE), *MORE])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """Loaded in float32, dequantised."""
    path, folder = real_model(request.param), tmp_path_factory.mktemp(request.param)
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    (folder / "chat.jinja").write_text(TEMPLATE, encoding="utf-8")
    adapter = save_adapter(model, folder / "adapter", spread=0.02, r=8, use_rslora=True)
    return Real(request.param, path, model.eval(), adapter, folder / "chat.jinja")


def test_export_and_merge_and_run_time_give_the_logits_of_transformers(real: Real, tmp_path: Path) -> None:
    template = real.template if real.name == "gemma3-270m" else None
    options = {"type": "F32", "template": template, "allow_unknown_base": True}
    base = build(Recipe(real.gguf, (), tmp_path / "base.gguf", **options)).path
    merged = build(Recipe(real.gguf, (real.adapter,), tmp_path / "merged.gguf", **options)).path
    lora = build_adapter(
        real.gguf, (real.adapter,), tmp_path / "l.gguf", kind="F32", allow_unknown_base=True
    ).path
    with running(base, n_ctx=64, exact_cache=True) as llama:
        ids = [*llama.start, *llama.tokenize(TEXT)]
        exported = llama.logits(ids).copy()
    with running(merged, n_ctx=64, exact_cache=True) as llama:
        with_adapter = llama.logits(ids).copy()
    with running(base, n_ctx=64, adapters=(lora,), exact_cache=True) as llama:
        at_run_time = llama.logits(ids).copy()
    with torch.no_grad():
        expected = real.model(torch.tensor([ids])).logits[0].numpy()
    expected_with = peft_logits(real.model, [real.adapter], ids).numpy()
    limit = TOLERANCE.get(real.name, 5e-3)
    assert np.abs(exported - expected).max() < limit
    assert np.abs(with_adapter - expected_with).max() < limit
    assert np.abs(at_run_time - with_adapter).max() < limit
    assert np.abs(with_adapter - exported).max() > 10 * limit


def test_a_quantised_base_keeps_its_vocabulary_and_metadata(real: Real, tmp_path: Path) -> None:
    built = build(Recipe(real.gguf, (), tmp_path / "out.gguf", type="Q8_0", template=real.template))
    before, after = GgufFile(real.gguf), GgufFile(built.path)
    ours = {"general.name", "general.file_type", "tokenizer.chat_template", "tokenizer.ggml.eot_token_id"}
    for key, field in before.fields.items():
        if key not in ours:
            assert after.fields[key] == field, key
    assert set(before.tensors) == set(after.tensors)
    assert after.get("tokenizer.chat_template") == TEMPLATE
