"""Lesson sets from disk, checked against the schema.

    load_set(path)      -> LessonSet   a set's folder, or the folder an installed set lives in
    load_lesson(path)   -> Lesson      one `lessons/*.yaml`
    load_info(path)     -> SetInfo     only `set.yaml`
    builtin_sets_dir()  -> Path        the sets that come with the program
    find_sets(dirs)     -> [FoundSet]  what can be studied, one entry a set id, highest version first found

All raise `lessons.problems.ReadError` (a `LessonError`); its text has one `file:line: message — fix` a line
and its `problems` the same as data. Nothing else is raised for a bad file, however bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lessons.problems import Problem, ReadError
from lessons.schema import FORMAT_VERSION, Lesson, LessonSet, Model, SetInfo
from lessons.yaml_source import Source, read_source

SET_FILE = "set.yaml"
LESSONS_DIR = "lessons"
MEDIA_DIR = "media"
CURRENT_FILE = "current"
"""In an installed set's folder: the name of the version that is in use."""
MAX_SET_BYTES = 64 * 1024 * 1024
"""Of YAML: over a thousand lessons. A hostile pack could otherwise keep a machine busy for hours."""


@dataclass(frozen=True)
class FoundSet:
    """A set that could be studied, or the reason why it cannot."""

    folder: Path
    info: SetInfo | None
    problem: str = ""


def builtin_sets_dir() -> Path:
    """Where the sets that come with the program are."""
    return Path(__file__).parent / "sets"


def resolve_set(path: Path) -> Path:
    """The folder that holds `set.yaml`: `path` itself, or the current version inside an installed set."""
    pointer = path / CURRENT_FILE
    if (path / SET_FILE).is_file() or not pointer.is_file():
        return path
    try:
        version = pointer.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError([Problem(pointer, 0, f"cannot be read: {error}", "install the set again")]) from error
    folder = path / version
    if not re.fullmatch(r"\d+\.\d+\.\d+", version, re.ASCII) or not (folder / SET_FILE).is_file():
        raise ReadError(
            [Problem(pointer, 1, f"names a version that is not there: {version!r}", "install the set again")]
        )
    return folder


def lesson_files(folder: Path) -> list[Path]:
    """The lesson files of a set, in the order they are taught. Hidden ones are an editor's or a file manager's."""
    found = (path for path in (folder / LESSONS_DIR).glob("*.yaml") if not path.name.startswith("."))
    return sorted(found, key=lambda path: path.name)


def load_info(path: Path) -> SetInfo:
    """Who and what the set at `path` is, from its `set.yaml` alone."""
    file = resolve_set(path) / SET_FILE
    if not file.is_file():
        raise ReadError([Problem(file, 0, "is missing", "every set has one; `tutor lessons new` makes it")])
    return check_info(read_source(file))


def check_info(source: Source) -> SetInfo:
    """`source` as the description of a set; a newer format is refused by name before anything else."""
    version = source.value.get("format", 1) if isinstance(source.value, dict) else 1
    if isinstance(version, int) and version > FORMAT_VERSION:
        message = f"is in format {version}; this tutor reads up to format {FORMAT_VERSION}"
        raise ReadError([source.problem(("format",), message, "update the tutor")])
    return _validated(SetInfo, source)


def load_lesson(path: Path) -> Lesson:
    """The lesson in one YAML file."""
    return check_lesson(read_source(path))


def check_lesson(source: Source) -> Lesson:
    """`source` as a lesson."""
    return _validated(Lesson, source)


def load_set(path: Path) -> LessonSet:
    """The whole set at `path`; when files are bad, one ReadError tells everything about all of them."""
    folder = resolve_set(path)
    problems: list[Problem] = []
    info: SetInfo | None = None
    try:
        info = load_info(folder)
    except ReadError as error:
        problems.extend(error.problems)
    lessons: dict[str, Lesson] = {}
    files = lesson_files(folder)
    if sum(file.stat().st_size for file in files if file.is_file()) > MAX_SET_BYTES:
        message = f"has more than {MAX_SET_BYTES >> 20} MiB of lessons"
        raise ReadError([Problem(folder / LESSONS_DIR, 0, message, "split it into several sets")])
    for file in files:
        try:
            lesson = load_lesson(file)
        except ReadError as error:
            problems.extend(error.problems)
            continue
        if lesson.id in lessons:
            problems.append(
                Problem(file, 1, f"has the id {lesson.id!r} of another lesson", "give it its own id")
            )
        lessons[lesson.id] = lesson
    if not files:
        problems.append(
            Problem(folder / LESSONS_DIR, 0, "has no lessons (*.yaml)", "`tutor lessons new` writes one")
        )
    if problems or info is None:
        raise ReadError(problems)
    return LessonSet(info=info, lessons=list(lessons.values()))


