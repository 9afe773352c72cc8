"""Real recognition of synthetic voices, from files and while they speak."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import yaml

from tests.lessons.sample import info
from tests.speech import noises
from tests.speech.conftest import AUDIO
from tutor_app.errors import TutorError
from tutor_app.speech import pcm
from tutor_app.speech.audio import Samples, read_audio, to_pcm
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.hear import NOTHING_HEARD, Recogniser, languages
from tutor_app.speech.listening import PAUSE_S, Ear, Progress
from tutor_app.speech.recognisers import Recognisers
from tutor_app.speech.transcribing import LiveTranscriber, Transcript
from tutor_app.speech.whisper import Whisper
from tutor_app.speech.words import Words

pytestmark = pytest.mark.model
SAID = {"es": "Ayer fui al mercado con mi abuela y compramos tomates.", "zh": "我很喜欢吃妈妈做的饭"}


def words(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ")


@pytest.mark.parametrize(
    ("name", "language", "said"),
    [
        ("es-market.flac", "es", SAID["es"]),
        ("fr-coffee.flac", "fr", "Je voudrais un café au lait, s'il vous plaît."),
        ("zh-food.flac", "zh-Hans", SAID["zh"]),
        ("es-coffee.mp3", "es", "Quiero un café con leche, por favor."),
        ("es-coffee.ogg", "es", "Quiero un café con leche, por favor."),
    ],
)
def test_a_file_is_heard(recogniser: Recogniser, name: str, language: str, said: str) -> None:
    heard = recogniser.hear(AUDIO / name, languages(language, "l2"))
    assert words(heard.text) == words(said)
    assert heard.language == language.split("-")[0]
    assert 0.5 < heard.confidence <= 1
    assert heard.seconds == pytest.approx(len(read_audio(AUDIO / name)) / pcm.RATE_HZ, abs=0.01)


def test_a_decoder_that_runs_in_circles_is_asked_again_with_the_whole_window(recogniser: Recogniser) -> None:
    said = AUDIO / "said" / "zh-1-zf_xiaobei-1.0.mp3"
    text = recogniser.hear(said, ("zh-Hans",)).text
    assert text.count("昨天") == 1, text


def test_chinese_is_written_in_the_script_of_the_set(recogniser: Recogniser) -> None:
    assert recogniser.hear(AUDIO / "zh-food.flac", languages("zh-Hant", "l2")).text == "我很喜歡喫媽媽做的飯"


@pytest.mark.parametrize("kind", sorted(noises.ALL))
@pytest.mark.parametrize("language", ["es", "zh"])
def test_nothing_is_invented_where_nobody_speaks(
    recogniser: Recogniser, tmp_path: Path, kind: str, language: str
) -> None:
    (tmp_path / "noise.wav").write_bytes(pcm.wav(to_pcm(noises.ALL[kind](6.0, 1))))
    with pytest.raises(SpeechError) as caught:
        recogniser.hear(tmp_path / "noise.wav", (language,))
    assert str(caught.value) == NOTHING_HEARD


def test_the_language_is_pinned_to_the_set(recogniser: Recogniser) -> None:
    assert recogniser.hear(AUDIO / "es-market.flac", languages("fr", "l2")).language == "fr"


def test_heritage_learners_are_heard_in_both_their_languages(recogniser: Recogniser) -> None:
    assert languages("es", "heritage") == ("es", "en")
    assert languages("es", "l2") == ("es",)
    heard = recogniser.hear(AUDIO / "es-market.flac", languages("es", "heritage"))
    assert (heard.language, words(heard.text)) == ("es", words(SAID["es"]))


def test_a_broken_file_gets_its_sentence_and_the_next_is_heard(
    recogniser: Recogniser, tmp_path: Path
) -> None:
    (tmp_path / "broken.flac").write_bytes(b"fLaC" + bytes(100))
    with pytest.raises(SpeechError, match="is broken"):
        recogniser.hear(tmp_path / "broken.flac", ("es",))
    assert "mercado" in recogniser.hear(AUDIO / "es-market.flac", ("es",)).text


def test_a_recogniser_that_dies_is_started_again(recogniser: Recogniser) -> None:
    import psutil

    recogniser.load()
    assert recogniser.child.pid is not None
    dying = psutil.Process(recogniser.child.pid)
    dying.kill()
    psutil.wait_procs([dying], 30)
    assert "mercado" in recogniser.hear(AUDIO / "es-market.flac", ("es",)).text


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "not-a-model"
    source.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (source / name).write_text("{}", encoding="utf-8")
    bad = Recogniser(tmp_path)
    bad._recognisers.add(source)
    bad._recognisers.select("not-a-model")
    try:
        with pytest.raises(TutorError, match="cannot be loaded"):
            bad.load()
    finally:
        bad.close()


# -- while somebody speaks -----------------------------------------------------------------------------------


def test_a_recording_stops_in_silence_with_its_words(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_MICROPHONE", f"file:{AUDIO / 'es-market.flac'}?speed=2")
    seen: list[Progress] = []
    recording = ear.listen("", "es", "l2").run(seen.append)
    assert recording is not None
    assert words(recording.heard.text) == words(SAID["es"])
    assert pcm.seconds(recording.pcm) >= 3.2 + PAUSE_S
    assert pcm.seconds(recording.pcm) < 30
    assert seen[0].phase == "opening"
    listening = [progress for progress in seen if progress.phase == "listening"]
    assert max(progress.level for progress in listening) > 0.4
    assert any(progress.heard for progress in listening)


def test_words_are_there_before_the_recording_ends_and_are_decoded_once(speech_home: Path) -> None:
    sound = np.concatenate([read_audio(AUDIO / "es-market.flac"), noises.silence(1.0, 0)])
    whisper = CountingWhisper(Whisper(Recognisers(speech_home).ensure().folder, 1))
    decoded = threading.Event()
    live = LiveTranscriber(lambda: cast("Whisper", whisper), ["es"], 5, lambda text: decoded.set())
    found: list[Transcript | None] = []
    thread = threading.Thread(target=lambda: found.append(live.work()))
    thread.start()
    live.feed(sound)
    assert decoded.wait(120), "nothing was decoded in the pause"
    assert found == []
    live.finish()
    thread.join(120)
    assert found[0] is not None
    assert words(found[0].text) == words(SAID["es"])
    assert whisper.times == 1


class CountingWhisper:
    """Whisper, and how often it was asked."""

    def __init__(self, whisper: Whisper) -> None:
        self._whisper, self.times = whisper, 0

    def hear(self, sound: Samples, languages: Sequence[str], beam: int) -> Words:
        self.times += 1
        return self._whisper.hear(sound, languages, beam)


def test_stop_ends_a_recording_at_once(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_MICROPHONE", f"file:{AUDIO / 'es-market.flac'}?speed=4")
    listening = ear.listen("", "es", "l2")

    def progress(now: Progress) -> None:
        if now.elapsed_s >= 3.3:
            listening.stop()

    recording = listening.run(progress)
    assert recording is not None
    assert "mercado" in recording.heard.text


def test_a_discarded_recording_gives_nothing_and_the_next_one_works(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_MICROPHONE", f"file:{AUDIO / 'es-market.flac'}?speed=4")
    first = ear.listen("", "es", "l2")
    assert first.run(lambda now: first.discard() if now.elapsed_s > 1 else None) is None
    second = ear.listen("", "es", "l2").run(lambda now: None)
    assert second is not None
    assert "mercado" in second.heard.text


@pytest.mark.parametrize(
    ("after", "sentence"), [("busy", "another program"), ("unplugged", "stopped sending")]
)
def test_trouble_with_the_microphone_is_told(
    ear: Ear, monkeypatch: pytest.MonkeyPatch, after: str, sentence: str
) -> None:
    monkeypatch.setenv("TUTOR_MICROPHONE", f"file:{AUDIO / 'es-market.flac'}?speed=8&after={after}")
    with pytest.raises(SpeechError, match=sentence):
        ear.listen("", "es", "l2").run(lambda now: None)


# -- in a session --------------------------------------------------------------------------------------------


def write_lesson(folder: Path) -> Path:
    """Two items to be answered by voice."""
    (folder / "lessons").mkdir(parents=True)
    hints = ["Piensa.", "¿Qué bebes?", "¿Té o café?", "Mira la respuesta."]
    lesson = {
        "id": "uno", "title": "Por la mañana", "level": "A1", "minutes": 5, "objectives": ["I can ask."],
        "vocabulary": [{"word": "café", "gloss": "coffee", "example": "Un café."}],
        "forms": [{"id": "wants", "name": "quiero", "explain": "Quiero asks for something.", "surface": ["quiero"],
                   "examples": ["Quiero pan.", "Quiero agua."]}],
        "steps": [
            {"id": "pedir", "kind": "translate", "prompt": "Dilo en español.", "items": [
                {"id": "cafe", "prompt": "I want a coffee with milk, please.",
                 "accept": ["Quiero un café con leche, por favor."], "hints": list(hints), "forms": ["wants"]}]},
            {"id": "oir", "kind": "dictation", "prompt": "Escucha y di.", "items": [
                {"id": "mercado", "prompt": "Una frase.", "say": SAID["es"], "accept": [SAID["es"]], "hints": list(hints), "forms": ["wants"]}]},
        ],
    }  # fmt: skip
    (folder / "set.yaml").write_text(yaml.safe_dump(info(id="voz"), allow_unicode=True), encoding="utf-8")
    (folder / "lessons" / "uno.yaml").write_text(yaml.safe_dump(lesson, allow_unicode=True), encoding="utf-8")
    return folder


def test_a_lesson_is_done_by_voice_from_files(tmp_path: Path, speech_home: Path) -> None:
    turns = [
        {"audio": str(AUDIO / "es-coffee.ogg")},
        {"audio": str(tmp_path / "none.wav")},
        {"audio": str(AUDIO / "README.md")},
        {"audio": str(AUDIO / "es-market.flac")},
    ]
    command = [
        sys.executable, "-c", "from tutor_app.cli.main import main; main()", "--data-dir", str(speech_home),
        "session", "--jsonl", "--set", str(write_lesson(tmp_path / "voz")), "--lesson", "uno", "--no-llm",
    ]  # fmt: skip
    done = subprocess.run(
        command, input="".join(json.dumps(turn) + "\n" for turn in turns).encode(), capture_output=True,
        timeout=300, check=False,
    )  # fmt: skip
    events = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert done.returncode == 0, done.stderr.decode()
    kinds = [event["event"] for event in events]
    assert kinds == [
        "session", "step", "heard", "attempt", "reply", "step", "error", "error", "heard", "attempt", "reply",
        "summary",
    ]  # fmt: skip
    assert [event["correct"] for event in events if event["event"] == "attempt"] == [True, True]
    assert "does not exist" in events[6]["message"]
    assert "not an audio file" in events[7]["message"]
    assert events[-1]["finished"]
