"""Recordings, and processes that end with the test run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor_app.speech.hear import Recogniser
from tutor_app.speech.listening import Ear

AUDIO = Path(__file__).parent / "audio"


@pytest.fixture(scope="session")
def speech_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the speech model is put together once."""
    return tmp_path_factory.mktemp("speech-home")


@pytest.fixture(scope="module")
def recogniser(speech_home: Path) -> Iterator[Recogniser]:
    made = Recogniser(speech_home)
    yield made
    made.close()


@pytest.fixture
def ear(speech_home: Path) -> Iterator[Ear]:
    made = Ear(speech_home)
    yield made
    made.close()
