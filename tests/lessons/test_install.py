"""Sets are installed whole or not at all, by their own author, and progress survives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lessons.install as install_module
from lessons.install import Library, Plan, Question
from lessons.load import load_set
from lessons.lock import BusyError, locked
from lessons.pack import PackError, make_pack
from lessons.problems import LessonError
from lessons.signing import Key
from tests.lessons.hostile import TINY, contents, hostile
from tests.lessons.sample import info, lesson, write_set

ANY = frozenset[Question](("unsigned", "new-author"))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A student's machine without any set."""
    return Library(tmp_path / "home", builtin=tmp_path / "builtin")


def packed(
    tmp_path: Path, version: str = "1.0.0", key: Key | None = None, *lessons: object, **changes: object
) -> Path:
    name = f"{version}-{key.name if key else 'unsigned'}-{len(list(tmp_path.iterdir()))}"
    folder = write_set(tmp_path / name, *(lessons or (TINY,)), set_info=info(version=version, **changes))  # type: ignore[arg-type]
    return make_pack(folder, tmp_path / f"{name}-out", key)


def in_use(library: Library) -> dict[str, str]:
    return {found.info.id: found.info.version for found in library.sets() if found.info}


def traces(library: Library) -> list[str]:
    """Every file of the library but its lock."""
    return sorted(
        p.relative_to(library.folder).as_posix()
        for p in library.folder.rglob("*")
        if p.is_file() and p.name != ".lock"
    )


def test_an_installed_set_can_be_studied_and_removed(library: Library, tmp_path: Path, author: Key) -> None:
    library.install(packed(tmp_path, key=author), ANY)
    assert in_use(library) == {"muestra": "1.0.0"}
    folder = library.sets()[0].folder
    assert folder == library.folder / "muestra" / "1.0.0"
    assert load_set(library.folder / "muestra").lesson("uno")
    assert library.signer_of(folder) == author.signer
    library.remove("muestra")
    assert in_use(library) == {}
    assert traces(library) == ["trusted-authors.json"]


def test_a_plan_changes_nothing(library: Library, tmp_path: Path, author: Key) -> None:
    plan = library.plan(packed(tmp_path, key=author))
    assert (plan.set.info.id, plan.signer, plan.questions) == ("muestra", author.signer, ("new-author",))
    assert traces(library) == []


def test_unsigned_packs_and_new_keys_need_the_students_word(
    library: Library, tmp_path: Path, author: Key
) -> None:
    with pytest.raises(PackError, match="it is not signed"):
        library.install(packed(tmp_path))
    with pytest.raises(PackError, match="a key that is new here"):
        library.install(packed(tmp_path, key=author))
    assert traces(library) == []


def test_an_author_is_asked_about_once(library: Library, tmp_path: Path, author: Key) -> None:
    library.install(packed(tmp_path, key=author), ANY)
    assert library.plan(packed(tmp_path, "1.0.1", author)).questions == ()
    assert library.plan(packed(tmp_path, key=author, id="another")).questions == ()


def test_a_new_key_under_a_trusted_name_is_told_apart(library: Library, tmp_path: Path, author: Key) -> None:
    library.install(packed(tmp_path, key=author), ANY)
    impostor = Key.create(author.name.upper())
    path = packed(tmp_path, key=impostor, id="another")
    assert library.plan(path).questions == ("namesake",)
    with pytest.raises(PackError, match="goes by the name of an author you trust"):
        library.install(path, ANY)


def test_a_set_belongs_to_its_key(library: Library, tmp_path: Path, author: Key, stranger: Key) -> None:
    library.install(packed(tmp_path, key=author), ANY)
    for thief in (stranger, None):
        with pytest.raises(PackError, match="not by the same author"):
            library.install(packed(tmp_path, "2.0.0", thief), ANY)
    assert in_use(library) == {"muestra": "1.0.0"}
    library.install(packed(tmp_path, "2.0.0", stranger), ANY | {"other-author"})
    assert in_use(library) == {"muestra": "2.0.0"}


def test_an_unsigned_set_belongs_to_the_names_in_it_and_may_become_signed(
    library: Library, tmp_path: Path, author: Key
) -> None:
    library.install(packed(tmp_path), ANY)
    with pytest.raises(PackError, match="not by the same author"):
        library.install(packed(tmp_path, "2.0.0", authors=["Eve"]), ANY)
    library.install(packed(tmp_path, "2.0.0", author), ANY)
    with pytest.raises(PackError, match="not by the same author"):
        library.install(packed(tmp_path, "3.0.0"), ANY)


