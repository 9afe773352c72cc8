"""What is left on disk when something goes wrong, and what is said."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from quantize import room
from quantize.build import Recipe, build
from quantize.errors import NoRoom, QuantizeError, Unreadable, Unsupported
from quantize.gguf_file import GgufFile
from quantize.lora_gguf import build_adapter
from tests.quantize.conftest import Models, Tiny

ROOT = Path(__file__).resolve().parents[2]
DYING = """
import os, signal, sys
from quantize import build as module
from quantize import export, llama_quantise
from quantize.cli import main

where, number = sys.argv[1], int(sys.argv[2])
seen = 0

def die_at(name, function):
    def wrapped(*args, **kwargs):
        global seen
        if where == name:
            seen += 1
            if seen > number:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return wrapped

export.encode = die_at("chunk", export.encode)
os.replace = die_at("rename", os.replace)
module.quantise = die_at("quantise", module.quantise)
llama_quantise.PROGRESS_LINE = type("P", (), {"search": staticmethod(die_at("inside", llama_quantise.PROGRESS_LINE.search))})
main(sys.argv[3:])
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python code in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True
    )


def recipe(tiny: Tiny, output: Path, kind: str = "Q4_K_M") -> list[str]:
    """Arguments of a build with two adapters."""
    return ["build", str(tiny.folder), *map(str, tiny.adapters), "--type", kind, "-o", str(output)]


DEATHS = [
    ("chunk", 0),
    ("chunk", 9),
    ("rename", 0),
    ("quantise", 0),
    ("inside", 3),
    ("rename", 1),
    ("rename", 2),
]
DEATHS += [("chunk", random.Random(seed).randrange(20)) for seed in range(3)]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize(("where", "number"), DEATHS)
def test_a_killed_build_leaves_no_half_file_and_the_next_run_finishes(
    models: Models, tmp_path: Path, where: str, number: int
) -> None:
    tiny = models["qwen3"]
    output = tmp_path / "model.gguf"
    (tmp_path / "whole").mkdir()
    whole = build(Recipe(tiny.folder, tiny.adapters, tmp_path / "whole" / "model.gguf"))
    died = run(DYING, where, str(number), *recipe(tiny, output))
    assert died.returncode == -9, died.stderr
    assert not output.exists() or GgufFile(output).path.read_bytes() == whole.path.read_bytes()
    again = run(
        "import sys; from quantize.cli import main; main(sys.argv[1:])", *recipe(tiny, output), "--overwrite"
    )
    assert again.returncode == 0, again.stderr
    assert output.read_bytes() == whole.path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.gguf", "model.manifest.json", "whole"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_the_16_bit_file_of_an_interrupted_run_is_taken_up(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    output = tmp_path / "model.gguf"
    assert run(DYING, "quantise", "0", *recipe(tiny, output)).returncode == -9
    assert build(Recipe(tiny.folder, tiny.adapters, output)).resumed
    assert run(DYING, "quantise", "0", *recipe(tiny, output), "--overwrite").returncode == -9
    other = Recipe(tiny.folder, tiny.adapters[:1], output, overwrite=True)
    assert not build(other).resumed  # other adapters: another model


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("what", ["base id", "licence", "config.json", "special tokens"])
def test_the_16_bit_file_of_another_build_is_written_anew(models: Models, tmp_path: Path, what: str) -> None:
    tiny = models["qwen3"]
    base, adapter = (shutil.copytree(one, tmp_path / one.name) for one in (tiny.folder, tiny.adapters[0]))
    output, given = tmp_path / "model.gguf", Recipe(base, (adapter,), tmp_path / "model.gguf")
    command = ["build", str(base), str(adapter), "--type", "Q4_K_M", "-o", str(output)]
    assert run(DYING, "quantise", "0", *command).returncode == -9

    def put(path: Path, **changes: object) -> None:
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")

    if what == "base id":
        given = dataclasses.replace(given, base_id="other")
    elif what == "licence":
        put(adapter / "manifest.json", licence="MIT", languages=["fr"])
    elif what == "config.json":
        put(base / "config.json", rms_norm_eps=1e-3)
    else:
        put(base / "tokenizer_config.json", eos_token="<|im_end|>")
    built = build(given)
    assert not built.resumed
    file = GgufFile(output)
    found = (
        built.lineage.base.id, built.lineage.licence, round(file.get("qwen3.attention.layer_norm_rms_epsilon"), 6),
        file.get("tokenizer.ggml.eos_token_id"),
    )  # fmt: skip
    expected = {
        "base id": ("other", "Apache-2.0", 1e-6, 0),
        "licence": ("qwen3", "MIT", 1e-6, 0),
        "config.json": ("qwen3", "Apache-2.0", 1e-3, 0),
        "special tokens": ("qwen3", "Apache-2.0", 1e-6, 2),
    }
    assert found == expected[what]


