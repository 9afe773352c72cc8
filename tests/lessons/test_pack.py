"""The same set gives the same bytes, and what does not belong in a pack stays out."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from lessons import pack as pack_module
from lessons.pack import PackError, make_pack, portable_problem, sign_pack
from lessons.problems import ReadError
from lessons.signing import Key
from lessons.unpack import verify_pack
from tests.lessons.sample import info, lesson, write_set


def test_the_same_set_gives_the_same_bytes_wherever_and_whenever_it_is_packed(
    sample: Path, tmp_path: Path
) -> None:
    (sample / "media").mkdir()
    (sample / "media" / "lima.ogg").write_bytes(b"OggS" * 100)
    first = make_pack(sample, tmp_path / "a").read_bytes()
    copy = shutil.copytree(sample, tmp_path / "elsewhere")
    for number, path in enumerate(sorted(copy.rglob("*"), reverse=True)):
        os.utime(path, (10**9 + number, 10**9 + number))
    (copy / "set.yaml").chmod(0o600)
    assert make_pack(copy, tmp_path / "b").read_bytes() == first


def test_a_pack_is_an_ordinary_zip_with_a_list_of_its_files(
    sample: Path, tmp_path: Path, author: Key
) -> None:
    path = make_pack(sample, tmp_path, author)
    assert path.name == "muestra-1.0.0.lessons"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["pack.json", "lessons/01-uno.yaml", "set.yaml", "signature.json"]
        assert archive.read("set.yaml") == (sample / "set.yaml").read_bytes()


def test_a_verified_pack_tells_its_set_and_its_signer(sample: Path, tmp_path: Path, author: Key) -> None:
    plain = verify_pack(make_pack(sample, tmp_path))
    assert (plain.set.info.id, plain.signer) == ("muestra", None)
    signed = verify_pack(make_pack(sample, tmp_path, author))
    assert signed.signer == author.signer
    assert signed.sha256 != plain.sha256


def test_signing_a_pack_afterwards_gives_the_same_bytes_as_at_once(
    sample: Path, tmp_path: Path, author: Key, stranger: Key
) -> None:
    at_once = make_pack(sample, tmp_path / "a", author).read_bytes()
    later = make_pack(sample, tmp_path / "b", stranger)
    sign_pack(later, author)
    assert later.read_bytes() == at_once


def test_hidden_files_stay_at_home(sample: Path, tmp_path: Path) -> None:
    before = make_pack(sample, tmp_path / "a").read_bytes()
    (sample / ".git").mkdir()
    (sample / ".git" / "config").write_text("secret", encoding="utf-8")
    (sample / "lessons" / ".01-uno.yaml.swp").write_text("x", encoding="utf-8")
    assert make_pack(sample, tmp_path / "b").read_bytes() == before


def test_a_set_that_cannot_be_read_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="'level'"):
        make_pack(write_set(tmp_path / "set", lesson(level="Z9")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_not_packed(sample: Path, tmp_path: Path) -> None:
    (sample / "media").mkdir()
    (sample / "media" / "a.png").symlink_to("/etc/passwd")
    with pytest.raises(PackError, match="is a link"):
        make_pack(sample, tmp_path)
    (sample / "media" / "a.png").unlink()
    (sample / "media" / "folder").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(PackError, match="is a link"):
        make_pack(sample, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["media/run.exe", "media/page.html", "setup.py", "media/canción.ogg", "media/con.ogg", "media/NUL.png", "media/a b.ogg",
     "media/-rf.ogg", "lessons/deep/x.yaml", "a/b/c/d/e/f.ogg", "media/x.ogg.", "media/a.svg", "../set.yaml", "/set.yaml", "C:set.yaml"],
)  # fmt: skip
def test_names_that_do_not_belong_or_do_not_travel_are_told(name: str) -> None:
    assert portable_problem(name)


@pytest.mark.parametrize(
    "name", ["set.yaml", "lessons/01-a.yaml", "media/a.ogg", "media/unit-1/b.JPG", "README.md", "LICENSE"]
)
def test_names_that_belong_are_let_through(name: str) -> None:
    assert portable_problem(name) == ""


def test_a_file_that_does_not_belong_is_refused_by_name(sample: Path, tmp_path: Path) -> None:
    (sample / "notes.docx").write_bytes(b"x")
    with pytest.raises(PackError, match=r"notes\.docx cannot be packed: a set holds"):
        make_pack(sample, tmp_path)


def test_two_names_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(PackError, match="same file on some systems"):
        pack_module.check_limits(["media/A.ogg", "media/a.ogg"], 2)


def test_too_many_files_or_bytes_are_refused() -> None:
    with pytest.raises(PackError, match="10,000 files"):
        pack_module.check_limits([f"media/{n}.ogg" for n in range(10_001)], 0)
    with pytest.raises(PackError, match="512 MiB"):
        pack_module.check_limits(["media/a.ogg"], 512 * 1024 * 1024 + 1)


def test_a_new_version_goes_into_a_new_file(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", set_info=info(version="2.0.0"))
    assert make_pack(folder, tmp_path).name == "muestra-2.0.0.lessons"
