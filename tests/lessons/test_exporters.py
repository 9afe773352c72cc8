"""What we write for other programs is read back by readers that are not ours."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import logging
import sqlite3
import zipfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pygiftparser import parser as gift_parser

from lessons.exporters.anki import export_anki
from lessons.exporters.brightspace import export_brightspace
from lessons.exporters.gift import export_gift
from lessons.exporters.qti import QTI, export_qti
from lessons.exporters.worksheet import export_worksheet
from lessons.load import builtin_sets_dir, find_sets, load_set
from lessons.schema import LessonSet, MatchItem, items_of
from tests.lessons.sample import info, lesson, write_set

BUILT_IN = sorted(path.name for path in builtin_sets_dir().iterdir() if (path / "set.yaml").is_file())
VOICED = ("dictation", "listen", "speak")


def asked(lesson_set: LessonSet) -> int:
    """How many questions a platform can ask: every item that needs no voice, writing and reflecting."""
    steps = [step for one in lesson_set.lessons for step in one.steps]
    items = sum(len(items_of(step)) for step in steps if step.kind not in VOICED)
    return items + sum(step.kind in ("write", "reflect") for step in steps)


@pytest.fixture
def sample_set(sample: Path) -> LessonSet:
    return load_set(sample)


def notes_in(path: Path, scratch: Path) -> list[tuple[str, list[str], int]]:
    """Each note's guid, fields and time, read with nothing but zipfile and sqlite3."""
    with zipfile.ZipFile(path) as archive:
        database = Path(archive.extract("collection.anki2", scratch))
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT guid, flds, mod FROM notes ORDER BY id").fetchall()
        cards = connection.execute("SELECT count(*) FROM cards").fetchone()[0]
        models = json.loads(connection.execute("SELECT models FROM col").fetchone()[0])
    assert cards == 2 * len(rows)
    assert all(
        len(fields.split("\x1f")) == len(model["flds"]) for _, fields, _ in rows for model in models.values()
    )
    return [(guid, fields.split("\x1f"), mod) for guid, fields, mod in rows]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_word_of_every_set_arrives_in_its_anki_deck(tmp_path: Path, name: str) -> None:
    lesson_set = load_set(builtin_sets_dir() / name)
    outcome = export_anki(lesson_set, tmp_path / "deck.apkg")
    words = {word.word: word for one in reversed(lesson_set.lessons) for word in one.vocabulary}
    notes = notes_in(tmp_path / "deck.apkg", tmp_path)
    assert outcome.written == len(notes) == len(words)
    assert {fields[0] for _, fields, _ in notes} == {
        word.replace("&", "&amp;").replace("<", "&lt;") for word in words
    }


def test_a_second_export_keeps_the_ids_and_a_new_version_is_newer(tmp_path: Path) -> None:
    one = load_set(write_set(tmp_path / "one"))
    data = lesson()
    data["vocabulary"][0]["gloss"] = "the town"
    data["vocabulary"].append({"word": "el sol", "gloss": "the sun", "example": "El sol es grande."})
    two = load_set(write_set(tmp_path / "two", data, set_info=info(version="1.0.1")))
    for name, lesson_set in (("a", one), ("b", one), ("c", two)):
        export_anki(lesson_set, tmp_path / f"{name}.apkg")
    first, again, newer = (notes_in(tmp_path / f"{name}.apkg", tmp_path) for name in "abc")
    assert first == again
    assert {guid for guid, _, _ in first} < {guid for guid, _, _ in newer}
    assert min(mod for *_, mod in newer) > max(mod for *_, mod in first)


