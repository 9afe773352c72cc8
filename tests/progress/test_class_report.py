"""A class report shows what was handed in, to the digit, and nothing that was not."""

from __future__ import annotations

import csv
import io
import json
import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lessons.load import builtin_sets_dir, load_set
from tests.progress.classes import NAMES, learner_with_history
from tests.progress.making import DAY, NOON, attempt, begin, turn
from tutor_app.cli.report import _titles
from tutor_app.errors import TutorError
from tutor_app.progress import queries
from tutor_app.progress.class_files import csv_files, statements
from tutor_app.progress.class_html import page
from tutor_app.progress.class_report import ClassReport, class_report
from tutor_app.progress.figures import minutes, percent, probability, rounded
from tutor_app.progress.handin import hand_in
from tutor_app.progress.sharing import Share
from tutor_app.progress.store import Store, create_learner

HANDED_IN = NOON + 9 * DAY


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of ten learners and, in `in/`, a hand-in of each."""
    data_dir = tmp_path_factory.mktemp("class")
    (data_dir / "in").mkdir()
    for seed, name in enumerate(NAMES):
        learner_id = learner_with_history(data_dir, name, seed)
        share: Share = "all" if seed == 0 else "results"
        with Store.open(data_dir, learner_id) as store:
            hand_in(store, data_dir / "in" / f"{seed}.handin", set_ids=["es-l2"], share=share, now=HANDED_IN)
    return data_dir


@pytest.fixture(scope="module")
def report(classroom: Path) -> ClassReport:
    return class_report(classroom / "in")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_csv_says_what_the_learners_own_screen_says(classroom: Path, report: ClassReport) -> None:
    rows = {row["learner"].lstrip("'"): row for row in table(csv_files(report)["learners.csv"])}
    assert set(rows) == set(NAMES)
    for path in (classroom / "learners").iterdir():
        with Store.open(classroom, path.name) as store:
            screen = queries.overview(store, HANDED_IN, "es-l2")
            row = rows[store.learner.name]
            assert row["minutes"] == minutes(screen.minutes)
            assert row["items_percent"] == percent(screen.items)
            assert (row["words_known"], row["words_met"]) == (str(screen.words_known), str(screen.words_met))
            assert (row["forms_known"], row["forms_met"]) == (str(screen.forms_known), str(screen.forms_met))
            assert row["questions"] == str(screen.questions)
            assert row["uptake_percent"] == percent(screen.uptake)
            assert row["repair_percent"] == percent(screen.repair)
            knowledge = store.form_knowledge("es-l2", HANDED_IN)
            shown = [one for one in table(csv_files(report)["forms.csv"]) if one["key"] == row["key"]]
            assert {one["form"]: one["next_time_percent"] for one in shown} == {
                form_id: probability(form.probability) for form_id, form in knowledge.items()
            }


def test_the_page_shows_the_same_figures_as_the_csv(report: ClassReport) -> None:
    html = page(report, HANDED_IN)
    for row in table(csv_files(report)["learners.csv"]):
        cells = "".join(
            f"<td class=n>{row[key]}</td>" for key in ("minutes", "sessions", "questions", "hints")
        )
        assert cells in html


def test_a_name_runs_neither_in_the_page_nor_in_a_spreadsheet(report: ClassReport) -> None:
    html = page(report, HANDED_IN)
    assert "<b>Bobby" not in html
    assert "&lt;b&gt;Bobby" in html
    assert "\n=cmd" not in csv_files(report)["learners.csv"]
    assert ",=cmd" not in csv_files(report)["learners.csv"]
    assert "'=cmd()" in csv_files(report)["learners.csv"]


def test_the_page_needs_nothing_from_outside_and_no_script(report: ClassReport) -> None:
    html = page(report, HANDED_IN)
    assert not re.search(r"<script|<link|<img|url\(|http://|https://|@import", html)
    assert 'name="viewport"' in html
    assert "prefers-color-scheme" in html


class Outline(HTMLParser):
    """Headings in order, unclosed elements, and tables without caption or header cells."""

    VOID = frozenset({"meta", "rect", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.wrong: list[str] = []
        self.captions = self.tables = self.scopes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.scopes += tag == "th" and "scope" in dict(attrs)
        if tag == "th" and "scope" not in dict(attrs):
            self.wrong.append("a header cell without scope")
        if tag == "svg" and dict(attrs).get("aria-hidden") != "true":
            self.wrong.append("a picture that a screen reader would read out of order")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.stack or self.stack.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


def test_the_page_reads_in_order_for_a_screen_reader(report: ClassReport) -> None:
    outline = Outline()
    outline.feed(page(report, HANDED_IN))
    assert outline.wrong == []
    assert outline.stack == []
    assert outline.headings[0] == 1
    assert all(
        after - before <= 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False)
    )
    assert outline.tables == outline.captions > 3


def test_what_was_not_shared_is_in_none_of_the_files(report: ClassReport) -> None:
    everything = page(report, HANDED_IN) + "".join(csv_files(report).values()) + "\n".join(statements(report))
    for name in NAMES[1:]:
        assert f"respuesta {name}" not in everything
    assert "respuesta Ana" in "\n".join(statements(report)), "Ana shared what she wrote"


def test_statements_are_valid_and_the_same_each_time(report: ClassReport) -> None:
    lines = [json.loads(line) for line in statements(report)]
    assert [json.loads(line)["id"] for line in statements(report)] == [line["id"] for line in lines]
    assert len({line["id"] for line in lines}) == len(lines) == len(NAMES) * (24 + 3)
    for line in lines:
        assert set(line) == {"id", "actor", "verb", "object", "result", "timestamp"}
        assert line["actor"]["account"]["homePage"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["timestamp"])


def test_the_newest_hand_in_of_a_learner_counts_and_bad_files_are_remarked(
    classroom: Path, tmp_path: Path
) -> None:
    with Store.open(classroom, "ana") as store:
        for number, now in enumerate([HANDED_IN, HANDED_IN + DAY]):
            hand_in(store, tmp_path / f"{number}.handin", set_ids=["es-l2"], share="results", now=now)
    with Store.open(classroom, "ben") as store:
        hand_in(store, tmp_path / "b.handin", set_ids=["es-l2"], share="results", now=HANDED_IN, name="ANA")
    (tmp_path / "broken.handin").write_text("{", encoding="utf-8")
    report = class_report(tmp_path)
    assert [line.made_at for line in report.sets[0].learners if line.name == "Ana"] == [HANDED_IN + DAY]
    assert any("broken.handin" in remark for remark in report.remarks)
    assert any("2 different keys" in remark for remark in report.remarks)


def test_a_set_that_was_handed_in_earlier_stays_when_another_follows(tmp_path: Path) -> None:
    learner = create_learner(tmp_path, "Ana", now=NOON)
    (tmp_path / "in").mkdir()
    with Store.open(tmp_path, learner.id) as store:
        for number, set_id in enumerate(("es-l2", "fr-l2")):
            session = begin(store, set_id=set_id)
            attempt(store, turn(store, session, now=NOON + 60), session, set_id=set_id)
            store.end_session(session, {"finished": True}, NOON + 60)
            for sets, days in (([set_id], number), (["es-l2"], 0)):
                target = tmp_path / "in" / f"{number}-{days}-{len(sets)}.handin"
                hand_in(store, target, set_ids=sets, share="results", now=NOON + days * DAY)
    report = class_report(tmp_path / "in")
    assert [(one.set_id, len(one.learners)) for one in report.sets] == [("es-l2", 1), ("fr-l2", 1)]
    assert report.learners == 1
    assert "1 learner handed in" in page(report, NOON)
    ids = [json.loads(line)["id"] for line in statements(report)]
    assert len(ids) == len(set(ids)) == 2 * 2
    assert report.remarks == ()


def test_the_median_of_two_is_between_them(tmp_path: Path) -> None:
    for name, minutes_spent in (("Ana", 2), ("Ben", 4)):
        learner = create_learner(tmp_path, name, now=NOON)
        with Store.open(tmp_path, learner.id) as store:
            turn(store, begin(store), now=NOON + 60 * minutes_spent)
            hand_in(store, tmp_path / f"{name}.handin", set_ids=["es-l2"], share="results", now=HANDED_IN)
    assert "<b>3</b> minutes on task (median)" in page(class_report(tmp_path), HANDED_IN)


def test_each_set_is_shown_with_its_own_names(tmp_path: Path) -> None:
    learner = create_learner(tmp_path, "Ana", now=NOON)
    with Store.open(tmp_path, learner.id) as store:
        for set_id in ("es-l2", "es-heritage"):
            session = begin(store, "mi-historia", set_id=set_id)
            attempt(store, turn(store, session), session, set_id=set_id, lesson_id="mi-historia")
        sets = ["es-l2", "es-heritage"]
        hand_in(store, tmp_path / "a.handin", set_ids=sets, share="results", now=HANDED_IN)
    titles = _titles([builtin_sets_dir() / one for one in reversed(sets)])
    _, heritage, l2 = page(class_report(tmp_path), HANDED_IN, titles).split("<section>")
    for section, set_id in ((heritage, "es-heritage"), (l2, "es-l2")):
        lesson = load_set(builtin_sets_dir() / set_id).lesson("mi-historia")
        assert lesson is not None
        assert f'<th scope="row">{escape(lesson.title)}</th>' in section


def test_a_folder_without_hand_ins_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(TutorError, match="no hand-in"):
        class_report(tmp_path)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(0.5, 0, "1"), (2.5, 0, "3"), (-0.0, 0, "0"), (12.25, 1, "12.3"), (83.333, 0, "83")],
)
def test_figures_are_rounded_as_people_do(value: float, places: int, text: str) -> None:
    assert rounded(value, places) == text
    assert percent((0, 0)) == ""
