"""Recording: from a file that plays the microphone, and from what a machine without one says."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import miniaudio
import pytest

from tests.speech.conftest import AUDIO
from tutor_app.speech import microphone, pcm
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.listening import RECORDER, Ear, Listening
from tutor_app.speech.microphone import BUSY, DENIED, NO_MICROPHONE, names, refusal, sound
from tutor_app.speech.process import SpeechChild
from tutor_app.speech.recorder import Recorder

MARKET = AUDIO / "es-market.flac"


@pytest.fixture
def recorder() -> Iterator[SpeechChild]:
    child = SpeechChild(RECORDER, "The recorder")
    yield child
    child.close()


def recorded(recorder: SpeechChild, device: str) -> tuple[bytes, float]:
    """The sound of a recording, and the seconds it says it has."""
    blocks = b""
    for event in recorder.events(recorder.open("record", device=device)):
        if event["event"] == "sound":
            blocks += pcm.from_text(event["pcm"])
    return blocks, event["seconds"]


def test_a_recording_ends_by_itself_after_thirty_seconds(recorder: SpeechChild) -> None:
    blocks, said = recorded(recorder, f"file:{MARKET}?speed=0")
    assert pcm.seconds(blocks) == said == 30.0


def test_a_recording_ends_when_it_is_told_to(recorder: SpeechChild) -> None:
    number = recorder.open("record", device=f"file:{MARKET}?speed=20")
    first = recorder.next_event(number, 30)
    assert first is not None
    assert first["event"] == "sound"
    assert -120 <= first["level_db"] <= 0
    recorder.tell("stop", target=number)
    *_, last = recorder.events(number)
    assert last["seconds"] < 30


def test_what_is_recorded_is_what_was_said(recorder: SpeechChild) -> None:
    from tutor_app.speech.audio import read_audio, to_pcm

    blocks, _ = recorded(recorder, f"file:{MARKET}?speed=0")
    whole = to_pcm(read_audio(MARKET))
    assert blocks[: len(whole)] == whole


def test_a_microphone_that_gives_only_zeros_is_not_allowed_to_be_heard(
    recorder: SpeechChild, tmp_path: Path
) -> None:
    (tmp_path / "zeros.wav").write_bytes(pcm.wav(bytes(32000)))
    with pytest.raises(SpeechError, match="Allow this terminal to use it"):
        recorded(recorder, f"file:{tmp_path / 'zeros.wav'}?speed=0&after=nothing")


def test_zeros_in_the_middle_of_a_recording_are_only_a_pause(recorder: SpeechChild) -> None:
    assert recorded(recorder, f"file:{MARKET}?speed=0&after=nothing")[1] == 30.0


def test_an_unplugged_microphone_is_said(recorder: SpeechChild) -> None:
    with pytest.raises(SpeechError, match="stopped sending sound"):
        recorded(recorder, f"file:{MARKET}?speed=0&after=unplugged")


def test_after_a_failure_the_next_recording_works(recorder: SpeechChild) -> None:
    with pytest.raises(SpeechError, match="another program"):
        recorded(recorder, f"file:{MARKET}?after=busy")
    assert recorded(recorder, f"file:{MARKET}?speed=0")[1] == 30.0


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (miniaudio.lib.MA_BUSY, BUSY),
        (miniaudio.lib.MA_ALREADY_IN_USE, BUSY),
        (miniaudio.lib.MA_ACCESS_DENIED, DENIED),
        (miniaudio.lib.MA_NO_DEVICE, NO_MICROPHONE),
    ],
)
def test_what_the_sound_system_refuses_is_said_in_words(code: int, sentence: str) -> None:
    assert refusal(miniaudio.MiniaudioError("failed to init device", code)) == sentence


def test_an_unknown_refusal_still_says_what_to_do() -> None:
    assert "choose another microphone" in refusal(miniaudio.MiniaudioError("failed", -401))


def test_devices_that_are_no_microphones_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Devices:
        def get_captures(self) -> list[dict[str, str]]:
            return [
                {"name": "Discard all samples (playback) or generate zero samples (capture)"},
                {"name": "Monitor of Built-in Audio"},
                {"name": "Headset"},
                {"name": "Headset"},
            ]

    monkeypatch.setattr(miniaudio, "Devices", Devices)
    assert names() == ["Headset"]
    with pytest.raises(SpeechError, match="'Camera' is not here any more"):
        next(sound("Camera"))


def test_a_machine_without_microphone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Devices:
        def get_captures(self) -> list[dict[str, str]]:
            return []

    monkeypatch.setattr(miniaudio, "Devices", Devices)
    with pytest.raises(SpeechError, match="No microphone was found"):
        next(sound(""))


class Headset:
    """A microphone that sends its first sound after `wakes_s`, and one block only."""

    wakes_s = 0.0

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.stop_callback: object = None

    def start(self, taker: Generator[None, bytes, None]) -> None:
        self.timer = threading.Timer(self.wakes_s, taker.send, [b"\1\0" * 800])
        self.timer.start()

    def close(self) -> None:
        self.timer.cancel()


@pytest.fixture
def headset(monkeypatch: pytest.MonkeyPatch) -> type[Headset]:
    monkeypatch.setattr(microphone, "names", lambda: ["Headset"])
    monkeypatch.setattr(miniaudio, "CaptureDevice", Headset)
    monkeypatch.setattr(microphone, "STALLED_S", 0.05)
    monkeypatch.setattr(microphone, "FIRST_S", 5.0)
    monkeypatch.setattr(Headset, "wakes_s", 0.3)
    return Headset


def test_a_headset_may_take_its_time_before_the_first_sound_and_not_later(headset: type[Headset]) -> None:
    blocks: list[bytes] = []
    with pytest.raises(SpeechError, match="stopped sending sound"):
        blocks.extend(sound(""))
    assert blocks[0] == b"", "so that whoever waits can stop waiting"
    assert [len(block) for block in blocks if block] == [1600]


def test_a_headset_that_never_begins_is_given_up(
    headset: type[Headset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headset, "wakes_s", 60.0)
    monkeypatch.setattr(microphone, "FIRST_S", 0.2)
    with pytest.raises(SpeechError, match="stopped sending sound"):
        list(sound(""))


def test_a_recording_that_has_not_begun_can_be_ended(
    headset: type[Headset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headset, "wakes_s", 60.0)
    events: list[str] = []

    class Heard:
        def send(self, number: int, event: str, **fields: object) -> None:
            events.append(event)

    recorder = Recorder(Heard())  # type: ignore[arg-type]
    recorder.at_once({"id": 1, "op": "record"})
    threading.Timer(0.2, recorder.at_once, [{"id": 0, "op": "stop", "target": 1}]).start()
    recorder.run({"id": 1, "op": "record", "device": ""})
    assert events[-1] == "done"


def test_the_key_ends_a_recording_whose_microphone_has_not_begun() -> None:
    class Silent:
        """The recorder, and the recogniser too: nothing ever comes."""

        child = None

        def open(self, op: str, **fields: object) -> int:
            return 1

        def tell(self, op: str, **fields: object) -> None:
            return None

        def next_event(self, number: int, limit_s: float) -> None:
            return None

        def load(self) -> None:
            return None

    listening = Listening(Silent(), Silent(), "", ("es",), 1)  # type: ignore[arg-type]
    listening.stop()
    with pytest.raises(SpeechError, match="No speech was heard"):
        listening.run(lambda progress: None)


def test_a_sample_tells_that_sound_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_MICROPHONE", f"file:{MARKET}?speed=20")
    ear = Ear(tmp_path)
    try:
        assert -60 < ear.sample() < 0
    finally:
        ear.close()