LIMITED = """
import resource, sys
size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
from quantize.cli import main
main(sys.argv[2:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q5_K_M"])
def test_a_disk_that_fills_up_is_reported_and_leaves_nothing(
    models: Models, tmp_path: Path, kind: str, share: float
) -> None:
    tiny = models["qwen3"]
    (tmp_path / "whole").mkdir()
    whole = build(Recipe(tiny.folder, tiny.adapters, tmp_path / "whole" / "m.gguf", type="F16"))
    output = tmp_path / "model.gguf"
    size = build(Recipe(tiny.folder, tiny.adapters, tmp_path / "whole" / "n.gguf", type=kind)).size_bytes
    limit = int((size if kind != "Q5_K_M" else whole.size_bytes) * share)
    full = run(LIMITED, str(limit), *recipe(tiny, output, kind))
    assert full.returncode == 1
    assert "the disk is full" in full.stderr
    assert "Traceback" not in full.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_disk_that_fills_up_while_llama_cpp_writes_is_reported(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen3"]
    output = tmp_path / "model.gguf"
    assert run(DYING, "quantise", "0", *recipe(tiny, output)).returncode == -9  # the 16-bit file is there
    full = run(LIMITED, "50000", *recipe(tiny, output))
    assert full.returncode == 1
    assert "the disk is full" in full.stderr
    assert not output.exists()
    assert not (tmp_path / "model.gguf.part").exists()


Usage = namedtuple("Usage", "total used free")


def test_too_little_disk_is_said_before_anything_is_written(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _path: Usage(10**9, 10**9 - 1000, 1000))
    tiny = models["qwen3"]
    with pytest.raises(NoRoom, match=r"needs 0\.1 GiB in .* but 0\.0 GiB is free"):
        build(Recipe(tiny.folder, tiny.adapters, tmp_path / "model.gguf"))
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_said_before_anything_is_written(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.psutil, "virtual_memory", lambda: namedtuple("M", "available")(10**6))
    tiny = models["qwen3"]
    with pytest.raises(NoRoom, match="of memory"):
        build(Recipe(tiny.folder, tiny.adapters, tmp_path / "model.gguf"))
    assert list(tmp_path.iterdir()) == []


def copied(tiny: Tiny, folder: Path) -> Path:
    """A base that may be damaged."""
    return Path(shutil.copytree(tiny.folder, folder))


@pytest.mark.parametrize("kept", [0, 5, 4000, -1])
def test_a_truncated_shard_is_refused(models: Models, tmp_path: Path, kept: int) -> None:
    base = copied(models["qwen3"], tmp_path / "base")
    shard = base / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:kept])
    with pytest.raises(Unreadable, match=r"model\.safetensors is (truncated|empty)"):
        build(Recipe(base, (), tmp_path / "out.gguf", type="F16"))
    assert not (tmp_path / "out.gguf").exists()


def test_a_missing_shard_and_a_shard_outside_the_folder_are_refused(models: Models, tmp_path: Path) -> None:
    base = copied(models["qwen3"], tmp_path / "base")
    index = base / "model.safetensors.index.json"
    index.write_text(
        json.dumps({"weight_map": {"a": "model.safetensors", "b": "gone.safetensors"}}), encoding="utf-8"
    )
    with pytest.raises(Unreadable, match=r"lacks the shard gone\.safetensors"):
        build(Recipe(base, (), tmp_path / "out.gguf", type="F16"))
    index.write_text(json.dumps({"weight_map": {"a": "../gone.safetensors"}}), encoding="utf-8")
    with pytest.raises(Unreadable, match="outside its folder"):
        build(Recipe(base, (), tmp_path / "out.gguf", type="F16"))


@pytest.mark.parametrize("kept", [0, 3, 100, 20_000, -1])
def test_a_truncated_gguf_is_refused(plain: dict[str, Path], tmp_path: Path, kept: int) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(plain["qwen3"].read_bytes()[:kept])
    with pytest.raises(Unreadable, match=r"broken\.gguf is (truncated|empty)"):
        GgufFile(broken)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0"])
def test_a_base_with_nan_is_refused_by_tensor(
    models: Models, tmp_path: Path, value: float, kind: str
) -> None:
    base = copied(models["qwen2"], tmp_path / "base")
    tensors = load_file(base / "model.safetensors")
    tensors["model.layers.1.mlp.up_proj.weight"][95, 63] = value
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Unsupported, match=r"blk\.1\.ffn_up\.weight holds NaN or infinity"):
        build(Recipe(base, (), tmp_path / "out.gguf", type=kind))
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_values_that_f16_cannot_hold_are_refused_and_bf16_takes_them(models: Models, tmp_path: Path) -> None:
    base = copied(models["qwen2"], tmp_path / "base")
    tensors = load_file(base / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"][0, 0] = 70_000
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Unsupported, match="F16 cannot store"):
        build(Recipe(base, (), tmp_path / "out.gguf", type="F16"))
    assert build(Recipe(base, (), tmp_path / "out.gguf", type="BF16")).size_bytes


def test_an_output_that_exists_is_kept(models: Models, tmp_path: Path) -> None:
    tiny = models["qwen2"]
    output = tmp_path / "out.gguf"
    output.write_bytes(b"precious")
    for make in (
        lambda: build(Recipe(tiny.folder, (), output, type="F16")),
        lambda: build_adapter(tiny.folder, tiny.adapters, output),
    ):
        with pytest.raises(QuantizeError, match="--overwrite"):
            make()
    assert output.read_bytes() == b"precious"
    with pytest.raises(QuantizeError, match=r"must end in \.gguf"):
        build(Recipe(tiny.folder, (), tmp_path / "out.bin", type="F16"))
    with pytest.raises(QuantizeError, match="there is no folder"):
        build(Recipe(tiny.folder, (), tmp_path / "gone" / "out.gguf", type="F16"))


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that anyone may read, and a process that is not allowed everything, as root is."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs file modes")
@pytest.mark.parametrize("kind", ["F16", "Q4_K_M"])
def test_a_read_only_target_is_said_in_a_line(
    models: Models, kind: str, tmp_path: Path, unprivileged: Path
) -> None:
    euid = os.geteuid()
    if euid == 65534:
        os.seteuid(0)  # to copy what only root may read
    base = copied(models["qwen2"], unprivileged / "base")
    target = unprivileged / "target"
    target.mkdir()
    for path in base.iterdir():
        path.chmod(0o644)
    target.chmod(0o555)
    if euid == 65534:
        os.seteuid(euid)
    with pytest.raises(QuantizeError, match=r"cannot write .*Permission denied"):
        build(Recipe(base, (), target / "out.gguf", type=kind))
    assert list(target.iterdir()) == []