def find_sets(dirs: Iterable[Path]) -> list[FoundSet]:
    """The sets in these folders, sorted by id.

    A set that is in several is taken in its highest version, from the first folder that has it. A set that
    cannot be read comes with its problem, so that one bad set never hides the others.
    """
    best: dict[str, FoundSet] = {}
    broken: list[FoundSet] = []
    for directory in dirs:
        children = sorted(directory.iterdir()) if directory.is_dir() else []
        for child in children:
            if child.name.startswith(".") or not (
                (child / SET_FILE).is_file() or (child / CURRENT_FILE).is_file()
            ):
                continue
            try:
                folder = resolve_set(child)
                info = load_info(folder)
            except ReadError as error:
                broken.append(FoundSet(child, None, str(error)))
                continue
            known = best.get(info.id)
            if (
                known is None
                or known.info is None
                or version_key(info.version) > version_key(known.info.version)
            ):
                best[info.id] = FoundSet(folder, info)
    return [best[set_id] for set_id in sorted(best)] + broken


def version_key(version: str) -> tuple[int, ...]:
    """A key that sorts versions by number: 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version.split("."))


M = TypeVar("M", bound=Model)


def _validated(model: type[M], source: Source) -> M:
    try:
        return model.model_validate(source.value)
    except ValidationError as error:
        problems = [_explain(detail, source) for detail in error.errors() if _is_meant(detail, source)]
        raise ReadError(sorted(set(problems))) from None


def _is_meant(detail: ErrorDetails, source: Source) -> bool:
    """False for what pydantic says about the other member of a union (`Item | ChoiceItem`)."""
    where = detail["loc"]
    for position, step in enumerate(where):
        if step in ("Item", "ChoiceItem"):
            has_choices = _has_key(source.value, where[:position], "choices")
            return bool(has_choices) == (step == "ChoiceItem")
    return True


def _has_key(value: object, where: tuple[int | str, ...], key: str) -> bool:
    for step in where:
        if isinstance(value, dict):
            value = value.get(step, value)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
    return isinstance(value, dict) and key in value


def _explain(detail: ErrorDetails, source: Source) -> Problem:
    """A pydantic error in an instructor's words."""
    where, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    name = next((str(step) for step in reversed(where) if isinstance(step, str)), "the file")
    message, fix = f"{name}: {detail['msg'][:1].lower()}{detail['msg'][1:]}", ""
    if kind == "missing":
        message, fix = f"{name!r} is missing", f"add `{name}:`"
    elif kind == "extra_forbidden":
        message, fix = f"{name!r} is not a key that belongs here", "check its spelling and its indentation"
    elif kind == "string_type":
        given = detail["input"]
        if given is None:
            message, fix = f"{name!r} is empty", "write a text, or leave the key out"
        else:
            message = f"{name!r} must be a text, not {_kind(given)}"
            fix = "put quotes round it" if isinstance(given, int | float) else "write one text"
    elif kind == "string_pattern_mismatch":
        message, fix = f"{name!r} is {detail['input']!r}, which is not allowed", _PATTERNS.get(name, _ID_FIX)
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        given = context.get("tag", "nothing")
        message = f"'kind' is {given!r}"
        fix = f"use one of {context.get('expected_tags', 'the kinds of the schema')}"
    elif kind == "literal_error":
        message, fix = (
            f"{name!r} is {detail['input']!r}",
            f"use {context.get('expected', 'an allowed value')}",
        )
    elif kind in ("too_short", "too_long"):
        message = f"{name!r} has {context.get('actual_length', 'too few')} entries"
        fix = _count_fix(context)
    elif kind == "list_type":
        message, fix = f"{name!r} must be a list, not {_kind(detail['input'])}", "begin each entry with `- `"
    elif kind == "value_error":
        message = str(context.get("error", detail["msg"]))
    return source.problem(where, message, fix)


_ID_FIX = "use lower-case letters, digits and hyphens, beginning with a letter"
_PATTERNS = {
    "version": "write three numbers such as 1.0.0",
    "language": "write a BCP 47 code such as es, zh, ar, fr, es-MX",
    "support_language": "write a code of two letters such as en",
}


def _count_fix(context: dict[str, object]) -> str:
    low, high = context.get("min_length"), context.get("max_length")
    if low is not None:
        return f"at least {low} are needed"
    return f"at most {high} are allowed"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {int: "a number", float: "a number", str: "a text", list: "a list", dict: "a group of keys"}
    return names.get(type(value), "nothing")
