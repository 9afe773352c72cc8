"""A pack is hostile until proven otherwise: every rule, each with a pack that breaks it."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lessons.pack import PackError, make_pack
from lessons.signing import Key
from lessons.unpack import unpack, verify_pack
from tests.lessons.hostile import TINY, contents, hostile, manifest, write_zip
from tests.lessons.sample import dump, info, write_set


def refusal(path: Path, tmp_path: Path) -> str:
    """Why the pack is refused; and nothing of it may be outside the folder it was unpacked into."""
    target = tmp_path / "deep" / "inside" / "target"
    target.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PackError) as caught:
        unpack(path, target)
    outside = [
        found
        for found in sorted(tmp_path.rglob("*"))
        if found not in before and not found.is_relative_to(target)
    ]
    assert outside == []
    assert "was refused: " in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["../evil.yaml", "../../evil.txt", "/tmp/evil.txt", "lessons/../../evil.yaml", "..\\evil.txt", "\\evil.txt", "C:\\evil.txt", "C:evil.txt", "media/../../x.png"],
)  # fmt: skip
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    path = hostile(tmp_path / "x.lessons", {**contents(), name: b"evil"})
    said = refusal(path, tmp_path)
    assert "outside the set's folder" in said or "does not belong" in said


def member(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = mode << 16
    return entry


@pytest.mark.parametrize(
    "mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644, stat.S_IFDIR | 0o755]
)
def test_links_and_devices_are_refused(tmp_path: Path, mode: int) -> None:
    files = contents(**{"media/a.png": b"/etc/passwd"})
    archive = {"pack.json": manifest(files), **files}
    del archive["media/a.png"]
    path = write_zip(tmp_path / "x.lessons", {**archive, member("media/a.png", mode): b"/etc/passwd"})
    assert "is a link or a folder" in refusal(path, tmp_path)


def test_a_folder_entry_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.lessons", {"pack.json": manifest(contents()), **contents(), "media/": b""})
    assert "is a link or a folder" in refusal(path, tmp_path)


def test_a_program_is_refused(tmp_path: Path) -> None:
    assert "does not belong in a pack" in refusal(
        hostile(tmp_path / "x.lessons", contents(**{"setup.py": b"x"})), tmp_path
    )


def test_more_than_ten_thousand_files_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    files = {f"media/{number}.png": b"" for number in range(10_001)}
    path = write_zip(tmp_path / "x.lessons", {"pack.json": b"{}", **contents(), **files})
    assert "10,000 are allowed" in refusal(path, tmp_path)


def test_a_directory_that_hides_its_true_length_is_refused(tmp_path: Path) -> None:
    files = {f"media/{number}.png": b"" for number in range(10_500)}
    path = write_zip(tmp_path / "x.lessons", {"pack.json": b"{}", **files})
    data = bytearray(path.read_bytes())
    struct.pack_into("<HH", data, len(data) - 14, 5, 5)
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "zipfile.ZipFile.infolist", pytest.fail
        )  # the list itself is what would fill the memory
        assert "it is not a pack" in refusal(path, tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    files = contents(**{"media/a.png": b"\0" * 5_000_000})
    path = write_zip(tmp_path / "x.lessons", {"pack.json": manifest(files), **files}, zipfile.ZIP_DEFLATED)
    assert "more than 100 times its size" in refusal(path, tmp_path)


def test_a_size_over_the_limit_is_refused_by_the_promise_alone(tmp_path: Path) -> None:
    """The directory promises 600 MiB; the file itself is small."""
    path = hostile(tmp_path / "x.lessons", contents(**{"media/a.png": b"a"}))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"media/a.png"))
    struct.pack_into("<II", data, at + 20, 600 << 20, 600 << 20)
    path.write_bytes(data)
    assert "512 MiB" in refusal(path, tmp_path)


def test_a_file_that_is_longer_than_promised_is_not_written_out(tmp_path: Path) -> None:
    path = hostile(tmp_path / "x.lessons", contents(**{"media/a.png": os.urandom(5000)}))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"media/a.png"))
    struct.pack_into("<I", data, at + 24, 10)
    path.write_bytes(data)
    assert refusal(path, tmp_path)


def test_an_encrypted_or_strangely_compressed_member_is_refused(tmp_path: Path) -> None:
    path = hostile(tmp_path / "x.lessons", contents())
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    assert "is encrypted" in refusal(path, tmp_path)
    strange = write_zip(
        tmp_path / "y.lessons", {"pack.json": manifest(contents()), **contents()}, zipfile.ZIP_BZIP2
    )
    with pytest.raises(PackError, match="compressed in a way"):
        verify_pack(strange)


def test_a_wrong_hash_is_refused(tmp_path: Path) -> None:
    files = contents()
    path = hostile(
        tmp_path / "x.lessons", files, lambda value: value["files"]["set.yaml"].update(sha256="0" * 64)
    )
    assert "set.yaml is not what its author packed" in refusal(path, tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 1}',
        b'{"format": "1", "files": {}}',
        b'{"format": 1, "files": []}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "pack.json" in refusal(
        write_zip(tmp_path / "x.lessons", {"pack.json": data, **contents()}), tmp_path
    )


def test_a_manifest_that_is_missing_or_does_not_fit_is_refused(tmp_path: Path) -> None:
    assert "pack.json is missing" in refusal(write_zip(tmp_path / "x.lessons", contents()), tmp_path)
    extra = {"pack.json": manifest(contents()), **contents(), "media/a.png": b"x"}
    with pytest.raises(PackError, match="does not list the files"):
        verify_pack(write_zip(tmp_path / "y.lessons", extra))


def test_a_huge_manifest_is_refused_unread(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.lessons", {"pack.json": b" " * (5 << 20), **contents()})
    assert "larger than 4 MiB" in refusal(path, tmp_path)


def test_a_newer_pack_format_is_refused_by_name(tmp_path: Path) -> None:
    path = hostile(tmp_path / "x.lessons", contents(), lambda value: value.update(format=7))
    assert "format 7; this tutor reads up to 1. Update the tutor" in refusal(path, tmp_path)


def test_a_newer_set_format_is_refused_by_name(tmp_path: Path) -> None:
    path = hostile(tmp_path / "x.lessons", contents(**{"set.yaml": dump(info(format=9))}))
    assert "is in format 9" in refusal(path, tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("pack.json", manifest(contents()))
        for name, data in (*contents().items(), *contents().items()):
            archive.writestr(name, data)
    path = tmp_path / "x.lessons"
    path.write_bytes(buffer.getvalue())
    assert "Rename one" in refusal(path, tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("lessons/02-dos.yaml", dump(TINY), "has the id 'uno' of another lesson"),
        ("lessons/02-dos.yaml", b"\xff\xfe", "is not UTF-8 text"),
        ("lessons/02-dos.yaml", "a: &a [x]\nb: [*a, *a]", "through an alias"),
        ("lessons/02-dos.yaml", "a: !!python/object/apply:os.system [ls]", "has the tag"),
        ("lessons/02-dos.yaml", "[" * 200_000, "nested more than"),
        ("lessons/02-dos.yaml", b"x" * (3 << 20), "larger than 2 MiB"),
        ("lessons/02-dos.yaml", "id: dos\n", "'title' is missing"),
        ("set.yaml", dump(info(id="../evil")), "not allowed"),
        ("set.yaml", dump(info(version="1.0.0/../../x")), "not allowed"),
    ],
)
def test_a_pack_whose_lessons_cannot_be_read_is_refused_with_file_and_line(
    tmp_path: Path, name: str, data: bytes | str, said: str
) -> None:
    answer = refusal(hostile(tmp_path / "x.lessons", contents(**{name: data})), tmp_path)
    assert f"x.lessons/{name}" in answer
    assert said in answer


def test_a_hand_made_zip_is_refused_even_when_everything_in_it_is_right(tmp_path: Path) -> None:
    assert "changed after it was packed" in refusal(hostile(tmp_path / "x.lessons", contents()), tmp_path)


@pytest.mark.parametrize("data", [b"", b"x" * 10, b"x" * 1000, b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_pack_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.lessons"
    path.write_bytes(data)
    assert refusal(path, tmp_path)


def test_a_missing_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="cannot be read: No such file"):
        verify_pack(tmp_path / "nothing.lessons")


@pytest.fixture
def tiny(tmp_path: Path, author: Key) -> bytes:
    return make_pack(write_set(tmp_path / "tiny", TINY), tmp_path, author).read_bytes()


def test_a_byte_changed_anywhere_is_refused(tmp_path: Path, tiny: bytes) -> None:
    path = tmp_path / "x.lessons"
    path.write_bytes(tiny)
    assert verify_pack(path).signer
    accepted = []
    for at in range(len(tiny)):
        data = bytearray(tiny)
        data[at] ^= 1 << (at % 8)
        path.write_bytes(data)
        try:
            verify_pack(path)
        except PackError:
            continue
        accepted.append(at)
    assert accepted == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\0",
        lambda data: data[:-1],
        lambda data: b"#!/bin/sh\n" + data,
        lambda data: data[1:],
    ],
)
def test_bytes_added_or_cut_off_are_refused(tmp_path: Path, tiny: bytes, spoil) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x.lessons"
    path.write_bytes(spoil(tiny))
    with pytest.raises(PackError):
        verify_pack(path)


def test_a_signature_of_other_content_is_refused(tmp_path: Path, author: Key) -> None:
    one = make_pack(write_set(tmp_path / "one", TINY), tmp_path / "a", author)
    with zipfile.ZipFile(one) as archive:
        signature = archive.read("signature.json")
    path = hostile(tmp_path / "x.lessons", {**contents(**{"README.md": b"changed"})})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("signature.json", signature)
    assert "signature does not fit the content" in refusal(path, tmp_path)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_of_any_kind_is_refused_with_one_kind_of_error(
    tmp_path: Path, tiny: bytes, data: st.DataObject
) -> None:
    """Pieces cut out, doubled, moved and overwritten: never anything but PackError, and never accepted."""
    spoilt = bytearray(tiny)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(spoilt) - 1)) if spoilt else 0
        piece = spoilt[start : start + data.draw(st.integers(0, 64))]
        put = data.draw(st.binary(max_size=64) | st.just(bytes(piece) * 2) | st.just(b""))
        spoilt[start : start + len(piece)] = put
    path = tmp_path / "x.lessons"
    path.write_bytes(spoilt)
    if bytes(spoilt) == tiny:
        return
    with pytest.raises(PackError):
        verify_pack(path)
