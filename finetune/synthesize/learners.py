"""What learners say: real sentences of the corpora, the mistakes that lessons foresee, and the banks' own.

Of the corpora only writers that are not held back are used (`finetune.sources.learner`); masked sentences are
left out. A sentence comes with its native form where that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import regex
from rapidfuzz.distance import Levenshtein

from finetune.rows import rows
from finetune.sources import learner as learner_corpora
from finetune.sources.learner import is_held_back, nearest, tidy
from finetune.synthesize.bank import bank
from lessons.schema import GAP, Item, Lesson, LessonSet, Level, MatchItem, SetInfo, Step, Track, items_of
from tutor_app.pedagogy import author
from tutor_app.pedagogy.edits import edits
from tutor_app.pedagogy.language import is_english, length, primary, script_share, without_accents, zipf
from tutor_app.pedagogy.reformulation import MAX_WORDS, MIN_WORDS, find, worth_reformulating

LEFT_OUT = frozenset({"meaning", "register", "tone", "tashkeel", "liaison", "word-choice", "false-friend"})
"""Mistakes of a lesson that are not a matter of form: the sentence is good, it says something else."""
COURSE_LEVEL: tuple[tuple[str, Level], ...] = (("1", "A1"), ("2", "A2"), ("3", "A2"))
"""First-year courses of COWS-L2H (SPA 1, 2, 3); every later one counts as B1."""
SPOKEN_WORDS: dict[Level, float] = {"A1": 14, "A2": 20, "B1": 28}
"""The longest sentence that is used as a turn of this level."""

_CUE = regex.compile(r"\s*[(（][^)）]*[)）]\s*")


@dataclass(frozen=True)
class Said:
    """One turn of a learner."""

    text: str
    native: str
    """As a native speaker of the learner's variety would say it; the same when it is fine."""
    origin: str
    """`cowsl2h`, `mucgec`, `lessons` or `bank`."""
    topic: str | None = None
    questions: tuple[str, ...] = ()
    """The lesson's questions that need the form again."""
    replies: tuple[str, ...] = ()
    """Ready answers, for mixed language and shifts of register."""
    kind: str = "plain"
    elapsed_s: float | None = None


@dataclass
class Essay:
    """Sentences of one writer on one prompt, in order."""

    group: Track
    level: Level
    sentences: list[Said] = field(default_factory=list)


def essays(path: Path) -> list[Essay]:
    """COWS-L2H by writer and prompt, without held-back writers and masked sentences."""
    prompts = bank("es").prompts
    found: dict[tuple[str, str], Essay] = {}
    for _, row in rows([path]):
        if row is None or is_held_back(str(row["writer"])):
            continue
        learner, native = (tidy(str(row[key])) for key in ("learner", "corrected"))
        if not _usable(learner, native):
            continue
        number = regex.sub(r"\D", "", str(row["course"]).split(" ")[-1]) or "1"
        level: Level = next((level for course, level in COURSE_LEVEL if number == course), "B1")
        group: Track = "heritage" if row["group"] == "heritage" else "l2"
        essay = found.setdefault((str(row["writer"]), str(row["prompt"])), Essay(group, level))
        essay.sentences.append(Said(learner, native, "cowsl2h", prompts.get(str(row["prompt"]))))
    return list(found.values())


_TWICE = regex.compile(r"\b(\p{L}{2,})\s+\1\b", regex.IGNORECASE)
_OWN_GENDER = regex.compile(
    r"\b(soy|estoy|somos|estamos|era|éramos|estaba|estábamos|siento|sentí|sea|esté|ser|estar|fui|como)\b.*[oa]s?\b"
)
_GENDER = regex.compile(r"^(.{2,})(o|a|os|as|or|ora)$")


def _usable(learner: str, native: str) -> bool:
    """Not masked, not a title or a word count, and not corrected into nonsense."""
    if (
        not learner
        or not native
        or "*" in learner + native
        or ":" in learner
        or _TWICE.search(native + " | " + learner)
    ):
        return False
    if learner == native and misspelt(learner):
        return False  # nobody marked it, but it is not fine
    return not _about_own_gender(learner, native)


SEEN_ZIPF = 1.6
"""A Spanish word rarer than this that is no name is taken for a slip …"""
ACCENT_MARGIN = 0.7
"""… and so is one whose accented twin is this much commoner (Zipf scale): "espanol", "tenia"."""


@cache
def _accented() -> dict[str, tuple[str, float]]:
    """Spanish words without their accents → the commonest way to write them."""
    from wordfreq import top_n_list

    best: dict[str, tuple[str, float]] = {}
    for word in top_n_list("es", 60_000):
        bare, known = _bare(word), zipf(word, "es")
        if known > best.get(bare, ("", 0.0))[1]:
            best[bare] = (word, known)
    return best


