"""What changed between a learner's sentence and its native form, word by word, and of which kind.

The kinds are the error tags of the lessons. Rules over closed word classes and endings (`data/*.yaml`), in the
spirit of ERRANT (Bryant et al. 2017, P17-1074) but without a parser: the tutor runs on a laptop, and an edit
that no rule can name is one the tutor had better not act on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import regex
from rapidfuzz.distance import OSA

from tutor_app.pedagogy.language import Language, is_english, language, plain, primary, without_accents, zipf

_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)*|[^\s\p{L}\p{M}\p{N}]")
_TOKEN_ELIDED = regex.compile(r"[\p{L}\p{M}]{1,2}['’]|[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)*|[^\s\p{L}\p{M}\p{N}]")
_WORDLIKE = regex.compile(r"[\p{L}\p{N}]")
SENTENCE_END = regex.compile(r"[.!?…]+(?=\s|$)|[。！？؟]+")

SPELLINGS = frozenset({"accent", "spelling", "sound-alike"})
"""Kinds of edit that leave the word what it is."""

SPELLING_ZIPF = 1.9
"""A word rarer than this, one or two letters from a commoner one, is a spelling of that one."""
SPELLING_DISTANCE = 2
MOVED_LETTERS = 3
"""Shorter words (la, de, y) are dropped and added too often to be called moved."""
STEM = 3
"""Letters that two forms of one word share at least, from the left."""


@dataclass(frozen=True)
class Edit:
    """One place where the native form differs."""

    wrong: tuple[str, ...]
    right: tuple[str, ...]
    start: int
    """Index in the learner's tokens."""
    end: int
    target_start: int
    """Index in the native form's tokens."""
    target_end: int
    tag: str
    """An error tag, or `style` or `word-choice`, on which nothing is built."""


@dataclass(frozen=True)
class Tokens:
    """A sentence cut into words and punctuation, as written and as compared."""

    written: tuple[str, ...]
    compared: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    text: str

    def begins_sentence(self, at: int) -> bool:
        """Whether a sentence ends between the word before `at` and the word at `at`; False for the first word."""
        between = self.text[self.spans[at - 1][1] : self.spans[at][0]] if at else ""
        return bool(SENTENCE_END.search(between))


def tokens(text: str, tag: str) -> Tokens:
    """Words of `text`; in Chinese each character is one, so that a single wrong character is one edit."""
    code = primary(tag)
    if code == "zh":
        matches = list(regex.finditer(r"\p{Han}|[\p{L}\p{N}]+|[^\s]", text))
    else:
        matches = list((_TOKEN_ELIDED if code == "fr" else _TOKEN).finditer(text))
    matches = [match for match in matches if _WORDLIKE.search(match.group())]
    written = tuple(match.group() for match in matches)
    return Tokens(
        written,
        tuple(plain(word, tag) or word for word in written),
        tuple(match.span() for match in matches),
        text,
    )


def edits(learner: str, native: str, tag: str) -> list[Edit]:
    """Every place where `native` differs from `learner`, in order, typed. Punctuation and case do not count."""
    ours, theirs = tokens(learner, tag), tokens(native, tag)
    a, b = ours.compared, theirs.compared
    if a != b and sorted(a) == sorted(b):
        changed = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        start, end = changed[0], changed[-1] + 1
        return [Edit(a[start:end], b[start:end], start, end, start, end, "word-order")]
    found = [
        Edit(
            a[start:end],
            b[to_start:to_end],
            start,
            end,
            to_start,
            to_end,
            kind_of(a[start:end], b[to_start:to_end], a[:start], tag),
        )
        for start, end, to_start, to_end in _align(a, b, tag)
    ]
    return _pair_moves(found)


