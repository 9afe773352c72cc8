"""Training whole runs on a tiny random model: what is written, refused, resumed and shared among processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from accelerate import Accelerator
from click.testing import CliRunner
from safetensors.torch import load_file
from tokenizers import Tokenizer

import finetune
from finetune.cli import cli
from finetune.errors import FinetuneError
from finetune.train import train
from finetune.train_base import load_base
from finetune.train_config import TrainConfig, load
from finetune.train_loop import collate, columns, trained_loss
from finetune.train_packing import Reading, packed, read_rows
from finetune.train_report import Metrics
from quantize.adapter import check_stack
from quantize.lora_gguf import build_adapter
from quantize.peft_adapter import read_adapter
from tests.quantize.tiny import random_model, save_model
from tutor_app.pedagogy.templates import Message, encode, pieces, template_sha256

ASKED = "You are a warm, patient tutor of Spanish. " * 3
SAID = [
    "Hoy comí arroz con frijoles.",
    "Me gusta la casa de mi abuela.",
    "¿Qué comiste hoy?",
    "Fui al mercado.",
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(random_model("qwen2"), tmp_path_factory.mktemp("base") / "tiny", "qwen2")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    """A folder as `tutor-finetune data` leaves it."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))

    def tokenize(text: str, special: bool) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    folder = tmp_path_factory.mktemp("data")
    lines = []
    for number in range(40):
        said = SAID[number % 4]
        messages = [
            Message("system", ASKED),
            Message("user", f"[native] {said} {number}"),
            Message("assistant", said),
        ]
        encoded = encode(pieces("chatml", messages, reply=False), tokenize)
        row = {
            "id": str(number),
            "source": "s",
            "ids": encoded.ids,
            "trained": [int(t) for t in encoded.trained],
        }
        lines.append(json.dumps(row))
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = {
        "tokens": 999,
        "template_sha256": template_sha256("chatml"),
        "sources": {"s": {"asked": 1.0, "share": 1.0}},
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def settings(base: Path, data: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name": "linguist", "base": str(base), "base_id": "tiny", "family": "chatml", "languages": ["es"],
        "licence": "Apache-2.0", "data": str(data), "lora": {"rank": 4, "alpha": 8, "dropout": 0.1}, "steps": 4,
        "batch": 2, "sequence_tokens": 300, "warmup_steps": 1, "learning_rate": 1e-2, "dtype": "float32",
        "gradient_checkpointing": False, "held_out": 4, "evaluate_every": 2, "save_every": 2, "threads": 1,
        "accept_untrained_end": True,
    } | changes  # fmt: skip


def config(base: Path, data: Path, **changes: Any) -> TrainConfig:
    return TrainConfig.model_validate(settings(base, data, **changes))


def quiet(_line: str) -> None:
    """Progress lines are for people."""


def losses(folder: Path) -> dict[int, float]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


@pytest.fixture(scope="module")
def stage1(tmp_path_factory: pytest.TempPathFactory, base: Path, data: Path) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "linguist"
    train(config(base, data), folder, say=quiet)
    return folder


def test_a_run_leaves_an_adapter_with_its_lineage_figures_and_plot(stage1: Path, data: Path) -> None:
    adapter = read_adapter(stage1)
    assert adapter.manifest is not None
    assert adapter.manifest.name == "linguist"
    assert [stage.sha256 for stage in adapter.manifest.stages] == [adapter.sha256]
    assert adapter.manifest.template_sha256 == template_sha256("chatml")
    assert adapter.manifest.data["sources"] == {"s": {"asked": 1.0, "share": 1.0}}
    assert sorted(losses(stage1)) == [1, 2, 3, 4]
    assert losses(stage1)[4] < losses(stage1)[1]
    assert (stage1 / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert list((stage1 / "tensorboard").iterdir())
    assert not (stage1 / "README.md").exists()  # it would name this machine's paths


def test_the_manifest_and_adapter_are_what_the_exporter_takes(
    stage1: Path, base: Path, tmp_path: Path
) -> None:
    built = build_adapter(base, [stage1], tmp_path / "linguist.gguf", base_id="tiny")
    assert built.path.stat().st_size > 0
    assert json.loads(built.manifest.read_text(encoding="utf-8"))["base"]["id"] == "tiny"


def left_by_a_kill(stage1: Path, folder: Path, *updates: int) -> Path:
    """The checkpoints of these updates as they stand in `folder`."""
    to = folder / "checkpoints"
    to.mkdir(parents=True)
    shutil.copy(stage1 / "checkpoints" / "run.json", to)
    for update in updates:
        shutil.copytree(stage1 / "checkpoints" / f"checkpoint-{update}", to / f"checkpoint-{update}")
    return to


def test_training_taken_up_after_a_kill_has_the_losses_of_an_unbroken_run(
    stage1: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    # What a kill after the third update leaves: the checkpoint of the second, and a line that came later.
    left_by_a_kill(stage1, tmp_path, 2)
    lines = (stage1 / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "metrics.jsonl").write_text("\n".join([*lines[:4], '{"step": 3, "lo']), encoding="utf-8")
    train(config(base, data), tmp_path, say=quiet)
    assert losses(tmp_path) == losses(stage1)
    for name, tensor in load_file(stage1 / "adapter_model.safetensors").items():
        assert torch.equal(tensor, load_file(tmp_path / "adapter_model.safetensors")[name])


def test_an_adapter_is_kept_in_sixteen_bits_unless_all_of_it_is_asked_for(
    stage1: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    train(config(base, data, save_dtype="float32"), tmp_path, say=quiet)
    whole, half = (load_file(folder / "adapter_model.safetensors") for folder in (tmp_path, stage1))
    assert whole.keys() == half.keys()
    for name, tensor in whole.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor.half(), half[name])


def test_a_checkpoint_that_a_kill_cut_short_is_passed_over(
    stage1: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    (left_by_a_kill(stage1, tmp_path, 2, 4) / "checkpoint-4" / "trainer_state.json").unlink()
    told: list[str] = []
    train(config(base, data), tmp_path, say=told.append)
    assert any("taking up update 2" in line for line in told)
    assert losses(tmp_path)[4] == losses(stage1)[4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"learning_rate": 2e-2}, "`learning_rate`"),
        ({"lora": {"rank": 2, "alpha": 8}, "held_out": 5}, "`held_out`, `lora`"),
    ],
)
def test_the_checkpoints_of_another_run_are_not_taken_up(
    stage1: Path, base: Path, data: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    left_by_a_kill(stage1, tmp_path, 4)
    with pytest.raises(FinetuneError, match=rf"another {said}: give --restart") as refused:
        train(config(base, data, **changes), tmp_path, say=quiet)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "manifest.json").exists()


def test_other_data_makes_another_run(stage1: Path, base: Path, data: Path, tmp_path: Path) -> None:
    left_by_a_kill(stage1, tmp_path / "out", 4)
    other = repeated(data, tmp_path / "other", 10)
    with pytest.raises(FinetuneError, match="another `data`: give --restart"):
        train(config(base, other), tmp_path / "out", say=quiet)


def test_a_stage_that_was_trained_anew_below_makes_another_run(
    stage1: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    below = shutil.copytree(stage1, tmp_path / "below")
    train(config(base, data, name="es-l2", inherits=[below], steps=1), tmp_path / "out", say=quiet)
    train(config(base, data, steps=2), below, resume=False, say=quiet)
    with pytest.raises(FinetuneError, match="another `inherits`: give --restart"):
        train(config(base, data, name="es-l2", inherits=[below], steps=1), tmp_path / "out", say=quiet)


def test_checkpoints_of_nobody_knows_which_run_are_not_taken_up(
    stage1: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    (left_by_a_kill(stage1, tmp_path, 4) / "run.json").unlink()
    with pytest.raises(FinetuneError, match="left no word of itself: give --restart"):
        train(config(base, data), tmp_path, say=quiet)


def test_a_run_may_be_made_longer_and_its_name_and_machine_changed(
    stage1: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    left_by_a_kill(stage1, tmp_path / "out", 4)
    moved = shutil.copytree(data, tmp_path / "moved")
    told: list[str] = []
    changes = {
        "steps": 5,
        "minutes": 60,
        "name": "other",
        "save_every": 1,
        "keep": 1,
        "save_dtype": "float32",
    }
    done = train(config(base, moved, **changes), tmp_path / "out", say=told.append)
    assert done.steps == 5
    assert any("taking up update 4" in line for line in told)


def test_beginning_anew_leaves_nothing_of_the_old_run_to_take_up(
    stage1: Path, base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_by_a_kill(stage1, tmp_path, 2, 4)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("finetune.train.PackedTrainer.train", die)
    with pytest.raises(KeyboardInterrupt):
        train(config(base, data, learning_rate=2e-2), tmp_path, resume=False, say=quiet)
    monkeypatch.undo()
    assert [one.name for one in (tmp_path / "checkpoints").iterdir()] == ["run.json"]
    told: list[str] = []
    train(config(base, data, learning_rate=2e-2, steps=1), tmp_path, say=told.append)
    assert not any("taking up" in line for line in told)


def repeated(data: Path, folder: Path, count: int) -> Path:
    """The first `count` conversations of `data`, twice."""
    shutil.copytree(data, folder)
    lines = (data / "train.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    (folder / "train.jsonl").write_text("\n".join(lines + lines) + "\n", encoding="utf-8")
    return folder


def test_a_repeated_source_does_not_bring_what_is_held_out(base: Path, data: Path, tmp_path: Path) -> None:
    twice = repeated(data, tmp_path / "twice", 10)
    told: list[str] = []
    train(config(base, twice, steps=1), tmp_path / "out", say=told.append)
    assert "held out: 4 later passes over those conversations left out" in told
    with pytest.raises(FinetuneError, match="lower `held_out`"):
        train(config(base, twice, held_out=10), tmp_path / "none", say=quiet)


def test_the_held_out_loss_is_a_mean_over_tokens_and_not_over_sequences(
    base: Path, data: Path, tmp_path: Path
) -> None:
    # So low a rate changes nothing: what is measured is the base, on four answers of different lengths.
    given = config(base, data, steps=1, evaluate_every=1, packing=False, learning_rate=1e-12)
    done = train(given, tmp_path, say=quiet)
    model = load_base(base, "float32")
    rows = list(read_rows(data / "train.jsonl", 2, 300, Reading()))[:4]
    found = []
    with torch.no_grad():
        for pack in packed(rows, 300, share=False, seed=0):
            one = {name: column[0] for name, column in columns([pack]).items()}
            total, count = trained_loss(model, model.config, collate([one]))
            found.append((float(total), count))
    of_all = sum(total for total, _ in found) / sum(count for _, count in found)
    assert abs(of_all - sum(total / count for total, count in found) / 4) > 1e-3
    assert done.held_out_loss == pytest.approx(of_all, abs=2e-4)


def test_the_tokens_that_are_told_are_those_that_were_computed(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = 0

    def counted(model: Any, text: Any, inputs: dict[str, torch.Tensor], multiple: int = 1) -> Any:
        nonlocal computed
        computed += int((inputs["branches"] >= 0).sum())
        return trained_loss(model, text, inputs, multiple)

    monkeypatch.setattr("finetune.train_loop.trained_loss", counted)
    # Forty sequences: the third update has eight, and the next begins a new pass.
    done = train(config(base, data, steps=4, batch=16, packing=False, held_out=0), tmp_path, say=quiet)
    assert done.tokens == computed


def test_what_is_saved_is_what_all_processes_hold_together(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gathered(accelerator: Accelerator, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        return {name: torch.ones_like(tensor) for name, tensor in model.state_dict().items()}

    monkeypatch.setattr(Accelerator, "get_state_dict", gathered)
    train(config(base, data, steps=1), tmp_path, say=quiet)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    assert all(torch.equal(tensor, torch.ones_like(tensor)) for tensor in saved.values())


def test_an_interrupt_ends_after_the_running_update_with_a_usable_adapter(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Metrics.add

    def add_and_interrupt(metrics: Metrics, row: dict[str, Any]) -> None:
        add(metrics, row)
        if row["step"] == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Metrics, "add", add_and_interrupt)
    before = signal.getsignal(signal.SIGTERM)
    done = train(config(base, data, steps=100_000), tmp_path, say=quiet)
    assert 3 <= done.steps <= 4
    assert read_adapter(tmp_path).manifest is not None
    assert (tmp_path / "checkpoints" / f"checkpoint-{done.steps}" / "trainer_state.json").is_file()
    assert signal.getsignal(signal.SIGTERM) == before


def test_stage_2_starts_from_what_stage_1_learnt_and_names_it(
    stage1: Path, base: Path, data: Path, tmp_path: Path
) -> None:
    given = settings(base, data, name="es-l2", inherits=[str(stage1)], track="l2", steps=1)
    for inherited in ("base", "base_id", "family", "licence"):
        del given[inherited]
    done = train(TrainConfig.model_validate(given), tmp_path, say=quiet)
    adapter, below = read_adapter(tmp_path), read_adapter(stage1)
    assert adapter.manifest is not None
    assert [stage.id for stage in adapter.manifest.stages] == ["linguist", "es-l2"]
    assert adapter.manifest.licence == "Apache-2.0"
    check_stack([below, adapter], adapter.manifest.base.sha256, allow_unknown_base=False)
    # Its first loss is taken before its own first update, so it is that of stage 1's end and not of the bare base.
    assert done.loss == pytest.approx(losses(stage1)[4], abs=0.5)
    assert done.loss < losses(stage1)[1] - 0.5


def test_stage_2_on_another_base_is_refused(stage1: Path, data: Path, tmp_path: Path) -> None:
    other = save_model(random_model("qwen2", seed=5), tmp_path / "other", "qwen2")
    with pytest.raises(FinetuneError, match="was trained on tiny"):
        train(config(other, data, inherits=[stage1]), tmp_path / "out", say=quiet)


def in_two_processes(*command: str) -> None:
    """Run a module or script on two processes, as `accelerate launch` does on two GPUs."""
    # Not `accelerate launch --cpu`, which starts one process whatever number it is given.
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *command]
    environment = os.environ | {
        "PYTHONPATH": str(Path(finetune.__file__).parents[1]), "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    subprocess.run(launch, check=True, capture_output=True, timeout=500, text=True, env=environment)


def test_two_processes_follow_one_clock_and_save_one_adapter(tmp_path: Path) -> None:
    in_two_processes("-m", "tests.finetune.processes", str(tmp_path))
    # The seconds of the first, and the end that one of them was asked for.
    told = [(tmp_path / f"agreed-{rank}").read_text(encoding="utf-8") for rank in range(2)]
    assert told == ["((5.5, False), (7.0, True))"] * 2
    whole, gathered = (tmp_path / name / "adapter_model.safetensors" for name in ("whole", "gathered"))
    assert whole.read_bytes() == gathered.read_bytes()


def test_two_processes_have_the_losses_of_one(stage1: Path, base: Path, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(settings(base, data, lora={"rank": 4, "alpha": 8})), encoding="utf-8")
    train(load(path), tmp_path / "one", say=quiet)
    in_two_processes("-m", "finetune", "train", str(path), "--out", str(tmp_path / "two"))
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert one.keys() == two.keys()
    for step, loss in one.items():
        assert two[step] == pytest.approx(loss, rel=1e-4)
    held = [Metrics(tmp_path / name, 4, writes=False).series("held_out_loss")[1] for name in ("one", "two")]
    assert held[0] == pytest.approx(held[1], rel=1e-4)
    saved = load_file(tmp_path / "two" / "adapter_model.safetensors")
    for name, tensor in load_file(tmp_path / "one" / "adapter_model.safetensors").items():
        assert torch.allclose(tensor.float(), saved.pop(name).float(), atol=1e-3)
    assert not saved


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lora": {"modules": ["lm_head"]}}, "lora.modules.0"),
        ({"lora": {"modules": ["embed_tokens"]}}, "lora.modules.0"),
        ({"lora": {"use_dora": True}}, "lora.use_dora"),
        ({"lora": {"modules_to_save": ["embed_tokens"]}}, "lora.modules_to_save"),
        ({"base_id": None}, "needs base_id"),
        ({"steps": 0}, "steps"),
        ({"name": "../up"}, "name"),
    ],
)
def test_a_setting_that_could_not_be_shipped_is_refused_by_its_name(
    base: Path, data: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(settings(base, data, **changes)), encoding="utf-8")
    with pytest.raises(FinetuneError, match=said):
        load(path)


def test_a_base_that_never_learnt_its_end_of_turn_is_refused_unless_accepted(
    base: Path, data: Path, tmp_path: Path
) -> None:
    model = random_model("qwen2")
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        weight[2] = weight[-1] * 1.01  # <|im_end|> looks like a row beyond the vocabulary
    alike = save_model(model, tmp_path / "alike", "qwen2")
    with pytest.raises(FinetuneError, match="never learnt its end of turn"):
        train(config(alike, data, accept_untrained_end=False), tmp_path / "out", say=quiet)
    told: list[str] = []
    train(config(alike, data, steps=1), tmp_path / "out", say=told.append)
    assert any("never learnt" in line for line in told)


def test_data_of_another_template_or_unfinished_is_refused(base: Path, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "data"
    shutil.copytree(data, other)
    (other / "report.json").write_text('{"template_sha256": "0"}', encoding="utf-8")
    with pytest.raises(FinetuneError, match="another prompt template"):
        train(config(base, other), tmp_path / "out", say=quiet)
    (other / "report.json").unlink()
    with pytest.raises(FinetuneError, match="tutor-finetune data"):
        train(config(base, other), tmp_path / "out", say=quiet)


def test_too_little_memory_or_disk_is_said_before_training(
    base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory:
        available = 1000

    monkeypatch.setattr("finetune.train_checks.psutil.virtual_memory", Memory)
    with pytest.raises(FinetuneError, match="Lower `sequence_tokens`"):
        train(config(base, data), tmp_path / "a", say=quiet)
    monkeypatch.undo()
    monkeypatch.setattr(
        "finetune.train_checks.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0)
    )
    with pytest.raises(FinetuneError, match="Checkpoints take"):
        train(config(base, data), tmp_path / "b", say=quiet)


def test_the_rate_rises_and_falls_to_zero_at_the_last_update() -> None:
    from finetune.train_loop import Falling

    rate = Falling(steps=10, warmup=2, minutes=None)
    assert [round(rate.at(step), 3) for step in range(11)] == [
        0.333, 0.667, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0,
    ]  # fmt: skip
    late = Falling(steps=10, warmup=0, minutes=1, spent=45)
    assert late.at(1) == pytest.approx(0.25, abs=0.01)
    assert not late.over
    late.elapsed = 30.0  # as all processes agreed, whatever this one's clock says
    assert late.at(1) == pytest.approx(0.5)
    assert Falling(steps=10, warmup=0, minutes=1, spent=61).over


def test_only_one_process_writes_the_figures(tmp_path: Path) -> None:
    first = Metrics(tmp_path, 0)
    first.add({"step": 1, "seconds": 2.0})
    first.add({"step": 2, "seconds": 4.0})
    assert Metrics(tmp_path, 1, writes=False).seconds == 2.0
    assert Metrics(tmp_path, 2, writes=False).seconds == 4.0  # the second line is still there


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("name: x\n", encoding="utf-8")
    result = CliRunner().invoke(cli, ["train", str(path), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, FinetuneError)
    assert "\n" not in str(result.exception)


CONFIGS = Path(finetune.__file__).parent / "configs"
TRAINING = [path for path in sorted(CONFIGS.rglob("*.yaml")) if "lora:" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_a_training_config_that_ships_is_valid(path: Path) -> None:
    config = TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    beside = path.with_name(f"{path.stem}-data.yaml")
    assert beside.is_file()
    assert config.data.name in (path.stem, "stage1")
