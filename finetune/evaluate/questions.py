"""The questions of replies: whether they leave the learner room, and whether they are always the same one."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from tutor_app.pedagogy.language import primary, words

OPEN = {
    "es": regex.compile(r"\b(qué|quién(es)?|cómo|cuándo|a?dónde|cuál(es)?|cuánt[oa]s?)\b"),
    "fr": regex.compile(r"\b(que|quoi|qui|où|quand|comment|pourquoi|quel(le)?s?|combien|lequel|laquelle)\b|\bqu['’](?!il\b|elle\b)"),
    "en": regex.compile(r"\b(what|who|whose|which|when|where|why|how)\b"),
    "zh": regex.compile(r"什么|谁|哪|怎么|怎样|为什么|几|多少|如何|多久|多大"),
    "ar": regex.compile(r"(?<!\p{L})(ماذا|ما|من|أين|متى|كيف|لماذا|كم|أي|أية)(?!\p{L})"),
}  # fmt: skip
"""Question words. "¿Te gusta?" and "¿Sí o no?" have none: they can be answered in a word, and are closed."""
_CLOSED = {
    "ar": regex.compile(r"(?<!\p{L})هل(?!\p{L})"),
    "fr": regex.compile(r"^\s*(est-ce que|tu\b|vous\b)"),
}


def is_open(question: str, tag: str) -> bool:
    """Whether it asks for more than yes, no or a choice."""
    said = question.casefold()
    code = primary(tag)
    closed = _CLOSED.get(code)
    return bool(OPEN.get(code, OPEN["en"]).search(said)) and not (closed and closed.search(said))


def distinct(texts: Sequence[str], n: int, tag: str) -> float | None:
    """Different n-grams of words over all n-grams (Li et al. 2016); None when there are none.

    It falls with the amount of text, so only samples of the same size may be compared.
    """
    grams = [gram for text in texts for gram in zip(*(words(text, tag)[i:] for i in range(n)), strict=False)]
    return len(set(grams)) / len(grams) if grams else None
