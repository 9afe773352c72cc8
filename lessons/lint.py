"""What is wrong with a lesson, or could be better, before a student meets it.

    lint(path) -> list[Finding]     a lesson file, a set's folder, or a folder of sets

`str(finding)` is `file:line: what is wrong — how to fix it [rule]`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from lessons.checks import answers, before_after, hints, length, level, plan, readings, references, tone
from lessons.checks.sheet import Note, Severity, Sheet
from lessons.load import LESSONS_DIR, MEDIA_DIR, SET_FILE, check_info, check_lesson, lesson_files, resolve_set
from lessons.problems import Problem, ReadError
from lessons.schema import Lesson, SetInfo
from lessons.yaml_source import Source, read_source

CHECKS: tuple[Callable[[Sheet], Iterator[Note]], ...] = (
    plan.check,
    references.check,
    answers.check,
    hints.check,
    tone.check,
    length.check,
    readings.check,
    level.check,
)
CHECKS_OF_A_CHECK: tuple[Callable[[Sheet], Iterator[Note]], ...] = (
    before_after.check,
    references.check,
    answers.check_answers,
    hints.check,
    tone.check,
    length.check,
    readings.check,
    level.check,
)
"""A check leads nowhere and recasts nothing: it needs no talk, no words of its own and no foreseen errors."""

WORKERS = 2
WORTH_A_PROCESS = 200
"""Lessons; below this the second process takes longer to start than it saves."""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing an instructor should look at."""

    file: Path
    line: int
    """Counted from 1; 0 for the whole file."""
    rule: str
    message: str
    fix: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        kind = "" if self.severity == "error" else "could be better: "
        return f"{place}: {kind}{self.message}" + (f" — {self.fix}" if self.fix else "") + f" [{self.rule}]"


def lint(path: Path) -> list[Finding]:
    """Everything found in the lesson file, set, or folder of sets at `path`, sorted by file and line.

    Raises ReadError when there is nothing of the kind at `path`.
    """
    if path.is_file():
        return _lint_file(path)
    try:
        folder = resolve_set(path)
    except ReadError as error:
        return _unreadable(error.problems)
    if (folder / SET_FILE).is_file() or (folder / LESSONS_DIR).is_dir():
        return lint_set(folder)
    sets = sorted(child for child in folder.glob("*") if (child / SET_FILE).is_file())
    if not sets:
        raise ReadError(
            [Problem(path, 0, "is neither a lesson file nor a set nor a folder of sets", "name one of them")]
        )
    return lint_sets(sets)


def lint_sets(folders: Sequence[Path]) -> list[Finding]:
    """Everything found in these sets, in their order; many lessons are shared out between two processes."""
    if len(folders) < 2 or sum(len(lesson_files(folder)) for folder in folders) < WORTH_A_PROCESS:
        return [finding for folder in folders for finding in lint_set(folder)]
    with ProcessPoolExecutor(max_workers=min(WORKERS, os.cpu_count() or 1)) as pool:
        return [finding for found in pool.map(lint_set, folders) for finding in found]


def lint_set(folder: Path) -> list[Finding]:
    """Everything found in one set."""
    found: list[Finding] = []
    info = _info(folder, found)
    media = _media(folder)
    lessons: dict[Path, Lesson] = {}
    ids = tuple(lesson_id for file in lesson_files(folder) if (lesson_id := _quick_id(file)))
    earlier: frozenset[str] = frozenset()
    for file in lesson_files(folder):
        try:
            source = read_source(file)
            lesson = check_lesson(source)
        except ReadError as error:
            found += _unreadable(error.problems)
            continue
        sheet = Sheet(lesson, info, ids, earlier, media)
        found += _run(sheet, source)
        if lesson.id in [other.id for other in lessons.values()]:
            found.append(
                Finding(
                    file,
                    source.line("id"),
                    "id-twice",
                    f"another lesson has the id {lesson.id!r}",
                    "give it its own",
                )
            )
        lessons[file] = lesson
        earlier |= level.words_taught(lesson, sheet.language)
    if not lessons and not found:
        fix = "`tutor lessons new` writes a first one"
        found.append(Finding(folder / LESSONS_DIR, 0, "set-empty", "has no lessons (*.yaml)", fix))
    found += _across(lessons)
    return sorted(found)


