"""Mandarin as the sounds that the Kokoro voices were taught: pinyin in, IPA with tone arrows out.

espeak's Mandarin loses the tones (妈 and 骂 come out alike), so it is never asked. For child processes: it loads
pypinyin and the segmenter.
"""

from __future__ import annotations

import regex
from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_finals, to_initials

from tutor_app.pedagogy.language import words

INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s", "": "",
}  # fmt: skip
FINALS = {
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0", "en": "ə0n", "eng": "ə0ŋ",
    "i": "i0", "ia": "ja0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0", "in": "i0n", "iou": "jou0",
    "ing": "i0ŋ", "iong": "jʊ0ŋ", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0", "uei": "wei0", "ua": "wa0", "uai": "wai0",
    "uan": "wa0n", "uen": "wə0n", "uang": "wa0ŋ", "ueng": "wə0ŋ", "uo": "wo0", "o": "wo0", "ü": "y0", "üe": "ɥe0",
    "üan": "ɥɛ0n", "ün": "y0n", "er": "ɚ0", "ê": "ɛ0",
}  # fmt: skip
"""`0` is where the tone goes."""
APICAL = "ɨ0"
"""The i of zi, ci, si, zhi, chi, shi and ri."""
TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
MARKS = str.maketrans("，、。！？：；", ",,.!?:;")
_BEFORE_MARK = regex.compile(r" +(?=[,.!?:;])")
_SYLLABLE = regex.compile(r"([a-zêü]+)([1-5])")


def phonemes(text: str) -> str:
    """The sounds of a sentence; words are kept apart, what is not Chinese stays as it is."""
    spoken = " ".join(_word(word) for word in _words(text))
    return _BEFORE_MARK.sub("", spoken).strip()


def syllable(pinyin: str) -> str:
    """The sounds of one syllable in pinyin with a tone number, such as `zhong1`; itself when it is none."""
    found = _SYLLABLE.fullmatch(pinyin.replace("v", "ü"))
    if found is None:
        return pinyin
    letters, tone = found.groups()
    initial = to_initials(letters, strict=True)
    final = to_finals(letters, strict=True, v_to_u=True)
    apical = final == "i" and initial in ("z", "c", "s", "zh", "ch", "sh", "r")
    sound = APICAL if apical else FINALS.get(final)
    return pinyin if sound is None else INITIALS[initial] + sound.replace("0", TONES[tone])


def parts(pinyin: str) -> tuple[str, str, int] | None:
    """Initial, final and tone of a syllable with a tone number; None when it is none."""
    found = _SYLLABLE.fullmatch(pinyin.replace("v", "ü"))
    if found is None:
        return None
    letters, tone = found.groups()
    return to_initials(letters, strict=True), to_finals(letters, strict=True, v_to_u=True), int(tone)


def spelled(initial: str, final: str, tone: int) -> str:
    """A syllable as `pinyin_of` writes it; what Mandarin does not have is written all the same."""
    if initial in ("j", "q", "x"):
        final = final.replace("ü", "u")
    elif initial in ("zh", "ch", "sh") and final.startswith("i") and len(final) > 1:
        final = final[1:] if final[1] in "aeo" else {"in": "en", "ing": "eng"}.get(final, final)
    elif initial in ("zh", "ch", "sh") and final.startswith("ü"):
        final = "u" + final[1:]
    elif final in ("iou", "uei", "uen") and initial:
        final = {"iou": "iu", "uei": "ui", "uen": "un"}[final]
    return f"{initial}{final}{tone}"


def pinyin_of(text: str) -> list[str]:
    """Syllables with tone numbers, 5 for the neutral tone; other characters stay in one piece each."""
    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=True)


def _words(text: str) -> list[str]:
    """Words and punctuation, in order."""
    pieces: list[str] = []
    at = 0
    for word in words(text, "zh"):
        start = text.find(word, at)
        if start < 0:
            continue
        pieces += [text[at:start].strip(), word]
        at = start + len(word)
    return [piece for piece in (*pieces, text[at:].strip()) if piece]


def _word(word: str) -> str:
    return "".join(syllable(one) for one in pinyin_of(word)).translate(MARKS)
