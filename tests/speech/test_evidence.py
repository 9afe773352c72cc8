"""When a transcript is believed: one sure sign against it, or two that can be doubted, and it is dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tutor_app.speech.evidence import Evidence, doubts, was_said

SPOKEN = Evidence(
    text="Quiero un café con leche.", speech_s=1.9, voice=0.95, loudness_db=-24.0, flatness=0.03,
    avg_logprob=-0.3, no_speech_prob=0.05, compression_ratio=0.8,
)  # fmt: skip


def test_clear_speech_is_believed() -> None:
    assert doubts(SPOKEN) == []
    assert was_said(SPOKEN)


@pytest.mark.parametrize(
    "change",
    [
        {"loudness_db": -70.0},
        {"speech_s": 0.05, "text": "Sí."},
        {"text": "… ♪"},
        {"text": ""},
        {"avg_logprob": -2.0},
    ],
)
def test_one_sure_sign_is_enough_to_drop_it(change: dict[str, object]) -> None:
    assert not was_said(replace(SPOKEN, **change))  # type: ignore[arg-type]


DOUBTFUL: list[dict[str, object]] = [
    {"no_speech_prob": 0.9},
    {"avg_logprob": -1.2},
    {"voice": 0.55},
    {"flatness": 0.6},
    {"compression_ratio": 3.0},
    {"text": "Subtítulos realizados por la comunidad de Amara.org"},
    {"text": "una frase muy larga que nadie puede decir en tan poco tiempo porque no cabe", "speech_s": 0.9},
]


@pytest.mark.parametrize("change", DOUBTFUL)
def test_one_doubt_alone_drops_nothing(change: dict[str, object]) -> None:
    evidence = replace(SPOKEN, **change)  # type: ignore[arg-type]
    assert len(doubts(evidence)) == 1
    assert was_said(evidence)


@pytest.mark.parametrize("first", DOUBTFUL[:5])
@pytest.mark.parametrize("second", DOUBTFUL[5:])
def test_two_doubts_drop_it(first: dict[str, object], second: dict[str, object]) -> None:
    assert not was_said(replace(SPOKEN, **(first | second)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "Gracias por ver el video.",
        "Sous-titrage ST' 501",
        "字幕由Amara.org社区提供",
        "ترجمة نانسي قنقر",
        "[Música]",
        "Thanks for watching!",
    ],
)
def test_what_subtitles_say_in_silence_is_a_doubt(text: str) -> None:
    assert "subtitle" in doubts(replace(SPOKEN, text=text))


@pytest.mark.parametrize(
    "text", ["Me gusta la música.", "Gracias por venir.", "我喜欢音乐。", "Merci beaucoup."]
)
def test_what_learners_say_is_not_taken_for_subtitles(text: str) -> None:
    assert doubts(replace(SPOKEN, text=text)) == []


def test_chinese_has_its_own_fastest_pace() -> None:
    assert "too fast" in doubts(replace(SPOKEN, text="我" * 30))
    assert doubts(replace(SPOKEN, text="我很喜欢吃妈妈做的饭")) == []
