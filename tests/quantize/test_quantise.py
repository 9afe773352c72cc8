"""Types, importance matrices and their files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quantize.build import Recipe, build
from quantize.dialogues import Dialogue
from quantize.errors import QuantizeError, Unreadable, Unsupported
from quantize.gguf_file import GgufFile
from quantize.imatrix_file import Imatrix, read_imatrix, write_imatrix
from quantize.importance import measure_importance
from quantize.llama_model import running
from quantize.rendered import spread_ids
from tests.quantize.conftest import Models, Tiny
from tests.quantize.tiny import COMMON, random_model, save_model

WIDE = {"hidden_size": 256, "intermediate_size": 256}
"""K-quants need rows of 256."""
TEXT = "Hoy comí arroz con frijoles en casa de mi abuela y después fuimos al mercado a comprar pan. " * 30
CHINESE = "我今天去学校了，然后在家里看书。你呢？" * 30


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A Qwen3 whose rows are long enough for K-quants."""
    root = tmp_path_factory.mktemp("wide")
    before = {key: COMMON[key] for key in WIDE}
    COMMON.update(WIDE)
    try:
        model = random_model("qwen3")
    finally:
        COMMON.update(before)
    return Tiny("qwen3", model, save_model(model, root / "wide", "qwen3"), (root, root))


@pytest.mark.parametrize("kind", ["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q4_0"])
def test_every_type_loads_and_stays_near_its_source(wide: Tiny, tmp_path: Path, kind: str) -> None:
    built = build(Recipe(wide.folder, (), tmp_path / "out.gguf", type=kind, keep_f16=True))
    source = wide.model.model.layers[0].mlp.up_proj.weight.detach().numpy()
    stored = GgufFile(built.path).tensors["blk.0.ffn_up.weight"].all()
    assert np.std(stored - source) / np.std(source) < {"Q8_0": 0.01, "Q6_K": 0.02, "Q5_K_M": 0.05}.get(
        kind, 0.1
    )
    with running(built.path, n_ctx=128) as llama:
        assert np.isfinite(llama.logits(list(range(20, 80)))).all()
    assert GgufFile(built.path).get("tutor.quantisation") == kind
    if kind == "Q8_0":
        assert built.kept_f16 is None  # written directly
    else:
        assert built.kept_f16 is not None
        assert GgufFile(built.kept_f16).get("tutor.quantisation") == "F16"


def test_q8_0_is_the_same_bytes_whether_numpy_or_llama_cpp_writes_it(wide: Tiny, tmp_path: Path) -> None:
    from quantize.llama_quantise import quantise

    f32 = build(Recipe(wide.folder, (), tmp_path / "f32.gguf", type="F32")).path
    ours = GgufFile(build(Recipe(wide.folder, (), tmp_path / "ours.gguf", type="Q8_0")).path)
    quantise(f32, tmp_path / "theirs.gguf", "Q8_0")
    theirs = GgufFile(tmp_path / "theirs.gguf")
    for name, tensor in ours.tensors.items():
        other = theirs.tensors[name]
        assert tensor.type == other.type, name
        rows = tensor.n_bytes // tensor.row_bytes
        assert tensor.raw_rows(0, rows).tobytes() == other.raw_rows(0, rows).tobytes(), name


def test_types_are_checked(models: Models, tmp_path: Path) -> None:
    with pytest.raises(QuantizeError, match="there is no type Q4_K_X"):
        build(Recipe(models["qwen3"].folder, (), tmp_path / "out.gguf", type="Q4_K_X"))
    with pytest.raises(QuantizeError, match="useless without an importance matrix"):
        build(Recipe(models["qwen3"].folder, (), tmp_path / "out.gguf", type="IQ2_XXS"))


def test_importance_is_the_mean_square_of_what_each_matrix_is_fed(
    models: Models, plain: dict[str, Path]
) -> None:
    tiny = models["qwen3"]
    matrix = measure_importance(plain["qwen3"], {"es": TEXT}, chunk_tokens=128, max_tokens=1024)
    with running(plain["qwen3"], n_ctx=128) as llama:
        ids = llama.tokenize(TEXT)[:1024]
    fed: dict[str, list[torch.Tensor]] = {"q_proj": [], "down_proj": []}

    def keep(name: str) -> Any:
        return lambda _module, inputs: fed[name].append(inputs[0].detach()[0])

    layer = tiny.model.model.layers[1]
    hooks = [
        layer.self_attn.q_proj.register_forward_pre_hook(keep("q_proj")),
        layer.mlp.down_proj.register_forward_pre_hook(keep("down_proj")),
    ]
    with torch.no_grad():
        for start in range(0, 1024, 128):
            tiny.model(torch.tensor([ids[start : start + 128]]))
    for hook in hooks:
        hook.remove()
    for module, name in (("q_proj", "blk.1.attn_q.weight"), ("down_proj", "blk.1.ffn_down.weight")):
        expected = torch.cat(fed[module]).double().square().mean(0).numpy()
        np.testing.assert_allclose(matrix.importance[name], expected, rtol=0.02)
    assert matrix.tokens == {"es": 1024}
    assert len(matrix.importance) == 2 * 7


