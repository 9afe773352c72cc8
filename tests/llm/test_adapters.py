"""Which adapters a lesson gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tutor_app.errors import TutorError
from tutor_app.llm.adapters import Found, find, fitting_stack, to_load
from tutor_app.llm.manifest import Manifest, Weights, manifest_path, write_manifest
from tutor_app.pedagogy.templates import template_sha256

BASE = "a" * 64


def put(folder: Path, name: str, *, base: str = BASE, below: list[str] | None = None, **fields: Any) -> Path:
    path = folder / "qwen" / f"{name}.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(name.encode())
    stages = [Weights(id=stage, sha256=stage * 64) for stage in (*(below or []), name[0])]
    extra: dict[str, Any] = (
        {"below": [{"id": stage, "sha256": stage * 64} for stage in below]} if below else {}
    )
    manifest = Manifest.model_validate(
        {"name": name, "base": {"id": "qwen", "sha256": base}, "stages": stages} | fields | extra
    )
    write_manifest(manifest_path(path), manifest)
    return path


def names(found: list[Found], language: str | None, track: str | None = None) -> list[str]:
    return [adapter.id for adapter in to_load(fitting_stack(found, language, track))]


def search(*folders: Path) -> list[Found]:
    return find(folders, "qwen", BASE, "chatml")


def test_only_adapters_for_exactly_these_weights_are_found(tmp_path: Path) -> None:
    put(tmp_path, "linguist")
    put(tmp_path, "other", base="b" * 64)
    put(tmp_path, "foreign", template_sha256="c" * 64)
    put(tmp_path, "ours", template_sha256=template_sha256("chatml"))
    (tmp_path / "qwen" / "unfinished.gguf").write_bytes(b"")
    assert [item.manifest.name for item in search(tmp_path)] == ["linguist", "ours"]


def test_the_user_s_own_come_before_those_that_ship(tmp_path: Path) -> None:
    put(tmp_path / "shipped", "linguist")
    own = put(tmp_path / "own", "linguist")
    assert [item.path for item in search(tmp_path / "own", tmp_path / "shipped")] == [own]


def test_the_most_particular_one_that_fits_is_chosen(tmp_path: Path) -> None:
    put(tmp_path, "general")
    put(tmp_path, "spanish", languages=["es"])
    put(tmp_path, "heritage", languages=["es"], track="heritage")
    found = search(tmp_path)
    assert names(found, "es-MX", "heritage") == ["heritage"]
    assert names(found, "es", "l2") == ["spanish"]
    assert names(found, "fr", "l2") == ["general"]
    assert names(search(tmp_path / "none"), "es") == []


def test_an_adapter_brings_what_it_stands_on(tmp_path: Path) -> None:
    put(tmp_path, "linguist")
    put(tmp_path, "variant", below=["l"], track="heritage")
    assert names(search(tmp_path), "es", "heritage") == ["linguist", "variant"]


def test_an_adapter_without_what_it_stands_on_is_not_used(tmp_path: Path) -> None:
    put(tmp_path, "variant", below=["l"])
    assert names(search(tmp_path), "es") == []


def test_an_adapter_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "linguist")

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tutor_app.llm.adapters.sha256_file", refuse)
    with pytest.raises(TutorError, match=r"linguist\.gguf cannot be read: Permission denied"):
        names(search(tmp_path), "es")


def test_a_damaged_manifest_is_reported(tmp_path: Path) -> None:
    manifest_path(put(tmp_path, "linguist")).write_text("{", encoding="utf-8")
    with pytest.raises(TutorError, match="not a manifest"):
        search(tmp_path)