def _align(a: Sequence[str], b: Sequence[str], tag: str) -> list[tuple[int, int, int, int]]:
    """The cheapest way from `a` to `b` in single-word steps, where two forms of one word cost less to exchange.

    Needleman-Wunsch over a few dozen words; a plain edit distance would pair "yo" with "estoy" in
    "yo soy" / "estoy" as gladly as "soy".
    """
    costs = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i and j:
                costs[i][j] = min(
                    costs[i - 1][j - 1] + _exchange(a[i - 1], b[j - 1], tag),
                    costs[i - 1][j] + INSERT,
                    costs[i][j - 1] + INSERT,
                )
            else:
                costs[i][j] = (i + j) * INSERT
    steps: list[tuple[int, int, int, int]] = []
    i, j = len(a), len(b)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + _exchange(a[i - 1], b[j - 1], tag):
            if a[i - 1] != b[j - 1]:
                steps.append((i - 1, i, j - 1, j))
            i, j = i - 1, j - 1
        elif i and costs[i][j] == costs[i - 1][j] + INSERT:
            steps.append((i - 1, i, j, j))
            i -= 1
        else:
            steps.append((i, i, j - 1, j))
            j -= 1
    return steps[::-1]


INSERT = 1.0
RELATED, UNRELATED = 0.6, 1.7
"""Cost of exchanging two forms of one word, or two words of one closed class; and any other two words. Cheaper
than to drop one and add the other for the first only up to a point, so that "el" / "la" is one edit."""


@lru_cache(maxsize=65536)
def _exchange(wrong: str, right: str, tag: str) -> float:
    """Kept, because the table asks for each pair of a sentence several times and for "el" / "la" in every sentence."""
    if wrong == right:
        return 0.0
    return UNRELATED if _kind_of_pair(wrong, right, (), tag, language(tag)) == "word-choice" else RELATED


def _pair_moves(found: list[Edit]) -> list[Edit]:
    """A word dropped here and added there, perhaps in another form, has moved: word order, not two mistakes."""
    result = list(found)
    dropped = [i for i, edit in enumerate(found) if not edit.right]
    for i, edit in enumerate(found):
        if edit.wrong or len(edit.right[0]) < MOVED_LETTERS:
            continue
        for j in dropped:
            gone = found[j].wrong[0]
            if gone == edit.right[0] or (_shared(gone, edit.right[0]) >= MOVED_LETTERS):
                result[i] = replace(edit, tag="word-order")
                result[j] = replace(found[j], tag="word-order")
                dropped.remove(j)
                break
    return result


def kind_of(wrong: Sequence[str], right: Sequence[str], before: Sequence[str], tag: str) -> str:
    """The error tag of one edit; `style` and `word-choice` for what the tutor leaves alone."""
    data = language(tag)
    if wrong and all(is_english(word, tag) for word in wrong):
        return "code-switch"
    if any(word in data.dialect_words for word in wrong):
        return "dialect"
    if len(wrong) == len(right) == 1:
        return _kind_of_pair(wrong[0], right[0], before, tag, data)
    joined_wrong, joined_right = "".join(wrong), "".join(right)
    if joined_wrong == joined_right:
        return "spelling"
    changed = set(wrong) ^ set(right)
    for kind in (
        "article",
        "subject-pronoun",
        "personal-a",
        "preposition",
        "negation",
        "measure-word",
        "aspect",
        "ba",
        "de",
    ):
        if changed and changed <= set(data.classes.get(kind, ())):
            return "style" if kind == "subject-pronoun" and not right else kind
    if changed and changed <= set(data.classes.get("pronoun", ())):
        return "pronoun"
    if changed and any(
        changed <= set(data.classes.get(k, ())) | set(data.classes.get("article", ()))
        for k in ("preposition",)
    ):
        return "preposition"
    return "word-choice"


@cache
def _classes(code: str) -> dict[str, frozenset[str]]:
    """The closed word classes of a language, ready to look words up."""
    return {kind: frozenset(members) for kind, members in language(code).classes.items()}


