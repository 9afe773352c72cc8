"""Sets are read whole, or every problem of every file is told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lessons.load import (
    CURRENT_FILE,
    builtin_sets_dir,
    find_sets,
    load_info,
    load_lesson,
    load_set,
    resolve_set,
)
from lessons.problems import Problem, ReadError
from lessons.recordings import recordings
from tests.lessons.sample import dump, info, lesson, write_set


def refusal(path: Path) -> str:
    with pytest.raises(ReadError) as caught:
        load_set(path)
    return str(caught.value)


def spoilt(tmp_path: Path, **changes: Any) -> str:
    return refusal(write_set(tmp_path / "set", lesson(**changes)))


def test_lessons_come_in_the_order_of_their_file_names(tmp_path: Path) -> None:
    folder = write_set(tmp_path, lesson(id="b"), lesson(id="a"))
    assert [found.id for found in load_set(folder).lessons] == ["b", "a"]
    assert load_set(folder).lesson("a") is not None


def test_every_set_that_comes_with_the_program_loads() -> None:
    found = find_sets([builtin_sets_dir()])
    assert found
    for one in found:
        assert one.info is not None, one.problem
        assert load_set(one.folder).lessons


def test_a_missing_key_is_told_with_the_line_of_what_should_hold_it(tmp_path: Path) -> None:
    data = lesson()
    del data["steps"][0]["items"][1]["prompt"]
    folder = write_set(tmp_path, data)
    text = (folder / "lessons" / "01-uno.yaml").read_text(encoding="utf-8")
    line = text[: text.index("id: c2")].count("\n") + 1
    assert refusal(folder) == f"{folder}/lessons/01-uno.yaml:{line}: 'prompt' is missing — add `prompt:`"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"level": "C2"}, "'level' is 'C2' — use 'A1', 'A2' or 'B1'"),
        ({"minutes": 500}, "minutes: input should be less than or equal to 60"),
        ({"objetives": ["x"]}, "'objetives' is not a key that belongs here"),
        ({"title": 12}, "'title' must be a text, not a number — put quotes round it"),
        ({"title": None}, "'title' is empty"),
        ({"title": True}, "'title' must be a text, not true or false — put quotes round it"),
        ({"objectives": "one"}, "'objectives' must be a list, not a text — begin each entry with `- `"),
        ({"id": "Uno Dos"}, "use lower-case letters, digits and hyphens"),
        ({"forms": []}, "'forms' has 0 entries — at least 1 are needed"),
        ({"steps": [{"kind": "sing", "id": "x"}]}, "'kind' is 'sing' — use one of"),
    ],
)
def test_what_does_not_fit_the_schema_is_told_in_plain_words(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert said in spoilt(tmp_path, **changes)


def test_ids_used_twice_in_a_lesson_are_refused(tmp_path: Path) -> None:
    data = lesson()
    data["steps"][0]["items"][1]["id"] = "c1"
    assert "the id 'c1' is used twice" in refusal(write_set(tmp_path, data))


def test_two_lessons_of_one_id_are_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path, lesson())
    (folder / "lessons" / "02-again.yaml").write_text(dump(lesson()), encoding="utf-8")
    assert "02-again.yaml:1: has the id 'uno' of another lesson" in refusal(folder)


def test_a_read_item_is_judged_as_what_it_is_and_not_as_both_kinds(tmp_path: Path) -> None:
    data = lesson()
    step = next(step for step in data["steps"] if step["kind"] == "read")
    step["items"][0]["choices"] = ["only one"]
    assert refusal(write_set(tmp_path / "a", data)).count("\n") == 0
    del step["items"][0]["choices"]
    step["items"][0]["hints"] = ["one?"]
    said = refusal(write_set(tmp_path / "b", data))
    assert "'hints' has 1 entries — at least 4 are needed" in said
    assert "choices" not in said


def test_problems_of_several_files_are_told_together(tmp_path: Path) -> None:
    folder = write_set(tmp_path, lesson(level="X"), lesson(id="dos", level="Y"))
    said = refusal(folder)
    assert "01-uno.yaml" in said
    assert "02-dos.yaml" in said


def test_a_newer_format_is_refused_by_name_whatever_else_is_in_it(tmp_path: Path) -> None:
    folder = write_set(tmp_path, set_info=info(format=99, invention={"of": "the future"}))
    assert "is in format 99; this tutor reads up to format 1 — update the tutor" in refusal(folder)


def test_a_set_without_lessons_or_without_a_description_is_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path)
    (folder / "lessons" / "01-uno.yaml").unlink()
    assert "has no lessons" in refusal(folder)
    (folder / "set.yaml").unlink()
    assert "is missing" in refusal(folder)


def test_a_set_with_more_text_than_anybody_writes_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lessons.load.MAX_SET_BYTES", 1 << 20)
    folder = write_set(tmp_path)
    (folder / "lessons" / "02-big.yaml").write_bytes(b"[" * (2 << 20))
    assert "has more than 1 MiB of lessons — split it" in refusal(folder)


def test_one_lesson_can_be_read_alone(sample: Path) -> None:
    assert load_lesson(sample / "lessons" / "01-uno.yaml").id == "uno"
    with pytest.raises(ReadError, match="cannot be read"):
        load_lesson(sample / "nothing.yaml")


def test_an_installed_set_is_read_in_its_current_version(tmp_path: Path) -> None:
    for version in ("1.0.0", "1.1.0"):
        write_set(tmp_path / "muestra" / version, set_info=info(version=version))
    (tmp_path / "muestra" / CURRENT_FILE).write_text("1.0.0\n", encoding="utf-8")
    assert load_info(tmp_path / "muestra").version == "1.0.0"


@pytest.mark.parametrize("pointer", ["..", ".", "", "/", "9.9.9", "../other/1.0.0", "1.0.0\n2.0.0"])
def test_a_pointer_that_leads_elsewhere_is_refused(tmp_path: Path, pointer: str) -> None:
    write_set(tmp_path / "muestra" / "1.0.0")
    write_set(tmp_path / "other" / "1.0.0")
    write_set(tmp_path)
    (tmp_path / "muestra" / CURRENT_FILE).write_text(pointer, encoding="utf-8")
    with pytest.raises(ReadError, match="version that is not there"):
        resolve_set(tmp_path / "muestra")


def test_the_highest_version_is_found_and_a_broken_set_hides_no_other(tmp_path: Path) -> None:
    write_set(tmp_path / "a" / "muestra", set_info=info(version="1.9.0"))
    write_set(tmp_path / "b" / "muestra", set_info=info(version="1.10.0"))
    write_set(tmp_path / "b" / "broken", set_info=info(id="broken", level="?"))
    write_set(tmp_path / "b" / ".hidden", set_info=info(id="hidden"))
    found = find_sets([tmp_path / "a", tmp_path / "b", tmp_path / "nowhere"])
    assert [(one.info.id, one.info.version) for one in found if one.info] == [("muestra", "1.10.0")]
    assert [one.folder.name for one in found if one.problem] == ["broken"]


def problems(path: Path) -> tuple[Problem, ...]:
    try:
        load_lesson(path)
    except ReadError as error:
        return error.problems
    return ()


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=4,
)


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_lesson_with_anything_in_any_place_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    """One value anywhere in the lesson is exchanged for something else."""
    made: Any = lesson()
    holder: Any = made
    while True:
        keys = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        holder = inner
    holder[key] = data.draw(junk)
    path = tmp_path / "x.yaml"
    path.write_text(dump(made), encoding="utf-8")
    assert all(problem.line > 0 for problem in problems(path))


def test_what_an_editor_or_a_file_manager_hides_is_no_lesson(sample: Path) -> None:
    (sample / "lessons" / "._01-uno.yaml").write_bytes(b"\0\5\x16\7")
    (sample / "lessons" / ".#01-uno.yaml").symlink_to("ana@laptop.1234:1")
    assert [one.id for one in load_set(sample).lessons] == ["uno"]


def test_what_somebody_recorded_is_found_by_what_is_said_and_only_in_the_sets_own_folder(
    tmp_path: Path,
) -> None:
    data = lesson()
    said = [one for step in data["steps"] for one in step.get("items", []) if "say" in one]
    assert len(said) > 2
    for one, audio in zip(said, ["hola.ogg", "../set.yaml", "gone.ogg"], strict=False):
        one["audio"] = audio
    folder = write_set(tmp_path / "set", data)
    (folder / "media").mkdir(exist_ok=True)
    (folder / "media" / "hola.ogg").write_bytes(b"OggS")
    assert recordings(load_set(folder), folder) == {said[0]["say"]: (folder / "media" / "hola.ogg").resolve()}
