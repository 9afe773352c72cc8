"""Questions for Moodle, in its GIFT format."""

from __future__ import annotations

import re
from pathlib import Path

from lessons.exchange import Losses, Outcome
from lessons.exporters.questions import Choice, Question, questions_of
from lessons.files import replace_file
from lessons.schema import LessonSet

_SPECIAL = re.compile(r"[\\~=#{}:]")


def export_gift(lesson_set: LessonSet, path: Path) -> Outcome:
    """Write the set's questions to `path` (.gift, UTF-8)."""
    losses = Losses()
    questions = questions_of(lesson_set, losses)
    lines: list[str] = []
    lesson = ""
    for question in questions:
        if question.lesson.id != lesson:
            lesson = question.lesson.id
            title = re.sub(r"[^\w$ ]+", "-", question.lesson.title).strip("- ")
            lines += [f"$CATEGORY: {lesson_set.info.id}/{title}", ""]
        lines += [_question(question, losses), ""]
    replace_file(path, "\n".join(lines).encode("utf-8"))
    return Outcome(path, len(questions), "questions", losses.all())


def escape(text: str) -> str:
    """`text` with the signs that mean something in GIFT made harmless, on one line."""
    return _SPECIAL.sub(lambda found: "\\" + found.group(), text).replace("\r", "").replace("\n", "\\n")


def _question(question: Question, losses: Losses) -> str:
    if question.hint:
        losses.add("first hint (GIFT has none)", question.id)
    feedback = f"####{escape(question.explain)}" if question.explain else ""
    body = _answers(question, losses)
    title = f"::{escape(question.id)}::[plain]"
    if question.gap is not None:
        before, after = question.gap
        return f"{title}{escape(before)}{{{body}{feedback}}}{escape(after)}"
    text = question.text
    if question.kind == "order":
        text = f"{text}\n{' / '.join(sorted(question.tokens, key=str.casefold))}"
    return f"{title}{escape(text)}{{{body}{feedback}}}"


def _answers(question: Question, losses: Losses) -> str:
    if question.kind == "essay":
        if question.answers:
            losses.add("model text of a writing task", question.id)
        return ""
    if question.kind == "match":
        return " ".join(f"={escape(left)} -> {escape(right)}" for left, right in question.pairs)
    if question.kind == "choice":
        right = sum(choice.right for choice in question.choices)
        return " ".join(_choice(choice, right) for choice in question.choices)
    if question.kind == "order":
        losses.add("ordering, which became a short answer", question.id)
    # A star is a wildcard in Moodle's short answers.
    return " ".join("=" + escape(answer).replace("*", "\\*") for answer in question.answers)


def _choice(choice: Choice, right: int) -> str:
    sign = "~"
    if choice.right:
        sign = "=" if right == 1 else f"~%{100 / right:.5f}%"
    return sign + escape(choice.text) + (f"#{escape(choice.reply)}" if choice.reply else "")
