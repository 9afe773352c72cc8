"""What llama.cpp may do with the weights of a model on a processor with AMX."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tutor_app.cli.doctor import matrix_findings
from tutor_app.llm import amx
from tutor_app.llm.client import ChildEngine
from tutor_app.llm.protocol import LoadSpec

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whether a processor has AMX")
ORDERS = """
import json
from tutor_app.llm import amx
def orders():
    return [name.decode() for name in amx._Ggml().repacking()[1]]
before = orders()
said = [amx.{what}() for _ in range(2)]
print(json.dumps([before, orders(), said]))
"""
"""In a process of its own: the list is the library's, for as long as it is loaded."""
DIES = (sys.executable, "-c", "import ctypes; ctypes.string_at(0)")
WRONG = (sys.executable, "-c", "raise SystemExit(1)")
HANGS = (sys.executable, "-c", "import time; time.sleep(60)")
RIGHT = (sys.executable, "-c", "")


def orders(what: str) -> tuple[list[str], list[str], list[bool]]:
    code = ORDERS.replace("{what}", what)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after, said = json.loads(done.stdout)
    return before, after, said


@pytest.mark.parametrize(
    ("flags", "found"), [("fma avx512_bf16 amx_tile amx_int8", True), ("fma avx2", False)]
)
def test_a_processor_with_a_matrix_unit_is_known(tmp_path: Path, flags: str, found: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n", encoding="ascii")
    assert amx.has_amx(tmp_path / "cpuinfo") is found
    assert not amx.has_amx(tmp_path / "none of it")


@on_linux
@pytest.mark.model
def test_amx_is_taken_off_the_list_and_nothing_else() -> None:
    before, after, said = orders("_leave_out_amx")
    assert said == [True, True]
    assert after == [name for name in before if name != "AMX"]
    assert "CPU_REPACK" in after


@on_linux
@pytest.mark.model
def test_amx_stays_only_where_it_works() -> None:
    before, after, said = orders("weights_may_be_repacked")
    assert said == [True, True]
    usable = amx.has_amx() and amx.amx_works()
    assert after == (before if usable or not amx.has_amx() else [name for name in before if name != "AMX"])


@pytest.mark.parametrize(("trial", "works"), [(DIES, False), (WRONG, False), (HANGS, False), (RIGHT, True)])
def test_a_trial_that_dies_or_is_wrong_or_hangs_means_no(
    monkeypatch: pytest.MonkeyPatch, trial: tuple[str, ...], works: bool
) -> None:
    monkeypatch.setattr(amx, "TRIAL", trial)
    monkeypatch.setattr(amx, "TRIAL_S", 3.0)
    assert amx.amx_works() is works


@on_linux
@pytest.mark.model
def test_where_the_processor_has_none_the_trial_says_no() -> None:
    assert amx.has_amx() or not amx.amx_works()


@pytest.mark.model
def test_a_model_says_more_than_one_token_at_once_whatever_was_built(gemma: LoadSpec) -> None:
    # A llama.cpp that is wrong about AMX dies of the first two tokens that are evaluated together.
    engine = ChildEngine()
    try:
        engine.load(gemma)
        assert len(engine.score([2, 3, 4, 5], [6, 7, 8])) == 3
    finally:
        engine.close()


def test_the_doctor_says_how_to_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert matrix_findings(tmp_path / "none") == []
    has = tmp_path / "cpuinfo"
    has.write_text("flags : amx_tile\n", encoding="ascii")
    monkeypatch.setattr(amx, "TRIAL", RIGHT)
    assert [finding.verdict for finding in matrix_findings(has)] == ["good"]
    monkeypatch.setattr(amx, "TRIAL", WRONG)
    (finding,) = matrix_findings(has)
    assert finding.verdict == "warning"
    assert "pip install" in finding.text
    assert amx.BUILD_FLAGS in finding.text
