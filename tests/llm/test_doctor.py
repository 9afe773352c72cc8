"""What the doctor says of machines that are made up, and of this one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.llm.gguf_files import write_model
from tutor_app.cli import doctor as doctor_module
from tutor_app.cli.context import Context
from tutor_app.cli.doctor import doctor, speed_finding
from tutor_app.cli.models import models as models_group
from tutor_app.errors import TutorError
from tutor_app.llm import catalogue, machine, speed
from tutor_app.llm.fake import ScriptedEngine
from tutor_app.llm.machine import Measured, Memory
from tutor_app.llm.models import Models
from tutor_app.llm.protocol import LoadSpec, ModelRefused
from tutor_app.llm.speed import Speed
from tutor_app.speech.hear import threads

EVERY = [entry.id for entry in catalogue.ENTRIES]
FAST = Measured("host", "qwen2.5-1.5b", 4, decode_tps=40.0, prefill_tps=300.0)
SIZE = 1_117_320_768


def context(folder: Path) -> Context:
    return Context(folder, offline=True)


def invoke(command: Any, folder: Path, *args: str) -> str:
    result = CliRunner().invoke(command, args, obj=context(folder), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize(
    ("free_gb", "decode_tps", "best"),
    [
        (16.0, 40.0, "qwen3-8b"),
        (16.0, 20.0, "qwen3-4b"),
        (4.0, 40.0, "qwen3-4b"),
        (3.0, 40.0, "qwen3-1.7b"),
        (2.3, 40.0, "qwen2.5-1.5b"),
        (1.0, 40.0, "gemma3-270m"),
        (16.0, 0.1, "gemma3-270m"),
        (0.1, 40.0, "gemma3-270m"),
    ],
)
def test_the_largest_model_that_fits_and_is_fast_enough(free_gb: float, decode_tps: float, best: str) -> None:
    memory = Memory(total=16 * 10**9, available=int(free_gb * 1e9))
    measured = replace(FAST, decode_tps=decode_tps)
    assert speed.recommend(memory, measured, SIZE, EVERY)[0] == best


def test_only_what_can_be_had_is_recommended_and_never_english_alone() -> None:
    memory = Memory(16 * 10**9, 16 * 10**9)
    assert speed.recommend(memory, None, 0, ["gemma3-270m", "smollm2-135m"])[0] == "gemma3-270m"


def test_more_threads_must_be_clearly_faster() -> None:
    assert speed.best([Speed(2, 10.5, 1), Speed(1, 10.0, 1)]).threads == 1
    assert speed.best([Speed(2, 15.0, 1), Speed(1, 10.0, 1)]).threads == 2


def test_a_measurement_is_kept_for_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = replace(FAST, host=machine.host())
    machine.remember(tmp_path, mine)
    assert machine.measured(tmp_path) == mine
    monkeypatch.setattr(machine, "host", lambda: "another/x86_64/8")
    assert machine.measured(tmp_path) is None
    machine.remember(tmp_path, replace(FAST, host="another/x86_64/8", threads=7))
    monkeypatch.undo()
    assert machine.measured(tmp_path) == mine
    (tmp_path / "models" / "machines.json").write_text("[]", encoding="utf-8")
    assert machine.measured(tmp_path) is None


def test_the_speed_test_counts_tokens_over_time() -> None:
    ticks = iter(range(10_000))
    engine = ScriptedEngine(lambda ids: "uno " * 40)
    spec = LoadSpec("scripted", Path("x"), "0" * 64)
    result = speed.measure(engine, spec, threads=2, clock=lambda: float(next(ticks)))
    assert result == Speed(threads=2, decode_tps=1.0, prefill_tps=float(speed.PREFILLED))


def test_a_container_s_limit_is_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max").write_text("1000000000\n", encoding="ascii")
    (tmp_path / "used").write_text("400000000\n", encoding="ascii")
    monkeypatch.setattr(machine, "CGROUP_MEMORY", tmp_path / "max")
    monkeypatch.setattr(machine, "CGROUP_USED", tmp_path / "used")
    assert machine.memory() == Memory(10**9, 6 * 10**8)
    (tmp_path / "max").write_text("max\n", encoding="ascii")
    assert machine.memory().total > 10**9


@pytest.mark.parametrize(
    ("files", "allowed"),
    [
        ({"cpu.max": "250000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"quota": "300000\n", "period": "100000\n"}, 3),
        ({"quota": "-1\n", "period": "100000\n"}, 8),
        ({}, 8),
    ],
)
def test_the_cores_are_those_that_a_container_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], allowed: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    several(monkeypatch, tmp_path)
    assert machine.cores() == (min(4, allowed), allowed)


def test_the_cores_are_those_that_the_process_is_held_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(monkeypatch, tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 5, 6}, raising=False)
    assert machine.cores() == (3, 3)
    assert threads() == 3


def test_a_machine_is_busy_by_all_of_its_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text("200000 100000\n", encoding="ascii")
    several(monkeypatch, tmp_path)
    monkeypatch.setattr("psutil.getloadavg", lambda: (3.0, 0.0, 0.0))
    assert not machine.busy()
    monkeypatch.setattr("psutil.getloadavg", lambda: (7.0, 0.0, 0.0))
    assert machine.busy()


def several(monkeypatch: pytest.MonkeyPatch, cgroup: Path) -> None:
    """Four cores with two threads each, and a container's files in `cgroup`."""
    monkeypatch.setattr("psutil.cpu_count", lambda logical=True: 8 if logical else 4)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)), raising=False)
    files = ((cgroup / "cpu.max",), (cgroup / "quota", cgroup / "period"))
    monkeypatch.setattr(machine, "CGROUP_CPU", files)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder with one imported model in use."""
    home = tmp_path / "home"
    store = Models(home)
    store.import_file(write_model(tmp_path / "mine.gguf"))
    store.select("mine")
    return home


def test_the_report_is_one_json_object(home: Path) -> None:
    report = json.loads(invoke(doctor, home, "--json", "--no-speed"))
    assert report["model"] == "mine"
    assert {finding["name"] for finding in report["findings"]} >= {
        "Cores",
        "Memory",
        "Disk",
        "Model",
        "Terminal",
    }
    assert report["recommended"]["model"] in EVERY
    assert report["good"] is True


def test_the_text_names_each_finding_and_recommends(home: Path) -> None:
    text = invoke(doctor, home, "--no-speed")
    assert "Model: mine" in text
    assert "Recommended model:" in text


def test_no_model_is_bad_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: Models) -> str:
        raise TutorError("No language model is installed. Run: pip install x")

    monkeypatch.setattr(Models, "default", nothing)
    text = invoke(doctor, tmp_path, "--no-speed")
    assert "BAD   Model: No language model is installed. Run: pip install x" in text


def test_an_unwritable_folder_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert doctor_module.disk_finding(tmp_path / "file" / "data").verdict == "bad"


def test_a_measured_speed_is_kept_and_a_failure_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "busy", lambda: False)
    model = Models(home).get("mine")
    engine = ScriptedEngine(lambda ids: "uno " * 40)
    result, finding = speed_finding(home, model, lambda: engine)
    assert result is not None
    assert result == machine.measured(home)
    assert finding.verdict == "good"
    assert engine.calls["close"] == 1
    monkeypatch.setattr(machine, "busy", lambda: True)
    assert "when it is quiet" in speed_finding(home, model, lambda: engine)[1].text
    broken = ScriptedEngine(load_error=ModelRefused("It is cut off."))
    assert speed_finding(home, model, lambda: broken) == (
        None,
        doctor_module.Finding("Speed", "bad", "It is cut off."),
    )


def test_models_are_listed_with_the_one_in_use(home: Path) -> None:
    rows = {row["id"]: row for row in json.loads(invoke(models_group, home, "list", "--json"))["models"]}
    assert rows["mine"]["used"]
    assert rows["mine"]["note"] == "imported"
    assert not rows["qwen3-8b"]["used"]
    assert rows["qwen3-8b"]["state"] == "absent"
    assert "* mine" in invoke(models_group, home, "list")


def test_models_are_imported_used_verified_and_removed(home: Path, tmp_path: Path) -> None:
    source = write_model(tmp_path / "second.gguf", layers=2)
    imported = json.loads(invoke(models_group, home, "import", str(source), "--as", "two", "--json"))
    assert imported["id"] == "two"
    assert "Lessons now use two." in invoke(models_group, home, "use", "two")
    assert json.loads(invoke(models_group, home, "verify", "--json"))["models"] == {
        "mine": "whole",
        "two": "whole",
    }
    freed = json.loads(invoke(models_group, home, "remove", "two", "--json"))["freed_bytes"]
    assert freed == source.stat().st_size


def test_verify_fails_when_one_is_damaged(home: Path) -> None:
    path = Models(home).get("mine").path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    result = CliRunner().invoke(models_group, ["verify"], obj=context(home))
    assert isinstance(result.exception, TutorError)
    assert "Damaged: mine" in str(result.exception)


def test_pull_refuses_what_is_unknown_or_packaged(home: Path) -> None:
    for name, said in (("nothing", "in the catalogue"), ("gemma3-270m", "comes with the Python packages")):
        result = CliRunner(env={"HF_HUB_OFFLINE": "", "TUTOR_OFFLINE": ""}).invoke(
            models_group, ["pull", name], obj=context(home)
        )
        assert isinstance(result.exception, TutorError)
        assert said in str(result.exception)
