"""A signature holds for one content, one name and one key, and for nothing else."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.signing import Key, SignatureError, Signer, TrustStore, check

MANIFEST = b'{"files": {}}\n'


def test_a_signature_names_its_signer(author: Key) -> None:
    assert check(MANIFEST, author.sign(MANIFEST)) == author.signer


def test_signing_twice_gives_the_same_bytes(author: Key) -> None:
    assert author.sign(MANIFEST) == author.sign(MANIFEST)


def test_a_changed_manifest_is_refused(author: Key) -> None:
    with pytest.raises(SignatureError, match="does not fit the content"):
        check(MANIFEST + b" ", author.sign(MANIFEST))


@pytest.mark.parametrize("part", ["name", "public_key", "signature"])
def test_each_part_of_the_signature_counts(author: Key, stranger: Key, part: str) -> None:
    mine, other = json.loads(author.sign(MANIFEST)), json.loads(stranger.sign(MANIFEST))
    mine[part] = other[part]
    with pytest.raises(SignatureError):
        check(MANIFEST, (json.dumps(mine, indent=1, sort_keys=True) + "\n").encode())


@given(
    st.binary(max_size=200)
    | st.text(max_size=100).map(str.encode)
    | st.recursive(st.none() | st.text(max_size=4), st.lists).map(lambda value: json.dumps(value).encode())
)
@settings(max_examples=200, deadline=None)
def test_anything_else_is_refused_with_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(SignatureError):
        check(MANIFEST, data)


@pytest.mark.parametrize("name", ["", "  ", "a" * 81, "a\nb", "a\x1b[31m", "a\u202eb"])
def test_names_that_could_deceive_are_refused(name: str) -> None:
    with pytest.raises(SignatureError, match="printable"):
        Key.create(name)


def test_a_key_is_kept_in_a_private_file_and_never_overwritten(tmp_path: Path, author: Key) -> None:
    path = tmp_path / "deep" / "key.pem"
    author.write(path)
    assert Key.read(path).signer == author.signer
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(SignatureError, match="already exists"):
        author.write(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# name\n",
        b"# name\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_no_key_is_told_as_such(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key.pem").write_bytes(data)
    with pytest.raises(SignatureError, match="is not a key"):
        Key.read(tmp_path / "key.pem")


def test_a_missing_key_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match="cannot be read"):
        Key.read(tmp_path / "key.pem")


def test_trust_is_remembered_and_can_be_taken_back(tmp_path: Path, author: Key, stranger: Key) -> None:
    store = TrustStore(tmp_path / "lessons" / "trust.json")
    assert not store.known(author.signer)
    store.trust(author.signer)
    store.trust(author.signer)
    store.trust(stranger.signer)
    assert TrustStore(store.path).signers() == [author.signer, stranger.signer]
    assert store.forget(author.signer.fingerprint.replace(" ", "").upper())
    assert not store.forget(author.signer.fingerprint)
    assert store.signers() == [stranger.signer]


def test_another_key_under_the_same_name_is_noticed(tmp_path: Path, author: Key) -> None:
    store = TrustStore(tmp_path / "trust.json")
    store.trust(author.signer)
    assert store.namesake(author.signer) is None
    other = Key.create("x").signer.public_key
    for name in (author.name.upper(), "Prof Nandu", "  prof.ñandú ", "Ｐrof. Ñandú"):
        assert store.namesake(Signer(name, other)) == author.signer
    assert store.namesake(Signer("Prof. Nadie", other)) is None


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"signers": [{}]}', b'{"signers": 3}', b"\xff"])
def test_a_damaged_list_of_authors_trusts_nobody(tmp_path: Path, author: Key, data: bytes) -> None:
    (tmp_path / "trust.json").write_bytes(data)
    with pytest.raises(SignatureError, match="Delete it to decide"):
        TrustStore(tmp_path / "trust.json").known(author.signer)


def test_fingerprints_are_short_enough_to_be_read_aloud(author: Key) -> None:
    assert len(author.signer.fingerprint) == 39
