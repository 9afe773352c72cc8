"""A lesson on paper: one HTML file to print, exercises first and the answer key on a page of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from html import escape
from pathlib import Path

from lessons.exchange import Losses, Outcome
from lessons.files import replace_file
from lessons.schema import (
    GAP,
    AnyItem,
    ChoiceItem,
    ItemStep,
    Lesson,
    LessonSet,
    ListenItem,
    MatchItem,
    OpenStep,
    OrderItem,
    ReadStep,
    ReflectStep,
    SpokenItem,
    TalkStep,
    WriteStep,
    items_of,
)

RIGHT_TO_LEFT = frozenset(("ar", "he", "fa", "ur"))
STYLE = """
body { font: 12pt/1.5 serif; max-width: 42em; margin: 2em auto; padding: 0 1em; color: #000; background: #fff; }
h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin-top: 1.6em; } h3 { font-size: 1em; }
table { border-collapse: collapse; width: 100%; } td, th { border: 1px solid #777; padding: .2em .5em; text-align: start; }
ol > li { margin-bottom: .7em; break-inside: avoid; }
.line { display: block; border-bottom: 1px solid #555; height: 1.8em; }
.gap { display: inline-block; min-width: 6em; border-bottom: 1px solid #000; }
.support { color: #444; font-style: italic; }
.key, .lesson + .lesson { break-before: page; }
""".strip()


def export_worksheet(lesson_set: LessonSet, path: Path) -> Outcome:
    """Write the whole set to `path` (.html), a lesson a page or two, with the key at the end."""
    losses = Losses()
    info = lesson_set.info
    primary = info.language.split("-")[0]
    direction = "rtl" if primary in RIGHT_TO_LEFT else "ltr"
    body = [line for lesson in lesson_set.lessons for line in _lesson(lesson, losses)]
    key = [line for lesson in lesson_set.lessons for line in _key(lesson)]
    text = "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{escape(info.language)}" dir="{direction}">',
            f'<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(info.title)}</title><style>{STYLE}</style></head>",
            "<body><main>",
            *body,
            f'<section class="key" lang="{escape(info.support_language)}" dir="auto"><h1>Answer key</h1>',
            *key,
            "</section></main></body></html>",
            "",
        ]
    )
    replace_file(path, text.encode("utf-8"))
    return Outcome(path, len(lesson_set.lessons), "lessons", losses.all())


def _lesson(lesson: Lesson, losses: Losses) -> Iterator[str]:
    yield f'<section class="lesson"><h1>{escape(lesson.title)}</h1>'
    yield "<table><tbody>"
    for word in lesson.vocabulary:
        reading = f' <span class="support">{escape(word.reading)}</span>' if word.reading else ""
        yield f'<tr><th scope="row">{escape(word.word)}{reading}</th><td dir="auto">{escape(word.gloss)}</td></tr>'
    yield "</tbody></table>"
    for step in lesson.steps:
        yield from _step(lesson, step, losses)
    yield "</section>"


def _step(lesson: Lesson, step: ItemStep | OpenStep, losses: Losses) -> Iterator[str]:
    name = f"{lesson.id}/{step.id}"
    if step.kind in ("dictation", "listen", "speak"):
        losses.add(f"{step.kind} step, which needs a voice", name)
        return
    support = f' <span class="support" dir="auto">{escape(step.support)}</span>' if step.support else ""
    yield f"<h2>{escape(step.prompt)}{support}</h2>"
    if isinstance(step, TalkStep):
        losses.add("tutor's side of a talk (its questions are printed)", name)
        yield f'<p class="support" dir="auto">{escape(step.scenario)} {escape(step.goal)}</p>'
        yield f"<ul>{''.join(f'<li>{escape(question)}</li>' for question in [step.opening, *step.questions])}</ul>"
    elif isinstance(step, ReflectStep):
        yield f'<p dir="auto">{escape(step.question)}</p>{_lines(3)}<p dir="auto">{escape(step.follow_up)}</p>{_lines(2)}'
    elif isinstance(step, WriteStep):
        yield f'<p class="support" dir="auto">{escape(step.goal)}</p><p>{escape(" / ".join(step.starters))}</p>{_lines(8)}'
    else:
        if isinstance(step, ReadStep):
            yield f"<p>{escape(step.text)}</p>"
        yield "<ol>"
        for item in items_of(step):
            losses.add("hints, recasts and questions of the tutor", f"{lesson.id}/{item.id}")
            yield f"<li>{_item(lesson, item)}</li>"
        yield "</ol>"


def _lines(count: int) -> str:
    return '<span class="line"></span>' * count


def _item(lesson: Lesson, item: AnyItem) -> str:
    prompt = escape(item.prompt).replace(GAP, '<span class="gap"></span>')
    if isinstance(item, MatchItem):
        rights = _rights(lesson, item)
        rows = (
            f"<tr><td>{number}. {escape(left)}</td><td>{'abcdefgh'[number - 1]}. {escape(right)}</td></tr>"
            for number, ((left, _), right) in enumerate(zip(item.pairs, rights, strict=True), 1)
        )
        return f"{prompt}<table><tbody>{''.join(rows)}</tbody></table>"
    if isinstance(item, ChoiceItem | ListenItem) and item.choices:
        return f"{prompt}<br>{'&emsp;'.join(f'☐ {escape(choice)}' for choice in item.choices)}"
    if isinstance(item, OrderItem):
        tokens = _shuffled(f"{lesson.id}/{item.id}", item.tokens)
        return f"{prompt}<br>{escape(' / '.join(tokens))}{_lines(1)}"
    if GAP in item.prompt:
        return prompt
    said = f"<br>{escape(item.say)}" if isinstance(item, SpokenItem) else ""
    return f"{prompt}{said}{_lines(1)}"


def _shuffled(seed: str, texts: list[str]) -> list[str]:
    """The same order at every export, and never the right one when another is possible."""
    mixed = list(texts)
    generator = random.Random(seed)
    for _ in range(8):
        generator.shuffle(mixed)
        if mixed != texts:
            break
    return mixed


def _rights(lesson: Lesson, item: MatchItem) -> list[str]:
    return _shuffled(f"{lesson.id}/{item.id}", [right for _, right in item.pairs])


def _key(lesson: Lesson) -> Iterator[str]:
    yield f'<h2 dir="auto">{escape(lesson.title)}</h2>'
    for step in lesson.steps:
        if step.kind in ("dictation", "listen", "speak"):
            continue
        if isinstance(step, WriteStep):
            yield f'<h3 dir="auto">{escape(step.prompt)}</h3><p dir="auto">{escape(step.model)}</p>'
        items = items_of(step)
        if items:
            answers = "".join(f'<li dir="auto">{escape(_answer(lesson, item))}</li>' for item in items)
            yield f'<h3 dir="auto">{escape(step.prompt)}</h3><ol>{answers}</ol>'


def _answer(lesson: Lesson, item: AnyItem) -> str:
    if isinstance(item, MatchItem):
        rights = _rights(lesson, item)
        return " ".join(
            f"{at}{'abcdefgh'[rights.index(right)]}" for at, (_, right) in enumerate(item.pairs, 1)
        )
    return " · ".join(
        answer.text + (f" ({answer.dialect})" if answer.dialect else "") for answer in item.accept
    )
