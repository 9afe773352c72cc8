"""A mix that was killed goes on where it was, and gives the bytes of one that never was."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from finetune.config import DataConfig, load
from finetune.data_run import build
from finetune.errors import FinetuneError
from tests.finetune.test_data import small_tokenizer, write
from tests.finetune.test_dedup import talk, words

__all__ = ["small_tokenizer"]

ROWS = 1200


def config(
    tmp_path: Path, tokenizer: Path, *, workers: int = 0, tokens: int = 18_000, repeat: int = 1
) -> Path:
    """Two sources, with near-duplicates in one of them."""
    if not (tmp_path / "a.jsonl").exists():
        rng = random.Random(1)
        rows = [talk(number, " ".join(words(rng, 12))) for number in range(ROWS)]
        write(tmp_path / "a.jsonl", [*rows, *(row | {"id": f"again {row['id']}"} for row in rows[:100])])
        write(tmp_path / "b.jsonl", [talk(number, " ".join(words(rng, 9))) for number in range(ROWS)])
    sources = {
        "a": {"kind": "chat", "share": 0.6, "paths": ["a.jsonl"], "repeat": repeat},
        "b": {"kind": "chat", "share": 0.4, "paths": ["b.jsonl"], "repeat": repeat},
    }
    data = {"tokenizer": tokenizer.name, "total_tokens": tokens, "sources": sources, "workers": workers}
    path = tmp_path / f"config-{workers}.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def files(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in ("train.jsonl", "report.json")}


@pytest.fixture
def whole(tmp_path: Path, small_tokenizer: Path) -> dict[str, bytes]:
    """What an unbroken run in one process gives."""
    build(load(config(tmp_path, small_tokenizer)), tmp_path / "whole")
    return files(tmp_path / "whole")


def test_a_killed_run_is_taken_up_with_the_same_bytes(
    tmp_path: Path, small_tokenizer: Path, whole: dict[str, bytes]
) -> None:
    path, out = config(tmp_path, small_tokenizer), tmp_path / "out"
    part = out / "train.jsonl.part"
    running = subprocess.Popen([sys.executable, "-m", "finetune", "data", str(path), "--out", str(out)])
    while running.poll() is None and not (part.exists() and part.stat().st_size > 20_000):
        pass
    running.kill()
    assert running.wait() == -signal.SIGKILL
    written = part.read_bytes()
    assert 0 < len(written) < len(whole["train.jsonl"])
    assert not (out / "report.json").exists()
    build(load(path), out)
    assert files(out) == whole
    assert sorted(one.name for one in out.iterdir()) == ["report.json", "train.jsonl"]


def test_rows_that_were_written_are_not_encoded_again(
    tmp_path: Path, small_tokenizer: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from finetune import prepare

    out, kept = interrupted(tmp_path, small_tokenizer, whole, share=0.5)
    encoded = 0

    def counted(*given: object) -> object:
        nonlocal encoded
        encoded += 1
        return rendered(*given)  # type: ignore[arg-type]

    rendered = prepare.rendered
    monkeypatch.setattr(prepare, "rendered", counted)
    build(load(config(tmp_path, small_tokenizer)), out)
    assert files(out) == whole
    assert encoded == whole["train.jsonl"].count(b"\n") - kept


def interrupted(
    tmp_path: Path, tokenizer: Path, whole: dict[str, bytes], *, share: float
) -> tuple[Path, int]:
    """A folder as a kill leaves it, in the middle of a row; and how many rows are whole in it."""
    from finetune.data_run import fingerprint

    out = tmp_path / "torn"
    out.mkdir()
    torn = whole["train.jsonl"][: int(len(whole["train.jsonl"]) * share)]
    (out / "train.jsonl.part").write_bytes(torn)
    (out / "train.jsonl.mark").write_text(fingerprint(load(config(tmp_path, tokenizer))), encoding="utf-8")
    return out, torn.count(b"\n")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_row_torn_in_the_middle_is_written_again_whatever_the_workers(
    workers: int, tmp_path: Path, small_tokenizer: Path, whole: dict[str, bytes]
) -> None:
    out, _ = interrupted(tmp_path, small_tokenizer, whole, share=0.37)
    build(load(config(tmp_path, small_tokenizer, workers=workers)), out)
    assert files(out) == whole


def test_later_passes_are_taken_up_with_the_same_bytes_whatever_the_workers(
    tmp_path: Path, small_tokenizer: Path
) -> None:
    from finetune.data_run import fingerprint

    def given(workers: int) -> DataConfig:
        return load(config(tmp_path, small_tokenizer, workers=workers, tokens=54_000, repeat=3))

    report = build(given(0), tmp_path / "once")
    once = files(tmp_path / "once")
    assert report["sources"]["a"]["passes"] > 1
    assert report["sources"]["a"]["refused"]["near-duplicate"] > 100
    out = tmp_path / "torn"
    out.mkdir()
    (out / "train.jsonl.part").write_bytes(once["train.jsonl"][: int(len(once["train.jsonl"]) * 0.8)])
    (out / "train.jsonl.mark").write_text(fingerprint(given(2)), encoding="utf-8")
    build(given(2), out)
    assert files(out) == once


def test_the_number_of_workers_changes_nothing(
    tmp_path: Path, small_tokenizer: Path, whole: dict[str, bytes]
) -> None:
    build(load(config(tmp_path, small_tokenizer, workers=2)), tmp_path / "two")
    assert files(tmp_path / "two") == whole


def test_other_settings_begin_anew(tmp_path: Path, small_tokenizer: Path, whole: dict[str, bytes]) -> None:
    out, _ = interrupted(tmp_path, small_tokenizer, whole, share=0.5)
    path = config(tmp_path, small_tokenizer)
    build(load(path, ("seed=5",)), out)
    build(load(path, ("seed=5",)), tmp_path / "fresh")
    assert files(out) == files(tmp_path / "fresh")
    assert files(out) != whole


def test_rows_of_other_data_are_refused(
    tmp_path: Path, small_tokenizer: Path, whole: dict[str, bytes]
) -> None:
    out, _ = interrupted(tmp_path, small_tokenizer, whole, share=0.5)
    part = out / "train.jsonl.part"
    first, rest = part.read_bytes().split(b"\n", 1)
    part.write_bytes(json.dumps(json.loads(first) | {"id": "of another"}).encode() + b"\n" + rest)
    with pytest.raises(FinetuneError, match="begun with other data"):
        build(load(config(tmp_path, small_tokenizer)), out)
