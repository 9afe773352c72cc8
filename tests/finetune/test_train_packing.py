"""Shared beginnings: the same logits and the same gradients as every conversation alone."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch

from finetune.errors import FinetuneError
from finetune.train_loop import collate, columns, masks, trained_loss
from finetune.train_packing import Pack, Reading, Row, divided, packed, read_rows, tokens_computed
from tests.quantize.tiny import FAMILIES, N_TOKENS, random_model

END = 2
BEGINNING = 60


def conversations(count: int = 5, seed: int = 0, beginning: int = BEGINNING) -> list[Row]:
    """Conversations of different lengths after one beginning, the last tokens of each trained."""
    rng = random.Random(seed)
    shared = [*(rng.randrange(3, N_TOKENS) for _ in range(beginning - 1)), END]
    rows = []
    for number in range(count):
        asked = [rng.randrange(3, N_TOKENS) for _ in range(rng.randint(4, 9))]
        said = [rng.randrange(3, N_TOKENS) for _ in range(rng.randint(3, 7))] + [END]
        ids = (*shared, *asked, *said)
        rows.append(Row(str(number), "s", ids, (False,) * (len(ids) - len(said)) + (True,) * len(said)))
    return rows


def batch(pack: Pack, multiple: int = 1) -> dict[str, torch.Tensor]:
    rows = columns([pack])
    return collate([{name: column[0] for name, column in rows.items()}], multiple)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_conversation_has_the_same_logits_in_a_shared_sequence_as_alone(family: str) -> None:
    model, rows = random_model(family), conversations()
    (pack,) = packed(rows, 1000, share=True, seed=0)
    assert pack.conversations == len(rows)
    assert len(pack.ids) < sum(len(row.ids) for row in rows) / 2
    inputs = batch(pack)
    with torch.no_grad():
        together = model(
            input_ids=inputs["input_ids"], position_ids=inputs["position_ids"],
            attention_mask=masks(model.config, inputs["branches"], inputs["position_ids"]),
        ).logits[0]  # fmt: skip
        for number, row in enumerate(rows, 1):
            alone = model(torch.tensor([row.ids])).logits[0]
            own = [i for i, branch in enumerate(pack.branches) if branch in (0, number)]
            torch.testing.assert_close(together[own], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_shared_sequence_gives_the_same_loss_and_gradients_as_its_conversations_alone(family: str) -> None:
    rows = conversations()
    sums, gradients = [], []
    for share, multiple in ((True, 1), (True, 32), (False, 1)):
        model = random_model(family)
        model.requires_grad_(True)
        losses = [
            trained_loss(model, model.config, batch(pack, multiple), multiple)
            for pack in packed(rows, 1000, share=share, seed=0)
        ]
        assert sum(count for _, count in losses) == sum(sum(row.trained) for row in rows)
        total = torch.stack([loss for loss, _ in losses]).sum()
        total.backward()
        sums.append(total.item())
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    for total, found in zip(sums[:-1], gradients[:-1], strict=True):
        assert total == pytest.approx(sums[-1], rel=1e-5)
        assert found.keys() == gradients[-1].keys()
        for name, gradient in found.items():
            largest = gradient.abs().max().item()
            torch.testing.assert_close(gradient, gradients[-1][name], rtol=1e-3, atol=1e-4 * largest)


def test_a_sequence_is_filled_up_with_tokens_that_none_sees_and_nothing_is_learnt_from() -> None:
    model, (pack,) = random_model("qwen2"), packed(conversations(), 1000, share=True, seed=0)
    inputs = batch(pack, 64)
    size = len(pack.ids)
    assert inputs["input_ids"].shape[1] % 64 == 0
    assert not masks(model.config, inputs["branches"], inputs["position_ids"])[0, 0, :size, size:].any()
    assert (inputs["labels"][0, size:] == -100).all()


def test_what_another_conversation_says_changes_nothing() -> None:
    model, rows = random_model("qwen2"), conversations(2)
    other = Row(
        "x",
        "s",
        (*rows[1].ids[:BEGINNING], *([7] * (len(rows[1].ids) - BEGINNING - 1)), END),
        rows[1].trained,
    )
    first = []
    for second in (rows[1], other):
        (pack,) = packed([rows[0], second], 1000, share=True, seed=0)
        inputs = batch(pack)
        mine = [i for i, branch in enumerate(pack.branches) if branch == 1]
        with torch.no_grad():
            logits = model(
                input_ids=inputs["input_ids"], position_ids=inputs["position_ids"],
                attention_mask=masks(model.config, inputs["branches"], inputs["position_ids"]),
            ).logits[0]  # fmt: skip
        first.append(logits[mine])
    torch.testing.assert_close(first[0], first[1], rtol=0, atol=1e-6)


def test_sequences_stay_within_their_length_and_lose_no_trained_token() -> None:
    rows = [*conversations(30, seed=1), *conversations(30, seed=2)]
    random.Random(0).shuffle(rows)
    packs = packed(rows, 150, share=True, seed=0)
    assert max(len(pack.ids) for pack in packs) <= 150
    assert sum(pack.conversations for pack in packs) == 60
    assert sum(sum(pack.trained) for pack in packs) == sum(sum(row.trained) for row in rows)
    assert packed(rows, 150, share=True, seed=0) == packs


def test_those_with_the_same_first_message_stand_together_however_much_others_share_with_them() -> None:
    """System parts of one language begin alike and differ later on: half a beginning must not be all that is shared."""
    one, other = conversations(6, seed=1, beginning=200), conversations(6, seed=2, beginning=200)
    common = tuple(one[0].ids[:100])
    other = [Row(f"o{row.id}", "s", common + row.ids[100:], row.trained) for row in other]
    rows = [row for pair in zip(one, other, strict=True) for row in pair]
    packs = packed(rows, 1000, share=True, seed=0)
    assert sorted(pack.conversations for pack in packs) == [6, 6]
    assert all(pack.branches.count(0) == 200 for pack in packs)


def test_conversations_that_begin_differently_do_not_share() -> None:
    packs = packed([*conversations(2, seed=1), *conversations(2, seed=2)], 1000, share=True, seed=0)
    assert sorted(pack.conversations for pack in packs) == [2, 2]


def test_equal_conversations_keep_the_token_that_predicts_the_first_trained_one_to_themselves() -> None:
    row = conversations(1)[0]
    (pack,) = packed([row, row], 1000, share=True, seed=0)
    assert pack.branches.count(0) == row.trained.index(True) - 1
    assert sum(pack.trained) == 2 * sum(row.trained)


def test_what_is_held_out_is_not_learnt_from_on_a_later_pass() -> None:
    rows = conversations(6)
    other = [Row(row.id, "other source", row.ids, row.trained) for row in rows]
    held, rest = divided([*rows, *reversed(rows), *other], 4)
    assert held == rows[:4]
    assert rest == [rows[4], rows[5], rows[5], rows[4], *other]


def test_tokens_are_counted_as_the_trainer_takes_the_sequences() -> None:
    sizes = [10, 20, 30, 40, 50]
    assert [tokens_computed(sizes, 4, 1, updates) for updates in range(5)] == [0, 100, 150, 250, 300]
    # Two processes get three sequences each, the first one twice.
    assert [tokens_computed(sizes, 4, 2, updates) for updates in range(5)] == [0, 100, 160, 260, 320]


def write(path: Path, rows: list[tuple[list[int], list[int]]]) -> Path:
    lines = [
        json.dumps({"id": str(i), "source": "s", "ids": a, "trained": b}) for i, (a, b) in enumerate(rows)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_an_end_of_turn_outside_the_loss_is_refused_by_its_row(tmp_path: Path) -> None:
    good, bad = ([5, 6, 7, END], [0, 0, 1, 1]), ([5, 6, 7, END], [0, 0, 1, 0])
    path = write(tmp_path / "train.jsonl", [good, bad])
    with pytest.raises(FinetuneError, match=r"train\.jsonl:2: a tutor's turn ends with token 7"):
        list(read_rows(path, END, 100, Reading()))


def test_a_long_conversation_is_cut_after_a_turn_and_one_that_never_fits_is_left_out(tmp_path: Path) -> None:
    two_turns = ([5, 6, 7, END, 8, 8, 9, END], [0, 0, 1, 1, 0, 0, 1, 1])
    path = write(tmp_path / "train.jsonl", [two_turns, ([5] * 9 + [END], [0] * 8 + [1, 1])])
    reading = Reading()
    (row,) = read_rows(path, END, 7, reading)
    assert row.ids == (5, 6, 7, END)
    assert (reading.conversations, reading.cut, reading.left_out) == (1, 1, 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not a row"),
        ('{"id": 1, "source": "s", "ids": [1, 2], "trained": [0]}', "no loss mask that fits"),
        ('{"id": 1, "source": "s", "ids": [1, 2], "trained": [0, 0]}', "no loss mask that fits"),
        ('{"id": 1, "source": "s", "ids": [1, 2], "trained": [1, 1]}', "trains its first token"),
    ],
)
def test_a_row_that_cannot_be_trained_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(FinetuneError, match=f"train.jsonl:1 .*{said}"):
        list(read_rows(path, END, 100, Reading()))
