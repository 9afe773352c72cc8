"""The voices: which there are, where each comes from, and which one speaks a language here.

Three kinds, best first. Piper voices are brought by the user, with the program `piper`, which is theirs too (it is
GPL and runs as a program of its own). Kokoro's files are fetched when the user asks for them. espeak-ng comes with
the package and speaks everything, like a robot.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tutor_app.speech.errors import SpeechError

Engine = Literal["piper", "kokoro", "espeak"]

KOKORO_MODEL = "model.onnx"
KOKORO_VOICES = "voices.npz"
KOKORO_COMPLETE = "voice.json"
KOKORO: dict[str, tuple[str, ...]] = {
    "es": ("ef_dora", "em_alex", "em_santa"),
    "fr": ("ff_siwis",),
    "zh": ("zf_xiaobei", "zm_yunxi", "zf_xiaoyi", "zm_yunjian", "zf_xiaoni", "zf_xiaoxiao", "zm_yunxia", "zm_yunyang"),
    "en": ("af_heart",),
}  # fmt: skip
"""Kokoro's voices of a language, the default first. It has none for Arabic."""
ESPEAK = {"es": "es-419", "fr": "fr", "zh": "cmn", "ar": "ar", "en": "en-us"}
"""espeak's names; seseo is the larger half of Spanish, and `es-ES` asks for the other."""
INSTALL = 'pip install "linguist-tutor[speech]"'
NO_VOICE = (
    f"There is no voice for {{language}} here, so nothing is read aloud. Run {INSTALL}, or read the text."
)


@dataclass(frozen=True)
class VoiceChoice:
    """What speaks."""

    engine: Engine
    name: str
    """`ef_dora`; the name of a Piper voice; espeak's language."""
    path: Path | None = None
    """Kokoro's folder; a Piper voice's file."""

    @property
    def id(self) -> str:
        """As it is kept in settings."""
        return f"{self.engine}:{self.name}"

    @property
    def natural(self) -> bool:
        """Whether it sounds like a person: only such a voice is an example of how something is said."""
        return self.engine != "espeak"


class Voices:
    """The voices of a data folder. Looking at them loads no library."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "models" / "voices"

    @property
    def kokoro_folder(self) -> Path:
        return self.folder / "kokoro"

    def of(self, language: str) -> list[VoiceChoice]:
        """Every voice that can speak `language` here, best first."""
        primary = language.split("-")[0].lower()
        return [*self._kokoro(primary), *self._piper(primary), *self._espeak(language)]

    def choose(self, language: str, wanted: str = "") -> VoiceChoice:
        """The voice `wanted` (its id), or the best one. Raises SpeechError when there is none."""
        found = self.of(language)
        if not found:
            raise SpeechError(NO_VOICE.format(language=language))
        return next((voice for voice in found if voice.id == wanted), found[0])

    def _kokoro(self, primary: str) -> list[VoiceChoice]:
        folder = self.kokoro_folder
        usable = (folder / KOKORO_COMPLETE).is_file() and importlib.util.find_spec("kokoro_onnx") is not None
        if primary == "zh":
            usable = usable and importlib.util.find_spec("pypinyin") is not None
        return [VoiceChoice("kokoro", name, folder) for name in KOKORO.get(primary, ())] if usable else []

    def _piper(self, primary: str) -> list[VoiceChoice]:
        if piper_program() is None:
            return []
        found = []
        for path in sorted((self.folder / "piper").glob("*.onnx")):
            if piper_language(path) == primary:
                found.append(VoiceChoice("piper", path.stem, path))
        return found

    def _espeak(self, language: str) -> list[VoiceChoice]:
        name = "es" if language.lower() == "es-es" else ESPEAK.get(language.split("-")[0].lower())
        here = (
            importlib.util.find_spec("espeakng_loader") is not None or shutil.which("espeak-ng") is not None
        )
        return [VoiceChoice("espeak", name)] if here and name is not None else []


def piper_program() -> str | None:
    """The user's own `piper`: $TUTOR_PIPER, or one on the path; None when there is none."""
    return shutil.which(os.environ.get("TUTOR_PIPER") or "piper")


def piper_language(voice: Path) -> str | None:
    """The primary language in the description beside a Piper voice; None when there is no such description."""
    try:
        described = json.loads(voice.with_name(voice.name + ".json").read_text(encoding="utf-8"))
        return str(described["espeak"]["voice"]).split("-")[0].replace("cmn", "zh")
    except (OSError, ValueError, KeyError, TypeError):
        return None
