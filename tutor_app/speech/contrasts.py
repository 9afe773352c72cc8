"""The sounds of a language that are easily taken for each other, and the sentences in which that would be heard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import regex
import yaml
from pydantic import BaseModel, ConfigDict

MOST = 3
"""Words of a sentence that are looked at: each costs a sentence to be spoken by the voice."""
WORD = regex.compile(r"[\p{L}\p{M}’']+")
HAN = regex.compile(r"\p{Han}")


class Contrast(BaseModel):
    """Two sounds, or kinds of sound, that change a word into another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    tip: str
    """How the difference is made, and who does not make it."""
    pairs: tuple[tuple[str, str], ...]
    """Words to hear it in."""
    swaps: tuple[tuple[str, str], ...] = ()
    """A spelling, as a regular expression inside a word, and the spelling of what is easily said instead."""
    initials: tuple[tuple[str, str], ...] = ()
    finals: tuple[tuple[str, str], ...] = ()
    tones: tuple[tuple[int, int], ...] = ()
    """The same in pinyin."""
    melody: bool = False
    """Whether it is heard in the pitch, not in the colour."""
    remarks: bool = True
    """Whether anything is said about it."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    contrasts: tuple[Contrast, ...]


@dataclass(frozen=True)
class Site:
    """A word in which a contrast would be heard."""

    contrast: str
    word: str
    other_word: str
    other: str
    """The sentence with the other word in it."""
    melody: bool = False


@cache
def table(language: str) -> tuple[Contrast, ...]:
    """The contrasts of a language, the most useful first; none for a language without a table."""
    found = resources.files("tutor_app.speech") / "contrasts" / f"{language.split('-')[0].lower()}.yaml"
    if not found.is_file():
        return ()
    return _Table.model_validate(yaml.safe_load(found.read_text(encoding="utf-8"))).contrasts


def contrast(language: str, contrast_id: str) -> Contrast | None:
    """The contrast of that id, or None."""
    return next((each for each in table(language) if each.id == contrast_id), None)


def sites(text: str, language: str, most: int = MOST) -> list[Site]:
    """The words of `text` that are worth listening to: one contrast a word, the useful ones first."""
    chinese = language.split("-")[0].lower() == "zh"
    words = list((HAN if chinese else WORD).finditer(text))
    readings = _readings(text) if chinese else {}
    found: list[Site] = []
    taken: set[int] = set()
    for each in table(language):
        for word in words:
            if not each.remarks or word.start() in taken or len(found) >= most:
                continue
            if chinese:
                other = _other_character(readings.get(word.start(), ""), each)
            else:
                other = _other_spelling(word.group(), each)
            if other and other != word.group():
                taken.add(word.start())
                sentence = text[: word.start()] + other + text[word.end() :]
                found.append(Site(each.id, word.group(), other, sentence, each.melody))
    return found


def pair_site(text: str, word: str, other: str, contrast_id: str, *, melody: bool = False) -> Site:
    """The site of a given pair in a sentence."""
    return Site(contrast_id, word, other, text.replace(word, other, 1), melody)


def _other_spelling(word: str, each: Contrast) -> str:
    """The word with the first of the contrast's spellings changed; empty when it has none."""
    small = word.lower()
    for written, instead in each.swaps:
        changed = regex.sub(written, instead, small, count=1)
        if changed != small:
            return changed.capitalize() if word[:1].isupper() else changed
    return ""


def _readings(text: str) -> dict[int, str]:
    """Where each character stands → its pinyin with a tone number, as it is read in this sentence."""
    from tutor_app.speech.mandarin import pinyin_of

    found: dict[int, str] = {}
    for run in regex.finditer(r"\p{Han}+", text):
        found |= dict(zip(range(run.start(), run.end()), pinyin_of(run.group()), strict=False))
    return found


def _other_character(pinyin: str, each: Contrast) -> str:
    """The commonest character of the syllable that is easily said instead; empty when there is none."""
    from tutor_app.speech.mandarin import parts, spelled

    split = parts(pinyin)
    if split is None:
        return ""
    initial, final, tone = split
    instead: list[str] = []
    instead += [spelled(new, final, tone) for old, new in each.initials if old == initial]
    instead += [spelled(initial, new, tone) for old, new in each.finals if old == final]
    instead += [spelled(initial, final, new) for old, new in each.tones if old == tone]
    known = _characters()
    return next((known[one] for one in instead if one in known), "")


@cache
def _characters() -> dict[str, str]:
    """Pinyin with a tone number → its commonest character."""
    from wordfreq import get_frequency_dict

    from tutor_app.speech.mandarin import pinyin_of

    found: dict[str, tuple[float, str]] = {}
    for word, frequency in get_frequency_dict("zh").items():
        if len(word) == 1 and HAN.match(word):
            pinyin = pinyin_of(word)[0]
            found[pinyin] = max(found.get(pinyin, (0.0, "")), (frequency, word))
    return {pinyin: character for pinyin, (_, character) in found.items()}
