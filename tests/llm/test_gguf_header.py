"""Headers of whole, damaged and hostile files."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.llm.gguf_files import write_model
from tutor_app.llm import machine
from tutor_app.llm.accept import accept
from tutor_app.llm.gguf_header import read_header
from tutor_app.llm.machine import Memory
from tutor_app.llm.protocol import LoadSpec, ModelRefused
from tutor_app.pedagogy.templates import template_sha256


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.gguf")


def test_a_whole_file_is_read(model: Path) -> None:
    header = read_header(model)
    assert header.architecture == "qwen2"
    assert header.tensors == 1
    assert header.parameters == 4 * 64
    assert header.control_tokens() == {"<|im_start|>", "<|im_end|>"}
    assert header.kv_bytes(100) == 1 * 2 * (16 + 16) * 2 * 100


@pytest.mark.model
def test_the_real_model_s_size_and_cache_are_known(gemma: LoadSpec) -> None:
    header = read_header(gemma.path)
    assert header.parameters == 268_098_176
    assert header.kv_bytes(4096) == 18 * 1 * (256 + 256) * 2 * 4096
    assert accept(header, gemma.sha256).how == "catalogue"
    assert accept(header, "0" * 64).family == "gemma"


def test_every_cut_is_noticed(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    cut = tmp_path / "cut.gguf"
    for size in [*range(0, len(data) - 1100, 7), len(data) - 1]:
        cut.write_bytes(data[:size])
        with pytest.raises(ModelRefused, match=r"cut\.gguf is") as caught:
            read_header(cut)
        assert "\n" not in str(caught.value)


def test_a_file_of_another_kind_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("GG", encoding="utf-8")
    with pytest.raises(ModelRefused, match="not a GGUF file"):
        read_header(path)
    with pytest.raises(ModelRefused, match="cannot be read"):
        read_header(tmp_path / "gone.gguf")


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<IQQ", 1, 0, 0),  # version
        struct.pack("<IQQ", 3, 2**60, 0),  # tensors
        struct.pack("<IQQ", 3, 0, 2**60),  # keys
        struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62),  # a key's length
        struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q1sIIQ", 1, b"k", 9, 4, 2**61),  # a list's length
        struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q1sIIQ", 1, b"k", 9, 9, 1),  # a list of lists
        struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q1sI", 1, b"k", 77),  # a type
        struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q1sI", 1, b"t", 99),  # dimensions
        struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q1sIQIQ", 1, b"t", 1, 32, 12345, 0),  # a tensor's type
        struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q1sIQIQ", 1, b"t", 1, 33, 2, 0),  # half a block
        struct.pack("<IQQ", 3, 1, 0)
        + struct.pack("<Q1sIQIQ", 1, b"t", 1, 2**62, 0, 2**63),  # beyond the file
    ],
)
def test_hostile_headers_are_refused_without_being_believed(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(b"GGUF" + body + bytes(64))
    with pytest.raises(ModelRefused, match=r"hostile\.gguf is"):
        read_header(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_damage_gives_a_header_or_a_refusal(model: Path, damage: list[tuple[int, int]]) -> None:
    data = bytearray(model.read_bytes())
    for at, value in damage:
        data[at % len(data)] = value
    path = model.with_name("damaged.gguf")
    path.write_bytes(data)
    with contextlib.suppress(ModelRefused):  # any other exception, or all of memory, is a failure
        accept(read_header(path), "0" * 64)


def test_lineage_decides_the_template(tmp_path: Path) -> None:
    ours = write_model(tmp_path / "ours.gguf", control=(), template_sha256=template_sha256("gemma"))
    assert accept(read_header(ours), "0" * 64).family == "gemma"
    foreign = write_model(tmp_path / "foreign.gguf", template_sha256="e" * 64)
    with pytest.raises(ModelRefused, match="template that this version does not have"):
        accept(read_header(foreign), "0" * 64)


def test_a_manifest_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    ours = write_model(tmp_path / "ours.gguf", template_sha256=template_sha256("gemma"))
    with pytest.raises(ModelRefused, match="different prompt templates"):
        accept(read_header(ours), "0" * 64, template_sha256("chatml"))


def test_a_vocabulary_without_turn_tokens_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "base.gguf", control=("<|im_start|>",))
    with pytest.raises(ModelRefused, match="no prompt template of ours"):
        accept(read_header(path), "0" * 64)


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "new.gguf", architecture="qwen99")
    with pytest.raises(ModelRefused, match=r"'qwen99', which llama\.cpp does not know"):
        accept(read_header(path), "0" * 64)


def test_an_adapter_is_not_a_model(tmp_path: Path) -> None:
    path = write_model(tmp_path / "lora.gguf", kind="adapter")
    with pytest.raises(ModelRefused, match="'adapter', not a model"):
        accept(read_header(path), "0" * 64)


def test_a_model_larger_than_memory_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: Memory(total=10**8, available=10**8))
    with pytest.raises(ModelRefused, match=r"needs about 0\.2 GB of memory and this machine has 0\.1 GB"):
        accept(read_header(model), "0" * 64)