def test_languages_count_equally_however_much_text_there_is(plain: dict[str, Path]) -> None:
    spanish = measure_importance(plain["qwen3"], {"es": TEXT}, chunk_tokens=128)
    chinese = measure_importance(plain["qwen3"], {"zh": CHINESE}, chunk_tokens=128)
    both = measure_importance(plain["qwen3"], {"es": TEXT, "zh": CHINESE}, chunk_tokens=128)
    weighted = measure_importance(
        plain["qwen3"], {"es": TEXT, "zh": CHINESE}, weights={"es": 3.0}, chunk_tokens=128
    )
    assert spanish.tokens["es"] != chinese.tokens["zh"]
    for name, values in both.importance.items():
        es, zh = spanish.importance[name], chinese.importance[name]
        np.testing.assert_allclose(values, (es + zh) / 2, rtol=1e-3)
        np.testing.assert_allclose(weighted.importance[name], (3 * es + zh) / 4, rtol=1e-3)


def test_conversations_are_read_in_the_template_and_from_all_over_the_list(plain: dict[str, Path]) -> None:
    template = str(GgufFile(plain["qwen3"]).get("tokenizer.chat_template"))
    talks = [
        [{"role": "user", "content": f"{n} ¿Qué tal?"}, {"role": "assistant", "content": "Bien. ¿Y tú?"}]
        for n in range(50)
    ]
    with running(plain["qwen3"], n_ctx=512) as llama:
        whole = [spread_ids(llama, template, [talk], 10_000) for talk in talks]
        some = spread_ids(llama, template, talks, 5 * max(map(len, whole)))
        assert llama.tokenize("<|im_start|>", special=True)[0] == whole[0][0]
    read, at = [], 0
    for _ in range(5):
        number = next(n for n, ids in enumerate(whole) if some[at : at + len(ids)] == ids)
        read.append(number)
        at += len(whole[number])
    assert max(read) - min(read) > 25
    texts = [Dialogue(tuple(talk), language="es") for talk in talks * 3]
    both = measure_importance(
        plain["qwen3"], {"es": TEXT}, dialogues=texts, chunk_tokens=128, max_tokens=1024
    )
    alone = measure_importance(plain["qwen3"], {"es": TEXT}, chunk_tokens=128, max_tokens=1024)
    assert both.tokens == alone.tokens == {"es": 1024}
    name = "blk.0.attn_q.weight"
    assert not np.allclose(both.importance[name], alone.importance[name], rtol=0.01)
    with pytest.raises(QuantizeError, match="must name its language"):
        measure_importance(plain["qwen3"], {}, dialogues=[Dialogue(tuple(talks[0]))])


def test_a_text_that_is_too_short_is_refused(plain: dict[str, Path]) -> None:
    with pytest.raises(QuantizeError, match=r"the text for es has \d+ tokens; give at least 512"):
        measure_importance(plain["qwen3"], {"es": "Hola, ¿qué tal?"})


def test_an_importance_matrix_survives_its_file_and_changes_the_result(wide: Tiny, tmp_path: Path) -> None:
    f16 = build(Recipe(wide.folder, (), tmp_path / "f16.gguf", type="F16")).path
    matrix = measure_importance(f16, {"es": TEXT}, chunk_tokens=128)
    path = tmp_path / "matrix.gguf"
    write_imatrix(path, matrix)
    again = read_imatrix(path)
    assert again.tokens == matrix.tokens
    for name, values in matrix.importance.items():
        np.testing.assert_allclose(again.importance[name], values, rtol=1e-6)
    without = build(Recipe(wide.folder, (), tmp_path / "a.gguf", type="Q4_K_M", name="x"))
    with_it = build(Recipe(wide.folder, (), tmp_path / "b.gguf", type="Q4_K_M", name="x", imatrix=path))
    assert without.sha256 != with_it.sha256
    left, right = (GgufFile(built.path).tensors["blk.0.ffn_up.weight"].all() for built in (without, with_it))
    weight = np.sqrt(matrix.importance["blk.0.ffn_up.weight"])
    source = GgufFile(f16).tensors["blk.0.ffn_up.weight"].all()
    assert np.abs((right - source) * weight).mean() < np.abs((left - source) * weight).mean()
    assert "tutor.imatrix_sha256" in GgufFile(with_it.path).fields


def test_the_older_format_of_importance_matrices_is_read(tmp_path: Path) -> None:
    values = np.array([1.0, 2.0, 4.0], dtype=np.float32)
    name = b"blk.0.attn_q.weight"
    data = struct.pack("<i", 1) + struct.pack("<i", len(name)) + name + struct.pack("<ii", 5, 3)
    (tmp_path / "m.dat").write_bytes(data + (values * 5).tobytes() + struct.pack("<i", 5))
    np.testing.assert_allclose(read_imatrix(tmp_path / "m.dat").importance["blk.0.attn_q.weight"], values)
    (tmp_path / "m.dat").write_bytes(data)
    with pytest.raises(Unreadable, match="truncated or no importance matrix"):
        read_imatrix(tmp_path / "m.dat")


def test_an_importance_matrix_of_another_model_is_refused(models: Models, wide: Tiny, tmp_path: Path) -> None:
    ones = {"blk.0.attn_q.weight": np.ones(64, dtype=np.float32)}
    write_imatrix(tmp_path / "m.gguf", Imatrix(ones, {"es": 512}, 512))
    with pytest.raises(Unsupported, match="the importance matrix is for another model"):
        build(Recipe(wide.folder, (), tmp_path / "out.gguf", type="Q4_K_M", imatrix=tmp_path / "m.gguf"))
    assert not (tmp_path / "out.gguf").exists()
    with pytest.raises(Unreadable, match="but no importance matrix"):
        read_imatrix(build(Recipe(models["qwen3"].folder, (), tmp_path / "model.gguf", type="F16")).path)
