"""How hard a Spanish, French or English text is to read, by formulas made for the language.

Spanish: Fernández Huerta (1959), Szigriszt-Pazos (1993) and Gutiérrez de Polini (1972), as in the study of drift in
tutors that this is compared with (arXiv 2505.08351). French: Kandel & Moles (1958). English: Flesch (1948). Higher is
easier. Chinese and Arabic have no such formula that is agreed on, so there only lengths are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

from tutor_app.pedagogy.language import primary

_WORD = regex.compile(r"\p{L}+")
_END = regex.compile(r"[.!?…]+")
_STRONG = "aeoáéíóú"
_VOWELS = {
    "es": regex.compile(r"[aeiouáéíóúüy]+"),
    "fr": regex.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+"),
    "en": regex.compile(r"[aeiouy]+"),
}


@dataclass(frozen=True)
class Counts:
    """What the formulas are made of."""

    words: int
    sentences: int
    syllables: int
    letters: int


def counts(text: str, tag: str) -> Counts:
    """Words, sentences, syllables and letters of `text`; at least one sentence."""
    found = _WORD.findall(text.lower())
    ends = len([part for part in _END.split(text) if _WORD.search(part)])
    return Counts(len(found), max(1, ends), sum(syllables(word, tag) for word in found), sum(map(len, found)))


def syllables(word: str, tag: str) -> int:
    """Syllables of a lower-case word: its groups of vowels, and in Spanish one more for each hiatus."""
    code = primary(tag)
    groups = _VOWELS.get(code, _VOWELS["es"]).findall(word)
    if code != "es":
        silent = word.endswith("e") and not word.endswith(("ee", "le")) and len(groups) > 1
        return max(1, len(groups) - silent)
    quiet = regex.sub(r"(?<=[gq])u(?=[eéií])", "", word)
    total = 0
    for group in _VOWELS["es"].findall(quiet):
        strong = [i for i, letter in enumerate(group) if letter in _STRONG]
        total += max(1, len(strong))
    return max(1, total)


def readability(text: str, tag: str) -> float | None:
    """Fernández Huerta for Spanish, Kandel & Moles for French, Flesch for English; None for other languages."""
    one = counts(text, tag)
    if not one.words or primary(tag) not in _VOWELS:
        return None
    spoken, long = one.syllables / one.words, one.words / one.sentences
    match primary(tag):
        case "es":
            return 206.84 - 60.0 * spoken - 1.02 * long
        case "fr":
            return 207.0 - 73.6 * spoken - 1.015 * long
        case _:
            return 206.835 - 84.6 * spoken - 1.015 * long


def szigriszt_pazos(text: str) -> float:
    """Of a Spanish text; 0 for an empty one."""
    one = counts(text, "es")
    return 206.835 - 62.3 * one.syllables / one.words - one.words / one.sentences if one.words else 0.0


def gutierrez_de_polini(text: str) -> float:
    """Of a Spanish text; 0 for an empty one."""
    one = counts(text, "es")
    return 95.2 - 9.7 * one.letters / one.words - 0.35 * one.words / one.sentences if one.words else 0.0