def test_a_built_in_set_cannot_be_replaced_by_a_stranger_nor_removed(
    library: Library, tmp_path: Path
) -> None:
    write_set(library.builtin / "muestra", TINY, set_info=info(version="1.0.0"))
    with pytest.raises(PackError, match="not by the same author"):
        library.install(packed(tmp_path, "9.0.0", authors=["Eve"]), ANY)
    with pytest.raises(PackError, match="it came with the program"):
        library.remove("muestra")
    library.install(packed(tmp_path, "1.1.0"), ANY)
    assert in_use(library) == {"muestra": "1.1.0"}
    library.remove("muestra")
    assert in_use(library) == {"muestra": "1.0.0"}


@pytest.mark.parametrize("set_id", ["../home", "..", "/", "", "nothing", "muestra/1.0.0"])
def test_only_installed_sets_can_be_removed(library: Library, tmp_path: Path, set_id: str) -> None:
    library.install(packed(tmp_path), ANY)
    with pytest.raises(PackError, match="is not installed here"):
        library.remove(set_id)
    assert in_use(library) == {"muestra": "1.0.0"}


def test_an_upgrade_says_what_is_different_and_keeps_items_that_keep_their_ids(
    library: Library, tmp_path: Path, author: Key
) -> None:
    old, new = lesson(), lesson()
    new["steps"][0]["items"][0]["prompt"] = "Yo ___ de Quito."
    new["steps"][1]["items"][0]["id"] = "z9"
    library.install(packed(tmp_path, "1.0.0", author, old), ANY)
    plan = library.install(packed(tmp_path, "1.1.0", author, new, lesson(id="dos")))
    changes = plan.changes
    assert plan.replaces is not None
    assert plan.replaces.version == "1.0.0"
    assert changes is not None
    assert (changes.new_lessons, changes.gone_lessons, changes.changed_lessons) == (("dos",), (), ("uno",))
    assert changes.changed_items == ("uno/c1",)
    assert changes.gone_items == ("uno/z1",)
    assert "uno/z9" in changes.new_items
    assert "Items no longer asked: uno/z1" in changes.lines()


def test_an_older_version_needs_the_students_word(library: Library, tmp_path: Path, author: Key) -> None:
    library.install(packed(tmp_path, "1.10.0", author), ANY)
    old = packed(tmp_path, "1.9.0", author)
    with pytest.raises(PackError, match="a newer version is in use"):
        library.install(old)
    library.install(old, frozenset({"older"}))
    assert in_use(library) == {"muestra": "1.9.0"}


def test_the_version_before_is_kept_and_older_ones_go(library: Library, tmp_path: Path, author: Key) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        library.install(packed(tmp_path, version, author), ANY)
    assert sorted(path.name for path in (library.folder / "muestra").iterdir() if path.is_dir()) == [
        "1.1.0",
        "1.2.0",
    ]


def test_installing_again_is_nothing_unless_something_was_damaged(
    library: Library, tmp_path: Path, author: Key
) -> None:
    path = packed(tmp_path, key=author)
    library.install(path, ANY)
    assert library.install(path).already_there
    file = library.sets()[0].folder / "lessons" / "01-uno.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("Think.", "Changed."), encoding="utf-8")
    assert not library.install(path).already_there
    assert load_set(library.folder / "muestra").lessons[0].objectives == ["Think."]


def test_one_version_has_one_content(library: Library, tmp_path: Path, author: Key) -> None:
    library.install(packed(tmp_path, key=author), ANY)
    with pytest.raises(PackError, match="Ask its author for a higher version number"):
        library.install(packed(tmp_path, "1.0.0", author, lesson()))


def test_a_set_folder_can_be_installed_as_it_is(library: Library, sample: Path) -> None:
    library.install(sample, ANY)
    assert in_use(library) == {"muestra": "1.0.0"}


def test_a_refused_pack_leaves_nothing_behind(library: Library, tmp_path: Path) -> None:
    path = hostile(tmp_path / "x.lessons", contents(**{"lessons/02-dos.yaml": "a: &a [*a]"}))
    with pytest.raises(PackError):
        library.install(path, ANY)
    assert traces(library) == []
    assert [child.name for child in library.folder.iterdir()] == [".lock"]