@pytest.mark.parametrize("name", BUILT_IN)
def test_moodles_format_is_read_by_an_independent_parser(tmp_path: Path, name: str) -> None:
    logging.disable(logging.WARNING)
    lesson_set = load_set(builtin_sets_dir() / name)
    outcome = export_gift(lesson_set, tmp_path / "x.gift")
    with (tmp_path / "x.gift").open(encoding="utf-8") as file:
        questions = gift_parser.parseFile(file)
    logging.disable(logging.NOTSET)
    assert len(questions) == outcome.written == asked(lesson_set)
    assert all(question.valid for question in questions)
    kinds = Counter(type(question.answers).__name__ for question in questions)
    matching = sum(
        len(items_of(step)) for one in lesson_set.lessons for step in one.steps if step.kind == "match"
    )
    assert kinds["MatchingSet"] == matching
    assert kinds["Description"] == 0


def test_gift_keeps_answers_with_signs_that_mean_something_in_gift(tmp_path: Path) -> None:
    data = lesson()
    answers = ["a=b", "c#d", "e~f", "10:30"]
    data["steps"][4]["items"][0]["accept"] = answers
    export_gift(load_set(write_set(tmp_path, data)), tmp_path / "x.gift")
    text = (tmp_path / "x.gift").read_text(encoding="utf-8")
    line = next(line for line in text.split("\n") if "muestra-uno-t1" in line)
    (question,) = gift_parser.parseFile(io.StringIO(line + "\n\n"))
    found = [answer.answer.replace("\\", "") for answer in question.answers.answers]
    assert found == [answer.replace("\\", "") for answer in answers]


@pytest.fixture(scope="module")
def qti_dtd() -> Any:
    with (Path(__file__).parent / "data" / "ims_qtiasiv1p2p1.dtd").open("rb") as file:
        return etree.DTD(file)


@pytest.mark.parametrize("name", BUILT_IN)
def test_qti_follows_the_standards_own_definition(tmp_path: Path, name: str, qti_dtd: Any) -> None:
    lesson_set = load_set(builtin_sets_dir() / name)
    outcome = export_qti(lesson_set, tmp_path / "x.zip")
    items = 0
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        manifest = etree.fromstring(archive.read("imsmanifest.xml"))
        files = [element.get("href") for element in manifest.iter("{*}file")]
        assert sorted([*files, "imsmanifest.xml"]) == sorted(archive.namelist())
        for file in files:
            # A DTD knows no namespaces.
            root = etree.fromstring(archive.read(file).replace(f' xmlns="{QTI}"'.encode(), b""))
            assert qti_dtd.validate(root), qti_dtd.error_log
            idents = [item.get("ident") for item in root.iter("item")]
            assert len(set(idents)) == len(idents)
            items += len(idents)
    assert items == outcome.written == asked(lesson_set)


