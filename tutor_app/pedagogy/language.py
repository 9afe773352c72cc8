"""What the tutor knows about a language: words, lengths, and the lists in `data/<language>.yaml`."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import regex
import yaml
from pydantic import BaseModel, ConfigDict

from lessons.patterns import normalise, without_tashkeel

DATA = Path(__file__).parent / "data"
CHINESE_WORDS_PER_CHARACTER = 0.6
"""A Chinese character counts as this many words of length (DESIGN section 7, rule 4)."""

ENGLISH_BELOW, ENGLISH_MARGIN = 4.2, 1.0
"""A word is English in, say, a Spanish text when it is rarer there than the first figure and more frequent in
English by the second, both on the Zipf scale: "store", "sister", "subway", but not "once", "pan", "hotel"."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’\-][\p{L}\p{M}\p{N}]+)*")
_HAN = regex.compile(r"\p{Han}")
_LETTER = regex.compile(r"\p{L}")
_SCRIPTS = {
    "Latin": regex.compile(r"\p{Latin}"),
    "Han": _HAN,
    "Arabic": regex.compile(r"\p{Arabic}"),
}


class Language(BaseModel):
    """One file of `data/`: its comments say how each list is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    own_name: str
    script: str
    parts: dict[str, str]
    confusion: list[str]
    correction: list[str]
    unsafe: list[str]
    labels: list[str]
    zipf: dict[str, float]
    phrases: dict[str, list[str]]
    simpler: dict[str, list[str]]
    classes: dict[str, list[str]]
    verb_endings: list[str]
    irregular: list[list[str]]
    sound_alike: list[tuple[str, str]]
    agreement_endings: list[tuple[str, str]]
    number_endings: list[tuple[str, str]]
    dialect_words: list[str]
    false_friends: list[str]
    ill_formed: list[str]
    either_gender: list[str]
    own_words: list[str]
    never_bare: list[str]


def primary(tag: str) -> str:
    """The language of a BCP 47 tag: `es` for `es-MX`."""
    return tag.split("-", 1)[0].lower()


@cache
def known_languages() -> tuple[str, ...]:
    """Codes of the languages with a data file, sorted."""
    return tuple(sorted(path.stem for path in DATA.glob("*.yaml")))


@cache
def _load(code: str) -> Language:
    return Language.model_validate(
        yaml.load((DATA / f"{code}.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    )


def language(tag: str) -> Language:
    """The data for this language; English, which every tutor understands, for one without a file."""
    code = primary(tag)
    return _load(code if code in known_languages() else "en")


@cache
def compiled(tag: str, field: str) -> tuple[regex.Pattern[str], ...]:
    """The patterns of one list of a language, ready to search normalised text."""
    data = language(tag)
    patterns: list[str] = getattr(data, field)
    for name, part in data.parts.items():
        patterns = [pattern.replace(f"{{{name}}}", part) for pattern in patterns]
    if field in ("unsafe", "labels"):
        joined = "|".join(patterns)
        edge = "" if primary(tag) == "zh" else r"\b"
        return (regex.compile(f"{edge}(?:{joined}){edge}"),) if joined else ()
    return tuple(regex.compile(pattern) for pattern in patterns)


LITTLE = frozenset({"article", "preposition", "determiner", "conjunction"})
"""Kinds of words that say nothing by themselves."""


@lru_cache(maxsize=4096)
def kinds(word: str, tag: str) -> frozenset[str]:
    """The closed classes that `word`, as it is compared, is in; `irregular` for a form of an irregular verb."""
    data = language(tag)
    found = {kind for kind, members in data.classes.items() if word in members}
    return frozenset(found | {"irregular"} if any(word in forms for forms in data.irregular) else found)


def plain(text: str, tag: str) -> str:
    """`text` as patterns and word lists see it: normalised, and Arabic without tashkeel."""
    text = normalise(text, tag)
    return without_tashkeel(text) if primary(tag) == "ar" else text


@lru_cache(maxsize=4096)
def words(text: str, tag: str) -> tuple[str, ...]:
    """The words of `text`, casefolded, in order; Chinese is segmented by jieba."""
    text = plain(text, tag)
    if primary(tag) != "zh":
        return tuple(_WORD.findall(text))
    return tuple(word for run in _WORD.findall(text) for word in _segment(run))


def _segment(run: str) -> list[str]:
    if not _HAN.search(run):
        return [run]
    return list(_jieba().cut(run, HMM=False))


@cache
def _jieba():  # type: ignore[no-untyped-def]  # jieba has no types
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    return jieba.Tokenizer()


def length(text: str, tag: str) -> float:
    """How long `text` is in words; a Chinese character counts 0.6."""
    if primary(tag) != "zh":
        return float(len(_WORD.findall(text)))
    rest = _HAN.sub(" ", text)
    return len(_HAN.findall(text)) * CHINESE_WORDS_PER_CHARACTER + len(_WORD.findall(rest))


def without_accents(text: str) -> str:
    """Latin letters without accents, except that ñ stays a letter of its own."""
    kept = unicodedata.normalize("NFD", text.replace("ñ", "\ue0f1"))
    return unicodedata.normalize(
        "NFC", "".join(c for c in kept if unicodedata.category(c) != "Mn").replace("\ue0f1", "ñ")
    )


@lru_cache(maxsize=65536)
def zipf(word: str, tag: str) -> float:
    """How frequent the word is: log10 of its occurrences in a thousand million words; 0 when unknown.

    From wordfreq (https://github.com/rspeer/wordfreq), whose values lie between 0 and 8.
    """
    from wordfreq import zipf_frequency

    code = primary(tag)
    return float(zipf_frequency(word, code, minimum=0.0)) if code in known_languages() else 0.0


def read_lists_in(tag: str) -> None:
    """Load the word lists that judging a text needs (a third of a second, Chinese a second), so that no turn waits for it."""
    for word in words("a 好", tag):
        for code in (tag, "en"):
            zipf(word, code)


def is_english(word: str, tag: str) -> bool:
    """Whether this word, in a text of another language, is English rather than a word of that language."""
    if primary(tag) == "en" or not word.isascii() or not word.isalpha():
        return False
    here, english = zipf(word, tag), zipf(word, "en")
    if language(tag).script != "Latin":
        return english > 2.5
    return len(word) > 1 and english >= 3.0 and here < ENGLISH_BELOW and english - here >= ENGLISH_MARGIN


def script_share(text: str, tag: str) -> float:
    """Share of letters that belong to the language's script, 1.0 when there are no letters."""
    letters = _LETTER.findall(text)
    if not letters:
        return 1.0
    script = _SCRIPTS[language(tag).script]
    return sum(1 for letter in letters if script.match(letter)) / len(letters)