def _kind_of_pair(wrong: str, right: str, before: Sequence[str], tag: str, data: Language) -> str:
    classes = _classes(primary(tag))
    if wrong in classes.get("article", ()) and right in classes.get("article", ()):
        same_number = wrong.endswith("s") == right.endswith("s")
        return "gender" if same_number else "number"
    for one, other, name in (("ser", "estar", "ser-estar"), ("por", "para", "por-para")):
        first, second = classes.get(one, frozenset[str]()), classes.get(other, frozenset[str]())
        if (wrong in first and right in second) or (wrong in second and right in first):
            return ("auxiliary" if primary(tag) == "fr" else name) if one == "ser" else name
    for one in ("ser", "estar"):
        if wrong in classes.get(one, ()) and right in classes.get(one, ()):
            return "accent" if without_accents(wrong) == without_accents(right) else "verb-form"
    if without_accents(wrong) == without_accents(right):
        return "accent"
    if _sounds_like(wrong, data) == _sounds_like(right, data):
        return "sound-alike"
    for kind in ("preposition", "negation", "measure-word", "aspect", "de", "pronoun", "ba"):
        if wrong in classes.get(kind, ()) and right in classes.get(kind, ()):
            return kind
    if primary(tag) in ("zh", "ar"):
        if primary(tag) == "ar":
            return _arabic_pair(wrong, right, data)
        return "word-choice"
    return _inflection(wrong, right, before, tag, data)


def _inflection(wrong: str, right: str, before: Sequence[str], tag: str, data: Language) -> str:
    if _same_irregular(wrong, right, data):
        return "verb-form"
    bare_wrong, bare_right = without_accents(wrong), without_accents(right)
    stem = _shared(bare_wrong, bare_right)
    misspelt = zipf(wrong, tag) < SPELLING_ZIPF <= zipf(right, tag)
    if misspelt and OSA.distance(bare_wrong, bare_right) <= SPELLING_DISTANCE:
        return "spelling"
    if stem < min(STEM, len(bare_wrong), len(bare_right)) or not bare_wrong or not bare_right:
        return "word-choice"
    ends = (bare_wrong[stem:], bare_right[stem:])
    subject = bool(before) and before[-1] in {
        *data.classes.get("subject-pronoun", ()),
        *data.classes.get("pronoun", ()),
        "que",
        "no",
        "ne",
    }
    if not subject:
        if differ_in_ending(bare_wrong, bare_right, data.number_endings):
            return "number"
        if differ_in_ending(bare_wrong, bare_right, data.agreement_endings):
            return "gender"
    verbal = {without_accents(ending) for ending in data.verb_endings}
    if any(bare_wrong.endswith(e) and e for e in verbal) and any(
        bare_right.endswith(e) and e for e in verbal
    ):
        return "verb-form"
    return "word-choice" if max(map(len, ends)) > 4 else "verb-form"


def _same_irregular(wrong: str, right: str, data: Language) -> bool:
    """Two forms of one verb that share few letters, such as "fui" and "iba"."""
    return any(wrong in forms and right in forms for forms in data.irregular)


def _arabic_pair(wrong: str, right: str, data: Language) -> str:
    if wrong == f"ال{right}" or right == f"ال{wrong}":
        return "definite"
    if differ_in_ending(wrong, right, data.agreement_endings):
        return "gender"
    if differ_in_ending(wrong, right, data.number_endings):
        return "number"
    if OSA.distance(wrong, right) == 1 and zipf(wrong, "ar") < SPELLING_ZIPF:
        return "spelling"
    return "verb-form" if _shared(wrong[1:], right[1:]) >= 2 or _shared(wrong, right) >= 3 else "word-choice"


def _shared(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def differ_in_ending(wrong: str, right: str, pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether two words differ by one of `pairs` of endings, either way round."""
    for one, other in pairs:
        for x, y in ((one, other), (other, one)):
            if (
                wrong.endswith(x)
                and right.endswith(y)
                and wrong[: len(wrong) - len(x)] == right[: len(right) - len(y)]
            ):
                return True
    return False


def _sounds_like(word: str, data: Language) -> str:
    heard = without_accents(word)
    for written, said in data.sound_alike:
        heard = heard.replace(written, said)
    return heard
