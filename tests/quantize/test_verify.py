"""Comparing a result with its source, templates, and limits."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from quantize.build import Recipe, build
from quantize.dialogues import BUILT_IN, Dialogue, read_dialogues
from quantize.divergence import Tally, log_softmax, windows
from quantize.errors import QuantizeError, Unreadable
from quantize.limits import Limits, read_limits
from quantize.llama_model import LlamaModel, running
from quantize.lora_gguf import build_adapter
from quantize.manifest import manifest_path, read_manifest
from quantize.source import as_gguf
from quantize.template import choose_template, end_of_turn, pieces, read_template, render
from quantize.verify import prompts, record, stop_rate, verify
from tests.quantize.conftest import Models
from tests.quantize.tiny import SPECIAL, TEMPLATE

TEXTS = {"es": "Hoy comí arroz con frijoles en casa de mi abuela. " * 8, "zh": "我今天去学校了，你呢？" * 12}
LIMITS = Limits(stop_rate_min=None, window_tokens=128)
TOKENS = {"bos_token": "", "eos_token": "<|endoftext|>"}


def test_figures_follow_their_definitions() -> None:
    rng = np.random.default_rng(0)
    source, result = rng.normal(size=(2, 50, 17)).astype(np.float32)
    targets = rng.integers(0, 17, 50)
    tally = Tally()
    tally.add(source, result, targets)
    figures = tally.figures()
    p = np.exp(source) / np.exp(source).sum(1, keepdims=True)
    q = np.exp(result) / np.exp(result).sum(1, keepdims=True)
    rows = np.arange(50)
    assert figures.positions == 50
    assert figures.mean_kl == pytest.approx(float((p * np.log(p / q)).sum(1).mean()), rel=1e-5)
    assert figures.top1_agreement == float((source.argmax(1) == result.argmax(1)).mean())
    assert figures.result_perplexity == pytest.approx(
        math.exp(-float(np.log(q[rows, targets]).mean())), rel=1e-5
    )
    assert figures.perplexity_ratio == figures.result_perplexity / figures.source_perplexity


def test_log_softmax_does_not_overflow() -> None:
    values = log_softmax(np.array([[1e4, 0.0, -1e4]], dtype=np.float32))
    np.testing.assert_allclose(values, [[0.0, -1e4, -2e4]])


def test_windows_begin_with_the_start_token_and_drop_a_short_rest() -> None:
    assert windows(list(range(10)), 5, 100, (99,)) == [[99, 0, 1, 2, 3], [99, 4, 5, 6, 7], [99, 8, 9]]
    assert windows(list(range(9)), 5, 100, (99,)) == [[99, 0, 1, 2, 3], [99, 4, 5, 6, 7]]
    assert windows([1, 2], 100, 100) == [[1, 2]]
    assert windows(list(range(100)), 5, 11) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert windows(list(range(100)), 5, 10) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_file_compared_with_itself_differs_in_nothing(plain: dict[str, Path]) -> None:
    verification = verify(plain["qwen3"], plain["qwen3"], TEXTS, limits=LIMITS)
    assert verification.failures == ()
    for figures in verification.languages.values():
        assert figures.top1_agreement == 1.0
        assert abs(figures.mean_kl) < 1e-9
        assert figures.perplexity_ratio == 1.0


def test_a_coarse_type_fails_and_says_by_how_much(
    models: Models, plain: dict[str, Path], tmp_path: Path
) -> None:
    built = build(Recipe(models["qwen3"].folder, (), tmp_path / "coarse.gguf", type="Q4_0"))
    strict = LIMITS.model_copy(
        update={"mean_kl_max": 1e-6, "top1_agreement_min": 1.0, "perplexity_ratio_max": 0.5}
    )
    verification = verify(built.path, plain["qwen3"], TEXTS, limits=strict)
    assert any(failure.startswith("zh: divergence 0.0") for failure in verification.failures)
    assert any("perplexity" in failure for failure in verification.failures)
    record(verification)
    evaluation = read_manifest(manifest_path(built.path)).evaluation["quantisation"]
    assert evaluation["passed"] is False
    assert evaluation["languages"]["es"]["mean_kl"] > 0


def test_adapters_can_be_given_as_folders_or_as_gguf(
    models: Models, plain: dict[str, Path], tmp_path: Path
) -> None:
    tiny = models["qwen3"]
    merged = build(Recipe(tiny.folder, tiny.adapters, tmp_path / "merged.gguf", type="F16")).path
    lora = build_adapter(tiny.folder, tiny.adapters, tmp_path / "lora.gguf", kind="F16").path
    for source, adapters in ((tiny.folder, tiny.adapters), (plain["qwen3"], (lora,))):
        with as_gguf(source, adapters, merged) as (file, run_time):
            verification = verify(merged, file, TEXTS, limits=LIMITS, adapters=run_time)
        assert all(figures.mean_kl < 1e-5 for figures in verification.languages.values())
    without = verify(merged, plain["qwen3"], TEXTS, limits=LIMITS)
    assert all(figures.mean_kl > 1e-3 for figures in without.languages.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "lora.gguf",
        "lora.manifest.json",
        "merged.gguf",
        "merged.manifest.json",
    ]


def test_a_source_with_another_vocabulary_is_refused(plain: dict[str, Path]) -> None:
    with pytest.raises(QuantizeError, match="different tokens"):
        verify(plain["qwen3"], plain["llama"], {"es": "¿Qué comiste hoy? " * 20}, limits=LIMITS)
    with pytest.raises(QuantizeError, match="too short"):
        verify(plain["qwen3"], plain["qwen3"], {"es": "a"}, limits=LIMITS)


def test_training_ids_and_the_tokenizer_of_training_are_compared(
    models: Models, plain: dict[str, Path]
) -> None:
    with running(plain["qwen3"], n_ctx=512) as llama:
        found = pieces(TEMPLATE, BUILT_IN[0].messages, add_generation_prompt=False, tokens=TOKENS)
        ids = tuple(token for text, special in found for token in llama.tokenize(text, special=special))
    good, bad = Dialogue(BUILT_IN[0].messages, ids), Dialogue(BUILT_IN[0].messages, (*ids[:7], 0, *ids[8:]))
    assert not verify(plain["qwen3"], plain["qwen3"], TEXTS, limits=LIMITS, dialogues=[good]).failures
    failures = verify(plain["qwen3"], plain["qwen3"], TEXTS, limits=LIMITS, dialogues=[good, bad]).failures
    assert failures == ("conversation 2: training saw other tokens, from number 7 on",)
    own = models["qwen3"].folder / "tokenizer.json"
    assert not verify(plain["qwen3"], plain["qwen3"], TEXTS, limits=LIMITS, tokenizer=own).failures
    asked = [Dialogue(({"role": "user", "content": "¿Qué comiste hoy?"},))]
    checked = verify(plain["llama"], plain["llama"], TEXTS, limits=LIMITS, tokenizer=own, dialogues=asked)
    assert "the tokenizer of training differs" in checked.failures[0]


def test_stopping_is_counted(plain: dict[str, Path]) -> None:
    with running(plain["qwen3"], n_ctx=400) as llama:
        assert stop_rate(llama, TEMPLATE, BUILT_IN, max_tokens=4) in (
            0.0,
            *(n / len(BUILT_IN) for n in range(7)),
        )
        llama.ends = lambda _token: True  # type: ignore[method-assign]
        assert stop_rate(llama, TEMPLATE, BUILT_IN, max_tokens=4) == 1.0
        llama.ends = lambda _token: False  # type: ignore[method-assign]
        assert stop_rate(llama, TEMPLATE, BUILT_IN, max_tokens=4) == 0.0


def test_a_long_system_part_is_asked_whole(plain: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def listen(model: LlamaModel, ids: list[int], max_tokens: int) -> tuple[list[int], bool]:
        assert len(ids) + max_tokens <= model.n_ctx
        asked.append(ids)
        return [], True

    monkeypatch.setattr(LlamaModel, "generate", listen)
    messages = {"role": "system", "content": "¿Qué comiste hoy? " * 80}, {"role": "user", "content": "Arroz."}
    limits = LIMITS.model_copy(update={"stop_rate_min": 1.0, "stop_tokens": 4})
    found = verify(plain["qwen3"], plain["qwen3"], TEXTS, limits=limits, dialogues=[Dialogue(messages)])
    assert found.stop_rate == 1.0
    with running(plain["qwen3"], vocabulary_only=True) as llama:
        (whole,) = prompts(llama, TEMPLATE, [Dialogue(messages)])
    assert len(whole) > 600
    assert asked == [whole]


def test_limits_name_the_wrong_key(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text("mean_kl_max: 0.5\nstop_rate_min: null\n", encoding="utf-8")
    assert read_limits(path) == Limits(mean_kl_max=0.5, stop_rate_min=None)
    path.write_text("mean_kl: 0.5\n", encoding="utf-8")
    with pytest.raises(Unreadable, match=r"limits\.yaml: mean_kl: extra"):
        read_limits(path)
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(Unreadable, match="is not YAML"):
        read_limits(path)


def test_conversations_are_read_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    line = json.dumps({"messages": [{"role": "user", "content": "Hola"}], "ids": [1, 2]})
    path.write_text(line + "\n\n" + line + "\n", encoding="utf-8")
    assert [dialogue.ids for dialogue in read_dialogues(path)] == [(1, 2), (1, 2)]
    path.write_text(line + "\n{}\n", encoding="utf-8")
    with pytest.raises(Unreadable, match=r"d\.jsonl:2: not a conversation"):
        read_dialogues(path)


def test_a_typed_control_token_stays_text() -> None:
    found = pieces(
        TEMPLATE, [{"role": "user", "content": "<|im_end|>"}], add_generation_prompt=True, tokens=TOKENS
    )
    assert found == [
        ("<|im_start|>user\n", True),
        ("<|im_end|>", False),
        ("<|im_end|>\n<|im_start|>assistant\n", True),
    ]


def test_the_end_of_a_turn_is_found_in_the_template() -> None:
    assert end_of_turn(TEMPLATE, SPECIAL, TOKENS) == "<|im_end|>"
    assert end_of_turn("{{ messages[-1]['content'] }}{{ eos_token }}", SPECIAL, TOKENS) == "<|endoftext|>"
    assert end_of_turn("{{ messages[-1]['content'] }}", SPECIAL, TOKENS) is None


def test_the_marks_of_training_are_transparent() -> None:
    marked = "{% for m in messages %}{% generation %}{{ m['content'] }}{% endgeneration %}!{% endfor %}"
    assert (
        render(marked, [{"role": "assistant", "content": "hi"}], add_generation_prompt=False, tokens={})
        == "hi!"
    )


def test_the_template_of_training_is_found_by_its_hash_and_no_other_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "ours.jinja"
    path.write_text(TEMPLATE, encoding="utf-8")
    other = tmp_path / "other.jinja"
    other.write_text("x" + TEMPLATE, encoding="utf-8")
    sha256 = read_template(path).sha256
    assert choose_template(None, [sha256, sha256], [tmp_path], None).text == TEMPLATE
    assert choose_template(path, [sha256], [], None).text == TEMPLATE
    assert choose_template(None, [], [], TEMPLATE).source == "the base model's own"
    with pytest.raises(QuantizeError, match="is not the template the adapters were trained with"):
        choose_template(other, [sha256], [], None)
    with pytest.raises(QuantizeError, match="that is not here"):
        choose_template(None, ["0" * 64], [tmp_path], TEMPLATE)
    with pytest.raises(QuantizeError, match="different chat templates"):
        choose_template(None, [sha256, "0" * 64], [tmp_path], None)
    with pytest.raises(QuantizeError, match="neither the base nor an adapter"):
        choose_template(None, [], [], None)
