"""What is said of sounds: only what two signals agree on, and never against a native voice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.speech.conftest import AUDIO
from tutor_app.speech.acoustics import frames, nearer, nearer_melody, warp
from tutor_app.speech.audio import read_audio, to_pcm
from tutor_app.speech.clarity import Opinion, mark, recogniser
from tutor_app.speech.contrasts import contrast, pair_site, sites, table
from tutor_app.speech.pcm import RATE_HZ
from tutor_app.speech.pronunciation import Pronunciation
from tutor_app.speech.voice import Voice
from tutor_app.speech.voices import VoiceChoice

SPOKEN = {"perro": "perro", "pero": "pero", "caña": "canya", "cana": "cana", "桥": "qiao2", "朝": "chao2"}
SENTENCES = {"es": "digo {}.", "zh": "我说{}。"}
AGREED = Opinion(-4.0, -9.0, 4, 5.0, -5.0, 0.6)
"""What was meant was said, by both signals."""


class RecordedVoice(Voice):
    """The voice of the tutor, from files."""

    def make(self, text: str, language: str, voice: VoiceChoice, *, slow: bool = False) -> bytes:
        word = next(word for word in SPOKEN if word in text and text == SENTENCES[language].format(word))
        return to_pcm(read_audio(said(voice.name, word)))


def said(voice: str, word: str) -> Path:
    return AUDIO / "sounds" / f"{voice}-{SPOKEN[word]}.flac"


@pytest.fixture(scope="module")
def listener(speech_home: Path) -> Iterator[Pronunciation]:
    made = Pronunciation(speech_home, RecordedVoice(speech_home))
    yield made
    made.close()


@pytest.mark.model
@pytest.mark.parametrize(
    ("language", "tutor", "learner", "id", "pair"),
    [
        ("es", "ef_dora", "em_alex", "rr", ("perro", "pero")),
        ("es", "ef_dora", "em_alex", "eñe", ("caña", "cana")),
        ("zh", "zf_xiaobei", "zm_yunxi", "q-ch", ("桥", "朝")),
    ],
)
def test_a_word_said_as_another_is_to_be_heard_again_and_a_native_one_is_not(
    listener: Pronunciation, language: str, tutor: str, learner: str, id: str, pair: tuple[str, str]
) -> None:
    voice = VoiceChoice("kokoro", tutor)
    for spoken, meant in ((pair[0], pair[0]), (pair[1], pair[1]), (pair[0], pair[1]), (pair[1], pair[0])):
        text = SENTENCES[language].format(meant)
        site = pair_site(text, meant, pair[1] if meant == pair[0] else pair[0], id)
        (found,) = listener.judge(said(learner, spoken), text, language, voice, [site])
        assert found.mark == ("clear" if spoken == meant else "again")


@pytest.mark.model
def test_nothing_is_said_of_something_else_entirely(listener: Pronunciation) -> None:
    text = SENTENCES["es"].format("perro")
    site = pair_site(text, "perro", "pero", "rr")
    (found,) = listener.judge(AUDIO / "zh-food.flac", text, "es", VoiceChoice("kokoro", "ef_dora"), [site])
    assert found.mark is None


def test_nothing_is_said_without_a_natural_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_PIPER", "no-such-program")
    listener = Pronunciation(tmp_path, Voice(tmp_path))
    assert listener.remarks(AUDIO / "es-market.flac", "El perro corre.", "es") == ()
    assert listener.child.pid is None, "no process was started for that"


@pytest.mark.parametrize(
    ("opinion", "expected"),
    [
        (AGREED, "clear"),
        (replace(AGREED, wanted=-9.0, other=-4.0, ear=-0.6), "again"),
        (replace(AGREED, ear=-0.6), None),
        (replace(AGREED, wanted=-9.0, other=-4.0), None),
        (replace(AGREED, ear=None), None),
        (replace(AGREED, ear=0.01), None),
        (replace(AGREED, example_wanted=0.5, example_other=0.2), None),
        (replace(AGREED, wanted=-40.0, other=-45.0), None),
    ],
)
def test_something_is_said_only_when_both_signals_agree_and_are_sure(
    opinion: Opinion, expected: str | None
) -> None:
    assert mark(opinion) == expected


def test_the_recognisers_liking_for_a_common_word_is_taken_out() -> None:
    always_likes_pero = Opinion(-9.0, -6.0, 4, -1.0, -7.0, 1.0)
    signal = recogniser(always_likes_pero)
    assert signal is not None
    assert signal > 0, "it likes it less than when that word is really said"


@pytest.mark.parametrize("language", ["es", "fr", "zh", "ar"])
def test_every_table_has_pairs_to_listen_to_and_no_verdicts(language: str) -> None:
    contrasts = table(language)
    assert len(contrasts) >= 5
    assert len({each.id for each in contrasts}) == len(contrasts)
    for each in contrasts:
        assert each.pairs
        assert all(one != other for one, other in each.pairs)
        assert not {"wrong", "mistake", "error", "incorrect"} & set(each.tip.lower().split())


def test_what_dialects_do_is_never_remarked_on() -> None:
    text = "La casa de Zaragoza tiene una vaca y un zapato"
    assert {site.contrast for site in sites(text, "es", 20)} <= {"rr", "d", "eñe", "e-i", "o-u", "a-o"}
    for id in ("s-z", "b-v"):
        found = contrast("es", id)
        assert found is not None
        assert not found.remarks


def test_nothing_is_remarked_on_in_arabic() -> None:
    assert sites("السلام عليكم يا صديقي", "ar") == []


def test_words_worth_listening_to_are_found_with_the_sentence_that_is_easily_said_instead() -> None:
    found = sites("El perro duerme, pero es caro.", "es")
    assert [(site.contrast, site.word, site.other_word) for site in found] == [
        ("rr", "perro", "pero"),
        ("rr", "pero", "perro"),
        ("rr", "caro", "carro"),
    ]
    assert found[0].other == "El pero duerme, pero es caro."


def test_a_capital_stays_one() -> None:
    (site,) = sites("Pero sí.", "es", 1)
    assert site.other == "Perro sí."


def test_in_chinese_the_commonest_character_of_the_other_syllable_is_taken() -> None:
    found = {site.contrast: (site.word, site.other_word) for site in sites("他想去中国", "zh", 9)}
    assert found["q-ch"] == ("去", "处")
    assert found["zh-z"][0] == "中"


def tone(frequencies: list[float]) -> np.ndarray:
    """A buzz whose pitch goes through these, 0.2 s each."""
    hz = np.repeat(frequencies, RATE_HZ // 5)
    phase = np.cumsum(hz) / RATE_HZ
    return (0.3 * sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 12))).astype(np.float32)


def test_pitch_is_heard_in_semitones_whoever_speaks() -> None:
    low, high = frames(tone([100, 120, 150])), frames(tone([200, 240, 300]))
    assert low is not None
    assert high is not None
    for one, other in zip(low.pitch[10:50:10], high.pitch[10:50:10], strict=True):
        assert one == pytest.approx(other, abs=0.5)


def test_a_rising_melody_is_told_from_a_falling_one_at_another_height() -> None:
    rising, falling = frames(tone([200, 200, 250, 300])), frames(tone([200, 200, 160, 130]))
    learner = frames(tone([110, 110, 138, 165]))
    assert rising is not None
    assert falling is not None
    assert learner is not None
    found = nearer_melody(learner, rising, falling)
    assert found is not None
    assert found > 0.5
    assert nearer_melody(learner, rising, rising) is None, "examples alike in melody tell nothing"


def test_silence_has_nothing_to_compare() -> None:
    assert frames(np.zeros(RATE_HZ, dtype=np.float32)) is None


def test_warping_finds_the_cheapest_way() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((7, 3)), rng.standard_normal((9, 3))
    distances = np.linalg.norm(one[:, None] - other[None], axis=2)

    def slow(i: int, j: int) -> float:
        if i < 0 or j < 0:
            return float("inf")
        if i == j == 0:
            return float(distances[0, 0])
        return float(distances[i, j]) + min(slow(i - 1, j - 1), slow(i - 1, j), slow(i, j - 1))

    found = warp(one, other)
    assert found.mean * (7 + 9) == pytest.approx(slow(6, 8))
    assert sum(distances[i, j] for i, j in found.pairs) == pytest.approx(slow(6, 8))


def test_the_comparison_does_not_care_which_example_comes_first() -> None:
    perro, pero = (read_audio(said("ef_dora", word)) for word in ("perro", "pero"))
    learner = frames(read_audio(said("em_alex", "perro")))
    one, other = frames(perro), frames(pero)
    assert learner is not None
    assert one is not None
    assert other is not None
    assert nearer(learner, one, other) > 0
    assert nearer(learner, other, one) < 0