def test_qti_scores_the_right_choice_and_links_every_reply(sample_set: LessonSet, tmp_path: Path) -> None:
    export_qti(sample_set, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        root = etree.fromstring(archive.read("uno/uno.xml"))
    name = {"q": QTI}
    item = root.find(".//q:item[@ident='muestra-uno-c1']", name)
    labels = {
        label.get("ident"): "".join(label.itertext()).strip()
        for label in item.iterfind(".//q:response_label", name)
    }
    scored = [
        condition.findtext(".//q:varequal", namespaces=name)
        for condition in item.iterfind(".//q:respcondition", name)
        if condition.find("q:setvar", name) is not None
    ]
    assert [labels[ident] for ident in scored] == ["<p>soy</p>"]
    links = {link.get("linkrefid") for link in item.iterfind(".//q:displayfeedback", name)}
    assert links == {feedback.get("ident") for feedback in item.iterfind("q:itemfeedback", name)}
    assert len(links) == 3


def blocks_in(path: Path) -> list[list[list[str]]]:
    """The questions of a Brightspace file, each a list of rows."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert all(len(row) == 5 for row in rows)
    blocks: list[list[list[str]]] = []
    for row in rows:
        if row[0] == "NewQuestion":
            blocks.append([])
        if row[0]:
            blocks[-1].append(row)
    return blocks


@pytest.mark.parametrize("name", BUILT_IN)
def test_brightspace_gets_only_kinds_and_rows_that_it_imports(tmp_path: Path, name: str) -> None:
    lesson_set = load_set(builtin_sets_dir() / name)
    outcome = export_brightspace(lesson_set, tmp_path / "x.csv")
    blocks = blocks_in(tmp_path / "x.csv")
    assert len(blocks) == outcome.written == asked(lesson_set)
    own_rows = {"SA": "Answer", "MC": "Option", "MS": "Option", "M": "Match", "O": "Item"}
    for block in blocks:
        kind = block[0][1]
        names = [row[0] for row in block]
        assert kind in {"WR", "SA", "M", "MC", "MS", "O"}
        assert kind == "WR" or own_rows[kind] in names
        assert names.count("QuestionText") == names.count("ID") == 1
        if kind == "MC":
            assert [row[1] for row in block if row[0] == "Option"].count("100") == 1
    idents = [row[1] for block in blocks for row in block if row[0] == "ID"]
    assert len(set(idents)) == len(idents)


def test_brightspace_gets_the_tutors_reply_to_a_choice_as_feedback(
    sample_set: LessonSet, tmp_path: Path
) -> None:
    export_brightspace(sample_set, tmp_path / "x.csv")
    (block,) = [
        block for block in blocks_in(tmp_path / "x.csv") if ["ID", "muestra-uno-c1", "", "", ""] in block
    ]
    options = {row[2]: (row[1], row[4]) for row in block if row[0] == "Option"}
    assert options["soy"] == ("100", "")
    assert options["estoy"] == ("0", "¡Ah, de verdad! Qué bien. ¿Y tu familia, de dónde es?")


class Page(html.parser.HTMLParser):
    """What a browser would see: text, and whether every element is closed in order."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_worksheet_is_whole_html_with_every_answer_in_its_key(tmp_path: Path, name: str) -> None:
    lesson_set = load_set(builtin_sets_dir() / name)
    export_worksheet(lesson_set, tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    key = page.text.partition("Answer key")[2]
    items = [
        item
        for one in lesson_set.lessons
        for step in one.steps
        if step.kind not in VOICED
        for item in items_of(step)
    ]
    answers = [item.accept[0].text for item in items if not isinstance(item, MatchItem)]
    assert answers
    assert [answer for answer in answers if answer not in key] == []
    assert f'lang="{lesson_set.info.language}"' in text
    assert ('dir="rtl"' in text) == (lesson_set.info.language == "ar")


def test_a_worksheet_never_runs_what_an_author_wrote(tmp_path: Path) -> None:
    data = lesson(title="<script>alert(1)</script>")
    data["vocabulary"][0]["word"] = '<img src=x onerror="x">'
    export_worksheet(load_set(write_set(tmp_path, data)), tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text


def test_the_same_set_gives_the_same_files(sample_set: LessonSet, tmp_path: Path) -> None:
    for write in (export_brightspace, export_gift, export_qti, export_worksheet):
        assert (
            write(sample_set, tmp_path / "a").path.read_bytes()
            == write(sample_set, tmp_path / "b").path.read_bytes()
        )


def test_each_converter_says_what_it_could_not_carry_over(sample_set: LessonSet, tmp_path: Path) -> None:
    for write in (export_anki, export_brightspace, export_gift, export_qti, export_worksheet):
        outcome = write(sample_set, tmp_path / "x")
        said = "\n".join(outcome.lines())
        assert "talk" in said
        assert "Not carried over:" in said


def test_the_sets_that_are_exported_are_those_that_come_with_the_program() -> None:
    assert [found.info.id for found in find_sets([builtin_sets_dir()]) if found.info] == BUILT_IN


def test_lessons_of_one_title_keep_their_own_questions(tmp_path: Path) -> None:
    ours = load_set(write_set(tmp_path / "set", lesson(), lesson() | {"id": "dos"}))
    outcome = export_qti(ours, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        roots = [etree.fromstring(archive.read(f"{one}/{one}.xml")) for one in ("uno", "dos")]
    idents = [item.get("ident") for root in roots for item in root.iter("{*}item")]
    assert len(set(idents)) == len(idents) == outcome.written == asked(ours)
