"""What holds for the project as a whole: imports, start-up, documents, style."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tutor_app.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )


def test_imports_go_one_way() -> None:
    result = run("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("args", [("check", "."), ("format", "--check", ".")])
def test_ruff_has_nothing_to_say(args: tuple[str, ...]) -> None:
    result = run("-m", "ruff", *args)
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
def test_mypy_has_nothing_to_say() -> None:
    result = run("-m", "mypy")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "module", ["tutor_app.cli.main", "tutor_app.ui.app", "tutor_app.session.service", "tutor_app.plain"]
)
def test_starting_imports_no_engine_and_no_speech(module: str) -> None:
    heavy = ("llama_cpp", "faster_whisper", "torch", "transformers", "sounddevice", "miniaudio")
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    assert run("-c", code).stdout.strip() == "[]"


def test_only_the_screens_know_textual() -> None:
    code = "import sys, tutor_app.plain, tutor_app.jsonl, tutor_app.cli.main; print('textual' in sys.modules)"
    assert run("-c", code).stdout.strip() == "False"


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, sub) for sub in command.commands]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    result = run("-c", "from tutor_app.cli.main import main; main()", *command, "--help")
    assert result.returncode == 0
    assert "Usage: tutor" in result.stdout


def test_every_command_that_the_readme_names_exists() -> None:
    known = {" ".join(command) for command in commands()}
    named = set(
        re.findall(r"`tutor ((?:models|lessons|progress) [a-z]+|demo|doctor|session|report)\b", README)
    )
    assert named
    assert named <= known


def test_the_readme_has_one_line_to_start_and_one_to_test() -> None:
    lines = [line for line in README.splitlines() if line.startswith("    python3 -m venv")]
    assert len(lines) == 2
    assert lines[0].endswith("tutor")
    assert lines[1].endswith("pytest")


def test_adapters_that_ship_are_not_ignored_like_other_weights() -> None:
    def ignored(path: str) -> bool:
        return subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0

    assert not ignored("assets/adapters/qwen2.5-1.5b/linguist.gguf")
    assert not ignored("assets/adapters/qwen2.5-1.5b/linguist.manifest.json")
    assert ignored("linguist.gguf")


def test_nothing_lies_at_the_top_that_does_not_belong_there() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    top = {path.split("/")[0] for path in listed}
    allowed = {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "tutor_app",
        "finetune",
        "quantize",
        "lessons",
        "tests",
        "assets",
    }
    assert {name for name in top if not name.startswith(".")} <= allowed
