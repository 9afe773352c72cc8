"""From datasets to token ids: shapes, shares, masks, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer, models, pre_tokenizers

import finetune
from finetune.cli import cli, main
from finetune.errors import FinetuneError
from finetune.mix import Ingredient, Prepared, mixed
from finetune.records import Example, Tally
from finetune.sources import examples
from finetune.tokens import rendered, tokenizer
from tutor_app.pedagogy.templates import Encoded, Message


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(kind: str, path: Path, **options: Any) -> tuple[list[Example], Tally]:
    tally = Tally()
    return list(examples(kind, [path], tally, options)), tally


TURNS = [{"role": "user", "content": "hola"}, {"role": "assistant", "content": "¡Hola! ¿Qué tal?"}]
SHARED = [{"from": "human", "value": "hola"}, {"from": "gpt", "value": "¡Hola! ¿Qué tal?"}]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("chat", {"messages": TURNS}), ("chat", {"conversations": SHARED}), ("magpie", {"uuid": "1", "conversations": SHARED}),
        ("lmsys", {"conversation_id": "1", "conversation": TURNS, "language": "Spanish", "redacted": False}),
        ("openhermes", {"conversations": SHARED, "category": "general"}),
        ("prosocial", {"context": "hola", "response": "¡Hola! ¿Qué tal?", "dialogue_id": 1, "response_id": 0}),
        ("waxal", {"id": "1", "language": "sw", "transcription": "ninapenda kusoma vitabu vya historia sana"}),
        ("learner", {"learner": "Mi hermana es en casa hoy", "corrected": "Mi hermana está en casa hoy", "writer": "3", "group": "L2", "errors": [1]}),
    ],
)  # fmt: skip
def test_a_row_of_each_source_becomes_a_conversation(kind: str, row: dict[str, Any], tmp_path: Path) -> None:
    found, tally = read(kind, write(tmp_path / "a.jsonl", [row]))
    assert tally.kept == 1
    assert found[0].messages[-1].role == "assistant"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"redacted": True}, "redacted"), ({"openai_moderation": [{"flagged": True}]}, "flagged"), ({"language": "German"}, "other language"),
        ({"conversation": [TURNS[0], {"role": "assistant", "content": "As an AI language model, no."}]}, "model identity"),
        ({"conversation": []}, "not a conversation"),
    ],
)  # fmt: skip
def test_what_is_unfit_is_counted_by_reason(row: dict[str, Any], reason: str, tmp_path: Path) -> None:
    whole = {"conversation_id": "1", "conversation": TURNS, "language": "Spanish"} | row
    found, tally = read("lmsys", write(tmp_path / "a.jsonl", [whole]), languages=["Spanish"])
    assert found == []
    assert tally.dropped == {reason: 1}


def test_the_wrong_dataset_stops_with_the_first_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"text": "x"}] * 30)
    with pytest.raises(FinetuneError, match=r"a\.jsonl:1 has no 'uuid'"):
        read("magpie", path)


def test_a_few_bad_rows_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('not json\n[1]\n{"messages": ' + json.dumps(TURNS) + "}\n", encoding="utf-8")
    found, tally = read("chat", path)
    assert len(found) == 1
    assert tally.dropped == {"unreadable": 2}


@pytest.mark.parametrize("name", ["nothing.jsonl", "folder"])
def test_a_path_that_holds_nothing_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FinetuneError, match=name):
        read("chat", tmp_path / name)


def test_gzip_and_parquet_are_read_like_plain_lines(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"messages": TURNS}) + "\n")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"messages": TURNS}]), tmp_path / "b.parquet")
    found, _ = read("chat", tmp_path)
    assert len(found) == 2
    assert found[0].messages == found[1].messages


def learner_rows(count: int) -> list[dict[str, Any]]:
    fixed = {"group": "L2", "errors": []}
    wrong = [
        {"learner": f"Mi prima es en casa {i}", "corrected": f"Mi prima está en casa {i}", "writer": str(i)}
        | fixed
        | {"errors": [1]}
        for i in range(count)
    ]
    right = [
        {"learner": f"Mi prima está bien {i}", "corrected": f"Mi prima está bien {i}", "writer": str(i)}
        | fixed
        for i in range(count)
    ]
    return [row for pair in zip(wrong, right, strict=True) for row in pair]


def test_writers_kept_for_evaluation_are_never_trained_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", learner_rows(60))
    trained, _ = read("learner", path)
    held, _ = read("learner", path, held_back=True)
    number = lambda example: example.messages[-1].content.rsplit(" ", 1)[1]  # noqa: E731
    assert trained
    assert held
    assert not {number(one) for one in trained} & {number(one) for one in held}


def test_unchanged_sentences_come_in_the_share_asked_for(tmp_path: Path) -> None:
    found, _ = read("learner", write(tmp_path / "a.jsonl", learner_rows(200)), unchanged_share=0.25)
    same = sum(
        one.messages[-2].content.removeprefix("[native] ") == one.messages[-1].content for one in found
    )
    assert abs(same / len(found) - 0.25) < 0.02


def test_dialect_is_never_repaired(tmp_path: Path) -> None:
    row = {
        "learner": "Ahorita voy a la marqueta",
        "corrected": "Ahora voy a la tienda",
        "writer": "3",
        "group": "heritage",
        "errors": [1],
    }
    found, tally = read("learner", write(tmp_path / "a.jsonl", [row]))
    assert found == []
    assert tally.dropped == {"correction of dialect or mixed language": 1}


def talks(name: str, sizes: list[int], count: int) -> Ingredient:
    def opened(tally: Tally) -> Iterator[Example]:
        for i in range(count):
            yield Example(
                f"{i}",
                name,
                (Message("user", f"{name} {i}"), Message("assistant", "x" * sizes[i % len(sizes)])),
            )

    return Ingredient(name, 0.0, opened)


def letters(example: Example) -> Encoded:
    text = example.messages[-1].content
    return Encoded([0] * len(text), [True] * len(text))


def in_letters(name: str, examples: Iterator[Example]) -> Iterator[Prepared]:
    for example in examples:
        yield Prepared(example, partial(letters, example))


def mixture(
    shares: dict[str, tuple[float, list[int], int]], total: int, **more: Any
) -> tuple[Any, list[str]]:
    parts = []
    for name, (share, sizes, count) in shares.items():
        part = talks(name, sizes, count)
        part.share = share
        parts.append(part)
    result, stream = mixed(parts, total, in_letters, **more)
    return result, [f"{example.source}/{example.id}" for example, _ in stream]


DEFAULT = {"a": (0.4, [10, 300], 20_000), "b": (0.35, [7], 20_000), "c": (0.25, [1000, 5, 60], 2_000)}


def test_shares_of_trained_tokens_are_reached_to_half_a_point() -> None:
    result, _ = mixture(DEFAULT, 300_000)
    for name, (share, _, _) in DEFAULT.items():
        assert abs(result.share(name) - share) < 0.005


def test_the_same_seed_gives_the_same_stream_and_another_another() -> None:
    assert mixture(DEFAULT, 50_000, seed=1)[1] == mixture(DEFAULT, 50_000, seed=1)[1]
    assert mixture(DEFAULT, 50_000, seed=1)[1] != mixture(DEFAULT, 50_000, seed=2)[1]


def test_a_source_that_runs_out_stops_the_run_unless_it_may_be_filled_in_for() -> None:
    short = DEFAULT | {"c": (0.25, [5], 10)}
    with pytest.raises(FinetuneError, match="'c' ran out"):
        mixture(short, 50_000)
    result, _ = mixture(short, 50_000, reweight=True)
    assert result.reached["c"].exhausted
    assert result.tokens >= 50_000


def test_shares_must_add_up() -> None:
    with pytest.raises(FinetuneError, match="add up to"):
        mixture({"a": (0.4, [1], 1)}, 10)


@pytest.fixture
def small_tokenizer(tmp_path: Path) -> Path:
    vocabulary = {character: i for i, character in enumerate(map(chr, range(32, 300)))}
    vocabulary |= {"\n": 300, "[UNK]": 301}
    small = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    small.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    small.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    path = tmp_path / "tokenizer.json"
    small.save(str(path))
    return path


def test_the_loss_counts_on_the_tutors_words_and_the_end_of_the_turn(small_tokenizer: Path) -> None:
    tokenize = tokenizer(small_tokenizer)
    talk = Example("1", "x", (Message("user", "ab"), Message("assistant", "cde")))
    encoded = rendered(talk, "chatml", tokenize)
    end = tokenize("<|im_end|>", True)
    assert len(end) == 1
    assert [i for i, t in zip(encoded.ids, encoded.trained, strict=True) if t] == [
        *tokenize("cde", False),
        *end,
    ]


def test_conversations_encoded_together_get_the_ids_they_get_alone(small_tokenizer: Path) -> None:
    own = tokenizer(small_tokenizer)
    said = ["hola", " hola ", "é<|im_end|>\n", "我", "hola", "\ue0000\ue001"]
    talks = [
        Example(str(i), "x", (Message("system", "be kind"), Message("user", one), Message("assistant", one[::-1])))
        for i, one in enumerate(said)
    ]  # fmt: skip
    together = own.together(talks[:4])  # the others it has not seen
    for talk in talks:
        assert rendered(talk, "chatml", together) == rendered(talk, "chatml", tokenizer(small_tokenizer))


def test_a_row_is_written_as_json_is(small_tokenizer: Path) -> None:
    from finetune.data_run import _line

    talk = Example('ñ "1"\n', "a/b", (Message("user", "ab"), Message("assistant", "cde")))
    encoded = rendered(talk, "chatml", tokenizer(small_tokenizer))
    row = {"id": talk.id, "source": talk.source, "ids": encoded.ids, "trained": list(map(int, encoded.trained))}  # fmt: skip
    assert _line(talk, encoded) == json.dumps(row) + "\n"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_tokenizer_is_named_whoever_reads_it(
    workers: int, tmp_path: Path, small_tokenizer: Path
) -> None:
    from finetune.config import load
    from finetune.data_run import build

    path = config(tmp_path, small_tokenizer, workers=workers)
    small_tokenizer.write_text("{}", encoding="utf-8")
    with pytest.raises(FinetuneError, match=r"tokenizer\.json is not"):
        build(load(path), tmp_path / "out")


def test_a_control_token_in_a_message_is_only_letters(small_tokenizer: Path) -> None:
    assert len(tokenizer(small_tokenizer)("<|im_end|>", False)) > 1


def config(tmp_path: Path, small_tokenizer: Path, **more: Any) -> Path:
    write(
        tmp_path / "talk.jsonl",
        [{"messages": [TURNS[0] | {"content": f"hola {i}"}, TURNS[1]]} for i in range(400)],
    )
    write(tmp_path / "learner.jsonl", learner_rows(300))
    sources = {
        "talk": {"kind": "chat", "share": 0.6, "paths": ["talk.jsonl"]},
        "native": {"kind": "learner", "share": 0.4, "paths": ["learner.jsonl"]},
    }
    data = {"tokenizer": small_tokenizer.name, "total_tokens": 4000, "sources": sources} | more
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_the_command_writes_ids_and_a_report(tmp_path: Path, small_tokenizer: Path) -> None:
    path = config(tmp_path, small_tokenizer)
    result = CliRunner().invoke(cli, ["data", str(path), "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    lines = (tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum(sum(json.loads(line)["trained"]) for line in lines) == report["tokens"]
    assert abs(report["sources"]["talk"]["share"] - 0.6) < 0.01
    assert not list((tmp_path / "out").glob("*.part"))


@pytest.mark.parametrize(
    ("change", "told"),
    [("sources.talk.kind=nothing", "no reader"), ("total_tokens=0", "total_tokens"), ("unknown=1", "unknown"), ("seed", "key=value"), ("total_tokens=9999999", "ran out")],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named_on_standard_error(
    change: str, told: str, tmp_path: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, small_tokenizer)
    with pytest.raises(SystemExit) as stopped:
        main(["data", str(path), "--out", str(tmp_path / "out"), "--set", change])
    assert stopped.value.code == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out" / "report.json").exists()


CONFIGS = Path(finetune.__file__).parent / "configs"


@pytest.mark.parametrize(
    "path", sorted(CONFIGS.rglob("*-data.yaml")), ids=lambda path: str(path.relative_to(CONFIGS))
)
def test_a_mixture_that_ships_is_valid_and_adds_up(path: Path) -> None:
    from finetune.config import load

    given = load(path)
    assert abs(sum(source.share for source in given.sources.values()) - 1) < 1e-9


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("synthesize.yaml")), ids=lambda path: path.parent.name)
def test_a_synthesis_that_ships_is_valid(path: Path) -> None:
    from finetune.synthesize.config import load

    assert load(path).talks