def _bare(word: str) -> str:
    """The word as a keyboard without Spanish letters writes it."""
    return without_accents(word).replace("ñ", "n")


def misspelt(text: str) -> bool:
    """Whether a Spanish sentence holds a word that is most likely a slip of spelling; names do not count."""
    for match in regex.finditer(r"(?<!\p{L})\p{Ll}[\p{L}\p{M}]+", text):
        word = match.group()
        known = zipf(word, "es")
        if known < SEEN_ZIPF and not is_english(word, "es"):
            return True
        twin, twin_known = _accented().get(_bare(word), (word, known))
        if twin != word and twin_known - known > ACCENT_MARGIN:
            return True
    return False


def _about_own_gender(learner: str, native: str) -> bool:
    """Whether the correction changes how learners speak of their own gender: that is theirs to say."""
    ours, theirs = learner.casefold().split(), native.casefold().split()
    if len(ours) != len(theirs) or not _OWN_GENDER.search(learner.casefold()):
        return False
    for a, b in zip(ours, theirs, strict=True):
        one, other = _GENDER.match(a.strip(".,;!")), _GENDER.match(b.strip(".,;!"))
        if a != b and one and other and one[1] == other[1]:
            return True
    return False


def mucgec(path: Path) -> list[Said]:
    """Chinese learner sentences with the correction that changes least; every fifth is held back."""
    return [
        Said(learner, nearest(learner, versions), "mucgec")
        for writer, learner, versions in learner_corpora.mucgec(path)
        if not is_held_back(writer)
    ]


def whole(wrong: str, right: str, info: SetInfo) -> bool:
    """Whether the app would believe every edit between the two, or the two are the same."""
    if wrong == right:
        return True
    finding = find(wrong, right, info.language, info.track)
    return bool(finding.kept) and len(finding.kept) == len(
        [edit for edit in edits(wrong, right, info.language) if edit.tag not in TASTE]
    )


TASTE = frozenset({"style", "dialect", "code-switch"})
"""Edits that stay undone on purpose; any other that is not believed leaves half a correction."""


def foreseen(lessons: LessonSet, lesson: Lesson) -> Iterator[Said]:
    """Whole sentences with a mistake that the lesson foresees, and the nearest right answer."""
    for step, item in _items(lesson):
        for error in item.errors:
            if error.tag in LEFT_OUT or error.pattern.startswith("/") or "*" in error.pattern:
                continue
            pairs = [
                (_sentence(item, step, error.pattern), _sentence(item, step, accepted.text))
                for accepted in item.accept
                if accepted.dialect is None
            ]
            pairs = [(a, b) for a, b in pairs if a and b and a != b]
            if not pairs:
                continue
            wrong, right = min(pairs, key=lambda pair: Levenshtein.distance(*pair))
            if whole(wrong, right, lessons.info):
                question = author.without_emphasis(error.question).text
                yield Said(wrong, right, "lessons", questions=(question,) if _asks(question) else ())


def accepted(lessons: LessonSet, lesson: Lesson) -> Iterator[Said]:
    """Good sentences of a lesson: its answers, dialect forms included, and its examples."""
    tag = lessons.info.language
    for step, item in _items(lesson):
        for one in item.accept:
            text = _sentence(item, step, one.text)
            if worth_reformulating(text, tag) and not _asks(text):
                yield Said(text, text, "lessons", kind="dialect" if one.dialect else "plain")
    for word in lesson.vocabulary:
        if worth_reformulating(word.example, tag) and not _asks(word.example):
            text = author.without_emphasis(word.example).text
            yield Said(text, text, "lessons")


def _items(lesson: Lesson) -> Iterator[tuple[Step, Item]]:
    for step in lesson.steps:
        for item in items_of(step):
            if not isinstance(item, MatchItem):
                yield step, item


def _sentence(item: Item, step: Step, answer: str) -> str:
    """The answer in its sentence; empty when it is none."""
    if GAP in item.prompt:
        whole = _CUE.sub(" ", item.prompt).replace(GAP, answer)
    elif step.kind in ("translate", "order", "speak", "dictation", "write"):
        whole = answer
    else:
        return ""
    whole = author.without_emphasis(tidy(whole)).text.strip("–—- ")
    if any(mark in whole for mark in "…→=/:：|—") or "  " in whole:
        return ""
    return whole[:1].upper() + whole[1:]


def _asks(text: str) -> bool:
    return any(mark in text for mark in "?？؟")


def sayable(said: Said, tag: str, level: Level) -> bool:
    """Whether a learner of this level would say it in one turn of a talk."""
    size = length(said.text, tag)
    return (
        MIN_WORDS - 1 <= size <= min(MAX_WORDS, SPOKEN_WORDS[level])
        and script_share(said.text, tag) > 0.5
        and not _asks(said.text)
        and (primary(tag) == "zh" or " " in said.text)
    )
