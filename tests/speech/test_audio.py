"""Audio files: every format gives the same sound, and what is none gets a sentence."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.speech.conftest import AUDIO
from tutor_app.speech import pcm
from tutor_app.speech.audio import MAX_S, decode, from_pcm, loudness_db, read_audio, to_pcm
from tutor_app.speech.errors import BadAudio


def tone(rate_hz: int, duration_s: float) -> bytes:
    t = np.arange(int(rate_hz * duration_s)) / rate_hz
    return (np.sin(2 * np.pi * 440 * t) * 16000).astype("<i2").tobytes()


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
def test_any_sampling_rate_becomes_16_khz_at_the_same_pitch_and_loudness(rate_hz: int) -> None:
    sound = decode(pcm.wav(tone(rate_hz, 1.0), rate_hz))
    assert len(sound) == pytest.approx(pcm.RATE_HZ, abs=64)
    peak = int(np.argmax(np.abs(np.fft.rfft(sound)))) * pcm.RATE_HZ / len(sound)
    assert peak == pytest.approx(440, abs=2)
    assert loudness_db(sound) == pytest.approx(20 * np.log10(16000 / 32768 / np.sqrt(2)), abs=0.5)


@pytest.mark.parametrize(
    ("name", "duration_s"),
    [("es-market.flac", 3.4), ("es-coffee.mp3", 2.3), ("es-coffee.ogg", 2.3)],
)
def test_flac_mp3_and_ogg_are_read(name: str, duration_s: float) -> None:
    sound = read_audio(AUDIO / name)
    assert len(sound) / pcm.RATE_HZ == pytest.approx(duration_s, abs=0.05)
    assert sound.dtype == np.float32
    assert -30 < loudness_db(sound) < -10


def test_stereo_becomes_one_channel(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.repeat(np.frombuffer(tone(16000, 0.5), "<i2"), 2).tobytes())
    assert len(read_audio(path)) == 8000


WAV = pcm.wav(tone(16000, 1.0))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"just words, not sound" * 40, "is not an audio file"),
        (bytes(5000), "is not an audio file"),
        (b"%PDF-1.7" + bytes(100), "is not an audio file"),
        (WAV[:44], "has no sound in it"),
        (WAV[:20], "is broken"),
        (b"fLaC" + bytes(500), "is broken"),
        (b"OggS" + bytes(500), "is broken"),
        (b"OggS" + bytes(24) + b"OpusHead" + bytes(500), "Opus"),
        (bytes(4) + b"ftypM4A " + bytes(500), "M4A"),
        (b"\x1aE\xdf\xa3" + bytes(500), "WebM"),
        (pcm.wav(tone(16000, 0.01)), "too short"),
        (pcm.wav(bytes(2 * 8000 * 3600), 8000), "too long"),
    ],
)
def test_what_cannot_be_listened_to_is_named(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "answer.wav"
    path.write_bytes(data)
    with pytest.raises(BadAudio, match=reason) as caught:
        read_audio(path)
    assert "answer.wav" in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_empty_missing_and_foreign_paths_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    with pytest.raises(BadAudio, match=r"empty.wav is empty"):
        read_audio(empty)
    with pytest.raises(BadAudio, match="does not exist"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(BadAudio, match="is not a file"):
        read_audio(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(BadAudio, match="is not a file"):
        read_audio(tmp_path / "pipe.wav")


def test_a_file_that_was_cut_off_gives_what_is_there() -> None:
    assert len(decode(WAV[: len(WAV) // 2])) == pytest.approx(8000, abs=50)


def test_floats_that_are_no_numbers_become_silence() -> None:
    samples = np.array([np.nan, np.inf, -np.inf, 3.0, 0.25] * 2000, dtype="<f4").tobytes()
    head = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    layout = (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + (16000).to_bytes(4, "little")
    layout += (64000).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    sound = decode(head + layout + b"data" + len(samples).to_bytes(4, "little") + samples)
    assert np.isfinite(sound).all()
    assert sound.min() >= -1
    assert sound.max() == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=20), st.integers(20, 4000))
def test_a_damaged_file_gives_sound_or_a_sentence(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(WAV[:length])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    try:
        sound = decode(bytes(data))
    except BadAudio:
        return
    assert np.isfinite(sound).all()
    assert len(sound) <= (MAX_S + 1) * pcm.RATE_HZ


def test_sound_survives_the_way_between_processes() -> None:
    sound = read_audio(AUDIO / "es-market.flac")
    back = from_pcm(pcm.from_text(pcm.to_text(to_pcm(sound))))
    assert np.abs(back - sound).max() < 1e-4
    with pytest.raises(ValueError, match="base64"):
        pcm.from_text("not base64!")
    with pytest.raises(ValueError, match="half a sample"):
        pcm.from_text(pcm.to_text(b"\x00\x00\x00"))
