"""A set made from somebody else's material: it can be studied at once, and lint says what is left to write.

Other programs have words, sentences and answers, but no hint ladders, recasts or talks. Hints are made from the
answer's shape; error patterns are left out, since only a teacher knows them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lessons.exchange import ExchangeError, Losses, Outcome
from lessons.files import replace_file
from lessons.leaks import gives_away
from lessons.load import LESSONS_DIR, SET_FILE, load_set
from lessons.schema import Level, Track

MAX_WORDS = 12
"""New words in one lesson."""
MAX_ITEMS = 24
MAX_TEXT = 1000
"""Characters of one imported text; longer ones are cut, so that hints made from them still fit."""
PAIRS = range(3, 9)
CHOICES = range(2, 7)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufeff\ud800-\udfff]")

Data = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class About:
    """What the other format does not say about a set."""

    set_id: str
    title: str
    language: str
    track: Track = "l2"
    level: Level = "A1"
    author: str = "Imported"
    licence: str = "LicenseRef-unknown"
    support_language: str = "en"


@dataclass(frozen=True)
class Word:
    word: str
    gloss: str
    reading: str = ""
    example: str = ""
    example_gloss: str = ""


@dataclass
class Draft:
    """One lesson to be."""

    title: str
    words: list[Word] = field(default_factory=list)
    items: dict[str, list[Data]] = field(default_factory=dict)
    """Items by the kind of step they belong to."""
    explain: str = ""

    def add(self, kind: str, item: Data) -> None:
        self.items.setdefault(kind, []).append(item)


def clean(text: str) -> str:
    """Composed text without what no lesson may hold, its spaces and lines in order."""
    text = _CONTROL.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\xa0", " ")))
    return re.sub(r"[ \t]+", " ", re.sub(r"\n\s*\n+", "\n", text)).strip()[:MAX_TEXT]


def slug(text: str, prefix: str) -> str:
    """An id for `text`, the same at every import: readable where the letters allow, else from a hash."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    plain = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-")
    return f"{prefix}-{plain or hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:10]}"


def item(prefix: str, prompt: str, accept: Sequence[str], gloss: str = "", **more: Any) -> Data:
    """An item with hints that lead to its first answer without giving it away."""
    answers = list(dict.fromkeys(answer for answer in map(clean, accept) if answer))
    made: Data = {"id": slug(f"{prompt} {answers[0]}", prefix), "prompt": clean(prompt), **more}
    if gloss:
        made["gloss"] = clean(gloss)
    return {**made, "accept": answers, "hints": hints(answers[0])}


def hints(answer: str) -> list[str]:
    """Nudge, cue, choice, model, from nothing but the shape of the answer."""
    words = answer.split()
    if len(words) > 1:
        cue = f"It has {len(words)} words. How could it begin?"
    else:
        cue = f"It has {len(answer)} letters or characters. What could it be?"
    first = next((letter for letter in answer if letter.isalnum()), answer[0])
    other = "m" if first.casefold() != "m" else "t"
    third = f"Does it begin with {first}__ or with {other}__?"
    if len(answer) < 3:  # its first letter would give it away
        third = f"Does it have {len(answer)} or {len(answer) + 1} letters?"
    return [
        "Which part of it do you know already?",
        cue,
        third,
        f"One way: *{answer}*. How would you say it?",
    ]


def match_item(title: str, pairs: Sequence[tuple[str, str]]) -> Data:
    """Pairs to put together; 3 to 8 of them, no side twice."""
    left, right = pairs[0]
    made = [
        "Which pair do you know already?",
        "Which word looks like one you know?",
        "Which one fits: the first or the last?",
    ]
    return {
        "id": slug(" ".join(left for left, _ in pairs), "match"),
        "prompt": title,
        "pairs": [list(pair) for pair in pairs],
        "hints": [*made, f"One pair is {left} = {right}. Which others do you see?"],
    }


def word_items(draft: Draft) -> None:
    """Matching and translation for the draft's words."""
    pairs: list[tuple[str, str]] = []
    for word in draft.words:
        if word.word not in [left for left, _ in pairs] and word.gloss not in [right for _, right in pairs]:
            pairs.append((word.word, word.gloss))
    for group in batches(pairs, PAIRS[-1]):
        if len(group) in PAIRS:
            draft.add("match", match_item("Which belong together?", group))
    meant: dict[str, list[str]] = {}
    for word in draft.words:
        meant.setdefault(word.gloss.casefold(), []).append(word.word)
    for word in draft.words:  # "bus" is asked for camión and for guagua, and both are right
        others = meant[word.gloss.casefold()]
        draft.add("translate", item("say", word.gloss, [word.word, *others], words=[word.word]))


def batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """`values` in lists of at most `size`."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def write_set(target: Path, about: About, drafts: Sequence[Draft], losses: Losses) -> Outcome:
    """Write the drafts as a set into `target`, which must be new; it is read back before this returns."""
    if target.exists() and any(target.iterdir()):
        raise ExchangeError(f"{target} is not empty. Name a new folder for the set.")
    drafts = [draft for draft in drafts if draft.items]
    if not drafts:
        raise ExchangeError("There is nothing in it that could become an exercise.")
    info = {
        "format": 1,
        "id": about.set_id,
        "version": "0.1.0",
        "title": about.title,
        "language": about.language,
        "support_language": about.support_language,
        "track": about.track,
        "levels": [about.level],
        "authors": [about.author],
        "licence": about.licence,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".import-"))
    try:
        (scratch / LESSONS_DIR).mkdir()
        replace_file(scratch / SET_FILE, _yaml(info))
        taken: set[str] = set()
        for number, draft in enumerate(drafts, 1):
            name = _free(slug(draft.title, "lesson").removeprefix("lesson-") or "lesson", taken)
            lesson = _lesson(name, draft, about, losses)
            replace_file(scratch / LESSONS_DIR / f"{number:02}-{name}.yaml", _yaml(lesson))
        load_set(scratch)
        if target.exists():
            target.rmdir()
        os.replace(scratch, target)
        target.chmod(0o755)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Outcome(target, len(drafts), "lessons", losses.all())


def _lesson(name: str, draft: Draft, about: About, losses: Losses) -> Data:
    losses.add("talk, culture note and error patterns (to be written)", name)
    taken: set[str] = set()
    steps: list[Data] = []
    for kind in ("match", "choice", "cloze", "order", "translate"):
        found = draft.items.get(kind, [])
        if len(found) > MAX_ITEMS:
            for extra in found[MAX_ITEMS:]:
                losses.add(f"item beyond {MAX_ITEMS} of a kind in one lesson", f"{name}/{extra['id']}")
        items = []
        for one in found[:MAX_ITEMS]:
            items.append({**one, "id": _free(one["id"], taken), "forms": ["new-words"]})
            leaked = [
                text for text in one.get("accept", []) if gives_away(one["prompt"], text, about.language)
            ]
            if leaked:
                losses.add("item whose prompt holds its answer (rewrite it)", f"{name}/{one['id']}")
        if items:
            steps.append(
                {"kind": kind, "id": _free(f"{kind}-step", taken), "prompt": PROMPTS[kind], "items": items}
            )
    steps.append(
        {
            "kind": "reflect",
            "id": _free("look-back", taken),
            "prompt": "To end with.",
            "question": "Which of these words will you use this week, and with whom?",
            "follow_up": "What will you say?",
        }
    )
    words = [_word(word, name, losses) for word in draft.words]
    examples = [word["example"] for word in words[:4]] or [
        answer for one in steps[0]["items"] for answer in one.get("accept", [one["prompt"]])
    ]
    return {
        "id": name,
        "title": clean(draft.title) or name,
        "level": about.level,
        "objectives": [f"Use the words of {clean(draft.title) or name!r} in a sentence of your own."],
        "vocabulary": words,
        "forms": [
            {
                "id": "new-words",
                "name": "New words",
                "explain": draft.explain
                or "Which of these words look like words you know? What do they share?",
                "examples": (examples * 2)[: max(2, len(examples))],
                "surface": [word["word"] for word in words] or examples[:1],
            }
        ],
        "steps": steps,
    }


PROMPTS = {
    "match": "Put together what belongs together.",
    "choice": "Choose.",
    "cloze": "Fill the gap.",
    "order": "Put the words in order.",
    "translate": "Say it in the language you are learning.",
}


def _word(word: Word, lesson: str, losses: Losses) -> Data:
    if not word.example:
        losses.add("example sentence (to be written)", f"{lesson}: {word.word}")
    made = {
        "word": word.word,
        "gloss": word.gloss,
        "reading": word.reading,
        "example": word.example or word.word,
    }
    return {**made, "example_gloss": word.example_gloss}


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a number when it is taken."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name[:55]}-{number}"
    taken.add(free)
    return free


def _yaml(data: Data) -> bytes:
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)
    return str(text).encode("utf-8")
