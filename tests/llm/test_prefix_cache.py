"""Saved states come back only for exactly what they were saved for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutor_app.llm.prefix_cache import PrefixCache, PrefixKey

KEY = PrefixKey(
    model_sha256="a" * 64,
    adapters=(("b" * 64, 1.0),),
    n_ctx=4096,
    cache_type="f16",
    build="1.0",
    token_ids=tuple(range(300)),
)
STATE = os.urandom(10_000)


def test_a_saved_state_comes_back(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path / "new" / "folder")
    assert cache.save(KEY, STATE)
    assert cache.has(KEY)
    assert cache.load(KEY) == STATE


@pytest.mark.parametrize(
    "change",
    [
        {"model_sha256": "c" * 64},
        {"adapters": ()},
        {"adapters": (("b" * 64, 0.5),)},
        {"n_ctx": 2048},
        {"cache_type": "q8_0"},
        {"build": "1.1"},
        {"token_ids": (*range(299), 7)},
        {"token_ids": tuple(range(299))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_state_for_anything_else_is_not_found(tmp_path: Path, change: dict[str, Any]) -> None:
    cache = PrefixCache(tmp_path)
    cache.save(KEY, STATE)
    assert cache.load(replace(KEY, **change)) is None


def test_a_file_under_another_key_s_name_is_refused_and_removed(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path)
    cache.save(KEY, STATE)
    other = replace(KEY, build="2.0")
    (tmp_path / KEY.file_name).rename(tmp_path / other.file_name)
    assert cache.load(other) is None
    assert not cache.has(other)


@pytest.mark.parametrize("at", [0, 5, 12, 40, 5000, -1])
def test_one_changed_byte_makes_it_a_miss(tmp_path: Path, at: int) -> None:
    cache = PrefixCache(tmp_path)
    cache.save(KEY, STATE)
    path = tmp_path / KEY.file_name
    data = bytearray(path.read_bytes())
    data[at] ^= 0x55
    path.write_bytes(data)
    assert cache.load(KEY) is None


@pytest.mark.parametrize("size", [0, 3, 12, 200, 9000])
def test_a_cut_off_file_is_a_miss(tmp_path: Path, size: int) -> None:
    cache = PrefixCache(tmp_path)
    cache.save(KEY, STATE)
    path = tmp_path / KEY.file_name
    path.write_bytes(path.read_bytes()[:size])
    assert cache.load(KEY) is None


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, limit_bytes=40_000)
    keys = [replace(KEY, build=str(n)) for n in range(3)]
    for second, key in enumerate(keys):
        cache.save(key, STATE)
        os.utime(tmp_path / key.file_name, (second, second))
    assert cache.load(keys[0]) == STATE  # used now, so the second is the oldest
    cache.save(replace(KEY, build="4"), STATE)
    assert [cache.has(key) for key in keys] == [True, False, True]
    assert cache.size_bytes() <= 40_000


def test_what_a_killed_worker_had_begun_is_cleared_away(tmp_path: Path) -> None:
    young, *old = (tmp_path / name for name in ("a.prefix.77.part", "b.prefix.77.part", "c.adapter.77.part"))
    for path in (young, *old):
        path.write_bytes(b"half")
    for path in old:
        os.utime(path, (1, 1))
    PrefixCache(tmp_path).save(KEY, STATE)
    assert {path.name for path in tmp_path.iterdir()} == {young.name, KEY.file_name}


def test_a_state_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path, limit_bytes=5_000)
    assert not cache.save(KEY, STATE)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tutor_app.llm.prefix_cache.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        PrefixCache(tmp_path).save(KEY, STATE)
    assert list(tmp_path.iterdir()) == []
