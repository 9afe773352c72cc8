"""`tutor lessons …` as an instructor and a student use it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lessons.json_schema import json_schema
from lessons.load import builtin_sets_dir, lesson_files, load_set
from lessons.yaml_source import read_source
from tests.lessons.hostile import TINY
from tests.lessons.sample import dump, info, lesson, write_set
from tutor_app.cli.lesson_replies import reply_findings
from tutor_app.cli.main import cli

Tutor = Callable[..., Result]


@pytest.fixture
def tutor(tmp_path: Path) -> Tutor:
    """Runs `tutor lessons …` with a data folder of its own; the result's exception is a TutorError or None."""

    def run(*arguments: object, data: str = "home", answers: str | None = None) -> Result:
        words = ["--data-dir", str(tmp_path / data), "lessons", *map(str, arguments)]
        return CliRunner().invoke(cli, words, input=answers)

    return run


def refused(result: Result) -> str:
    assert result.exit_code == 1
    assert type(result.exception).__name__ == "TutorError"
    return str(result.exception)


def test_a_set_is_made_packed_signed_verified_installed_played_and_upgraded(
    tutor: Tutor, tmp_path: Path
) -> None:
    """The whole way from an instructor's machine to a student's."""
    folder = write_set(tmp_path / "muestra")
    assert tutor("lint", folder).exit_code == 0
    assert tutor("key", "Prof. Ana", data="teacher").exit_code == 0
    packed = tutor("pack", folder, "--sign", "--out", tmp_path, data="teacher")
    pack = Path(packed.stdout.strip())
    row = json.loads(tutor("verify", pack, "--json").stdout)[0]
    assert (row["id"], row["signer"], row["trusted"]) == ("muestra", "Prof. Ana", False)
    assert "key that is new here" in refused(tutor("install", pack))
    assert tutor("install", pack, "--yes").exit_code == 0
    assert "Prof. Ana" in tutor("trust").stdout
    assert json.loads(tutor("verify", pack, "--json").stdout)[0]["trusted"] is True

    newer = write_set(tmp_path / "newer", lesson(), lesson(id="dos"), set_info=info(version="1.1.0"))
    upgrade = tutor("pack", newer, "--sign", "--out", tmp_path, data="teacher").stdout.strip()
    said = tutor("upgrade", upgrade)
    assert said.exit_code == 0
    assert "replaces version 1.0.0; what you have learnt stays" in said.stdout
    assert "New lessons: dos" in said.stdout
    listed = {row["id"]: row for row in json.loads(tutor("list", "--json").stdout)}
    assert (listed["muestra"]["version"], listed["muestra"]["from"]) == ("1.1.0", "installed")
    assert tutor("remove", "muestra").exit_code == 0
    assert "muestra" not in tutor("list").stdout


def test_every_set_of_ours_goes_the_same_way(tutor: Tutor, tmp_path: Path) -> None:
    for home in sorted(path for path in builtin_sets_dir().iterdir() if (path / "set.yaml").is_file()):
        pack = tutor("pack", home, "--out", tmp_path).stdout.strip()
        assert tutor("install", pack, "--yes").exit_code == 0, home.name
        rows = {row["id"]: row for row in json.loads(tutor("list", "--json").stdout)}
        assert rows[home.name]["from"] == "installed"
        assert load_set(Path(rows[home.name]["folder"])) == load_set(home)


def test_lint_tells_file_and_line_and_ends_with_one(tutor: Tutor, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "s", lesson(minutes=50, level="B1"))
    result = tutor("lint", folder)
    assert result.exit_code == 1
    assert f"{folder}/lessons/01-uno.yaml:4: could be better: 50 minutes" in result.stdout
    assert {row["rule"] for row in json.loads(tutor("lint", folder, "--json").stdout)} == {
        "plan-minutes",
        "plan-level",
    }
    assert "plan-minutes" not in tutor("lint", folder, "--errors-only").stdout


