"""A sentence with some of its changes made, and the few words of it that show one of them.

A recast of one word alone hides what it agrees with; a whole clause hides the word. So: the changed words with a neighbour
on each side, inside their clause, and nothing that leads nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from tutor_app.pedagogy.edits import Edit, tokens
from tutor_app.pedagogy.language import LITTLE, kinds, language, primary, words

JOINS = frozenset({"y", "e", "et"})


def apply(
    learner: str, native: str, kept: Sequence[Edit], tag: str, *, complete: bool
) -> tuple[str, list[tuple[int, int]]]:
    """The learner's sentence with the kept edits only, and where each of them stands in it (characters).

    `complete`: every edit is kept, so the native sentence is it, with its own spaces ("j'ai" becomes "je suis").
    """
    ours, theirs = tokens(learner, tag), tokens(native, tag)
    if complete:
        return native, [_span(theirs.spans, edit.target_start, edit.target_end, len(native)) for edit in kept]
    space = "" if primary(tag) == "zh" else " "
    out, position = "", 0
    ranges = []
    for edit in kept:
        start, end = _span(ours.spans, edit.start, edit.end, len(learner))
        gap = learner[position:start]
        new = space.join(theirs.written[edit.target_start : edit.target_end])
        if edit.target_start == 0 and edit.start > 0:
            new = new[:1].lower() + new[1:]  # it began the native sentence and does not begin this one
        if edit.start == edit.end:
            new = new + space if start < len(learner) else space + new
        elif not new and gap.endswith(" "):
            gap = gap[:-1]
        elif edit.start == 0 and learner[:1].isupper():
            new = new[:1].upper() + new[1:]
        out += gap
        ranges.append((len(out), len(out) + len(new.rstrip())))
        out += new
        position = end
    out += learner[position:]
    if learner[:1].isupper():
        out = out[:1].upper() + out[1:]
    return out, ranges


def _span(spans: Sequence[tuple[int, int]], start: int, end: int, size: int) -> tuple[int, int]:
    if start == end:
        at = spans[start][0] if start < len(spans) else size
        return at, at
    return spans[start][0], spans[end - 1][1]


def phrase(text: str, start: int, end: int, tag: str) -> str:
    """The words from `start` to `end` with one neighbour on each side, inside their clause."""
    cut = tokens(text, tag)
    inside = [i for i, (a, b) in enumerate(cut.spans) if a < end and b > start] or [
        i for i, (a, _) in enumerate(cut.spans) if a >= start
    ][:1]
    if not inside:
        return text.strip()
    reach = 3 if primary(tag) == "zh" else 1
    first, last = inside[0], inside[-1]
    for _ in range(reach):
        if (
            first > 0
            and _leads_to(cut.compared[first - 1], cut.compared[first], tag)
            and not _clause_break(text[cut.spans[first - 1][1] : cut.spans[first][0]])
        ):
            first -= 1
        if last + 1 < len(cut.spans) and not _clause_break(text[cut.spans[last][1] : cut.spans[last + 1][0]]):
            last += 1
    if primary(tag) == "zh":
        first, last = _whole_words(text, cut.spans, first, last, tag)
    if primary(tag) == "fr":  # "j'ai", not "ai"
        while first > 0 and cut.spans[first - 1][1] == cut.spans[first][0]:
            first -= 1
    while first < inside[0] and cut.compared[first] in language(tag).classes.get("conjunction", ()):
        first += 1
    joined = first > 0 and cut.compared[first - 1] in JOINS
    if joined and first < inside[0] and "subject-pronoun" in kinds(cut.compared[first], tag):
        first = inside[0]  # "somos de Queens", not "yo somos de Queens" of "mi hermano y yo"
    before = {*language(tag).classes.get("determiner", ()), *language(tag).classes.get("article", ())}
    while first > 0 and first < inside[0] and cut.compared[first - 1] in before:
        first -= 1  # "mi hermana está", not "hermana está"
    while last > inside[-1] and kinds(cut.compared[last], tag) & LITTLE and last + 1 < len(cut.spans):
        # "de la" alone says nothing: go on to the word it belongs to, or leave it out at a clause's end.
        if _clause_break(text[cut.spans[last][1] : cut.spans[last + 1][0]]):
            break
        last += 1
    return text[cut.spans[first][0] : cut.spans[last][1]]


def _leads_to(before: str, word: str, tag: str) -> bool:
    """Whether `before` helps to see `word`: before an article only what surely goes with it ("a un poema", "tiene un perro")."""
    if not kinds(word, tag) & {"article", "quantifier"}:
        return True
    return bool(kinds(before, tag) & {"preposition", "ser", "estar", "negation", "irregular"})


def _whole_words(
    text: str, spans: Sequence[tuple[int, int]], first: int, last: int, tag: str
) -> tuple[int, int]:
    """The same stretch of characters, without half a word at either end ("三个饺" becomes "三个饺子")."""
    ends = set()
    position = 0
    for word in words(text, tag):
        at = text.find(word, position)
        if at < 0:
            continue  # folded otherwise than it is written
        position = at + len(word)
        ends |= {at, position}
    while first > 0 and spans[first][0] not in ends and spans[first - 1][1] == spans[first][0]:
        first -= 1
    while last + 1 < len(spans) and spans[last][1] not in ends and spans[last + 1][0] == spans[last][1]:
        last += 1
    return first, last


def written_at(learner: str, edit: Edit, tag: str) -> str:
    cut = tokens(learner, tag)
    first, last = max(edit.start - 1, 0), min(max(edit.end, edit.start + 1), len(cut.spans) - 1)
    return learner[cut.spans[first][0] : cut.spans[last][1]] if cut.spans else learner


def _clause_break(between: str) -> bool:
    return any(mark in between for mark in ".,;:!?¿¡()。，！？；：、،؛؟")