def test_a_pack_that_is_exchanged_while_the_student_decides_is_not_installed(
    library: Library, tmp_path: Path, author: Key, stranger: Key
) -> None:
    path = packed(tmp_path, key=author)
    shown: Plan = library.plan(path)
    shutil.copy(packed(tmp_path, key=stranger), path)
    with pytest.raises(PackError, match="was exchanged"):
        library.install(path, ANY, shown)
    assert traces(library) == []


class PowerCutError(BaseException):
    """Nothing catches this, as nothing catches the plug being pulled."""


def test_wherever_an_upgrade_is_interrupted_one_version_works(
    library: Library, tmp_path: Path, author: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine stops at the first, second, third … change of the file system; then it is tried again."""
    library.install(packed(tmp_path, "1.0.0", author), ANY)
    upgrade = packed(tmp_path, "1.1.0", author, lesson())
    steps_left = 0

    def counted(real):  # type: ignore[no-untyped-def]
        def call(*args, **more):  # type: ignore[no-untyped-def]
            nonlocal steps_left
            if steps_left == 0:
                raise PowerCutError
            steps_left -= 1
            return real(*args, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", counted(os.replace))
        patch.setattr(install_module.shutil, "rmtree", counted(shutil.rmtree))
        patch.setattr(Path, "mkdir", counted(Path.mkdir))
        seen = set()
        for steps in range(100):
            steps_left = steps
            try:
                library.install(upgrade)
            except PowerCutError:
                steps_left = 10**6
                seen.add(in_use(library)["muestra"])
                assert load_set(library.folder / "muestra").lessons
                continue
            break
        else:
            pytest.fail("the upgrade never came to its end")
    assert seen == {"1.0.0", "1.1.0"}
    library.install(upgrade)
    assert in_use(library) == {"muestra": "1.1.0"}
    assert not [path for path in library.folder.iterdir() if path.name.startswith(".staging")]


def test_what_an_interrupted_installation_left_is_swept_away(
    library: Library, tmp_path: Path, author: Key
) -> None:
    (library.folder / ".staging-abc" / "set").mkdir(parents=True)
    (library.folder / ".removed-abc" / "old").mkdir(parents=True)
    (library.folder / "muestra" / "1.0.0").mkdir(parents=True)
    (library.folder / "muestra" / "1.0.0" / "half.yaml").write_text("half", encoding="utf-8")
    assert in_use(library) == {}
    library.install(packed(tmp_path, key=author), ANY)
    assert in_use(library) == {"muestra": "1.0.0"}
    assert not any("half" in name or name.startswith(".") for name in traces(library))


def test_two_installations_do_not_run_at_once(library: Library, tmp_path: Path) -> None:
    library.folder.mkdir(parents=True)
    with locked(library.folder), pytest.raises(BusyError, match="Try again"):
        library.install(packed(tmp_path), ANY)
    library.install(packed(tmp_path), ANY)


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_installing_and_removing_leaves_a_library_that_works(
    tmp_path_factory: pytest.TempPathFactory, author: Key, stranger: Key, data: st.DataObject
) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    library = Library(tmp_path / "home", builtin=tmp_path / "builtin")
    versions = st.sampled_from(["1.0.0", "1.1.0", "2.0.0"])
    for _ in range(data.draw(st.integers(1, 5))):
        try:
            if data.draw(st.integers(0, 3)):
                key = data.draw(st.sampled_from([author, stranger, None]))
                agreed = data.draw(st.frozensets(st.sampled_from(list(install_module.REASONS))))
                library.install(packed(tmp_path, data.draw(versions), key), agreed)
            else:
                library.remove("muestra")
        except LessonError:
            pass  # refused, which is one of the things that may happen; what counts is what is there then
        for found in library.sets():
            assert found.info is not None, found.problem
            assert load_set(found.folder).info.version == found.info.version
            library.signer_of(found.folder)


def test_a_set_that_was_damaged_so_that_it_cannot_be_read_is_repaired_and_upgraded(
    library: Library, tmp_path: Path, author: Key
) -> None:
    path = packed(tmp_path, key=author)
    for pack in (path, packed(tmp_path, "1.1.0", author)):
        library.install(path, ANY | {"older"})
        (library.sets()[0].folder / "lessons" / "01-uno.yaml").write_bytes(b"")
        plan = library.install(pack, ANY)
        assert plan.changes is None
        assert load_set(library.folder / "muestra").lessons[0].id == "uno"
