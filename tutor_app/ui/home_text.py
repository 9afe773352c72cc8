"""The words of the home screen, made from the overview of a lesson. Pure, so that they are easy to test."""

from __future__ import annotations

from textual.content import Content

from tutor_app.ui import wording, wording_path
from tutor_app.ui.service import LessonOverview, SetOverview
from tutor_app.ui.text import clean, gauge, one_line

BAR_CELLS = 8
FEW_WORDS = 6


def short_title(title: str) -> tuple[str, str]:
    """A title and its translation, where the instructor wrote both with a dash between."""
    name, _, meaning = one_line(title, 120).partition(" – ")
    return name, meaning


def lesson_prompt(lesson: LessonOverview, compact: bool) -> Content:
    """One lesson in the list: its state as a sign, title, level, and how far it has come."""
    sign, style = _sign(lesson)
    name, meaning = short_title(lesson.title)
    head = Content.assemble((f"{sign} ", style), (name, "" if lesson.finished else "bold"))
    if compact:
        return Content.assemble(head, (f"  {lesson.level}", "$text-quiet"))
    kind = wording_path.CHECK if lesson.check else ""
    facts = " · ".join(part for part in (meaning, lesson.level, kind) if part)
    return Content("\n").join([head, Content.assemble((f"  {facts}  ", "$text-quiet"), _far(lesson))])


def _sign(lesson: LessonOverview) -> tuple[str, str]:
    if lesson.finished or lesson.mastered:
        return "✓", "bold $success"
    return ("◐", "$accent") if lesson.items_seen or lesson.open_session else ("○", "$text-quiet")


def about_lesson(lesson: LessonOverview, readings: bool, why: str = "") -> Content:
    """What stands beside the list: what the lesson is for, what is in it, what would make it easier.

    `why`: the reason for offering it first.
    """
    facts = wording.LESSON_FACTS.format(level=lesson.level, minutes=lesson.minutes)
    parts = [
        Content(one_line(lesson.title, 120)).stylize("bold"),
        Content.assemble((facts + "  ", "$text-quiet"), _far(lesson)),
    ]
    if why:
        parts.append(Content(clean(why)).stylize("italic"))
    if lesson.check:
        parts.append(Content(wording_path.CHECK_ABOUT))
    if lesson.objectives:
        rows = [Content(wording.CAN_DO).stylize("bold $primary")]
        parts.append(Content("\n").join([*rows, *(Content(f"· {clean(aim)}") for aim in lesson.objectives)]))
    if lesson.missing:
        titles = ", ".join(one_line(title, 60) for title in lesson.missing)
        parts.append(Content(wording.BETTER_AFTER.format(titles=titles)).stylize("italic"))
    if lesson.words:
        parts.append(_some_words(lesson, readings))
    parts.append(Content(wording.OPEN_IT).stylize("$text-quiet"))
    return Content("\n\n").join(parts)


def about_talk(overview: SetOverview) -> Content:
    """What free talk is."""
    title = wording.FREE_TALK.format(language=one_line(overview.language_name, 40))
    parts = [Content(title).stylize("bold"), Content(wording.FREE_TALK_HELP)]
    return Content("\n\n").join([*parts, Content(wording.OPEN_IT).stylize("$text-quiet")])


def due_words(count: int, waiting: int = 0) -> str:
    """How many reviews are due, said as an offer; `waiting` more are over today's amount, and forgiven."""
    if count == 0:
        return wording.DUE_NONE
    due = wording.DUE_ONE if count == 1 else wording.DUE_MANY.format(count=count)
    return f"{due} {wording_path.BACKLOG}" if waiting else due


def review_words(count: int) -> str:
    """The review of a set, as one line of the list."""
    return wording_path.REVIEW_ONE if count == 1 else wording_path.REVIEW_MANY.format(count=count)


def about_review() -> Content:
    """What a review is."""
    return Content("\n\n").join(
        [
            Content(wording_path.REVIEW_TITLE).stylize("bold"),
            Content(wording_path.REVIEW_ABOUT),
            Content(wording.OPEN_IT).stylize("$text-quiet"),
        ]
    )


def _far(lesson: LessonOverview) -> Content:
    if lesson.mastered and not lesson.check:
        return Content(wording_path.LEARNT).stylize("$success")
    if lesson.finished:
        return Content(wording.DONE).stylize("$success")
    if not lesson.items_total or not lesson.items_seen:
        return Content("")
    words = wording.PROGRESS.format(seen=lesson.items_seen, total=lesson.items_total)
    return Content.assemble(
        gauge(lesson.items_seen / lesson.items_total, BAR_CELLS, "$accent"), (f" {words}", "$text-quiet")
    )


def _some_words(lesson: LessonOverview, readings: bool) -> Content:
    rows = [Content(wording.IN_IT).stylize("bold $primary")]
    for entry in lesson.words[:FEW_WORDS]:
        reading = f" {one_line(entry.reading, 40)}" if readings and entry.reading else ""
        rows.append(
            Content.assemble(
                (one_line(entry.word, 40), "bold"),
                (reading, "italic $text-quiet"),
                f"  {one_line(entry.gloss, 60)}",
            )
        )
    return Content("\n").join(rows)
