"""The words and tables of the progress screen. Pure; figures are written by `tutor_app.progress.figures`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from tutor_app.progress import figures
from tutor_app.progress.knowledge import MASTERED
from tutor_app.progress.queries import ErrorLine, MoveLine, Share
from tutor_app.progress.records import FormKnowledge
from tutor_app.session.insight import Insight, Progress
from tutor_app.ui import wording_progress as wording
from tutor_app.ui.text import gauge, one_line

BESIDE = 73
"""Cells from which a figure and its note stand side by side."""
LABEL_CELLS = 19
VALUE_CELLS = 11
BAR_CELLS = 10
SHARE_CELLS = 9
NAME_CELLS = 28
MOST_FORMS = 6
MOST_LESSONS = 12
MOST_ERRORS = 6


@dataclass(frozen=True)
class Figure:
    """A figure with what it is and what it counts."""

    label: str
    value: str
    note: str


def figure_lines(progress: Progress) -> list[Figure]:
    """The figures at the top, as the CSV of a class writes them."""
    seen = progress.overview
    text = figures.overview_figures(seen)
    lines = [
        Figure(
            wording.TIME,
            wording.TIME_VALUE.format(minutes=text["minutes"]),
            wording.TIME_NOTE.format(sessions=text["sessions"], turns=text["turns"]),
        ),
        Figure(wording.WORDS, text["words_known"], wording.WORDS_NOTE.format(met=text["words_met"])),
        Figure(wording.FORMS, text["forms_known"], wording.FORMS_NOTE.format(met=text["forms_met"])),
        Figure(
            wording.ITEMS,
            _percent(text["items_percent"]),
            wording.ITEMS_NOTE.format(right=text["items_right"], tried=text["items_tried"]),
        ),
        Figure(wording.QUESTIONS, text["questions"], wording.QUESTIONS_NOTE.format(hints=text["hints"])),
        Figure(wording.UPTAKE, _percent(text["uptake_percent"]), _share(wording.UPTAKE_NOTE, seen.uptake)),
        Figure(wording.REPAIR, _percent(text["repair_percent"]), _share(wording.REPAIR_NOTE, seen.repair)),
        Figure(wording.DUE, str(progress.due_today), wording.DUE_NOTE),
    ]
    if progress.gain is not None:
        found = figures.gain_figures(progress.gain)
        pre, post = progress.gain.pre, progress.gain.post
        note = wording.GAIN_NOTE.format(
            pre=f"{pre[0]}/{pre[1]}",
            post=f"{post[0]}/{post[1]}",
            low=found["gain_low"],
            high=found["gain_high"],
        )
        lines.append(Figure(wording.GAIN, found["gain"], note))
    return lines


def figure_table(progress: Progress, width: int) -> Content:
    """The figures one below the other; what each counts stands beside it where there is room, else beneath."""
    rows: list[Content] = []
    for line in figure_lines(progress):
        head = Content.assemble((line.label.ljust(LABEL_CELLS), ""), (line.value.rjust(VALUE_CELLS), "bold"))
        note = Content(line.note).stylize("$text-quiet")
        if width >= BESIDE:
            rows.append(Content.assemble(head, "  ", note))
        else:
            rows.append(head)
            rows.extend(Content("  ") + part for part in note.wrap(max(20, width - 2)))
    if progress.overview.streak_days > 1:
        streak = Content(wording.STREAK.format(days=progress.overview.streak_days))
        rows.extend([Content(""), *streak.stylize("$text-quiet").wrap(max(20, width))] if rows else [])
    return Content("\n").join(rows)


def _percent(text: str) -> str:
    return wording.PERCENT.format(percent=text) if text else wording.NONE


def _share(words: str, share: Share) -> str:
    return words.format(taken=share[0], of=share[1])


def form_sign(form: FormKnowledge) -> Content:
    """✓ known, ◐ on the way."""
    if form.probability >= MASTERED:
        return Content("✓ ").stylize("bold $success")
    return Content("◐ ").stylize("$accent")


def form_head(bar_cells: int = BAR_CELLS) -> Content:
    """What stands above rows of forms."""
    sure, right = wording.FORM_HEAD
    return Content(f"  {sure:<{bar_cells + 7}}{right:>{SHARE_CELLS}}").stylize("$text-quiet")


def form_row(form: FormKnowledge, name: str, bar_cells: int = BAR_CELLS) -> Content:
    """A form with the probability of getting it right next time, and how often it was; its name comes last."""
    sure = wording.PERCENT.format(percent=figures.probability(form.probability))
    share = f"{form.right}/{form.tried}"
    return Content.assemble(
        form_sign(form),
        gauge(form.probability, bar_cells, "$accent"),
        f" {sure:>5} ",
        (f"{share:>{SHARE_CELLS}}  ", "$text-quiet"),
        one_line(name, 60),
    )


def form_rows(forms: Sequence[FormKnowledge], insight: Insight) -> list[Content]:
    """The forms that need most, and where all are."""
    if not forms:
        return []
    rows = [form_row(form, insight.form_name(form.set_id, form.form_id)) for form in forms[:MOST_FORMS]]
    more = Content(wording.FORMS_MORE.format(count=len(forms))).stylize("$text-quiet")
    return [form_head(), *rows, more]


def lesson_rows(progress: Progress, insight: Insight) -> list[Content]:
    """The lessons of the set that were begun, by id."""
    if progress.set_id is None:
        return []
    rows = []
    for line in progress.lessons[-MOST_LESSONS:]:
        facts = wording.LESSON_LINE.format(
            minutes=figures.minutes(line.minutes), right=line.items[0], of=line.items[1]
        )
        sign = Content("✓ ").stylize("bold $success") if line.finished else Content("◐ ").stylize("$accent")
        name = one_line(insight.lesson_name(progress.set_id, line.lesson_id), 60)
        rows.append(Content.assemble(sign, name, (f"  {facts}", "$text-quiet")))
    return rows


def move_rows(moves: Sequence[MoveLine]) -> list[Content]:
    """What the tutor did, how often it was taken up, and how often the form was then used."""
    if not moves:
        return []
    head = "".join(name.rjust(12) for name in wording.MOVE_HEAD)
    rows = [Content(" " * NAME_CELLS + head).stylize("$text-quiet")]
    for move in sorted(moves, key=lambda line: (-line.count, line.move)):
        name = wording.MOVE_NAMES.get(move.move, move.move)
        shares = "".join(_percent(figures.percent(share)).rjust(12) for share in (move.uptake, move.repair))
        rows.append(Content(f"{one_line(name, NAME_CELLS):<{NAME_CELLS}}{move.count:>12}{shares}"))
    return rows


def error_rows(errors: Sequence[ErrorLine]) -> list[Content]:
    """What the learner's sentences gave the tutor to listen for; never called errors here."""
    if not errors:
        return []
    shown = errors[:MOST_ERRORS]
    most = max(line.count for line in shown)
    rows = [
        Content.assemble(
            gauge(line.count / most, BAR_CELLS),
            f" {one_line(line.tag.replace('-', ' '), 40)}  ",
            (str(line.count), "$text-quiet"),
        )
        for line in shown
    ]
    return [*rows, Content(wording.ERRORS_NOTE).stylize("$text-quiet")]
