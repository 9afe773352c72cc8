"""Moodle questions in GIFT: choice, true/false, short answer, missing word, matching and exact numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lessons.exchange import ExchangeError, Losses, Outcome, read_limited
from lessons.importers.draft import (
    CHOICES,
    MAX_ITEMS,
    MAX_TEXT,
    PAIRS,
    About,
    Data,
    Draft,
    clean,
    item,
    match_item,
    write_set,
)
from lessons.schema import GAP

_TITLE = re.compile(r"\s*::((?:\\.|[^\\])*?)::", re.DOTALL)
_FORMAT = re.compile(r"\s*\[(?:html|moodle|plain|markdown)\]", re.IGNORECASE)
_WEIGHT = re.compile(r"%(-?\d+(?:\.\d+)?)%")
_TAG = re.compile(r"<[^<>]{0,300}>")


@dataclass(frozen=True)
class Answer:
    """One answer of a question: its sign, weight in percent, text, and the feedback to it."""

    right: bool
    text: str
    feedback: str


def import_gift(path: Path, target: Path, about: About) -> Outcome:
    """Make a set in `target` from the questions at `path`, a lesson for each category."""
    losses = Losses()
    drafts: dict[str, Draft] = {}
    for category, source in _blocks(_read(path)):
        made = _question(source, losses)
        if made is None:
            continue
        kind, one = made
        name = category or about.title
        part = 1
        while len(drafts.get(_part(name, part), Draft("")).items.get(kind, [])) >= MAX_ITEMS:
            part += 1
        draft = drafts.setdefault(_part(name, part), Draft(_part(name, part)))
        draft.add(kind, one)
    return write_set(target, about, list(drafts.values()), losses)


def _part(name: str, part: int) -> str:
    return name if part == 1 else f"{name} {part}"


def _read(path: Path) -> str:
    data = read_limited(path)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ExchangeError(f"{path} is not UTF-8 text. Save it as UTF-8.") from error


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """The questions with the category they are in; a blank line ends a question."""
    category, block = "", list[str]()
    for line in [*text.split("\n"), ""]:
        if line.strip().startswith("//"):
            continue
        if line.strip().startswith("$CATEGORY:"):
            category = clean(line.partition(":")[2].rstrip("/").rpartition("/")[2])
        elif line.strip():
            block.append(line)
        elif block:
            yield category, "\n".join(block)
            block = []


def _question(source: str, losses: Losses) -> tuple[str, Data] | None:
    title = ""
    if found := _TITLE.match(source):
        title, source = _text(found.group(1)), source[found.end() :]
    if found := _FORMAT.match(source):
        source = source[found.end() :]
    opened = _find(source, "{")
    closed = _find(source, "}", opened + 1) if opened >= 0 else -1
    before = _text(source[:opened] if opened >= 0 else source)
    name = title or before[:30]
    if len(before) == MAX_TEXT:
        losses.add(f"end of a text of more than {MAX_TEXT} characters", name)
    if closed < 0:
        losses.add("description, which asks nothing", name)
        return None
    after = _text(source[closed + 1 :])
    body = source[opened + 1 : closed]
    body, explain = _split_feedback(body)
    prompt = f"{before} {GAP} {after}".strip() if after else before
    made = _by_kind(body.strip(), prompt, bool(after), name, losses)
    if made and explain:
        made[1]["explain"] = explain
    return made


def _by_kind(body: str, prompt: str, is_gap: bool, name: str, losses: Losses) -> tuple[str, Data] | None:
    prompt = prompt or name
    if not body or not prompt:
        losses.add("essay question", name)
        return None
    if body.upper() in ("T", "TRUE", "F", "FALSE") or re.match(r"(?i)(t|true|f|false)\s*#", body):
        right = "True" if body[0] in "tT" else "False"
        return "choice", item("gift", prompt, [right], choices=["True", "False"])
    if body.startswith("#"):
        return _number(body[1:], prompt, name, losses)
    answers = list(_answers(body))
    rights = [answer.text for answer in answers if answer.right]
    if any(answer.feedback for answer in answers):
        losses.add("feedback to an answer (make it a recast)", name)
    if not rights:
        losses.add("question without a right answer", name)
        return None
    if all(answer.right and "->" in answer.text for answer in answers):
        return _matching(answers, prompt, name, losses)
    if all(answer.right for answer in answers):
        if is_gap or prompt.count(GAP) == 1:
            return "cloze", item("gift", prompt, rights)
        return "translate", item("gift", prompt, rights)
    choices = list(dict.fromkeys(answer.text for answer in answers))
    if len(choices) not in CHOICES or len(set(rights)) == len(choices):
        losses.add(f"choice question with fewer than {CHOICES[0]} or more than {CHOICES[-1]} choices", name)
        return None
    if len(rights) > 1:
        losses.add("several right choices at once (each is accepted alone)", name)
    return "choice", item("gift", prompt, rights, choices=choices)


def _number(body: str, prompt: str, name: str, losses: Losses) -> tuple[str, Data] | None:
    value = body.strip().lstrip("=").strip()
    exact = value.partition(":")[0].strip()
    if not re.fullmatch(r"-?\d+(\.\d+)?", exact):
        losses.add("number within a range", name)
        return None
    if value != exact:
        losses.add("tolerance of a number", name)
    return "translate", item("gift", prompt, [exact])


def _matching(answers: list[Answer], prompt: str, name: str, losses: Losses) -> tuple[str, Data] | None:
    pairs: list[tuple[str, str]] = []
    for answer in answers:
        left, _, right = (side.strip() for side in answer.text.partition("->"))
        if (
            left
            and right
            and left not in [one for one, _ in pairs]
            and right not in [one for _, one in pairs]
        ):
            pairs.append((left, right))
        else:
            losses.add("pair with an empty or repeated side", name)
    if len(pairs) < PAIRS[0]:
        losses.add(f"matching question with fewer than {PAIRS[0]} pairs", name)
        return None
    for left, _ in pairs[PAIRS[-1] :]:
        losses.add(f"pair beyond {PAIRS[-1]}", f"{name}: {left}")
    return "match", match_item(prompt, pairs[: PAIRS[-1]])


def _answers(body: str) -> Iterator[Answer]:
    """The answers, each begun by an unescaped = or ~."""
    starts = [at for at in range(len(body)) if body[at] in "=~" and not _escaped(body, at)]
    for start, end in pairwise([*starts, len(body)]):
        text, _, feedback = _partition(body[start + 1 : end], "#")
        weight = 100.0 if body[start] == "=" else 0.0
        if found := _WEIGHT.match(text.strip()):
            weight, text = float(found.group(1)), text.strip()[found.end() :]
        if plain := _text(text):
            yield Answer(weight > 0, plain, _text(feedback))


def _split_feedback(body: str) -> tuple[str, str]:
    at = body.find("####")
    return (body, "") if at < 0 else (body[:at], _text(body[at + 4 :]))


def _partition(text: str, sign: str) -> tuple[str, str, str]:
    at = _find(text, sign)
    return (text, "", "") if at < 0 else (text[:at], sign, text[at + 1 :])


def _find(text: str, sign: str, start: int = 0) -> int:
    """Where `sign` stands without a backslash before it, or -1."""
    at = text.find(sign, start)
    while at >= 0 and _escaped(text, at):
        at = text.find(sign, at + 1)
    return at


def _escaped(text: str, at: int) -> bool:
    slashes = 0
    while at > slashes and text[at - 1 - slashes] == "\\":
        slashes += 1
    return slashes % 2 == 1


def _text(source: str) -> str:
    """Plain text: escapes resolved, HTML tags dropped."""
    source = re.sub(
        r"\\(.)", lambda found: "\n" if found.group(1) == "n" else found.group(1), source, flags=re.DOTALL
    )
    return clean(_TAG.sub("", source))
