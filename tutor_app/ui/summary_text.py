"""The words of the summary: what the learner did, never what they failed at. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from textual.content import Content

from tutor_app.session.events import Summary
from tutor_app.session.gain_text import gain_lines
from tutor_app.ui import wording, wording_path
from tutor_app.ui.text import gauge, one_line

BAR_CELLS = 10
MOST_WORDS = 12
Kind = Literal["lesson", "talk", "review"]


def summary_parts(
    summary: Summary, language: str, form_names: Mapping[str, str], kind: Kind = "lesson"
) -> list[Content]:
    """The paragraphs of the summary, in order. `form_names` gives form ids their names."""
    parts = [Content(_end(summary, kind))]
    facts = [
        wording.SUMMARY_TIME.format(minutes=max(1, round(summary.minutes)), language=one_line(language, 40))
    ]
    if summary.items_seen:
        facts.append(wording.SUMMARY_ITEMS.format(correct=summary.items_correct, seen=summary.items_seen))
    parts.append(Content("  ·  ".join(facts)).stylize("bold"))
    parts += _check(summary)
    forms = [
        _form(form_names.get(form, form), right, tried)
        for form, (right, tried) in summary.forms.items()
        if tried
    ]
    if forms:
        parts.append(_list(wording.SUMMARY_FORMS, forms))
    echoes = _echoes(summary)
    if echoes:
        parts.append(Content("\n").join(echoes))
    if summary.words:
        words = " · ".join(one_line(word, 40) for word in summary.words[:MOST_WORDS])
        parts.append(_list(wording.SUMMARY_WORDS, [Content(words)]))
    if summary.due_reviews:
        parts.append(Content(wording.SUMMARY_DUE.format(count=summary.due_reviews)).stylize("$text-quiet"))
    return parts


def _end(summary: Summary, kind: Kind) -> str:
    """What has come to its end. A talk has no whole of its own, and cannot be gone on with."""
    if kind == "talk":
        return wording.SUMMARY_TALK
    if not summary.finished:
        return wording.SUMMARY_PAUSED
    return wording.SUMMARY_REVIEW if kind == "review" else wording.SUMMARY_FINISHED


def _check(summary: Summary) -> list[Content]:
    """What a check says: where the learner begins, or how far they came and how sure that is."""
    if summary.check == "pre" and summary.finished:
        words = wording_path.SUMMARY_CHECK_PRE.format(right=summary.items_correct, of=summary.items_seen)
        return [Content(words)]
    gain = summary.gain
    if gain is None:
        return []
    return [Content("\n").join(Content(line) for line in gain_lines(gain))]


def _list(title: str, rows: list[Content]) -> Content:
    return Content("\n").join([Content(title).stylize("bold $primary"), *rows])


def _form(name: str, right: int, tried: int) -> Content:
    return Content.assemble(
        gauge(right / tried, BAR_CELLS, "$accent"), (f" {right}/{tried}  ", "$text-quiet"), one_line(name, 60)
    )


def _echoes(summary: Summary) -> list[Content]:
    lines: list[Content] = []
    for (taken, of), words in (
        (summary.uptake, wording.SUMMARY_UPTAKE),
        (summary.repair, wording.SUMMARY_REPAIR),
    ):
        if of and taken:
            lines.append(Content(words.format(taken=taken, of=of)))
    return lines
