"""A first set and lesson to write over: valid, commented, and small enough to read in five minutes."""

from __future__ import annotations

from pathlib import Path

from lessons.files import replace_file
from lessons.json_schema import SCHEMA_FOLDER, json_schema_text
from lessons.load import LESSONS_DIR, MEDIA_DIR, SET_FILE, check_info, check_lesson
from lessons.problems import LessonError
from lessons.schema import Level, Track
from lessons.yaml_source import parse_source

TEMPLATES = Path(__file__).parent / "templates"


def new_set(
    folder: Path, *, set_id: str, title: str, language: str, track: Track, level: Level, author: str
) -> list[Path]:
    """Write a set with one lesson into `folder`, and the schema files for editors; returns what was written.

    Raises LessonError when there is something in the folder already, or a value cannot be used.
    """
    if folder.exists() and any(folder.iterdir()):
        raise LessonError(f"{folder} is not empty. Name a new folder for the set.")
    values = {
        "SET_ID": set_id, "TITLE": _quoted(title), "LANGUAGE": language, "TRACK": track, "LEVEL": level,
        "AUTHOR": _quoted(author),
    }  # fmt: skip
    files = {
        SET_FILE: _filled("set.yaml", values),
        f"{LESSONS_DIR}/01-hello.yaml": _filled("lesson.yaml", {**values, "LESSON_ID": "hello"}),
        f"{SCHEMA_FOLDER}/lesson.json": json_schema_text("lesson"),
        f"{SCHEMA_FOLDER}/set.json": json_schema_text("set"),
    }
    # Checked before anything is written, so that a bad id leaves no half-made folder.
    check_info(parse_source(files[SET_FILE].encode("utf-8"), folder / SET_FILE))
    written = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode("utf-8"))
        written.append(path)
    (folder / MEDIA_DIR).mkdir(exist_ok=True)
    return written


def new_lesson(folder: Path, lesson_id: str, level: Level) -> Path:
    """Write one more lesson into the set in `folder`, after the last one; returns its path."""
    lessons = folder / LESSONS_DIR
    numbers = [int(path.name[:2]) for path in lessons.glob("[0-9][0-9]-*.yaml")]
    path = lessons / f"{max(numbers, default=0) + 1:02}-{lesson_id}.yaml"
    if list(lessons.glob(f"*-{lesson_id}.yaml")):
        raise LessonError(f"The set has a lesson {lesson_id!r} already. Choose another id.")
    data = _filled("lesson.yaml", {"LESSON_ID": lesson_id, "LEVEL": level}).encode("utf-8")
    check_lesson(parse_source(data, path))
    lessons.mkdir(parents=True, exist_ok=True)
    replace_file(path, data)
    return path


def _filled(name: str, values: dict[str, str]) -> str:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"<{key}>", value)
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