def _lint_file(path: Path) -> list[Finding]:
    folder = path.parent.parent
    if path.name == SET_FILE:
        return [finding for finding in lint_set(path.parent) if finding.file == path]
    if path.parent.name == LESSONS_DIR and (folder / SET_FILE).is_file():
        return [finding for finding in lint_set(folder) if finding.file.name == path.name]
    try:
        source = read_source(path)
        found = _run(Sheet(check_lesson(source), None), source)
    except ReadError as error:
        return _unreadable(error.problems)
    fix = f"put it into the `{LESSONS_DIR}` folder of a set"
    note = "is outside a set, so its language, dialects and prerequisites could not be checked"
    return sorted([Finding(path, 0, "set-missing", note, fix, "warning"), *found])


def _run(sheet: Sheet, source: Source) -> list[Finding]:
    return [
        Finding(source.path, source.line(*note.where), note.rule, note.message, note.fix, note.severity)
        for check in (CHECKS if sheet.lesson.check is None else CHECKS_OF_A_CHECK)
        for note in check(sheet)
    ]


def _info(folder: Path, found: list[Finding]) -> SetInfo | None:
    file = folder / SET_FILE
    if not file.is_file():
        found.append(Finding(file, 0, "set-missing", "is missing", "`tutor lessons new` writes one"))
        return None
    try:
        return check_info(read_source(file))
    except ReadError as error:
        found += _unreadable(error.problems)
        return None


def _media(folder: Path) -> frozenset[str]:
    media = folder / MEDIA_DIR
    files = media.rglob("*") if media.is_dir() else iter(())
    return frozenset(file.relative_to(media).as_posix() for file in files if file.is_file())


def _unreadable(problems: Iterable[Problem]) -> list[Finding]:
    return [Finding(found.file, found.line, "schema", found.message, found.fix) for found in problems]


def _across(lessons: dict[Path, Lesson]) -> list[Finding]:
    """What only shows when all lessons of a set are seen together."""
    files = {lesson.id: file for file, lesson in lessons.items()}
    found = []
    for circle in references.circles({lesson.id: lesson.prerequisites for lesson in lessons.values()}):
        file = files[circle[0]]
        message = f"prerequisites go in a circle: {' → '.join([*circle, circle[0]])}"
        found.append(
            Finding(
                file, _line(file, "prerequisites"), "prerequisite-circle", message, "break it at one lesson"
            )
        )
    for lesson_id, note in before_after.across({lesson.id: lesson for lesson in lessons.values()}):
        file = files[lesson_id]
        found.append(
            Finding(file, _line(file, *note.where), note.rule, note.message, note.fix, note.severity)
        )
    names: dict[str, str] = {}
    for file, lesson in lessons.items():
        for at, form in enumerate(lesson.forms):
            if names.setdefault(form.id, form.name) != form.name:
                message = f"the form {form.id!r} is called {names[form.id]!r} in an earlier lesson"
                where = _line(file, "forms", at, "name")
                found.append(
                    Finding(file, where, "form-name", message, "use one name, or another id", "warning")
                )
    return found


def _line(file: Path, *where: str | int) -> int:
    return read_source(file).line(*where)


def _quick_id(file: Path) -> str | None:
    """The lesson's id without a full parse, for prerequisites that name a later lesson."""
    try:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("id:"):
                    return line[3:].split("#")[0].strip().strip("'\"")
    except (OSError, UnicodeDecodeError):
        pass
    return None


def relative_to(findings: Sequence[Finding], folder: Path) -> list[Finding]:
    """The same with paths as seen from `folder`, where that is shorter."""
    return [
        replace(finding, file=finding.file.relative_to(folder))
        if finding.file.is_relative_to(folder)
        else finding
        for finding in findings
    ]
