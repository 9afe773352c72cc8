"""A class report as CSV tables and xAPI statements."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tutor_app.progress.class_report import ClassReport, LearnerLine, opened
from tutor_app.progress.figures import gain_figures, minutes, overview_figures, percent, probability
from tutor_app.progress.handin import HandIn
from tutor_app.progress.sharing import may_answer

_NAMESPACE = uuid.UUID(
    "6f1c9a52-9d0b-5d5e-8f0f-2f6d4f1b7a10"
)  # ours; statement ids follow from their content
_VERBS = {
    "answered": "http://adlnet.gov/expapi/verbs/answered",
    "completed": "http://adlnet.gov/expapi/verbs/completed",
}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_files(report: ClassReport) -> dict[str, str]:
    """File name → CSV text: learners, lessons, forms, errors. Figures as the screens write them."""
    return {
        "learners.csv": _csv(LEARNER_COLUMNS, _learner_rows(report)),
        "lessons.csv": _csv(LESSON_COLUMNS, _lesson_rows(report)),
        "forms.csv": _csv(FORM_COLUMNS, _form_rows(report)),
        "errors.csv": _csv(("set", "learner", "key", "error", "count"), _error_rows(report)),
    }


LEARNER_COLUMNS = (
    "set",
    "learner",
    "key",
    "handed_in",
    "minutes",
    "sessions",
    "turns",
    "questions",
    "hints",
    "items_right",
    "items_tried",
    "items_percent",
    "words_known",
    "words_met",
    "forms_known",
    "forms_met",
    "uptake_percent",
    "repair_percent",
    "gain",
    "gain_low",
    "gain_high",
)
LESSON_COLUMNS = (
    "set",
    "learner",
    "key",
    "lesson",
    "sessions",
    "minutes",
    "items_right",
    "items_met",
    "items_percent",
    "finished",
)
FORM_COLUMNS = ("set", "learner", "key", "form", "right", "tried", "percent", "next_time_percent")


def learner_figures(line: LearnerLine) -> dict[str, str]:
    """The figures of one learner as text; the HTML shows the same."""
    return {**overview_figures(line.overview), **gain_figures(line.gain)}


def _learner_rows(report: ClassReport) -> Iterator[tuple[str, ...]]:
    for set_id, line in _lines(report):
        yield (*_who(set_id, line)[:3], _iso(line.made_at), *learner_figures(line).values())


def _lesson_rows(report: ClassReport) -> Iterator[tuple[str, ...]]:
    for set_id, line in _lines(report):
        for one in line.lessons:
            figures = (str(one.sessions), minutes(one.minutes), str(one.items[0]), str(one.items[1]))
            yield (
                *_who(set_id, line),
                one.lesson_id,
                *figures,
                percent(one.items),
                "yes" if one.finished else "no",
            )


def _form_rows(report: ClassReport) -> Iterator[tuple[str, ...]]:
    for set_id, line in _lines(report):
        for form in line.forms:
            share = (form.right, form.tried)
            figures = (str(form.right), str(form.tried), percent(share), probability(form.probability))
            yield (*_who(set_id, line), form.form_id, *figures)


def _error_rows(report: ClassReport) -> Iterator[tuple[str, ...]]:
    for set_id, line in _lines(report):
        for error in line.errors:
            yield (*_who(set_id, line), error.tag, str(error.count))


def _lines(report: ClassReport) -> Iterator[tuple[str, LearnerLine]]:
    for one in report.sets:
        for line in one.learners:
            yield one.set_id, line


def _who(set_id: str, line: LearnerLine) -> tuple[str, str, str]:
    return set_id, line.name, line.learner


def _csv(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def _inert(cell: str) -> str:
    """A name such as `=cmd()` must not become a formula where the table is opened; numbers stay numbers."""
    if cell.startswith(_FORMULA_STARTS) and not _is_number(cell):
        return "'" + cell
    return cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def statements(report: ClassReport) -> Iterator[str]:
    """xAPI 1.0.3 statements, one JSON object a line: every attempt answered, every lesson completed."""
    for hand_in in report.hand_ins:
        with opened(hand_in) as store:
            for row in store.database.rows(
                "SELECT a.*, (SELECT group_concat(tag, ' ') FROM attempt_tags g WHERE g.attempt_id = a.id) AS tags"
                " FROM attempts a ORDER BY a.id"
            ):
                if row["set_id"] not in hand_in.set_ids:
                    continue
                result: dict[str, Any] = {
                    "success": bool(row["correct"]),
                    "extensions": {
                        "urn:linguist:hint-level": row["hint_level"],
                        "urn:linguist:attempt": row["attempt_number"],
                        "urn:linguist:errors": (row["tags"] or "").split(),
                    },
                }
                if may_answer(row["item_id"], hand_in.share):
                    result["response"] = row["given"]
                place = (
                    f"{row['set_id']}:{row['lesson_id'] or 'talk'}:{row['item_id'] or row['step_id'] or ''}"
                )
                yield _statement(hand_in, "answered", place, result, row["at"], row["id"])
            for row in store.database.rows(
                "SELECT * FROM sessions WHERE finished = 1 AND ended_at IS NOT NULL ORDER BY id"
            ):
                if row["set_id"] not in hand_in.set_ids:
                    continue
                place = f"{row['set_id']}:{row['lesson_id'] or 'talk'}"
                result = {"completion": True, "duration": f"PT{round(row['active_s'])}S"}
                yield _statement(hand_in, "completed", place, result, row["ended_at"], row["id"])


def _statement(hand_in: HandIn, verb: str, place: str, result: dict[str, Any], at: float, number: int) -> str:
    name = f"{hand_in.learner} {verb} {place} {number}"
    return json.dumps(
        {
            "id": str(uuid.uuid5(_NAMESPACE, name)),
            "actor": {
                "objectType": "Agent",
                "name": hand_in.name,
                "account": {"homePage": "urn:linguist:learner", "name": hand_in.learner},
            },
            "verb": {"id": _VERBS[verb], "display": {"en": verb}},
            "object": {"objectType": "Activity", "id": f"urn:linguist:{place}"},
            "result": result,
            "timestamp": _iso(at),
        },
        ensure_ascii=False,
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
