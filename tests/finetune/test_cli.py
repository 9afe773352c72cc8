"""What the command says when it cannot: one plain sentence, and never a traceback."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from finetune.cli import cli, main
from finetune.errors import FinetuneError
from lessons.problems import Problem, ReadError
from tutor_app.errors import TutorError

ERRORS = [
    (FinetuneError("There is no such config."), "There is no such config."),
    (TutorError("The model cannot be loaded."), "The model cannot be loaded."),
    (ReadError([Problem(Path("a.yaml"), 3, "no such key")]), "a.yaml:3: no such key"),
    (
        OSError(errno.ENOSPC, "No space left on device", "out/a.part"),
        "The disk is full at out/a.part: make room",
    ),
    (PermissionError(errno.EACCES, "Permission denied", "out"), "out: Permission denied."),
    (OSError("cannot reach it\nat all"), "cannot reach it"),
    (MemoryError(), "There is not enough memory"),
]


@pytest.mark.parametrize(("error", "said"), ERRORS, ids=lambda one: type(one).__name__)
def test_what_goes_wrong_is_one_sentence(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.commands["data"], "callback", fail)
    with pytest.raises(SystemExit) as stopped:
        main(["data", "config.yaml", "--out", "out"])
    assert stopped.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.count("\n") == 1


@pytest.mark.parametrize("text", ["[a, b", "{a: {", '"open'])
def test_a_setting_that_is_no_yaml_is_shown(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("total_tokens: 3\n", encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["data", str(path), "--out", str(tmp_path / "out"), "--set", f"tokenizer={text}"])
    assert stopped.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith(f"--set tokenizer={text}: ")
    assert told.count("\n") == 1


def test_a_config_that_is_no_yaml_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("seed: 1\nsources: [a, b\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["data", str(path), "--out", str(tmp_path / "out")])
    told = capsys.readouterr().err
    assert told.startswith(f"{path} cannot be read: line ")
    assert told.count("\n") == 1
