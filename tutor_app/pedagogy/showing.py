"""What of a form may be shown as a model: well spelt, of one piece, fit for a classroom, and not wrong in another place.

A recast is what the learner is meant to notice. Cut from their own sentence it can carry what else went wrong there
("muchos deliciosas comidas", "Es comico"), and a small model's version of a word need not be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from tutor_app.pedagogy.edits import Tokens, tokens
from tutor_app.pedagogy.language import (
    LITTLE,
    compiled,
    is_english,
    kinds,
    language,
    plain,
    primary,
    without_accents,
    zipf,
)

SPELT_BY_WORD = frozenset({"es", "fr"})
"""Languages whose words can be looked up one by one as they are written, and are written with accents."""
ACCENTED = {"a": "áàâ", "e": "éèêë", "i": "íîï", "o": "óô", "u": "úùûü", "n": "ñ", "c": "ç"}
COMMON_ZIPF = 3.0
"""Once in a million words: what is as common as that is a word."""
COMMONER = 0.7
"""By so much on the Zipf scale (five times) the spelling with an accent has to be commoner …"""
COMMONER_FORM = 2.0
"""… and by so much where it could be another form of the same verb."""
UNKNOWN_ZIPF = 1.0
"""Once in a hundred million words: what is rarer is not known to be a word."""
KNOWN_ZIPF = 2.0
"""What is as common as that is a word, though maybe a rare one."""
GENDERS = (("os", "as"), ("as", "os"), ("o", "a"), ("a", "o"))
SLIP_LETTERS = 6
SLIP_COMMONER = 2.5
"""By so much (300 times) a word of another letter has to be commoner than a word of six letters that is a slip of it."""


def as_model(phrase: str, changed: Sequence[str], tag: str) -> str:
    """`phrase` as a tutor would write it, or empty when no tutor would; `changed` are the words it is shown for.

    Neighbours of those that are misspelt or do not agree are left out, missing accents put in.
    """
    if primary(tag) in SPELT_BY_WORD:
        phrase = _well_spelt(_sound(phrase, changed, tag), tag)
    refused = (*compiled(tag, "ill_formed"), *compiled(tag, "unsafe"))
    return "" if any(pattern.search(plain(phrase, tag)) for pattern in refused) else phrase


def _sound(phrase: str, changed: Sequence[str], tag: str) -> str:
    """`phrase` without its doubtful ends; empty when a doubtful word is one of `changed`, or nothing is left to show."""
    cut = tokens(phrase, tag)
    own = [i for i, word in enumerate(cut.compared) if word in changed]
    first, last = (own[0], own[-1]) if own else (0, len(cut.written) - 1)
    if any(_doubtful(cut, i, tag) for i in range(first, last + 1)):
        return ""
    if not own and not all(_agree(cut, i, i + 1, tag) for i in range(last)):
        return ""
    start, end = first, last
    while start > 0 and not _doubtful(cut, start - 1, tag) and _agree(cut, start - 1, start, tag):
        start -= 1
    while end + 1 < len(cut.written) and not _doubtful(cut, end + 1, tag) and _agree(cut, end, end + 1, tag):
        end += 1
    while last < end < len(cut.written) - 1 and kinds(cut.compared[end], tag) & LITTLE:
        end -= 1  # it led to what was left out
    if all(kinds(word, tag) & LITTLE for word in cut.compared[start : end + 1]):
        return ""
    return phrase[cut.spans[start][0] : cut.spans[end][1]]


def _doubtful(cut: Tokens, at: int, tag: str) -> bool:
    written, word = cut.written[at], cut.compared[at]
    if written[:1].isupper() and (at > 0 or zipf(word, tag) < UNKNOWN_ZIPF):
        return False  # a name
    return misspelt(word, tag)


@lru_cache(maxsize=4096)
def misspelt(word: str, tag: str) -> bool:
    """Whether `word`, in lower case, is no word, or most likely a slip of a much commoner one."""
    if not word.isalpha() or is_english(word, tag):
        return False
    known = zipf(word, tag)
    if known < UNKNOWN_ZIPF:
        return True
    if known >= COMMON_ZIPF or len(word) < SLIP_LETTERS or word.endswith(tuple(language(tag).verb_endings)):
        return False  # rare forms of verbs look like slips of other words ("paseado")
    return any(zipf(other, tag) - known >= SLIP_COMMONER for other in _one_letter_more_or_less(word))


def _one_letter_more_or_less(word: str) -> Iterator[str]:
    """Other letters in the same place are left out: they make other words ("lavo", "lado")."""
    letters = "abcdefghijlmnopqrstuvyz"
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]
        yield word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
        for letter in letters:
            yield word[:at] + letter + word[at:]


def _agree(cut: Tokens, one: int, other: int, tag: str) -> bool:
    """False when the first of two words should take the gender of the second and does not ("muchos deliciosas").

    The second has to have the other gender too: "muchos problemas" is how it is said.
    """
    left, right = cut.compared[one], cut.compared[other]
    if "quantifier" not in kinds(left, tag) or kinds(right, tag) & (LITTLE | {"against-its-ending"}):
        return True
    left = f"{left[:-1]}o" if left in ("este", "ese") else left
    for ending, opposite in GENDERS:
        if left.endswith(ending) and right.endswith(opposite):
            return zipf(right.removesuffix(opposite) + ending, tag) < KNOWN_ZIPF
    return True


def _well_spelt(phrase: str, tag: str) -> str:
    cut = tokens(phrase, tag)
    for i in range(len(cut.written) - 1, -1, -1):
        written = cut.written[i]
        if written[:1].isupper() and i > 0:
            continue
        spelt = with_accents(cut.compared[i], tag)
        if spelt != cut.compared[i]:
            start, end = cut.spans[i]
            spelt = spelt[:1].upper() + spelt[1:] if written[:1].isupper() else spelt
            phrase = phrase[:start] + spelt + phrase[end:]
    return phrase


@lru_cache(maxsize=4096)
def with_accents(word: str, tag: str) -> str:
    """`word`, in lower case, with the accents it is mostly written with, unless it is a word without them as well.

    Where an accent makes another form of the same verb ("llego", "llegó") it is put in only if the word is next to never
    written without ("universite") or is in the language's list `never_bare`.
    """
    data = language(tag)
    if word in data.own_words:
        return word
    endings = data.verb_endings
    forms = tuple(e for e in endings if e != without_accents(e) and without_accents(e) in endings)
    known = zipf(word, tag)
    plain_ones: list[tuple[float, str]] = []
    other_forms: list[tuple[float, str]] = []
    for spelt in _accented(word):
        common = zipf(spelt, tag)
        other_form = spelt.endswith(forms) and word not in data.never_bare
        if common >= COMMON_ZIPF and common - known >= (COMMONER_FORM if other_form else COMMONER):
            (other_forms if other_form else plain_ones).append((common, spelt))
    return max(plain_ones or other_forms, default=(0.0, word))[1]


def _accented(word: str) -> Iterator[str]:
    """`word` with one or two letters exchanged for accented ones."""
    places = [at for at, letter in enumerate(word) if letter in ACCENTED]
    for count in (1, 2):
        for chosen in combinations(places, count):
            made = [word]
            for at in chosen:
                made = [m[:at] + letter + m[at + 1 :] for m in made for letter in ACCENTED[word[at]]]
            yield from made
