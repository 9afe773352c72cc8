"""Letters that a learner's keyboard may lack, by language, and the key that each is found under.

letters_for(language)              -> the letters to offer, each with its key
next_variant(letter, language)     -> é after e, è after é, and round again to e
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Letter:
    text: str
    key: str
    """The key that brings it while the letters are open; several letters may share one."""

    @property
    def shown(self) -> str:
        """As drawn by itself: a vowel sign needs something to sit on."""
        return f"◌{self.text}" if unicodedata.combining(self.text) else self.text


_GROUPS: dict[str, tuple[str, ...]] = {
    "es": ("aá", "eé", "ií", "oó", "uúü", "nñ", "?¿", "!¡", '"«»'),
    "fr": ("eéèêë", "aàâæ", "cç", "iîï", "oôœ", "uùûü", "yÿ", '"«»'),
    "zh": ("aāáǎà", "eēéěè", "iīíǐì", "oōóǒò", "uūúǔù", "vǖǘǚǜü", ",，、", ".。", "?？", "!！"),
    "ar": (
        "aاأإآى", "bب", "tتط", "vث", "jج", "7ح", "5خ", "dدض", "*ذ", "rر", "zزظ", "sسص", "$ش",
        "3ع", "gغ", "fف", "qق", "kك", "lل", "mم", "nن", "hهة", "wوؤ", "yيئى", "'ء", "?؟", ",،",
        "Hح", "Sص", "Dض", "Tط", "Zظ", "A\u064e", "i\u0650", "u\u064f", "o\u0652", "~\u0651",
    ),
}  # fmt: skip
"""Each group: the key, then its letters. Arabic keys follow the chat alphabet and Buckwalter."""


def letters_for(language: str) -> tuple[Letter, ...]:
    """The letters for a language (BCP 47), in the order they are shown; empty when none are known."""
    return tuple(
        Letter(text, group[0]) for group in _GROUPS.get(_primary(language), ()) for text in group[1:]
    )


def next_variant(letter: str, language: str) -> str | None:
    """What comes after `letter` in its group, case kept; None when it has no variants."""
    small = letter.lower()
    for group in _GROUPS.get(_primary(language), ()):
        if small in group:
            following = group[(group.index(small) + 1) % len(group)]
            return following.upper() if letter != small else following
    return None


def _primary(language: str) -> str:
    return language.split("-", 1)[0].lower()
