"""Near-duplicates: what counts as the same, in memory of fixed size, and nothing like evaluation data comes in."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from finetune.config import load
from finetune.data_report import plot, table
from finetune.data_run import build
from finetune.errors import FinetuneError
from finetune.near import Seen, rows_of_a_band, runs, sketch
from tests.finetune.test_data import small_tokenizer, write

__all__ = ["small_tokenizer"]


def words(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choices("abcdefghij", k=7)) for _ in range(count)]


@given(st.text() | st.text("aB é我\u0301'1_\n\x1f-", max_size=30))
def test_a_text_falls_into_the_same_words_whether_it_is_ascii_or_not(text: str) -> None:
    units = regex.findall(r"\p{Han}|[\p{L}\p{M}\p{N}]+", text.casefold())
    expected = [" ".join(units[i : i + 5]) for i in range(max(1, len(units) - 4))]
    assert runs(text) == expected


def jaccard(a: str, b: str) -> float:
    one, other = set(runs(a)), set(runs(b))
    return len(one & other) / len(one | other)


def test_texts_well_above_the_similarity_are_found_and_well_below_are_not() -> None:
    rng = random.Random(1)
    found = {True: 0, False: 0}
    for _ in range(60):
        base = words(rng, 120)
        for changes, near in ((1, True), (30, False)):
            seen = Seen(0.8, 1000)
            seen.add(sketch(" ".join(base)))
            other = list(base)
            for at in rng.sample(range(120), changes):
                other[at] = "".join(rng.choices("klmnop", k=7))
            assert (jaccard(" ".join(base), " ".join(other)) > 0.8) is near
            found[near] += seen.holds(sketch(" ".join(other)))
    assert found[True] >= 58
    assert found[False] == 0


def test_the_same_text_is_always_found_whatever_its_case_and_punctuation() -> None:
    seen = Seen(0.8, 1000)
    assert not seen.add(sketch("Mi abuela cocina muy bien los domingos, siempre."))
    assert seen.add(sketch("mi abuela cocina muy bien los domingos siempre"))
    assert not seen.add(sketch("我奶奶每个星期天都做很多好吃的菜"))
    assert seen.add(sketch("我奶奶每个星期天都做很多好吃的菜。"))


def test_new_texts_are_not_taken_for_known_ones() -> None:
    rng = random.Random(2)
    seen = Seen(0.8, 2000)
    assert sum(seen.add(sketch(" ".join(words(rng, 30)))) for _ in range(2000)) == 0


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.6, 0.8, 0.9])
def test_the_bands_put_the_threshold_next_to_what_was_asked(similarity: float) -> None:
    rows = rows_of_a_band(similarity)
    assert abs((rows / 64) ** (1 / rows) - similarity) < 0.15


def talk(number: int, text: str) -> dict[str, Any]:
    answer = {"role": "assistant", "content": f"¿Y qué más, {number}?"}
    return {"id": str(number), "messages": [{"role": "user", "content": text}, answer]}


def config(tmp_path: Path, tokenizer: Path, rows: list[dict[str, Any]], **more: Any) -> Path:
    write(tmp_path / "talk.jsonl", rows)
    data = {
        "tokenizer": tokenizer.name, "total_tokens": 10_000, "reweight": True,
        "sources": {"talk": {"kind": "chat", "share": 1.0, "paths": ["talk.jsonl"]}},
    } | more  # fmt: skip
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def ids(out: Path) -> list[str]:
    return [json.loads(line)["id"] for line in (out / "train.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_conversation_like_one_before_is_left_out_and_counted(
    tmp_path: Path, small_tokenizer: Path
) -> None:
    rng = random.Random(3)
    rows = [talk(number, " ".join(words(rng, 40))) for number in range(50)]
    again = [row | {"id": f"again {row['id']}"} for row in rows[:10]]
    report = build(load(config(tmp_path, small_tokenizer, rows + again)), tmp_path / "out")
    assert len(ids(tmp_path / "out")) == 50
    assert report["sources"]["talk"]["refused"] == {"near-duplicate": 10}


def test_a_second_pass_is_no_duplicate_of_the_first(tmp_path: Path, small_tokenizer: Path) -> None:
    rng = random.Random(4)
    rows = [talk(number, " ".join(words(rng, 40))) for number in range(20)]
    source = {"kind": "chat", "share": 1.0, "paths": ["talk.jsonl"], "repeat": 2}
    build(load(config(tmp_path, small_tokenizer, rows, sources={"talk": source})), tmp_path / "out")
    assert len(ids(tmp_path / "out")) == 40


def test_what_the_first_pass_refused_comes_in_on_none(tmp_path: Path, small_tokenizer: Path) -> None:
    rng = random.Random(4)
    rows = [talk(number, " ".join(words(rng, 40))) for number in range(50)]
    again = [row | {"id": f"again {row['id']}"} for row in rows[:20]]
    source = {"kind": "chat", "share": 1.0, "paths": ["talk.jsonl"], "repeat": 3}
    # The last row also has the id of the first: it is that conversation once more.
    path = config(tmp_path, small_tokenizer, [*rows, *again, rows[0]], sources={"talk": source})
    report = build(load(path), tmp_path / "out")
    found = ids(tmp_path / "out")
    assert report["sources"]["talk"]["refused"] == {"near-duplicate": 3 * 21}
    assert len(found) == 3 * 50
    # Of each pair the first of the first pass is kept throughout.
    assert sorted(found[:50]) == sorted(found[50:100]) == sorted(found[100:])


def test_what_models_are_measured_on_is_never_trained_on(tmp_path: Path, small_tokenizer: Path) -> None:
    rng = random.Random(5)
    rows = [talk(number, " ".join(words(rng, 12))) for number in range(30)]
    rows[7]["messages"][0]["content"] += "\n[ask]"  # what the app adds hides nothing
    held = [{"messages": [row["messages"][0] | {"content": row["messages"][0]["content"].removesuffix("\n[ask]")}, row["messages"][1]]} for row in rows[5:9]]  # fmt: skip
    write(tmp_path / "held.jsonl", held)
    path = config(
        tmp_path, small_tokenizer, rows, evaluation={"test": {"kind": "chat", "paths": ["held.jsonl"]}}
    )
    report = build(load(path), tmp_path / "out")
    assert not {"5", "6", "7", "8"} & set(ids(tmp_path / "out"))
    assert report["sources"]["talk"]["refused"] == {"like evaluation data": 4}


def test_near_duplicates_stay_when_nobody_looks_for_them(tmp_path: Path, small_tokenizer: Path) -> None:
    rng = random.Random(7)
    rows = [talk(number, " ".join(words(rng, 40))) for number in range(9)]
    path = config(tmp_path, small_tokenizer, [*rows, rows[0]], near_duplicates=None)
    report = build(load(path), tmp_path / "out")
    assert len(ids(tmp_path / "out")) == 10
    assert report["near_duplicates"] is None
    with pytest.raises(FinetuneError, match=r"evaluation.*near_duplicates"):
        load(path, ("evaluation.test={kind: chat, paths: [talk.jsonl]}",))


def test_the_report_is_a_table_and_a_plot(tmp_path: Path, small_tokenizer: Path) -> None:
    rng = random.Random(6)
    rows = [talk(number, " ".join(words(rng, 40))) for number in range(9)]
    report = build(load(config(tmp_path, small_tokenizer, [*rows, rows[0]])), tmp_path / "out")
    told = table(report)
    assert "100.0%" in told
    assert "1 near-duplicate" in told
    plot(report, tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
