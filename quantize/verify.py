"""A finished GGUF against its source, in llama.cpp, on the same token ids."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import Keys

from quantize.dialogues import BUILT_IN, Dialogue
from quantize.divergence import Figures, Tally, windows
from quantize.errors import QuantizeError, Unreadable
from quantize.files import sha256_bytes
from quantize.gguf_file import GgufFile
from quantize.limits import Limits
from quantize.lineage import read_lineage
from quantize.llama_model import LlamaModel, running
from quantize.manifest import manifest_path, read_manifest, write_manifest
from quantize.progress import Progress
from quantize.rendered import piece_ids, special_texts
from quantize.template import pieces


@dataclass(frozen=True)
class Verification:
    """What was measured, and what is over the limits."""

    result: Path
    source: Path
    languages: dict[str, Figures]
    stop_rate: float | None
    """Share of prompts that the result answered and ended; none when not asked for."""
    template_checked: int
    """Conversations whose ids were compared."""
    failures: tuple[str, ...]
    """Each says which limit, where, and by how much; empty when all is well."""

    def evaluation(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "against": self.source.name,
            "passed": not self.failures,
            "stop_rate": self.stop_rate,
            "languages": {name: _rounded(figures) for name, figures in self.languages.items()},
        }

    def lines(self) -> list[str]:
        """For people: a line a language, then the rest."""
        shown = [
            f"{name:<6} same next token {of.top1_agreement:7.2%}   divergence {of.mean_kl:.5f}   "
            f"perplexity {of.source_perplexity:.3f} → {of.result_perplexity:.3f}   ({of.positions} positions)"
            for name, of in self.languages.items()
        ]
        if self.stop_rate is not None:
            shown.append(f"replies that end by themselves {self.stop_rate:.0%}")
        return [*shown, f"template checked on {self.template_checked} conversations"]


def _rounded(figures: Figures) -> dict[str, Any]:
    values = dataclasses.asdict(figures) | {"perplexity_ratio": figures.perplexity_ratio}
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in values.items()}


def verify(
    result: Path,
    source: Path,
    texts: Mapping[str, str],
    *,
    limits: Limits,
    adapters: Sequence[Path] = (),
    dialogues: Sequence[Dialogue] = BUILT_IN,
    tokenizer: Path | None = None,
    threads: int | None = None,
) -> Verification:
    """Compare `result` with `source`, a GGUF with more bits, plus GGUF `adapters` applied to it at run time.

    `texts`: language → text. `tokenizer`: the tokenizer.json of training, whose ids for rendered conversations must be
    llama.cpp's. Nothing is raised for a poor result: see `Verification.failures`.
    """
    if not texts:
        raise QuantizeError("give at least one text to compare on, as in --text es=spanish.txt")
    template = GgufFile(result).get(Keys.Tokenizer.CHAT_TEMPLATE)
    longest = 0
    if limits.stop_rate_min is not None:
        # Counted with the vocabulary alone: room must be known before the context is made.
        with running(result, vocabulary_only=True) as vocabulary:
            longest = max(map(len, prompts(vocabulary, template, dialogues)), default=0)
    n_ctx = max(limits.window_tokens, longest + limits.stop_tokens)
    with running(result, n_ctx=n_ctx, threads=threads) as ours:
        failures = check_template(result, template, ours, dialogues, tokenizer)
        languages = _compare(ours, source, texts, limits, adapters, threads)
        rate = (
            None if limits.stop_rate_min is None else stop_rate(ours, template, dialogues, limits.stop_tokens)
        )
    failures += over_limits(languages, rate, limits)
    return Verification(result, source, languages, rate, len(dialogues), tuple(failures))


def _compare(
    ours: LlamaModel,
    source: Path,
    texts: Mapping[str, str],
    limits: Limits,
    adapters: Sequence[Path],
    threads: int | None,
) -> dict[str, Figures]:
    """Both models are mapped at once, so that divergence is over the whole vocabulary and nothing goes to disk."""
    figures: dict[str, Figures] = {}
    with running(source, n_ctx=limits.window_tokens, adapters=adapters, threads=threads) as theirs:
        if theirs.n_vocab != ours.n_vocab:
            raise QuantizeError(
                f"{source} has {theirs.n_vocab} tokens and {ours.path} {ours.n_vocab}; it is not its source"
            )
        cut = {
            language: windows(
                _same_ids(ours, theirs, text), limits.window_tokens, limits.max_tokens, ours.start
            )
            for language, text in sorted(texts.items())
        }
        progress = Progress("comparing", sum(len(found) for found in cut.values()))
        for language, found in cut.items():
            tally = Tally()
            for window in found:
                counted = slice(min(limits.skip_tokens, len(window) // 2), len(window) - 1)
                targets = np.array(window[1:], dtype=np.int64)[counted]
                tally.add(theirs.logits(window)[counted], ours.logits(window)[counted], targets)
                progress.step(language)
            if not tally.positions:
                raise QuantizeError(
                    f"the text for {language} is too short to compare on; give a few hundred words"
                )
            figures[language] = tally.figures()
        progress.close()
    return figures


def _same_ids(ours: LlamaModel, theirs: LlamaModel, text: str) -> list[int]:
    ids = ours.tokenize(text)
    if ids != theirs.tokenize(text):
        raise QuantizeError(
            f"{ours.path} and {theirs.path} cut text into different tokens; one has a damaged tokenizer"
        )
    return ids


def check_template(
    result: Path,
    template: str | None,
    model: LlamaModel,
    dialogues: Sequence[Dialogue],
    tokenizer: Path | None,
) -> list[str]:
    """What is wrong with the template in the file, with the tokens it gives, or with the ids of training."""
    if not template:
        return [f"{result.name} has no chat template"]
    failures = []
    lineage = read_lineage(GgufFile(result))
    if lineage and lineage.template_sha256 not in (None, sha256_bytes(template.encode("utf-8"))):
        failures.append("the chat template in the file is not the one its lineage names")
    trained = None if tokenizer is None else _training_tokenizer(tokenizer)
    special = special_texts(result)
    for number, dialogue in enumerate(dialogues, start=1):
        found = pieces(template, dialogue.messages, add_generation_prompt=False, tokens=special)
        ids = piece_ids(model, found)
        if dialogue.ids is not None and list(dialogue.ids) != ids:
            failures.append(
                f"conversation {number}: training saw other tokens, from number {_first(dialogue.ids, ids)} on"
            )
        elif trained is not None and (expected := trained(found)) != ids:
            failures.append(
                f"conversation {number}: the tokenizer of training differs from token {_first(expected, ids)} on"
            )
    return failures


def _first(left: Sequence[int], right: Sequence[int]) -> int:
    """Where two sequences begin to differ."""
    same = (n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b)
    return next(same, min(len(left), len(right)))


def _training_tokenizer(path: Path) -> Callable[[Sequence[tuple[str, bool]]], list[int]]:
    """Pieces of a prompt → ids, by the tokenizer.json that training used."""
    # Late: only needed to compare with training's own tokenizer.
    from tokenizers import Tokenizer

    if not path.is_file():
        raise Unreadable(f"there is no {path}; give the tokenizer.json of the base")
    tokenizer = Tokenizer.from_file(str(path))

    def encode(found: Sequence[tuple[str, bool]]) -> list[int]:
        ids: list[int] = []
        for text, special in found:
            tokenizer.encode_special_tokens = not special
            ids += tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    return encode


def prompts(model: LlamaModel, template: str | None, dialogues: Sequence[Dialogue]) -> list[list[int]]:
    """Ids of every conversation up to the last thing its user said, ready for an answer. None without a template."""
    if not template:
        return []
    special = special_texts(model.path)
    found = []
    for dialogue in dialogues:
        last = max(
            (n for n, message in enumerate(dialogue.messages) if message["role"] == "user"), default=None
        )
        if last is not None:
            asked_with = dialogue.messages[: last + 1]
            found.append(
                piece_ids(model, pieces(template, asked_with, add_generation_prompt=True, tokens=special))
            )
    return found


def stop_rate(
    model: LlamaModel, template: str | None, dialogues: Sequence[Dialogue], max_tokens: int
) -> float | None:
    """Share of prompts that the model answers and then ends by itself. None without a template.

    The context must hold the longest prompt and `max_tokens` more: cut, a model would be asked what it never is.
    """
    asked = prompts(model, template, dialogues)
    progress = Progress("stopping", len(asked))
    stopped = 0
    for ids in asked:
        stopped += model.generate(ids, max_tokens)[1]
        progress.step("")
    progress.close()
    return stopped / len(asked) if asked else None


def over_limits(languages: Mapping[str, Figures], rate: float | None, limits: Limits) -> list[str]:
    """Every figure that is worse than its limit, in words."""
    failures = []
    for language, figures in languages.items():
        if limits.top1_agreement_min is not None and figures.top1_agreement < limits.top1_agreement_min:
            failures.append(
                f"{language}: same next token in {figures.top1_agreement:.1%}, at least {limits.top1_agreement_min:.1%} wanted"
            )
        if limits.mean_kl_max is not None and not figures.mean_kl <= limits.mean_kl_max:
            failures.append(
                f"{language}: divergence {figures.mean_kl:.4f} nats, at most {limits.mean_kl_max} wanted"
            )
        if (
            limits.perplexity_ratio_max is not None
            and not figures.perplexity_ratio <= limits.perplexity_ratio_max
        ):
            failures.append(
                f"{language}: perplexity {figures.source_perplexity:.2f} → {figures.result_perplexity:.2f}, "
                f"{figures.perplexity_ratio:.3f} times; at most {limits.perplexity_ratio_max} wanted"
            )
    if limits.stop_rate_min is not None and rate is not None and rate < limits.stop_rate_min:
        failures.append(
            f"{rate:.0%} of replies ended by themselves, at least {limits.stop_rate_min:.0%} wanted"
        )
    return failures


def record(verification: Verification) -> Path:
    """Write what was measured into the result's manifest, made from the file's own lineage when there is none."""
    path = manifest_path(verification.result)
    if path.is_file():
        manifest = read_manifest(path)
    else:
        lineage = read_lineage(GgufFile(verification.result))
        if lineage is None:
            raise QuantizeError(
                f"{verification.result} has no manifest and no lineage; it was not built here"
            )
        manifest = lineage.manifest(GgufFile(verification.result).get("tutor.quantisation"), {})
    manifest = manifest.model_copy(
        update={"evaluation": manifest.evaluation | {"quantisation": verification.evaluation()}}
    )
    write_manifest(path, manifest)
    return path
