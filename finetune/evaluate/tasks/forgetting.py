"""What training cost: how well the model still predicts ordinary text, and tells sense from nonsense, by language."""

from __future__ import annotations

import math

import numpy as np

from finetune.evaluate.asking import Ask
from finetune.evaluate.authored import authored, languages
from finetune.evaluate.bootstrap import Floats, ratio
from finetune.evaluate.prompting import Bench
from tutor_app.pedagogy.language import primary


def run(bench: Bench) -> None:
    """Perplexity, bits a byte, and the share of sensible endings, in every language of the panel."""
    everywhere: list[tuple[str, bool]] = []
    for code in languages():
        bank = authored(code)
        asks = [Ask(f"text/{code}/{i}", "score", text=text) for i, text in enumerate(bank.texts)]
        scored = bench.answers.of(asks)
        ids = [ask.id for ask in asks]
        bench.sheet.of(
            "perplexity", code, ids, [(-(one.nats or 0.0), one.tokens) for one in scored], _exp_ratio
        )
        bench.sheet.of("bits", code, ids, [
            (-(one.nats or 0.0) / math.log(2), len(ask.text.encode())) for ask, one in zip(asks, scored, strict=True)
        ], ratio)  # fmt: skip
        right = _endings(bench, code)
        everywhere += right
        bench.sheet.share("endings", code, [id for id, _ in right], [hit for _, hit in right])
    bench.sheet.share(
        "endings", "all languages", [id for id, _ in everywhere], [hit for _, hit in everywhere]
    )


def _endings(bench: Bench, code: str) -> list[tuple[str, bool]]:
    """Whether the sensible ending is the likelier, a token: the two differ in length."""
    space = "" if primary(code) == "zh" else " "
    asks = [
        Ask(f"ending/{code}/{i}/{which}", "score", before=one.context, text=space + text)
        for i, one in enumerate(authored(code).endings)
        for which, text in (("right", one.right), ("wrong", one.wrong))
    ]
    each = [(answer.nats or 0.0) / max(1, answer.tokens) for answer in bench.answers.of(asks)]
    return [(f"{code}/{i}", each[2 * i] > each[2 * i + 1]) for i in range(len(each) // 2)]


def _exp_ratio(sums: Floats) -> Floats:
    return np.asarray(np.exp(ratio(sums)))
