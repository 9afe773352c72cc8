"""How an answer is compared: with an accepted answer, and with an instructor's error pattern.

    normalise(text, language)           -> str    what is compared instead of the text
    without_punctuation(text, language) -> str    the same, with the commas between words dropped too
    matches(pattern, answer, language)  -> bool   does an `errors` pattern (whole answer, `*`, /regex/) match
    contains(text, answer, language)    -> bool   is the answer somewhere in the text, as whole words
    check_pattern(pattern)              -> str    why a pattern cannot be used, or ""

Patterns come from packs that anybody may have written, so each search has a time limit.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import regex

SEARCH_LIMIT_S = 0.05
"""Answers have a few hundred characters at most: an honest pattern needs microseconds."""
MAX_PATTERN = 500
MAX_ANSWER = 2000
TOO_LONG = f"is longer than {MAX_PATTERN} characters"

_OUTER = "¿?¡!.,;:…«»“”„\"'‘’‹›()[]{}—–-。？！，、；：「」『』（）《》،؟؛ـ*_ \t\n"
_OUTER_RUN = regex.compile(rf"[{regex.escape(_OUTER)}\s]+")
_SPACE = regex.compile(r"\s+")
_CJK = (
    r"[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff，。！？、；：]"
)
_CJK_SPACE = regex.compile(rf"(?<={_CJK})\s+|\s+(?={_CJK})")
_LIGATURES: dict[str, str | None] = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"}
"""Few keyboards have them."""
_SAME = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "＇": "'", "´": "'", "`": "'", "“": '"', "”": '"', "\u0640": None}
    | _LIGATURES
    | dict.fromkeys(map(chr, (0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xAD)))
)
_SAME_LETTERS = str.maketrans(_LIGATURES)
_SEPARATORS = dict.fromkeys(range(0x1C, 0x20), " ")
"""Spaces to `str.strip`, but not to `regex`."""
_INNER = regex.compile(r"(?<=\s)[¿¡«“„(]+|[?!.,;:…»”)،؟؛]+(?=\s)|[。？！，、；：]+")
_STAR = "\ue000"
_UNSPACED = frozenset(("zh", "ja", "yue"))
_TASHKEEL = regex.compile(r"[\u064b-\u0652\u0670]")
_ARABIC_LETTER = regex.compile(r"[\u0621-\u064a\u0671]")


@lru_cache(maxsize=8192)
def normalise(text: str, language: str) -> str:
    """`text` as it is compared: NFC, casefolded, one space between words, no punctuation round the outside.

    Curly apostrophes become straight, œ and æ two letters, Arabic tatweel and invisible marks go, and in Chinese so do
    spaces beside characters and full-width letters. Accents and tashkeel stay, since they can be the point; simplified and
    traditional characters are not unified either.
    """
    text = unicodedata.normalize("NFC", text.translate(_SEPARATORS))
    if _primary(language) in _UNSPACED:
        text = unicodedata.normalize("NFC", text.translate(_HALF_WIDTH))
        text = _CJK_SPACE.sub("", text)
    text = unicodedata.normalize("NFC", text.translate(_SAME).casefold())
    text = _SPACE.sub(" ", text).strip()
    start = _OUTER_RUN.match(text)
    text = text[start.end() :] if start else text
    end = len(text)
    while end and text[end - 1] in _OUTER:
        end -= 1
    return text[:end]


@lru_cache(maxsize=16384)
def without_punctuation(text: str, language: str) -> str:
    """`normalise`, and then the punctuation between words dropped too: "sí, soy" is "sí soy"."""
    return _SPACE.sub(" ", _INNER.sub("", normalise(text, language)))


def matches(pattern: str, answer: str, language: str) -> bool:
    """Whether an error pattern matches what the learner wrote; false too when the search takes too long.

    A pattern between slashes is searched in the normalised answer; any other must be the whole of it, where a
    `*` by itself stands for any words or none, and one that touches letters for any letters.
    """
    if _matches_as_written(pattern, answer, language):
        return True
    if _primary(language) != "ar":
        return False
    # Learners write with vowel signs, without them, or with some: a pattern is rarely about that.
    return _matches_as_written(without_tashkeel(pattern), without_tashkeel(answer), language)


def _matches_as_written(pattern: str, answer: str, language: str) -> bool:
    plain = normalise(answer[:MAX_ANSWER], language)
    if is_regex(pattern):
        compiled = _compiled(pattern)
        try:
            return (
                not isinstance(compiled, str) and compiled.search(plain, timeout=SEARCH_LIMIT_S) is not None
            )
        except TimeoutError:
            return False
    if check_pattern(pattern):
        return False
    wanted = normalise(pattern.replace("*", _STAR), language)
    if _STAR not in wanted:
        return wanted == plain
    if _primary(language) in _UNSPACED:
        return _glob(wanted, plain)
    return _glob(wanted.split(" "), plain.split(" ") if plain else [])


def check_pattern(pattern: str) -> str:
    """Why this error pattern cannot be used, or an empty string."""
    if len(pattern) > MAX_PATTERN:
        return TOO_LONG
    if not is_regex(pattern):
        return "" if pattern.strip(" *") else "has no words"
    compiled = _compiled(pattern)
    return compiled if isinstance(compiled, str) else ""


def is_regex(pattern: str) -> bool:
    """Whether the pattern is written between slashes."""
    return len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/")


def contains(text: str, answer: str, language: str) -> bool:
    """Whether `answer` stands in `text` as whole words (as characters in Chinese).

    Arabic is compared without tashkeel, so that a vowelled word does not hide an unvowelled one.
    """
    inside, wanted = without_punctuation(text, language), without_punctuation(answer, language)
    if _primary(language) == "ar":
        inside, wanted = without_tashkeel(inside), without_tashkeel(wanted)
    if not wanted:
        return False
    start = inside.find(wanted)
    if _primary(language) in _UNSPACED:
        return start >= 0
    while start >= 0:
        end = start + len(wanted)
        if not (_joins(inside, start - 1, start) or _joins(inside, end, end - 1)):
            return True
        start = inside.find(wanted, start + 1)
    return False


def without_tashkeel(text: str) -> str:
    """Arabic without vowel signs, shadda, sukun and dagger alif."""
    return _TASHKEEL.sub("", text)


def has_tashkeel(word: str) -> bool:
    """Whether an Arabic word carries at least one sign; words of one letter need none."""
    return len(_ARABIC_LETTER.findall(word)) < 2 or _TASHKEEL.search(word) is not None


def _joins(text: str, outside: int, inside: int) -> bool:
    """Whether the character outside a match continues the word at its edge."""
    if not 0 <= outside < len(text):
        return False
    return _is_word(text[outside]) and _is_word(text[inside])


def _is_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _primary(language: str) -> str:
    return language.split("-", 1)[0].lower()


_HALF_WIDTH = str.maketrans({chr(code): chr(code - 0xFEE0) for code in range(0xFF10, 0xFF5B)})
"""Full-width digits and letters; full-width punctuation stays, since it is Chinese punctuation."""


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> regex.Pattern[str] | str:
    """The expression between the slashes, or why there is none."""
    if len(pattern) > MAX_PATTERN:
        return TOO_LONG
    try:
        source = unicodedata.normalize("NFC", pattern[1:-1]).translate(_SAME_LETTERS)
        return regex.compile(source, regex.IGNORECASE)
    except (regex.error, RecursionError, OverflowError) as error:
        return f"is not a regular expression: {error}"


def _glob(pattern: Sequence[str], text: Sequence[str]) -> bool:
    """Whether the whole of `text` fits `pattern`, piece by piece; a star takes any pieces or none.

    Only the last star is ever tried again, so the work is at most one length times the other, whatever a
    stranger's pattern looks like.
    """
    at, position, star, back = 0, 0, -1, 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == _STAR:
            star, back = at, position
            at += 1
        elif at < len(pattern) and _fits(pattern[at], text[position]):
            at += 1
            position += 1
        elif star >= 0:
            back += 1
            at, position = star + 1, back
        else:
            return False
    return all(piece == _STAR for piece in pattern[at:])


def _fits(piece: str, text: str) -> bool:
    return piece == text or (len(piece) > 1 and _STAR in piece and _glob(piece, text))
