"""A whole evaluation of models that a test plays: the figures follow from what they say, and the page shows them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import html

from finetune.cli import cli, main
from finetune.evaluate import record as recording
from finetune.evaluate import run
from finetune.evaluate.asking import Answer, Ask, Speaker
from finetune.evaluate.authored import authored, languages
from finetune.evaluate.config import EvaluateConfig, Model, load
from finetune.evaluate.learners import held_back
from finetune.evaluate.lesson_material import quizzes, talk_questions
from finetune.evaluate.page import page
from finetune.evaluate.run import evaluate
from finetune.evaluate.summary import summary
from finetune.evaluate.tasks.reformulation import FLOOR, lowest
from finetune.sources.learner import is_held_back
from tutor_app.llm.manifest import Manifest, read_manifest, write_manifest
from tutor_app.pedagogy.prompts import NATIVE

KEPT = [str(i) for i in range(200) if is_held_back(str(i))]
TRAINED = next(str(i) for i in range(200) if not is_held_back(str(i)))
WRONG = ["Mi hermana es en casa hoy", "Yo estoy una persona muy feliz", "Las casa de mi abuela son bonitas"]
RIGHT = ["Mi hermana está en casa hoy", "Yo soy una persona muy feliz", "Las casas de mi abuela son bonitas"]


def row(
    learner: str, corrected: str, right: str, writer: str, group: str = "L2", **more: Any
) -> dict[str, Any]:
    errors = [{"wrong": "x", "right": right, "tags": []}] if learner != corrected else []
    return {"group": group, "course": "SPA 1", "writer": writer, "prompt": "p", "learner": learner, "corrected": corrected, "errors": errors} | more  # fmt: skip


def learners(path: Path) -> Path:
    rows = []
    for i, writer in enumerate(KEPT[:12]):
        group = "heritage" if i % 3 == 0 else "L2"
        for wrong, right, form in zip(WRONG, RIGHT, ["está", "soy", "casas"], strict=True):
            rows.append(row(f"{wrong} {i}", f"{right} {i}", form, writer, group))
            rows.append(row(f"{right} {i}", f"{right} {i}", "", writer, group))
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


class Played:
    """A model that gives back what `native` makes of a sentence, and says `line` to everything else."""

    def __init__(self, native: Callable[[str], str], line: str, ended: str = "model") -> None:
        self._native = native
        self._line = line
        self._ended = ended

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        for ask in asks:
            if ask.kind == "score":
                sensible = "sopa" not in ask.text
                yield Answer(ask.text, nats=-1.0 if sensible else -9.0, tokens=3)
            elif ask.kind == "revise":
                assert ask.messages[-1].content == f"{NATIVE} {ask.text}"
                made = self._native(ask.text)
                yield Answer(made, "model", -2.0 if made != ask.text else -8.0, -8.0, 6)
            else:
                yield Answer(ask.before + self._line, self._ended, tokens=9)  # type: ignore[arg-type]

    def close(self) -> None:
        """Nothing to give back."""


def teacher(text: str) -> str:
    for wrong, right in zip(WRONG, RIGHT, strict=True):
        text = text.replace(wrong, right)
    return text


def meddler(text: str) -> str:
    """Changes what is right."""
    return text.replace("hermana", "prima").replace("muy", "bien").replace("abuela", "abuelita")


MODELS: dict[str, Speaker] = {
    "teacher": Played(teacher, " ¡Qué bien! ¿Y qué más te gusta?"),
    "meddler": Played(meddler, "Eso está mal, no se dice así. Debes estudiar más.\n[ask]", "line"),
}


def open_played(model: Model) -> run.Opened:
    return model.model, lambda: MODELS[model.model]


def config(tmp_path: Path, **changes: Any) -> EvaluateConfig:
    given: dict[str, Any] = {
        "models": {name: {"model": name, "style": "trained"} for name in MODELS}, "out": tmp_path / "out",
        "learners": [learners(tmp_path / "learners.jsonl")], "bootstrap": 200, "mixed": 6, "simplify": 4, "hints": 4,
    }  # fmt: skip
    return EvaluateConfig.model_validate(given | changes)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return evaluate(config(tmp_path_factory.mktemp("evaluation")), open_model=open_played)


def value(report: dict[str, Any], model: str, id: str) -> float:
    return float(report["models"][model]["figures"][id]["value"])


def test_the_teacher_finds_everything_and_touches_nothing_else(report: dict[str, Any]) -> None:
    for track in ("l2", "heritage"):
        assert value(report, "teacher", f"f05@{track}") == 1.0
        assert value(report, "teacher", f"exact@{track}") == 1.0
        assert value(report, "teacher", f"changed@{track}") == 0.0
        assert value(report, "teacher", f"holds_form@{track}") == 1.0
    assert report["models"]["teacher"]["figures"]["f05@l2"]["met"] is True


def test_the_meddler_is_seen_through(report: dict[str, Any]) -> None:
    assert value(report, "meddler", "f05@l2") == 0.0
    assert value(report, "meddler", "changed@l2") == 1.0
    assert value(report, "meddler", "correction@l2") == 1.0
    assert value(report, "meddler", "asks@l2") == 0.0
    assert value(report, "meddler", "holds_form@l2") == pytest.approx(1 / 3, abs=1e-4), (
        "by chance: it says «está»"
    )
    assert value(report, "meddler", "holds_phrase@l2") == 0.0
    assert value(report, "meddler", "stop@l2") == 0.0
    assert value(report, "meddler", "valid@l2") == 0.0
    apart = report["models"]["meddler"]["figures"]["f05@l2"]["against_first"]
    assert (apart["value"], apart["high"]) == (-1.0, -1.0)


def test_what_the_reformulation_brings_is_told(report: dict[str, Any]) -> None:
    assert value(report, "teacher", "one_step_form@l2") == 0.0, "told nothing, the line has no form in it"
    assert value(report, "teacher", "recast_elicits@l2") == 1.0


def test_the_curve_ends_where_nothing_is_believed(report: dict[str, Any]) -> None:
    curve = report["models"]["teacher"]["curve"]["l2"]
    assert curve[0]["f05"] == 1.0
    assert curve[-1] == {"threshold": 16.0, "f05": 0.0, "precision": None, "recall": 0.0, "changed": 0.0}


def test_thresholds_are_the_lowest_that_leave_correct_sentences_alone(report: dict[str, Any]) -> None:
    unchanged = [-math.inf] * 98
    assert lowest([*unchanged, 3.1, -math.inf], 0.01) == 0.0, "one of a hundred may be touched"
    assert lowest([*unchanged, 3.1, 1.1], 0.01) == 1.25
    assert lowest([*unchanged, 99.0, 99.0], 0.01) == 16.0
    teaches, meddles = report["models"]["teacher"], report["models"]["meddler"]
    assert teaches["margin_nats"] == {"l2": FLOOR, "heritage": FLOOR}, "so few sentences show no more"
    assert value(report, "teacher", "f05_calm@l2") == value(report, "teacher", "acted_calm@l2") == 1.0
    assert value(report, "meddler", "changed@l2") == 1.0
    assert value(report, "meddler", "changed_calm@l2") == 0.0
    assert next(point["threshold"] for point in meddles["curve"]["l2"] if point["changed"] == 0) == 6.25


def test_what_was_measured_stands_in_the_manifest_and_is_used_from_there(
    report: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "teacher.manifest.json"
    write_manifest(
        path, Manifest(name="teacher", evaluation={"held_out_loss": 0.4, "margin_nats": {"heritage": 3.0}})
    )
    given = config(tmp_path)
    monkeypatch.setattr(recording, "manifest_of", lambda model: path if model.model == "teacher" else None)
    found = report | {
        "models": {**report["models"], "teacher": report["models"]["teacher"] | {"margin_nats": {"l2": 1.5}}}
    }
    assert recording.record(given, found) == [path]
    evaluation = read_manifest(path).evaluation
    assert evaluation["f05@l2"]["value"] == 1.0
    assert evaluation["held_out_loss"] == 0.4
    assert recording.recorded_margins(given.models["teacher"]) == {"l2": 1.5, "heritage": 3.0}
    assert recording.recorded_margins(given.models["meddler"]) == {}


def test_panels_are_counted_in_every_language(report: dict[str, Any]) -> None:
    assert value(report, "teacher", "endings@es") == 1 / 8, "only the soup is told from the key"
    assert value(report, "teacher", "perplexity@zh") == pytest.approx(2.71828 ** (1 / 3), abs=1e-4)
    assert set(languages()) == {"ar", "en", "es", "fr", "zh"}


def test_the_same_seed_gives_the_same_report(report: dict[str, Any], tmp_path: Path) -> None:
    again = evaluate(config(tmp_path), open_model=open_played)
    assert json.dumps(again, sort_keys=True) == json.dumps(report, sort_keys=True)


def test_drift_follows_one_essay_and_remembers_it(tmp_path: Path) -> None:
    seen: list[Ask] = []

    class Listening(Played):
        def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
            seen.extend(asks)
            yield from super().answers(asks)

    sentences = [row(f"{WRONG[0]} {i}", f"{RIGHT[0]} {i}", "está", KEPT[0], course="SPA 1") for i in range(4)]
    sentences += [row(f"{RIGHT[1]} {i}", f"{RIGHT[1]} {i}", "", KEPT[1], course="SPA 24") for i in range(3)]
    sentences += [row(f"{WRONG[1]} 9", f"{RIGHT[1]} 9", "soy", KEPT[1], course="SPA 24")]
    path = tmp_path / "essays.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in sentences), encoding="utf-8")
    given = config(
        tmp_path, learners=[path], tasks=["drift"], drift={"dialogues": 3, "turns": 4, "levels": ["A1", "C1"]},
        models={"one": {"model": "one", "style": "prompted"}},
    )  # fmt: skip
    made = evaluate(
        given, open_model=lambda model: ("one", lambda: Listening(teacher, " ¿Y tú, dónde vives?"))
    )
    assert len(seen) == 8
    last = seen[3]
    assert [message.role for message in last.messages] == ["system", *["user", "assistant"] * 4, "user"]
    assert last.before, "there is something to recast, and the reply begins with it"
    assert "level C1" in seen[4].messages[0].content
    assert seen[4].before == ""
    turns = made["models"]["one"]["turns"]
    assert [turn["n"] for turn in turns["A1"]] == [1, 1, 1, 1]
    assert "gap_first@A1 to C1" in made["models"]["one"]["figures"]


def test_published_dialogues_are_measured_beside(tmp_path: Path) -> None:
    rows = [
        {"model": "org--Tutor-7B", "level": level, "messages": [{"role": "user", "content": "Hola"}, *[{"role": "assistant", "content": text}] * 4]}
        for level, text in (("A1", "Sí. ¿Y tú?"), ("C1", "La responsabilidad administrativa internacional es extraordinaria."))
    ]  # fmt: skip
    path = tmp_path / "published.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    given = config(tmp_path, tasks=["drift"], drift={"dialogues": 1, "turns": 4, "baseline": [path]})
    made = evaluate(given, open_model=open_played)
    figures = made["published"]["Tutor-7B"]["figures"]
    assert figures["gap_first@A1 to C1"]["value"] > 100
    assert figures["gap_kept@A1 to C1"]["value"] == 1.0
    assert "The same of published tutors" in page(made)


# -- samples ---------------------------------------------------------------------------------------------------


def test_only_writers_kept_back_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        row("Mi prima es en casa", "Mi prima está en casa", "está", TRAINED),
        row("Mi prima es en casa", "Mi prima está en casa", "está", KEPT[0]),
        row("Me llamo *FIRST_NAME* y vivo aquí", "Me llamo *FIRST_NAME* y vivo aquí", "", KEPT[0]),
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    assert [one.writer for one in held_back([path]).sentences] == [f"L2/{KEPT[0]}"]


def test_a_correction_that_repairs_dialect_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        row(
            "Ahorita voy a casa y haiga lo que haiga",
            "Ahorita voy a casa y haya lo que haya",
            "haya",
            KEPT[0],
        ),
        row("Fui al store con mi mamá ayer", "Fui a la tienda con mi mamá ayer", "tienda", KEPT[0]),
        row("Mi prima es en casa ahora", "Mi prima está en casa ahora", "está", KEPT[0]),
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    found = held_back([path]).sample(9, "l2", wrong=True, words=(4, 15), language="es", seed=0)
    assert [one.learner for one in found] == ["Mi prima es en casa ahora"]


def test_a_smaller_sample_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    held = held_back([learners(tmp_path / "a.jsonl")])
    some, more = (
        held.sample(count, "l2", wrong=True, words=(4, 15), language="es", seed=3) for count in (4, 9)
    )  # fmt: skip
    assert more[:4] == some
    assert held.sample(4, "l2", wrong=True, words=(4, 15), language="es", seed=4) != some


@pytest.mark.parametrize(
    ("language", "track"), [("es", "l2"), ("es", "heritage"), ("fr", "l2"), ("zh", "heritage"), ("ar", "l2")]
)
def test_every_set_has_questions_and_items_to_ask(language: str, track: Any) -> None:
    assert len(talk_questions(language, track, 5)) == 5
    found = quizzes(language, track, 5, 0)
    assert len(found) == 5
    assert all(one.answers and one.hint for one in found)


def test_our_sentences_are_all_different() -> None:
    for code in languages():
        bank = authored(code)
        every = [one.text for one in bank.dialect] + bank.code_switched + bank.texts
        assert len(set(every)) == len(every)
        assert all(one.right != one.wrong for one in bank.endings)


# -- the page and the command ----------------------------------------------------------------------------------


def test_the_page_names_every_model_and_figure_and_holds_no_script(report: dict[str, Any]) -> None:
    text = page(report)
    tree = html.fromstring(text)
    assert tree.xpath("//script") == []
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org", "")
    heads = {head.text_content() for head in tree.xpath("//thead//th")}
    assert {"teacher", "meddler"} <= heads
    cells = [cell.text_content() for cell in tree.xpath("//tr[th[contains(., 'Reformulation F0.5')]]/td")]
    assert any("✓ 1.000" in cell for cell in cells)
    assert any("✗ 0.000" in cell for cell in cells)


def test_what_models_say_cannot_break_the_page(tmp_path: Path) -> None:
    MODELS["nasty"] = Played(lambda text: text, "<script>alert(1)</script> ¿Sí?")
    try:
        given = config(
            tmp_path, models={"<b>nasty</b>": {"model": "nasty", "style": "trained"}}, tasks=["replies"]
        )
        made = page(evaluate(given, open_model=open_played))
    finally:
        del MODELS["nasty"]
    assert "<script" not in made
    assert "&lt;b&gt;nasty&lt;/b&gt;" in made


def test_every_plot_is_named_for_a_screen_reader(report: dict[str, Any]) -> None:
    plots = html.fromstring(page(report)).xpath("//*[name()='svg']")
    assert len(plots) > 5
    assert all(plot.get("aria-label") for plot in plots)


def test_the_summary_has_a_line_for_each_headline(report: dict[str, Any]) -> None:
    lines = summary(report).splitlines()
    line = next(line for line in lines if line.startswith("Correct sentences changed (l2)"))
    assert "0.0 %" in line
    assert "100.0 %" in line


def test_the_command_writes_both_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "opened", open_played)
    monkeypatch.setattr(run, "recorded_margins", lambda model: {})
    learners(tmp_path / "learners.jsonl")
    (tmp_path / "a.yaml").write_text(
        "models: {teacher: {model: teacher, style: trained}, meddler: {model: meddler}}\nlearners: [learners.jsonl]\n"
        f"out: {tmp_path / 'out'}\ntasks: [reformulation]\n",
        encoding="utf-8",
    )
    ran = CliRunner().invoke(
        cli, ["evaluate", str(tmp_path / "a.yaml"), "--limit", "3", "--only", "teacher", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    printed = json.loads(ran.stdout)
    assert list(printed["models"]) == ["teacher"]
    assert printed["models"]["teacher"]["figures"]["f05@l2"]["n"] == 3
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8")) == printed
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: {}", "models"),
        ("models: {a: {model: x}}", "`learners` is empty"),
        ("models: {a: {model: x, kind: hf}}\ntasks: [mixed]", r"models\.a\.family"),
        ("models: {a: {model: x, speed: 9}}", r"speed"),
    ],
)
def test_a_wrong_config_says_what_is_wrong(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", str(tmp_path / "a.yaml")])
    assert stopped.value.code == 1
    told = capsys.readouterr().err
    assert len(told.strip().splitlines()) == 1
    assert re.search(said, told)


@pytest.mark.parametrize(
    "path",
    sorted((Path(run.__file__).parents[1] / "configs" / "evaluate").glob("*.yaml")),
    ids=lambda path: path.stem,
)
def test_the_configs_that_ship_are_valid(path: Path) -> None:
    given = load(path)
    assert bool(given.learners) == bool({"reformulation", "replies", "drift"} & set(given.tasks))
    assert all(model.prompt_style == "trained" for model in given.models.values() if model.adapters)


# -- the real engine -------------------------------------------------------------------------------------------


@pytest.mark.model
def test_a_real_model_is_evaluated_through_the_apps_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))
    given = config(
        tmp_path, models={"light": {"model": "gemma3-270m", "tracks": ["l2"]}}, tasks=["reformulation", "forgetting"],
        reformulation={"errors": 2, "correct": 1},
    )  # fmt: skip
    made = evaluate(given)
    figures = made["models"]["light"]["figures"]
    assert figures["exact@l2"]["n"] == 2
    assert figures["endings@es"]["value"] >= 0.5, "it knows more than chance"
    assert 1 < figures["perplexity@en"]["value"] < 200
    again = evaluate(given)
    assert again == made, "the second time everything is known"
