"""The command: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quantize.cli import cli, main
from tests.quantize.conftest import Models


def run(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_the_contracts_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"build", "adapter", "verify", "inspect", "imatrix"} <= set(cli.commands)
    for name in cli.commands:
        code, out, _ = run(name, "--help", capsys=capsys)
        assert code == 0
        assert "Usage: tutor-quantize" in out


def test_build_verify_and_inspect_work_together(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = models["qwen3"]
    output = tmp_path / "tutor-es.gguf"
    code, out, err = run(
        "build", tiny.folder, *tiny.adapters, "-o", output, "--keep-f16", "--json", capsys=capsys
    )
    assert code == 0, err
    built = json.loads(out)
    assert built["type"] == "Q4_K_M"
    assert built["lineage"]["stages"][1]["id"] == "heritage"
    text = tmp_path / "es.txt"
    text.write_text("Hoy comí arroz con frijoles en casa de mi abuela. " * 8, encoding="utf-8")
    limits = tmp_path / "limits.yaml"
    limits.write_text(
        "{mean_kl_max: 1, top1_agreement_min: 0.2, perplexity_ratio_max: 2, stop_rate_min: null}",
        encoding="utf-8",
    )
    source = ["--source", tmp_path / "tutor-es.F16.gguf", "--text", f"es={text}"]
    code, out, err = run("verify", output, *source, "--limits", limits, "--json", capsys=capsys)
    assert code == 0, err
    assert json.loads(out)["passed"] is True
    manifest = json.loads((tmp_path / "tutor-es.manifest.json").read_text(encoding="utf-8"))
    assert manifest["evaluation"]["quantisation"]["languages"]["es"]["positions"] > 50
    assert [stage["id"] for stage in manifest["stages"]] == ["linguist", "heritage"]
    assert manifest["quantisation"] == "Q4_K_M"
    limits.write_text("{mean_kl_max: 0.0, stop_rate_min: null}", encoding="utf-8")
    code, out, err = run("verify", output, *source, "--limits", limits, capsys=capsys)
    assert code == 1
    assert "divergence" in err
    assert "Traceback" not in err
    code, out, _ = run("inspect", output, "--json", capsys=capsys)
    shown = json.loads(out)
    assert code == 0
    assert list(shown)[3] == "lineage"
    assert shown["lineage"]["stages"][0].startswith("linguist (")
    code, out, _ = run("inspect", tiny.adapters[1], capsys=capsys)
    assert code == 0
    assert "heritage" in out
    assert "rank_stabilised" in out


def test_an_importance_matrix_is_made_per_language(
    plain: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "es.txt"
    text.write_text("Hoy comí arroz con frijoles en casa de mi abuela. " * 60, encoding="utf-8")
    output = tmp_path / "matrix.gguf"
    code, out, err = run(
        "imatrix", plain["qwen3"], "--text", f"es={text}", "-o", output, "--json", capsys=capsys
    )
    assert code == 0, err
    assert json.loads(out)["tokens"]["es"] >= 512
    assert run("imatrix", plain["qwen3"], "--text", f"es={text}", "-o", output, capsys=capsys)[0] == 1
    assert run("imatrix", plain["qwen3"], "-o", output, capsys=capsys)[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "gone", "-o", "out.gguf"],
        ["adapter", "gone", "gone", "-o", "out.gguf"],
        ["inspect", "gone"],
        ["verify", "gone", "--source", "gone", "--text", "es=gone"],
        ["imatrix", "gone", "--text", "es=gone", "-o", "out.gguf"],
    ],
)
def test_what_is_missing_is_said_in_one_line_with_exit_code_1(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments, capsys=capsys)
    assert code == 1
    assert out == ""
    assert "gone" in err.splitlines()[-1]
    assert len([line for line in err.splitlines() if line.startswith("tutor-quantize:")]) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["build"], ["build", "x", "-o", "y", "--threads", "0"], ["verify", "x", "--source", "y"], ["nothing"]],
)
def test_wrong_usage_ends_with_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments, capsys=capsys)[0] == 2


def test_starting_and_building_import_neither_torch_nor_anything_else_of_ours(
    models: Models, tmp_path: Path
) -> None:
    tiny = models["qwen3"]
    code = (
        "import sys\nfrom quantize.cli import cli\n"
        "assert not {'numpy', 'llama_cpp', 'gguf', 'jinja2'} & set(sys.modules), 'imported at start'\n"
        "for arguments in (sys.argv[1:6], ['inspect', sys.argv[5]]):\n"
        "    cli.main(arguments, standalone_mode=False)\n"
        "found = {name.split('.')[0] for name in sys.modules}\n"
        "bad = found & {'torch', 'transformers', 'peft', 'tutor_app', 'lessons', 'finetune'}\n"
        "assert not bad, bad\n"
    )
    arguments = ["build", str(tiny.folder), "--type=Q4_K_M", "-o", str(tmp_path / "out.gguf")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)


def test_nothing_but_the_result_is_printed_where_there_is_no_terminal(
    models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, err = run("build", models["qwen3"].folder, "-o", tmp_path / "out.gguf", capsys=capsys)
    assert "\r" not in out + err
    assert "\033" not in out + err
    assert err.splitlines() == ["building out.gguf (Q4_K_M) from qwen3"]
