"""Tiny random models of every supported family, with a real tokenizer, and LoRA adapters for them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from quantize.vocabulary import QWEN2

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CORPUS = [
    "¿Qué comiste hoy? Hoy comí arroz con frijoles en casa de mi abuela.",
    "我今天去学校了。你呢？我在家里看书。",
    "Je suis allé au marché hier avec ma sœur; il faisait très beau.",
    "The tutor listens, notices and asks one more question about it.",
    "ذهبت إلى السوق مع أخي أمس واشترينا الخبز.",
] * 4
N_TOKENS = 320
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
COMMON: dict[str, Any] = {
    "vocab_size": N_TOKENS,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": None,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
FAMILIES = ("qwen3", "qwen3-tied", "qwen2", "llama", "llama3-rope", "gemma3")


def random_model(family: str, seed: int = 0) -> PreTrainedModel:
    """A model whose every weight, bias and norm is random, so that none can be left out unnoticed."""
    torch.manual_seed(seed)
    rope = {"rope_type": "default", "rope_theta": 1_000_000.0}
    if family.startswith("qwen3"):
        config: Any = Qwen3Config(
            **COMMON,
            num_hidden_layers=2,
            head_dim=16,
            rope_parameters=rope,
            tie_word_embeddings=family == "qwen3-tied",
        )
        model: PreTrainedModel = Qwen3ForCausalLM(config)
    elif family == "qwen2":
        config = Qwen2Config(**COMMON, num_hidden_layers=2, rope_parameters=rope, tie_word_embeddings=True)
        model = Qwen2ForCausalLM(config)
    elif family.startswith("llama"):
        if family == "llama3-rope":
            rope = {
                "rope_type": "llama3",
                "rope_theta": 500_000.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64,
            }
        config = LlamaConfig(**COMMON, num_hidden_layers=2, rope_parameters=rope, tie_word_embeddings=False)
        model = LlamaForCausalLM(config)
    else:
        config = Gemma3TextConfig(
            **COMMON,
            num_hidden_layers=7,  # so that the sixth is a global one
            head_dim=16,
            sliding_window=16,
            query_pre_attn_scalar=16,
            rope_parameters={
                "full_attention": rope,
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
            tie_word_embeddings=True,
        )
        model = Gemma3ForCausalLM(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            spread = 0.3 if name.endswith(("norm.weight", ".bias")) else 0.08
            centre = 1.0 if name.endswith("norm.weight") and family != "gemma3" else 0.0
            parameter.copy_(torch.randn_like(parameter) * spread + centre)
    return model.eval()


def byte_level_tokenizer(pre: str = "qwen2", corpus: list[str] | None = None) -> Tokenizer:
    """A small byte-level BPE tokenizer with the splitting rule of a real family."""
    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pre in ("smollm", "gpt-2"))
    if pre == "qwen2":
        from tokenizers import Regex

        split = pre_tokenizers.Split(Regex(QWEN2), behavior="isolated", invert=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    elif pre == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), byte_level]
        )
    else:
        tokenizer.pre_tokenizer = byte_level
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_TOKENS - 8,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus or CORPUS, trainer)
    return tokenizer


def save_tokenizer(folder: Path, family: str, template: str = TEMPLATE) -> None:
    """The tokenizer files of a model folder."""
    if family == "gemma3":
        write_sentencepiece(folder / "tokenizer.model")
        config: dict[str, Any] = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"}
        config["added_tokens_decoder"] = {
            "4": {"content": "<|im_start|>", "special": True},
            "5": {"content": "<|im_end|>", "special": True},
        }
        added = [{"id": n, "content": text} for n, text in enumerate(["<pad>", "<eos>", "<bos>"])]
        (folder / "tokenizer.json").write_text(
            json.dumps({"model": {}, "added_tokens": added}), encoding="utf-8"
        )
    else:
        llama = family.startswith("llama")
        tokenizer = byte_level_tokenizer("smollm", CORPUS[3:4]) if llama else byte_level_tokenizer()
        tokenizer.save(str(folder / "tokenizer.json"))
        config = {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "add_bos_token": False}
    config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def write_sentencepiece(path: Path) -> None:
    """A sentencepiece model: control tokens, bytes, and a few letters and pairs."""
    pieces = [("<pad>", 0.0, 3), ("<eos>", 0.0, 3), ("<bos>", 0.0, 3), ("<unk>", 0.0, 2)]
    pieces += [("<a>", -1.0, 1), ("<b>", -1.0, 1)]  # overwritten by added_tokens_decoder
    pieces += [(f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)]
    letters = ["▁"] + [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces += [(letter, -100.0 - n, 1) for n, letter in enumerate(letters)]
    pieces += [(pair, -1.0 - n, 1) for n, pair in enumerate(["▁e", "es", "la", "que", "qu"])]

    def field(number: int, body: bytes) -> bytes:
        return bytes([number << 3 | 2, len(body)]) + body

    data = b""
    for text, score, kind in pieces:
        body = (
            field(1, text.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", score) + bytes([3 << 3, kind])
        )
        data += field(1, body)
    # trainer_spec: model_type BPE, byte_fallback true.
    path.write_bytes(data + field(2, bytes([3 << 3, 2, 0x98, 0x02, 1])))


def save_model(model: PreTrainedModel, folder: Path, family: str, *, shard: str | None = None) -> Path:
    """A model folder in Hugging Face's layout."""
    folder.mkdir(parents=True)
    model.save_pretrained(folder, max_shard_size=shard or "5GB")
    save_tokenizer(folder, family)
    return folder


def save_adapter(
    model: PreTrainedModel,
    folder: Path,
    *,
    seed: int = 1,
    spread: float = 0.05,
    manifest: Mapping[str, Any] | None = None,
    **options: Any,
) -> Path:
    """A LoRA with random A and B as PEFT saves it. Leaves `model` as it was."""
    config = LoraConfig(
        **{"r": 4, "lora_alpha": 16, "target_modules": PROJECTIONS, "task_type": "CAUSAL_LM"} | options
    )
    torch.manual_seed(seed)
    peft = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in peft.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn_like(parameter) * spread)
    peft.save_pretrained(str(folder), save_embedding_layers=False)
    peft.unload()
    if manifest is not None:
        (folder / "manifest.json").write_text(json.dumps(dict(manifest)), encoding="utf-8")
    return folder


def peft_logits(model: PreTrainedModel, adapters: list[Path], ids: list[int]) -> torch.Tensor:
    """Logits [len(ids), vocabulary] of the model with a stack of adapters, merged by PEFT in float32."""
    import copy

    from peft import PeftModel

    merged: Any = copy.deepcopy(model).float()
    for adapter in adapters:
        merged = PeftModel.from_pretrained(merged, str(adapter)).merge_and_unload()
    with torch.no_grad():
        return merged(torch.tensor([ids])).logits[0]
