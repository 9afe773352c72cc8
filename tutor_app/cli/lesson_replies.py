"""Whether the tutor may say, as they are, the lines that an instructor wrote.

The linter of `lessons` knows nothing of the tutor. Here every authored reply is made as the session makes it and
goes through the same validator; a line that fails would be replaced by a general phrase, so its author should know.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lessons.checks.sheet import Where
from lessons.lint import Finding
from lessons.load import SET_FILE, check_info, check_lesson, lesson_files, resolve_set
from lessons.problems import ReadError
from lessons.schema import Lesson, MatchItem, ReflectStep, SetInfo, TalkStep, WriteStep, items_of
from lessons.yaml_source import read_source
from tutor_app.pedagogy import author
from tutor_app.pedagogy.language import words
from tutor_app.pedagogy.validator import Situation, validate

MODEL_RUNG = 4


def reply_findings(path: Path) -> list[Finding]:
    """The authored replies that the validator refuses, in a set, a lesson file of a set, or a folder of sets."""
    if path.is_file():
        folder = path.parent.parent
        files = [path] if (folder / SET_FILE).is_file() and path.name != SET_FILE else []
        return [finding for file in files for finding in _in_file(folder, file)]
    folder = resolve_set(path)
    if (folder / SET_FILE).is_file():
        return [finding for file in lesson_files(folder) for finding in _in_file(folder, file)]
    sets = sorted(child for child in path.glob("*") if (child / SET_FILE).is_file())
    return [finding for child in sets for finding in reply_findings(child)]


def _in_file(folder: Path, file: Path) -> Iterator[Finding]:
    """Nothing for a file that cannot be read: the linter says so already."""
    try:
        info = check_info(read_source(folder / SET_FILE))
        source = read_source(file)
        lesson = check_lesson(source)
    except ReadError:
        return
    if lesson.check is not None:
        return  # in a check the tutor says neither hints nor recasts
    for where, reply, hidden in _replies(lesson, info):
        situation = Situation(
            info.language,
            info.track,
            lesson.level,
            hidden=hidden,
            allowed_words=own_words(lesson, info.language),
            support=info.support_language,
        )
        for violation in validate(reply, situation):
            if violation.rule == "vocabulary":
                continue  # lines about letters and sounds are full of pieces of words; `level-word` judges the rest
            message = f"the tutor would not say {_short(reply)!r} ({violation.rule})"
            yield Finding(
                file, source.line(*where), f"reply-{violation.rule}", message, violation.reason, "warning"
            )


def own_words(lesson: Lesson, tag: str) -> frozenset[str]:
    """Words that are always within the level: the lesson's vocabulary, its examples, its forms."""
    texts = [
        text for word in lesson.vocabulary for text in (word.word, word.example, *word.variants.values())
    ]
    texts += [text for form in lesson.forms for text in (*form.surface, *form.examples)]
    return frozenset(word for text in texts for word in words(text, tag))


def _replies(lesson: Lesson, info: SetInfo) -> Iterator[tuple[Where, str, tuple[str, ...]]]:
    """Each authored reply as the session says it: its place, its words, and the answers it must not hold."""
    tag = info.language
    for at, step in enumerate(lesson.steps):
        where: Where = ("steps", at)
        if isinstance(step, TalkStep):
            yield (*where, "opening"), step.opening, ()
            yield (*where, "closing"), author.closing(step, tag, 0).text, ()
            for name, lines in (("questions", step.questions), ("simpler", step.simpler)):
                for line_at, line in enumerate(lines):
                    yield (*where, name, line_at), author.without_emphasis(line).text, ()
        elif isinstance(step, WriteStep):
            for line_at, line in enumerate(step.questions):
                yield (*where, "questions", line_at), author.without_emphasis(line).text, ()
        elif isinstance(step, ReflectStep):
            continue  # may be in the support language altogether
        for item_at, item in enumerate(items_of(step)):
            here: Where = (*where, "items", item_at)
            hidden = () if isinstance(item, MatchItem) else tuple(answer.text for answer in item.accept)
            for rung in range(1, MODEL_RUNG + 1):
                said = author.hint(item, rung, tag, 0).text
                yield (*here, "hints", rung - 1), said, hidden if rung < MODEL_RUNG else ()
            for error_at, error in enumerate(item.errors):
                yield (*here, "errors", error_at, "recast"), author.recast(error, tag, 0).text, ()
                for rung in range(1, MODEL_RUNG + 1) if error.hints else ():
                    said = author.hint(item, rung, tag, 0, error).text
                    place = (*here, "errors", error_at, "hints", rung - 1)
                    yield place, said, hidden if rung < MODEL_RUNG else ()


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