def test_lines_that_the_tutor_would_not_say_are_found_on_request(tutor: Tutor, tmp_path: Path) -> None:
    data = lesson()
    data["steps"][1]["items"][0]["errors"][0]["recast"] = "Visit www.example.com: *es*."
    folder = write_set(tmp_path / "s", data)
    assert tutor("lint", folder).exit_code == 0
    assert "reply-form" in tutor("lint", folder, "--replies").stdout


@pytest.mark.parametrize(
    "name", sorted(path.name for path in builtin_sets_dir().iterdir() if (path / "set.yaml").is_file())
)
def test_the_tutor_may_say_every_line_of_every_set(name: str) -> None:
    assert list(map(str, reply_findings(builtin_sets_dir() / name))) == []


def test_a_new_set_and_lesson_can_be_loaded_and_previewed(tutor: Tutor, tmp_path: Path) -> None:
    folder = tmp_path / "my-set"
    made = tutor("new", folder, "--title", 'Hola "todos"', "--author", "Ana \\ Bo", "--track", "heritage")
    assert made.exit_code == 0
    assert tutor("new", folder, "--id", "second").exit_code == 0
    found = load_set(folder)
    assert (found.info.title, found.info.authors, found.info.track) == (
        'Hola "todos"',
        ["Ana \\ Bo"],
        "heritage",
    )
    assert [one.id for one in found.lessons] == ["hello", "second"]
    shown = tutor("preview", folder, "--lesson", "second", "--once").stdout
    for line in ("accepts: soy", "ser-estar: estoy", "hint 4:", "Tutor: ¡Hola! Soy Dana. ¿De dónde eres?"):
        assert line in shown
    assert "has a lesson 'second' already" in refused(tutor("new", folder, "--id", "second"))
    assert "There is no lesson" in refused(tutor("preview", folder, "--lesson", "third", "--once"))
    assert tutor("pack", folder, "--out", tmp_path).exit_code == 0


