"""Adapters written as one: the same change to every matrix, as wide as they were, and files that go again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tutor_app.llm.joint_adapter import BLOCK, MOST_FILES, SUFFIX, CannotJoin, Member, joined

Q8_0 = GGMLQuantizationType.Q8_0
WIDE, HIGH = 64, 96


def write(
    path: Path,
    *,
    rank: int = 16,
    alpha: float = 16.0,
    seed: int = 0,
    q8_0: bool = True,
    f16: bool = False,
    size_b: float = 0.01,
    targets: tuple[str, ...] = ("blk.0.attn_q.weight", "blk.1.ffn_down.weight"),
    architecture: str = "qwen2",
    scale: float = 1.0,
) -> Member:
    random = np.random.default_rng(seed)
    writer = GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for target in targets:
        a = random.normal(0, 0.02, (rank, WIDE)).astype(np.float32)
        b = random.normal(0, size_b, (HIGH, rank)).astype(np.float32)
        if q8_0:
            writer.add_tensor(f"{target}.lora_a", quantize(a, Q8_0), raw_dtype=Q8_0)
            writer.add_tensor(f"{target}.lora_b", b.astype(np.float16))
        else:
            kind = np.float16 if f16 else np.float32
            writer.add_tensor(f"{target}.lora_a", a.astype(kind))
            writer.add_tensor(f"{target}.lora_b", b.astype(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Member(hashlib.sha256(path.read_bytes()).hexdigest(), path, scale)


def tensors(path: Path) -> dict[str, tuple[GGMLQuantizationType, NDArray[np.float32]]]:
    return {
        tensor.name: (
            tensor.tensor_type,
            dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1]),
        )
        for tensor in GGUFReader(path).tensors
    }


def change(member: Member) -> dict[str, NDArray[np.float64]]:
    """What llama.cpp adds to each matrix: scale * alpha / rank * B A (`get_scale` in its llama-adapter.h)."""
    alpha = GGUFReader(member.path).fields["adapter.lora.alpha"].contents()
    found = tensors(member.path)
    out = {}
    for name, (_, a) in found.items():
        if name.endswith(".lora_a"):
            b = found[name.removesuffix("a") + "b"][1].astype(np.float64)
            out[name.removesuffix(".lora_a")] = member.scale * alpha / b.shape[1] * (b @ a)
    return out


def together(members: list[Member]) -> dict[str, NDArray[np.float64]]:
    out: dict[str, NDArray[np.float64]] = {}
    for member in members:
        for target, delta in change(member).items():
            out[target] = out.get(target, 0.0) + delta
    return out


def off(members: list[Member], folder: Path) -> float:
    """The largest difference relative to the size of the change."""
    with joined(members, folder) as one:
        assert one is not None
        got, wanted = change(one), together(members)
    assert got.keys() == wanted.keys()
    return max(float(np.abs(got[t] - wanted[t]).max() / np.abs(wanted[t]).max()) for t in wanted)


@settings(max_examples=25, deadline=None)
@given(
    ranks=st.lists(st.sampled_from([1, 4, 8, 16, 32, 40]), min_size=1, max_size=3),
    scale=st.sampled_from([0.25, 1.0, 1.5]),
    alpha=st.sampled_from([8.0, 16.0, 20.0]),
)
def test_wide_adapters_are_joined_exactly(
    tmp_path_factory: pytest.TempPathFactory, ranks: list[int], scale: float, alpha: float
) -> None:
    folder = tmp_path_factory.mktemp("joint")
    members = [
        write(folder / f"{n}.gguf", rank=rank, seed=n, alpha=alpha, scale=scale, q8_0=False)
        for n, rank in enumerate(ranks)
    ]
    assert off(members, folder / "cache") < 1e-5


def test_the_values_of_a_are_kept_and_b_is_as_fine_as_a(tmp_path: Path) -> None:
    members = [write(tmp_path / "one.gguf"), write(tmp_path / "two.gguf", seed=1)]
    assert off(members, tmp_path / "cache") < 0.01
    with joined(members, tmp_path / "cache") as one:
        assert one is not None
        made = tensors(one.path)
    for target in ("blk.0.attn_q.weight", "blk.1.ffn_down.weight"):
        kinds = [made[target + factor][0] for factor in (".lora_a", ".lora_b")]
        assert kinds == [Q8_0, Q8_0]
        a = made[f"{target}.lora_a"][1]
        assert a.shape == (BLOCK, WIDE)
        before = np.concatenate([tensors(member.path)[f"{target}.lora_a"][1] for member in members])
        ratio = (a / np.where(before == 0, 1, before)).max(axis=1, keepdims=True)
        assert np.array_equal(np.log2(ratio), np.round(np.log2(ratio)))  # powers of two
        assert np.array_equal(a, before * ratio)


def test_a_small_adapter_is_not_drowned_by_a_large_one(tmp_path: Path) -> None:
    large = write(tmp_path / "large.gguf", size_b=0.05)
    small = write(tmp_path / "small.gguf", size_b=0.0005, seed=1)
    with joined([large, small], tmp_path / "cache") as one:
        assert one is not None
        made = tensors(one.path)
        scale = GGUFReader(one.path).fields["adapter.lora.alpha"].contents() / BLOCK
    for target, wanted in change(small).items():
        a, b = (made[f"{target}.lora_{factor}"][1] for factor in "ab")
        its_own = scale * (b[:, 16:] @ a[16:])
        assert np.abs(its_own - wanted).max() < 0.01 * np.abs(wanted).max()


def test_beside_eight_bits_an_adapter_of_sixteen_keeps_its_own(tmp_path: Path) -> None:
    members = [write(tmp_path / "one.gguf"), write(tmp_path / "two.gguf", seed=1, q8_0=False, f16=True)]
    assert off(members, tmp_path / "cache") < 0.001
    with joined(members, tmp_path / "cache") as one:
        assert one is not None
        assert {kind.name for kind, _ in tensors(one.path).values()} == {"F16"}


def test_adapters_of_different_matrices_are_joined(tmp_path: Path) -> None:
    members = [
        write(tmp_path / "one.gguf", targets=("blk.0.attn_q.weight",)),
        write(tmp_path / "two.gguf", targets=("blk.1.attn_q.weight",), seed=1),
    ]
    assert off(members, tmp_path / "cache") < 0.01


def test_a_file_is_written_once_and_the_oldest_go(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    member = write(tmp_path / "one.gguf")
    with joined([member], cache) as one:
        assert one is not None
        first = one
    stamp = first.path.stat().st_ino
    with joined([member], cache) as one:
        assert one == first
        assert one.path.stat().st_ino == stamp
    for number in range(MOST_FILES):
        os.utime(first.path, (1, 1))
        with joined([member._replace(scale=0.1 * (number + 1))], cache) as other:
            assert other is not None
            assert other.sha256 != first.sha256
    assert not first.path.exists()
    assert len(list(cache.iterdir())) == MOST_FILES


def test_without_a_folder_the_file_is_gone_afterwards(tmp_path: Path) -> None:
    with joined([write(tmp_path / "one.gguf")], None) as one:
        assert one is not None
        assert one.path.is_file()
    assert not one.path.exists()


def test_nothing_is_made_of_nothing(tmp_path: Path) -> None:
    with joined([], tmp_path / "cache") as one:
        assert one is None
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("what", ["junk", "embedding", "another architecture", "half a pair", "gone"])
def test_what_cannot_be_joined_is_said_and_leaves_nothing(tmp_path: Path, what: str) -> None:
    good, path = write(tmp_path / "one.gguf"), tmp_path / "two.gguf"
    other = Member("2" * 64, path, 1.0)
    if what == "junk":
        path.write_bytes(b"GGUF" + bytes(64))
    elif what == "embedding":
        write(path, targets=("token_embd.weight",))
    elif what == "another architecture":
        write(path, architecture="gemma3")
    elif what == "half a pair":
        write(path, targets=("blk.0.attn_q.weight",))
        data = path.read_bytes()
        path.write_bytes(data.replace(b"lora_b", b"lora_c"))
    with pytest.raises(CannotJoin), joined([good, other], tmp_path / "cache"):
        pass
    assert not [
        file for file in (tmp_path / "cache").iterdir() if file.suffix == SUFFIX or ".part" in file.name
    ]
