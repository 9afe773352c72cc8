"""Fetching from a hub: a loopback one that redirects to a store, as the real one does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.llm.gguf_files import write_model
from tests.llm.server import serving
from tutor_app.errors import TutorError
from tutor_app.llm import hub, machine
from tutor_app.llm.catalogue import Entry, HubSource
from tutor_app.llm.models import Models
from tutor_app.llm.protocol import ModelRefused

ENTRY = Entry(
    "small",
    "Small",
    "chatml",
    "MIT",
    ("es",),
    "",
    10**6,
    10**6,
    HubSource("someone/small", "small file.gguf"),
)


@dataclass
class Hub:
    """What it serves, how it misbehaves, and what it was asked."""

    data: bytes
    sha256: str
    breaks_after: int | None = None
    ranges: bool = True
    linked: bool = True
    status: int = 302
    url: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    store_authorised: bool = False

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.command, request.path, request.headers.get("Range")))
        if request.path == "/someone/small/resolve/main/small%20file.gguf":
            request.send_response(self.status)
            if self.linked:
                request.send_header("X-Linked-Size", str(len(self.data)))
                request.send_header("X-Linked-Etag", f'"{self.sha256}"')
            request.send_header("Location", f"{self.url}/store")
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif request.path == "/store":
            self._store(request)
        else:
            request.send_error(404)

    def _store(self, request: BaseHTTPRequestHandler) -> None:
        self.store_authorised |= "Authorization" in request.headers
        start = 0
        asked = request.headers.get("Range")
        if asked and self.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        body = self.data[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.breaks_after is not None:
            body, self.breaks_after = body[: self.breaks_after], None
        request.wfile.write(body)
        request.close_connection = True


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("HF_HUB_OFFLINE", "TUTOR_OFFLINE", "HF_TOKEN", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    data = write_model(tmp_path / "served.gguf").read_bytes()
    served = Hub(data, hashlib.sha256(data).hexdigest())
    with serving(served.answer) as url:
        served.url = url
        monkeypatch.setenv("HF_ENDPOINT", url)
        yield served


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path / "home")


def test_a_model_is_fetched_checked_and_described(remote: Hub, models: Models) -> None:
    seen: list[float] = []
    model = hub.pull(models, ENTRY, on_progress=seen.append)
    assert model.path.read_bytes() == remote.data
    assert (model.id, model.family, model.origin, model.sha256) == ("small", "chatml", "hub", remote.sha256)
    assert seen[-1] == 1.0
    assert sorted(path.name for path in models.folder.iterdir()) == ["small.gguf", "small.manifest.json"]


def test_a_broken_download_goes_on_where_it_stopped(remote: Hub, models: Models) -> None:
    remote.breaks_after = 500
    with pytest.raises(TutorError, match="goes on where it stopped"):
        hub.pull(models, ENTRY)
    assert (models.folder / "small.gguf.part").stat().st_size == 500
    assert models.installed() == []
    assert hub.pull(models, ENTRY).path.read_bytes() == remote.data
    assert remote.asked[-1] == ("GET", "/store", "bytes=500-")


def test_a_server_that_cannot_resume_is_read_from_the_beginning(remote: Hub, models: Models) -> None:
    remote.breaks_after, remote.ranges = 500, False
    with pytest.raises(TutorError):
        hub.pull(models, ENTRY)
    assert hub.pull(models, ENTRY).path.read_bytes() == remote.data


def test_the_beginning_of_another_file_is_not_continued(remote: Hub, models: Models, tmp_path: Path) -> None:
    remote.breaks_after = 500
    with pytest.raises(TutorError):
        hub.pull(models, ENTRY)
    remote.data = write_model(tmp_path / "newer.gguf", layers=2).read_bytes()
    remote.sha256 = hashlib.sha256(remote.data).hexdigest()
    assert hub.pull(models, ENTRY).path.read_bytes() == remote.data


def test_a_file_that_arrives_damaged_is_thrown_away(remote: Hub, models: Models) -> None:
    remote.sha256 = "0" * 64
    with pytest.raises(TutorError, match="arrived damaged"):
        hub.pull(models, ENTRY)
    assert list(models.folder.iterdir()) == []


def test_a_file_that_is_no_model_is_thrown_away(remote: Hub, models: Models) -> None:
    remote.data = b"<html>"
    remote.sha256 = hashlib.sha256(remote.data).hexdigest()
    with pytest.raises(ModelRefused):
        hub.pull(models, ENTRY)
    assert list(models.folder.iterdir()) == []


def test_without_a_checksum_nothing_is_fetched(remote: Hub, models: Models) -> None:
    remote.linked = False
    with pytest.raises(TutorError, match="no checksum"):
        hub.pull(models, ENTRY)
    assert not any(path == "/store" for _, path, _ in remote.asked)


def test_space_is_checked_first(remote: Hub, models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "free_bytes", lambda folder: 1000)
    with pytest.raises(TutorError, match="GB free and the model needs"):
        hub.pull(models, ENTRY)
    assert not any(path == "/store" for _, path, _ in remote.asked)


def test_memory_is_checked_before_anything_is_asked_for(
    remote: Hub, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(total=1000, available=1000))
    with pytest.raises(ModelRefused, match="Small needs about"):
        hub.pull(models, ENTRY)
    assert remote.asked == []


def test_a_model_that_is_here_is_not_fetched_again(remote: Hub, models: Models) -> None:
    model = hub.pull(models, ENTRY)
    remote.asked.clear()
    assert hub.pull(models, ENTRY) == model
    assert remote.asked == []
    model.path.write_bytes(b"cut off")
    assert hub.pull(models, ENTRY) == model, "what is not whole is fetched again"


def test_a_file_that_cannot_be_put_in_its_place_is_a_sentence_and_not_fetched_again(
    remote: Hub, models: Models
) -> None:
    target = models.folder / "small.gguf"
    target.mkdir(parents=True)
    with pytest.raises(TutorError, match="could not be fetched"):
        hub.pull(models, ENTRY)
    target.rmdir()
    remote.asked.clear()
    assert hub.pull(models, ENTRY).path == target
    assert [method for method, _, _ in remote.asked] == ["HEAD"]


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TUTOR_OFFLINE"])
def test_the_network_is_left_alone_when_it_is_switched_off(
    remote: Hub, models: Models, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(TutorError, match="--offline"):
        hub.pull(models, ENTRY, offline=True)
    monkeypatch.setenv(name, "1")
    with pytest.raises(TutorError, match=name):
        hub.pull(models, ENTRY)
    assert remote.asked == []


@pytest.mark.parametrize(("status", "said"), [(404, "The hub has no"), (403, "terms"), (500, "answered 500")])
def test_refusals_of_the_hub_are_sentences(remote: Hub, models: Models, status: int, said: str) -> None:
    remote.status = status
    with pytest.raises(TutorError, match=said):
        hub.pull(models, ENTRY)


def test_no_network_is_a_sentence(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)  # training sets it for its process
    with serving(lambda request: None) as url:
        pass  # closed again: nothing listens there now
    with pytest.raises(TutorError, match="could not be fetched"):
        hub.pull(models, ENTRY, endpoint=url)


def test_the_token_is_not_passed_on_to_the_store(
    remote: Hub, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.pull(models, ENTRY)
    assert not remote.store_authorised
