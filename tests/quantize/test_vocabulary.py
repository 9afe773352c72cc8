"""Tokens, special ids and pre-tokenisers as they reach llama.cpp."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from quantize.build import Recipe, build
from quantize.errors import QuantizeError, Unreadable, Unsupported
from quantize.export import write_gguf
from quantize.gguf_file import Field, GgufFile
from quantize.llama_model import running
from quantize.sentencepiece_model import read_pieces
from quantize.vocabulary import pre_tokenizer_name, read_vocabulary
from tests.quantize.conftest import Models
from tests.quantize.tiny import N_TOKENS, TEMPLATE, byte_level_tokenizer

TEXTS = [
    "¿Cómo se dice «good morning»? Se dice buenos días, ¡claro que sí!",
    "我昨天买了3本书，花了120块。",
    "C'est l'été; j'ai 25 ans...  deux   espaces\n\net une ligne.",
    "السلام عليكم، كيف حالك اليوم؟ ١٢٣",
    "don't you'll WE'VE 3.14 <b>x</b> 😀\t\ttab",
]


@pytest.mark.parametrize("family", ["qwen3", "llama"])
def test_llama_cpp_cuts_text_as_the_tokenizer_of_the_base(
    plain: dict[str, Path], models: Models, family: str
) -> None:
    tokenizer = Tokenizer.from_file(str(models[family].folder / "tokenizer.json"))
    with running(plain[family], n_ctx=128) as llama:
        for text in TEXTS:
            assert llama.tokenize(text) == tokenizer.encode(text, add_special_tokens=False).ids, text
        assert llama.tokenize("<|im_end|>", special=True) == [2]
        assert len(llama.tokenize("<|im_end|>", special=False)) > 1
        assert llama.ends(2)


@pytest.mark.parametrize("pre", ["qwen2", "smollm", "gpt-2"])
def test_the_pre_tokeniser_is_known_by_its_rule(pre: str) -> None:
    assert pre_tokenizer_name(json.loads(byte_level_tokenizer(pre).to_str())) == pre


def test_a_pre_tokeniser_that_is_not_known_is_refused() -> None:
    with pytest.raises(Unsupported, match="splits text in a way that is not known here: Whitespace"):
        pre_tokenizer_name({"pre_tokenizer": {"type": "Whitespace"}})


def test_tokens_are_the_bytes_of_the_file_and_missing_rows_are_padded(
    plain: dict[str, Path], models: Models
) -> None:
    file = GgufFile(plain["qwen3"])
    tokenizer = json.loads((models["qwen3"].folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = file.texts("tokenizer.ggml.tokens")
    for token, token_id in tokenizer["model"]["vocab"].items():
        assert tokens[token_id] == token
    assert tokens[N_TOKENS - 1] == f"[PAD{N_TOKENS - 1}]"
    assert file.get("tokenizer.ggml.token_type")[N_TOKENS - 1] == 5
    assert len(file.texts("tokenizer.ggml.merges")) == len(tokenizer["model"]["merges"])


def test_end_tokens_and_template_are_written(plain: dict[str, Path]) -> None:
    file = GgufFile(plain["qwen3"])
    assert file.get("tokenizer.ggml.eos_token_id") == 0  # <|endoftext|>, as tokenizer_config.json says
    assert file.get("tokenizer.ggml.eot_token_id") == 2  # <|im_end|>, as the template shows
    assert file.get("tokenizer.ggml.add_bos_token") is False
    assert file.get("tokenizer.chat_template") == TEMPLATE


def test_a_file_whose_special_tokens_changed_on_the_way_is_refused(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another_end(
        path: Path, architecture: str, fields: dict[str, Field], planned: Any, **rest: Any
    ) -> None:
        end = fields["tokenizer.ggml.eot_token_id"]
        write_gguf(
            path, architecture, fields | {"tokenizer.ggml.eot_token_id": replace(end, value=1)}, planned, **rest
        )  # fmt: skip

    monkeypatch.setattr("quantize.build.write_gguf", another_end)
    with pytest.raises(QuantizeError, match=r"does not hold the tokenizer\.ggml\.eot_token_id"):
        build(Recipe(models["qwen3"].folder, (), tmp_path / "out.gguf", type="F16"))


def test_generation_config_gives_the_end_token_that_the_tokenizer_does_not(
    models: Models, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(models["qwen3"].folder, tmp_path / "base"))
    (folder / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": None}), encoding="utf-8")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 0]}), encoding="utf-8")
    assert read_vocabulary(folder, N_TOKENS, "qwen3", None).special["eos"] == 2
    (folder / "generation_config.json").unlink()
    with pytest.raises(Unsupported, match="no end token"):
        read_vocabulary(folder, N_TOKENS, "qwen3", None)


def test_more_tokens_than_rows_are_refused(models: Models) -> None:
    with pytest.raises(Unsupported, match="tokens were added"):
        read_vocabulary(models["qwen3"].folder, 100, "qwen3", None)


def test_a_resized_embedding_is_refused(models: Models, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models["qwen3"].folder, tmp_path / "base"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": N_TOKENS + 8}), encoding="utf-8")
    with pytest.raises(Unsupported, match="the vocabulary was resized"):
        build(Recipe(folder, (), tmp_path / "out.gguf", type="F16"))


def test_sentencepiece_pieces_keep_their_scores_and_added_tokens_become_control(models: Models) -> None:
    folder = models["gemma3"].folder
    pieces = read_pieces(folder / "tokenizer.model")
    assert (pieces[2].text, pieces[2].kind) == (b"<bos>", 3)
    assert (pieces[6].text, pieces[6].kind) == (b"<0x00>", 6)
    fields = read_vocabulary(folder, N_TOKENS, "gemma3", None).fields
    tokens = fields["tokenizer.ggml.tokens"].value
    assert tokens[4:6] == [b"<|im_start|>", b"<|im_end|>"]
    assert fields["tokenizer.ggml.token_type"].value[4:6] == [3, 3]
    assert fields["tokenizer.ggml.scores"].value[tokens.index("▁e".encode())] == -1.0
    assert fields["tokenizer.ggml.add_space_prefix"].value is False


def test_a_broken_sentencepiece_model_is_refused(models: Models, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes((models["gemma3"].folder / "tokenizer.model").read_bytes()[:-3])
    with pytest.raises(Unreadable, match=r"tokenizer\.model is truncated"):
        read_pieces(path)


def test_gemma_without_its_sentencepiece_model_is_refused(models: Models, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models["gemma3"].folder, tmp_path / "base"))
    (folder / "tokenizer.model").unlink()
    with pytest.raises(Unsupported, match=r"has no tokenizer\.model"):
        read_vocabulary(folder, N_TOKENS, "gemma3", None)
