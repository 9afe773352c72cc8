"""LibreLingo courses: a folder with `course.yaml`, a folder for each module, and a file for each skill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lessons.exchange import ExchangeError, Losses, Outcome
from lessons.importers.draft import About, Draft, Word, clean, item, word_items, write_set
from lessons.yaml_source import read_source

MIN_TOKENS = 3
MAX_TOKENS = 12


def import_librelingo(folder: Path, target: Path, about: About) -> Outcome:
    """Make a set in `target` from the course in `folder`, one lesson a skill."""
    losses = Losses()
    course = _mapping(folder / "course.yaml")
    about = _completed(about, course)
    drafts = []
    for module in _texts(course.get("Modules")):
        home = _inside(folder, module)
        skills = _texts(_mapping(home / "module.yaml").get("Skills"))
        for name in skills:
            drafts.append(_skill(_inside(home / "skills", name), losses))
    return write_set(target, about, drafts, losses)


def _completed(about: About, course: dict[str, Any]) -> About:
    """Language and licence as the course tells them."""
    details = course.get("Course")
    details = details if isinstance(details, dict) else {}
    language = _at(details, "Language", "IETF BCP 47") or about.language
    support = _at(details, "For speakers of", "IETF BCP 47")[:2].lower() or about.support_language
    licence = _at(details, "License", "Short name") or about.licence
    return replace(about, language=language, support_language=support, licence=licence)


def _at(data: dict[str, Any], *keys: str) -> str:
    value: Any = data
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return clean(str(value)) if value is not None else ""


def _skill(path: Path, losses: Losses) -> Draft:
    data = _mapping(path)
    name = _at(data, "Skill", "Name") or path.stem
    words = list(_words(data, path, losses))
    draft = Draft(name, words, explain=_introduction(path, losses))
    word_items(draft)
    for phrase in _rows(data.get("Phrases")):
        said, meant = _at(phrase, "Phrase"), _at(phrase, "Translation")
        if not said or not meant:
            losses.add("phrase without its translation", f"{path.name}: {said or meant}")
            continue
        answers = [said, *_texts(phrase.get("Alternative versions"))]
        draft.add("translate", item("phrase", meant, answers))
        if _texts(phrase.get("Alternative translations")):
            losses.add("other translations of a phrase", f"{path.name}: {said}")
        tokens = said.split()
        if MIN_TOKENS <= len(tokens) <= MAX_TOKENS:
            draft.add("order", item("order", f"Put in order: {meant}", answers, tokens=tokens))
    for what in ("Mini-dictionary", "Two-way-dictionary"):
        if data.get(what):
            losses.add(what.lower(), path.name)
    if _texts(_at_list(data, "Skill", "Thumbnails")):
        losses.add("picture", path.name)
    return draft


def _words(data: dict[str, Any], path: Path, losses: Losses) -> Iterator[Word]:
    seen: set[str] = set()
    for row in _rows(data.get("New words")):
        word, gloss = _at(row, "Word"), _at(row, "Translation")
        if not word or not gloss or word in seen:
            losses.add("word without its translation, or there twice", f"{path.name}: {word or gloss}")
            continue
        seen.add(word)
        for key in ("Synonyms", "Also accepted"):
            if _texts(row.get(key)):
                losses.add(f"{key.lower()} of a word", f"{path.name}: {word}")
        if _texts(row.get("Images")):
            losses.add("picture", f"{path.name}: {word}")
        yield Word(word, gloss)


def _introduction(path: Path, losses: Losses) -> str:
    """The skill's text, as it stands: Markdown reads well enough as plain text."""
    file = path.with_suffix(".md")
    if not file.is_file():
        return ""
    text = clean(file.read_text(encoding="utf-8", errors="replace"))
    losses.add("introduction, which became the explanation (check its tone)", file.name)
    return text


def _inside(folder: Path, name: str) -> Path:
    """A path named by the course, which must not lead out of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ExchangeError(f"The course names a file outside its folder: {name!r}.")
    return folder / name


def _mapping(path: Path) -> dict[str, Any]:
    value = read_source(path).value
    if not isinstance(value, dict):
        raise ExchangeError(f"{path} is not part of a LibreLingo course: it has no keys.")
    return value


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return (
        [clean(str(text)) for text in value if isinstance(text, str | int | float)]
        if isinstance(value, list)
        else []
    )


def _at_list(data: dict[str, Any], *keys: str) -> object:
    value: Any = data
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
