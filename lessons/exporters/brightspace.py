"""Questions for Brightspace (D2L), which CUNY uses: the CSV that its question library imports.

One question is a block of rows that begins with `NewQuestion`. There is no fill-in-the-blank in this format,
so a cloze becomes a short answer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from lessons.exchange import Losses, Outcome
from lessons.exporters.questions import Question, questions_of
from lessons.files import replace_file
from lessons.schema import LessonSet

CODES = {"choice": "MC", "short": "SA", "match": "M", "order": "O", "essay": "WR"}
COLUMNS = 5
MAX_TITLE = 120


def export_brightspace(lesson_set: LessonSet, path: Path) -> Outcome:
    """Write the set's questions to `path` (.csv, UTF-8 with a mark, as Brightspace asks for)."""
    losses = Losses()
    questions = questions_of(lesson_set, losses)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for question in questions:
        for row in _rows(question, losses):
            writer.writerow([*row, *[""] * (COLUMNS - len(row))])
        writer.writerow([""] * COLUMNS)
    replace_file(path, text.getvalue().encode("utf-8-sig"))
    return Outcome(path, len(questions), "questions", losses.all())


def _rows(question: Question, losses: Losses) -> Iterator[list[str]]:
    kind = "MS" if sum(choice.right for choice in question.choices) > 1 else CODES[question.kind]
    yield ["NewQuestion", kind]
    yield ["ID", question.id]
    yield ["Title", f"{question.lesson.title}: {question.name}"[:MAX_TITLE]]
    yield ["QuestionText", question.text]
    yield ["Points", "1"]
    yield ["Difficulty", "1"]
    if kind == "SA":
        yield ["InputBox", "1", "60"]
        for answer in question.answers:
            yield ["Answer", "100", answer]
    elif kind == "WR":
        if question.answers:
            yield ["AnswerKey", question.answers[0]]
    elif kind == "M":
        yield ["Scoring", "EquallyWeighted"]
        for number, (left, _) in enumerate(question.pairs, 1):
            yield ["Choice", str(number), left]
        for number, (_, right) in enumerate(question.pairs, 1):
            yield ["Match", str(number), right]
    elif kind == "O":
        yield ["Scoring", "AllOrNothing"]
        for token in question.tokens:
            yield ["Item", token, "NOT HTML"]
        if len(question.answers) > 1:
            losses.add("other accepted order", question.id)
    else:
        yield from _options(question, kind)
    if question.hint:
        yield ["Hint", question.hint]
    if question.explain:
        yield ["Feedback", question.explain]


def _options(question: Question, kind: str) -> Iterator[list[str]]:
    if kind == "MS":
        yield ["Scoring", "RightAnswers"]
    right = "1" if kind == "MS" else "100"
    for choice in question.choices:
        yield ["Option", right if choice.right else "0", choice.text, "", choice.reply]
