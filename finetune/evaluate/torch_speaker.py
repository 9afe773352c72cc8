"""A model that runs in transformers: base weights of a trainer, with PEFT adapters or without."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.errors import FinetuneError
from finetune.evaluate.asking import CUTS, Answer, Ask, Ended, cut, longest_version, version_ends
from finetune.evaluate.config import Model
from finetune.evaluate.engine_speaker import BEGIN, REPEAT_PENALTY
from tutor_app.llm.files import sha256_file
from tutor_app.llm.protocol import Sampling
from tutor_app.pedagogy import templates

if TYPE_CHECKING:
    import torch

WEIGHTS = ("*.safetensors", "*.gguf", "config.json", "adapter_config.json", "tokenizer.json")
REPLY_PART = 8
"""Tokens between looks at whether every reply has reached a place where the app would cut it."""


def fingerprint(model: Model) -> str:
    """Names the weights, adapters and template. Raises FinetuneError when a folder is not there."""
    parts = [templates.template_sha256(model.family or "")]
    for folder in (model.model, *model.adapters):
        files = sorted(one for pattern in WEIGHTS for one in Path(folder).glob(pattern))
        if not files:
            raise FinetuneError(
                f"{folder} has no weights in it: a model folder has config.json and *.safetensors."
            )
        parts += [f"{one.name} {sha256_file(one)}" for one in files]
    if model.adapters:
        parts.append("beside the weights")  # answers kept from when they were merged are not of this model
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class TorchSpeaker:
    """Asks a batch at a time, padded on the left."""

    def __init__(self, model: Model) -> None:
        """Loads the weights, on the GPU when there is one. Never uses the network."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._batch = model.batch
        self._family = model.family or ""
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        options: dict[str, Any] = {"dtype": torch.bfloat16 if self._device == "cuda" else torch.float32}
        if model.gguf_file:
            from transformers import GgufConfig

            options |= {"gguf_file": model.gguf_file, "quantization_config": GgufConfig(dequantize=True)}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                model.model, **({"gguf_file": model.gguf_file} if model.gguf_file else {})
            )
            net: Any = AutoModelForCausalLM.from_pretrained(model.model, **options)
            if model.adapters:
                net = _beside(net, model.adapters)
        except (OSError, ValueError, ImportError) as error:
            raise FinetuneError(f"{model.model} cannot be loaded: {str(error).splitlines()[0]}") from error
        self._net = net.to(self._device).eval()
        self._end = self._ids(templates.END_OF_TURN[self._family], True)

    def close(self) -> None:
        """Forget the weights."""
        del self._net

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """One each, in order; replies and revisions of a batch are generated together."""
        for start in range(0, len(asks), self._batch):
            batch = asks[start : start + self._batch]
            began = time.monotonic()
            found: dict[int, Answer] = {}
            made = [i for i, ask in enumerate(batch) if ask.kind != "score"]
            if made:
                for i, answer in zip(made, self._generated([batch[i] for i in made]), strict=True):
                    found[i] = answer
            for i, ask in enumerate(batch):
                if ask.kind == "score":
                    found[i] = self._scored(ask)
            seconds = round((time.monotonic() - began) / len(batch), 3)
            for i in range(len(batch)):
                one = found[i]
                yield Answer(one.text, one.ended, one.nats, one.draft_nats, one.tokens, seconds)

    def _generated(self, asks: Sequence[Ask]) -> list[Answer]:
        import torch

        prompts = [
            [*self._prompt(ask), *(self._ids(ask.before, False) if ask.before else [])] for ask in asks
        ]
        ids, mask = self._padded(prompts)
        limits = [
            longest_version(len(self._ids(ask.text, False)), ask.max_tokens)
            if ask.kind == "revise"
            else ask.max_tokens
            for ask in asks
        ]
        generators = [torch.Generator(self._device).manual_seed(ask.seed) for ask in asks]
        said: list[list[int]] = [[] for _ in asks]
        over: list[Ended | None] = [None] * len(asks)
        past: Any = None
        feed = ids
        with torch.inference_mode():
            for step in range(max(limits)):
                places = (mask.cumsum(-1) - 1).clamp(min=0)[:, -feed.shape[1] :]
                out = self._net(
                    input_ids=feed,
                    attention_mask=mask,
                    position_ids=places,
                    past_key_values=past,
                    use_cache=True,
                )
                past = out.past_key_values
                chosen = [
                    _sample(out.logits[i, -1].float(), ask, prompts[i] + said[i], generators[i])
                    for i, ask in enumerate(asks)
                ]
                for i, token in enumerate(chosen):
                    if over[i] is None:
                        over[i] = "model" if token in self._ends else None
                        if over[i] is None:
                            said[i].append(token)
                            over[i] = "length" if len(said[i]) >= limits[i] else None
                if step % REPLY_PART == REPLY_PART - 1:
                    for i, tokens in enumerate(said):
                        if over[i] is None and cut(self._text(tokens))[1]:
                            over[i] = "line"
                if all(over):
                    break
                feed = torch.tensor([[token] for token in chosen], device=self._device)
                mask = torch.cat([mask, mask.new_ones(len(asks), 1)], dim=1)
        return [
            self._answer(ask, prompt, tokens, ended or "length") for ask, prompt, tokens, ended in zip(asks, prompts, said, over, strict=True)
        ]  # fmt: skip

    def _answer(self, ask: Ask, prompt: list[int], tokens: list[int], ended: Ended) -> Answer:
        ends = version_ends(ask.text) if ask.kind == "revise" else CUTS
        text, was_cut = cut(self._text(tokens), ends)
        ended = "line" if was_cut else ended
        if ask.kind == "reply":
            return Answer(ask.before + text, ended, tokens=len(tokens))
        whole = self._likelihood(prompt, [*tokens, *self._end]) if ended == "model" else None
        draft = self._likelihood(prompt, [*self._ids(ask.text, False), *self._end])
        return Answer(text, ended, whole, draft, len(tokens))

    def _scored(self, ask: Ask) -> Answer:
        text = self._ids(ask.text, False)
        if ask.messages:
            ids, text = self._prompt(ask), [*text, *self._end]
        else:
            ids = [
                *self._ids(BEGIN[self._family], True),
                *(self._ids(ask.before, False) if ask.before else []),
            ]
        return Answer(ask.text, nats=self._likelihood(ids, text), tokens=len(text))

    def _likelihood(self, ids: list[int], continuation: list[int]) -> float:
        """Natural log-likelihood of `continuation` after `ids`."""
        import torch

        whole = torch.tensor([[*ids, *continuation]], device=self._device)
        with torch.inference_mode():
            logits = self._net(input_ids=whole).logits[0, len(ids) - 1 : -1].float()
        targets = torch.tensor(continuation, device=self._device)
        return float(logits.log_softmax(-1).gather(1, targets[:, None]).sum())

    @property
    def _ends(self) -> set[int]:
        """Ids that end a reply, as llama.cpp has them: the template's, and the model's own."""
        known = self._net.generation_config.eos_token_id
        return {*self._end, *(known if isinstance(known, list) else [known] if known is not None else [])}

    def _prompt(self, ask: Ask) -> list[int]:
        return templates.encode(templates.pieces(self._family, ask.messages, reply=True), self._ids).ids

    def _ids(self, text: str, special: bool) -> list[int]:
        ids: list[int] = self._tokenizer(
            text, add_special_tokens=False, split_special_tokens=not special
        ).input_ids
        return ids

    def _text(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _padded(self, prompts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and mask, [batch, longest]; the padding is never looked at."""
        import torch

        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(one)) + one for one in prompts], device=self._device)
        mask = torch.tensor(
            [[0] * (longest - len(one)) + [1] * len(one) for one in prompts], device=self._device
        )
        return ids, mask


def _beside(net: Any, adapters: Sequence[str]) -> Any:
    """`net` with `adapters` in its layers, which add their part in float32, as the app runs them.

    They are not merged into the weights: in bfloat16 a merge would lose most of so small a change.
    """
    from peft import PeftModel

    names = [f"stage{number}" for number in range(1, len(adapters) + 1)]
    peft: Any = PeftModel.from_pretrained(net, adapters[0], adapter_name=names[0])
    for adapter, name in zip(adapters[1:], names[1:], strict=True):
        peft.load_adapter(adapter, adapter_name=name)
    peft.base_model.set_adapter(names)
    return peft.get_base_model()


def _sample(logits: torch.Tensor, ask: Ask, past: list[int], generator: torch.Generator) -> int:
    """The next token as the app's engine would choose it: penalty, top-k, top-p, min-p, temperature."""
    import torch

    if ask.kind == "revise" or ask.temperature == 0:
        return int(logits.argmax())
    app = Sampling()
    recent = torch.tensor(sorted(set(past[-app.repeat_last_n :])), device=logits.device)
    seen = logits[recent]
    logits[recent] = torch.where(seen > 0, seen / REPEAT_PENALTY, seen * REPEAT_PENALTY)
    best, places = logits.topk(min(app.top_k, len(logits)))
    likely = best.softmax(-1)
    kept = (likely.cumsum(-1) - likely < app.top_p) & (likely >= app.min_p * likely[0])
    chances = (best[kept] / ask.temperature).softmax(-1)
    return int(places[kept][torch.multinomial(chances, 1, generator=generator)])