def test_a_new_set_is_not_written_over_other_things(tutor: Tutor, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x", encoding="utf-8")
    assert "is not empty" in refused(tutor("new", tmp_path / "full"))
    assert "not allowed" in refused(tutor("new", tmp_path / "s", "--id", "Bad Id"))
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("name", ["lesson", "set"])
def test_the_schema_for_editors_accepts_what_the_loader_accepts(tutor: Tutor, name: str) -> None:
    import jsonschema

    schema: dict[str, Any] = json.loads(tutor("schema", name).stdout)
    assert schema == json_schema("lesson" if name == "lesson" else "set")
    checker = jsonschema.Draft202012Validator(schema)
    homes = [path for path in builtin_sets_dir().iterdir() if (path / "set.yaml").is_file()]
    files = [
        file for home in homes for file in (lesson_files(home) if name == "lesson" else [home / "set.yaml"])
    ]
    assert files
    for file in files:
        assert [error.message for error in checker.iter_errors(read_source(file).value)] == []
    assert not checker.is_valid({"id": "x"})


def test_keys_are_made_once_and_asked_for_when_missing(tutor: Tutor, tmp_path: Path) -> None:
    pack = tutor("pack", write_set(tmp_path / "s", TINY), "--out", tmp_path).stdout.strip()
    assert "You have no key yet" in refused(tutor("sign", pack))
    assert tutor("key", "Ana").exit_code == 0
    assert "already exists" in refused(tutor("key", "Bo"))
    assert tutor("key").stdout.splitlines()[1] == "Ana"
    assert "signed by Ana" in tutor("sign", pack).stdout
    assert "signed by Ana" in tutor("verify", pack).stdout
    assert tutor("install", pack, "--yes").exit_code == 0
    fingerprint = tutor("trust").stdout.partition("  ")[0]
    assert tutor("trust", "--forget", fingerprint).exit_code == 0
    assert tutor("trust").stdout == ""
    assert "No trusted key" in refused(tutor("trust", "--forget", fingerprint))


def test_a_spoilt_pack_is_refused_in_one_line(tutor: Tutor, tmp_path: Path) -> None:
    pack = Path(tutor("pack", write_set(tmp_path / "s", TINY), "--out", tmp_path).stdout.strip())
    pack.write_bytes(pack.read_bytes().replace(b"Think.", b"Drink."))
    said = refused(tutor("install", pack, "--yes"))
    assert "\n" not in said
    assert "was refused" in said
    assert "Get it again" in said


def test_upgrading_what_is_not_there_says_how_to_install_it(tutor: Tutor, tmp_path: Path) -> None:
    pack = tutor("pack", write_set(tmp_path / "s", TINY), "--out", tmp_path).stdout.strip()
    assert "Use `tutor lessons install" in refused(tutor("upgrade", pack, "--yes"))


def test_sets_are_exported_by_id_or_folder_and_imported_again(tutor: Tutor, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "s")
    tutor("install", folder, "--yes")
    for format_name in ("anki", "brightspace", "gift", "qti", "worksheet"):
        result = tutor("export", format_name, "muestra", "--out", tmp_path / f"x.{format_name}")
        assert result.exit_code == 0, result.exception
        assert "Not carried over:" in result.stdout
        assert (tmp_path / f"x.{format_name}").stat().st_size > 500
    assert "There is no set 'nothing'" in refused(tutor("export", "gift", "nothing"))
    shutil.copy(tmp_path / "x.anki", tmp_path / "x.apkg")
    back = tutor("import", tmp_path / "x.apkg", tmp_path / "back", "--language", "es", "--json")
    assert json.loads(back.stdout)["written"] == 1
    assert load_set(tmp_path / "back").lessons[0].vocabulary[0].word == "la ciudad"
    unknown = tutor("import", folder / "set.yaml", tmp_path / "b2", "--language", "es")
    assert unknown.exit_code == 2


def test_the_preview_is_shown_again_when_the_file_is_saved_even_broken(
    tutor: Tutor, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sample / "lessons" / "01-uno.yaml"
    texts = ["steps: [", dump(lesson(title="Mended – Now"))]

    def save_next(_seconds: float) -> None:
        """What happens between two looks at the file: the instructor saves, and in the end goes home."""
        if not texts:
            raise KeyboardInterrupt
        before = file.stat().st_mtime
        file.write_text(texts.pop(0), encoding="utf-8")
        os.utime(file, (before + 5, before + 5))

    monkeypatch.setattr("tutor_app.cli.lessons.time.sleep", save_next)
    shown = tutor("preview", file).stdout
    assert shown.index("Uno – One") < shown.index("is not YAML") < shown.index("Mended – Now")


def test_the_table_counts_what_is_in_a_set(tutor: Tutor, sample: Path) -> None:
    tutor("install", sample, "--yes")
    row = next(
        row for row in json.loads(tutor("list", "--counts", "--json").stdout) if row["id"] == "muestra"
    )
    figures = {
        name: row[name]
        for name in ("lessons", "items", "kinds", "forms", "words", "error_patterns", "accepted")
    }
    assert figures == {
        "lessons": 1,
        "items": 13,
        "kinds": 13,
        "forms": 1,
        "words": 8,
        "error_patterns": 26,
        "accepted": 17,
    }
    assert "| muestra | 1 | 13 | 13 |" in tutor("list", "--counts").stdout


def test_packing_a_set_with_flaws_says_so(tutor: Tutor, tmp_path: Path) -> None:
    result = tutor("pack", write_set(tmp_path / "s", TINY), "--out", tmp_path)
    assert result.exit_code == 0
    assert "could trip a student" in result.stderr


def test_a_set_whose_signature_was_tampered_with_is_told_and_hides_no_other(
    tutor: Tutor, tmp_path: Path
) -> None:
    tutor("key", "Ana")
    pack = tutor("pack", write_set(tmp_path / "s"), "--sign", "--out", tmp_path).stdout.strip()
    tutor("install", pack, "--yes")
    file = tmp_path / "home" / "lessons" / "muestra" / "1.0.0" / "signature.json"
    file.write_bytes(file.read_bytes().replace(b"Ana", b"Bob"))
    result = tutor("list")
    assert "es-l2" in result.stdout
    assert "muestra" not in result.stdout
    assert "Cannot be used: The signature does not fit" in result.stderr
