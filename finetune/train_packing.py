"""Conversations with the same beginning in one sequence: the beginning is computed once, and each sees only it and itself.

Most of our examples are a long system part and a short exchange, so this is worth several times the speed. It is no
approximation: positions go on from the shared beginning in every branch, and the mask hides the branches from each
other, so every logit is the one the conversation would have alone (tests/finetune/test_train_packing.py).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from finetune.errors import FinetuneError

WINDOW = 4096
"""Conversations in which equal beginnings are looked for; the order of the mixture changes within it only."""
SHARED_AT_LEAST = 48
"""Tokens of equal beginning that make conversations share a sequence."""


@dataclass(frozen=True)
class Row:
    """One conversation of train.jsonl. Shapes: [T] each."""

    id: str
    source: str
    ids: tuple[int, ...]
    trained: tuple[bool, ...]

    @property
    def may_share(self) -> int:
        """Tokens that may be shared: what predicts the first trained token belongs to the branch."""
        return max(0, self.trained.index(True) - 1)


@dataclass(frozen=True)
class Pack:
    """One sequence. Shapes: [T] each."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]
    branches: tuple[int, ...]
    """0 in the shared beginning, then 1, 2, … for the conversations."""
    trained: tuple[bool, ...]
    conversations: int


@dataclass
class Reading:
    """What came of the file."""

    conversations: int = 0
    tokens: int = 0
    trained: int = 0
    cut: int = 0
    """Conversations that lost their last turns, being too long."""
    left_out: int = 0
    """Conversations of which not even one turn fits."""
    sources: dict[str, int] = field(default_factory=dict)
    """Trained tokens by source."""


def read_rows(path: Path, end_of_turn: int, longest: int, reading: Reading) -> Iterator[Row]:
    """Conversations of `path`, cut after the last tutor's turn that fits in `longest` tokens.

    Raises FinetuneError, naming the row, when a tutor's turn does not end with `end_of_turn` inside the loss: a model
    trained on it would never stop.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                place = f"{path.name}:{number}"
                row = _row(line, place)
                ends = _turn_ends(row, end_of_turn, place)
                fitting = [end for end in ends if end <= longest]
                reading.cut += bool(fitting) and len(fitting) < len(ends)
                if not fitting:
                    reading.left_out += 1
                    continue
                kept = Row(row.id, row.source, row.ids[: fitting[-1]], row.trained[: fitting[-1]])
                reading.conversations += 1
                reading.tokens += len(kept.ids)
                reading.trained += sum(kept.trained)
                reading.sources[row.source] = reading.sources.get(row.source, 0) + sum(kept.trained)
                yield kept
    except OSError as error:
        raise FinetuneError(
            f"{path} cannot be read ({error.strerror}). Run `tutor-finetune data` first."
        ) from error


def _row(line: str, place: str) -> Row:
    try:
        data = json.loads(line)
        ids, trained = tuple(map(int, data["ids"])), tuple(map(bool, data["trained"]))
        row = Row(str(data["id"]), str(data["source"]), ids, trained)
    except (ValueError, KeyError, TypeError) as error:
        raise FinetuneError(
            f"{place} is not a row of `tutor-finetune data` ({error}). Make the data again."
        ) from error
    if len(row.ids) != len(row.trained) or not any(row.trained):
        raise FinetuneError(f"{place} has no loss mask that fits its tokens. Make the data again.")
    if row.trained[0]:
        raise FinetuneError(f"{place} trains its first token, which nothing predicts. Make the data again.")
    return row


def _turn_ends(row: Row, end_of_turn: int, place: str) -> list[int]:
    """Where each trained turn ends (exclusive)."""
    size = len(row.ids)
    ends = [i + 1 for i in range(size) if row.trained[i] and (i + 1 == size or not row.trained[i + 1])]
    for end in ends:
        if row.ids[end - 1] != end_of_turn:
            raise FinetuneError(
                f"{place}: a tutor's turn ends with token {row.ids[end - 1]}, not with the end of turn {end_of_turn} "
                "inside the loss, so the model would never learn to stop. Make the data again with this base's "
                "tokenizer and template."
            )
    return ends


def divided(rows: Sequence[Row], held_out: int) -> tuple[list[Row], list[Row]]:
    """The first `held_out` conversations, and those that are none of them: a source that is repeated brings them again."""
    held = list(rows[:held_out])
    known = {(row.source, row.id) for row in held}
    return held, [row for row in rows[held_out:] if (row.source, row.id) not in known]


def tokens_computed(sizes: Sequence[int], batch: int, processes: int, updates: int) -> int:
    """Tokens of so many updates, over sequences of these `sizes` again and again.

    As Transformers does it: an update never reaches into the next pass, so the last of a pass has what is left; and where
    the processes cannot share that evenly, the first sequences fill up (accelerate's `even_batches`).
    """
    filled = [*sizes, *(sizes[i % len(sizes)] for i in range(-len(sizes) % processes))]
    passes, left = divmod(updates, -(-len(filled) // batch))
    return passes * sum(filled) + sum(filled[: left * batch])


def packed(rows: Iterable[Row], longest: int, *, share: bool, seed: int) -> list[Pack]:
    """`rows` as sequences of at most `longest` tokens; one each without `share`. The same seed gives the same order."""
    if not share:
        return [_pack([row], 0) for row in rows]
    rng = random.Random(seed)
    found: list[Pack] = []
    window: list[Row] = []
    for row in rows:
        window.append(row)
        if len(window) == WINDOW:
            found += _window(window, longest, rng)
            window = []
    return found + _window(window, longest, rng)


def _window(rows: list[Row], longest: int, rng: random.Random) -> list[Pack]:
    alike: dict[tuple[int, ...], list[Row]] = {}
    for row in rows:
        alike.setdefault(row.ids[:SHARED_AT_LEAST], []).append(row)
    found = [pack for group in alike.values() for pack in _group(group, longest)]
    rng.shuffle(found)
    return found


def _group(rows: list[Row], longest: int) -> Iterator[Pack]:
    taken: list[Row] = []
    shared = size = 0
    # Those whose whole first message is the same stand together; otherwise the order of the mixture is kept.
    for row in sorted(rows, key=lambda row: row.ids[: row.ids.index(row.ids[-1])]):
        common = min(_common(taken[0], row, shared), row.may_share) if taken else row.may_share
        together = sum(len(one.ids) - common for one in (*taken, row)) + common
        # Another beginning can make all that is taken share less: then a new sequence costs fewer tokens.
        if taken and (together > longest or common < SHARED_AT_LEAST or together > size + len(row.ids)):
            yield _pack(taken, shared)
            taken, common, together = [], row.may_share, len(row.ids)
        taken.append(row)
        shared, size = common, together
    if taken:
        yield _pack(taken, shared)


def _common(one: Row, other: Row, most: int) -> int:
    """Tokens that both begin with, at most `most`."""
    for i in range(min(most, len(other.ids))):
        if one.ids[i] != other.ids[i]:
            return i
    return min(most, len(other.ids))


def _pack(rows: list[Row], shared: int) -> Pack:
    ids = list(rows[0].ids[:shared])
    positions = list(range(shared))
    branches = [0] * shared
    trained = [False] * shared
    for number, row in enumerate(rows, 1):
        ids += row.ids[shared:]
        positions += range(shared, len(row.ids))
        branches += [number] * (len(row.ids) - shared)
        trained += row.trained[shared:]
    return Pack(tuple(ids), tuple(positions), tuple(branches), tuple(trained), len(rows))
