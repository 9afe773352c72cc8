"""A heritage learner's two languages: each part of a sentence is read in its own, and nothing is translated silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.speech.conftest import AUDIO
from tutor_app.speech.audio import Samples
from tutor_app.speech.bilingual import DOUBTFUL, Part, clauses, joined, parts, quiet_places, read_both
from tutor_app.speech.hear import Recogniser, languages
from tutor_app.speech.pcm import RATE_HZ
from tutor_app.speech.words import Words
from tutor_app.ui.widgets.speak_bar import UNSURE

MIXED = AUDIO / "mixed"
SPANISH, ENGLISH = 0.1, 0.5
"""How loud the two languages are in made-up sound, so that a fake can tell them."""


def said(*spoken: tuple[float, float]) -> Samples:
    """Sound of (language, seconds), with a hush before each change."""
    pieces = []
    for level, length_s in spoken:
        piece = np.full(int(length_s * RATE_HZ), level, dtype=np.float32)
        piece[-RATE_HZ // 10 :] = 0.001
        pieces.append(piece)
    return np.concatenate(pieces)


def share(sound: Samples) -> float:
    """As the model does, it hears English where a third of a second of it is in a window."""
    loud = np.mean(np.abs(sound) > 0.4) if len(sound) else 0.0
    return 0.99 if loud > 0.3 else 0.02


def words(text: str, language: str, avg_logprob: float) -> Words:
    return Words(text, language, avg_logprob, 0.0, 1.0, len(text.split()))


def verbatim(sound: Samples, language: str) -> Words:
    """Reads each language well in its own, translates what is only partly in it, and is unsure of it."""
    level = SPANISH if language == "es" else ENGLISH
    loud = np.abs(sound) > 0.01
    right = float(np.mean(np.isclose(np.abs(sound[loud]), level)))
    if right > 0.95:
        return words(f"{language} words", language, -0.05)
    return words(f"translated into {language}", language, -1.0 + 0.3 * right)


def test_a_clause_of_english_is_read_as_english_between_the_learners_own_words() -> None:
    sound = said((SPANISH, 2.0), (ENGLISH, 2.0), (SPANISH, 2.0))
    found = read_both(sound, "es", share, verbatim)
    assert found.text == "es words en words es words"
    assert (found.language, found.unsure) == ("es", False)


@pytest.mark.parametrize("order", [(SPANISH, ENGLISH), (ENGLISH, SPANISH)])
def test_either_language_may_come_first(order: tuple[float, float]) -> None:
    found = read_both(said((order[0], 2.0), (order[1], 2.0)), "es", share, verbatim)
    assert sorted(found.text.split()) == ["en", "es", "words", "words"]
    assert found.text.startswith("es" if order[0] == SPANISH else "en")


def test_the_cut_is_where_the_languages_meet_and_not_at_another_pause() -> None:
    sound = said((SPANISH, 1.2), (SPANISH, 1.0), (ENGLISH, 1.5), (ENGLISH, 1.5))
    first, second = parts(sound, share)
    assert not first.english
    assert second.english
    assert first.end == second.start == pytest.approx(2.2 * RATE_HZ, abs=RATE_HZ // 8)


@pytest.mark.parametrize(
    ("sound", "language"),
    [(said((SPANISH, 4.0)), "es"), (said((ENGLISH, 3.0)), "en"), (said((ENGLISH, 0.7)), "en")],
)
def test_one_language_is_one_part(sound: Samples, language: str) -> None:
    assert parts(sound, share) == [Part(0, len(sound), english=language == "en")]
    found = read_both(sound, "es", share, verbatim)
    assert (found.text, found.language, found.unsure) == (f"{language} words", language, False)


def test_what_sounds_english_but_reads_better_in_the_learners_language_stays_in_it() -> None:
    def accented(sound: Samples, language: str) -> Words:
        return words("mi homework", "es", -0.1) if language == "es" else words("me home work", "en", -0.5)

    found = read_both(said((ENGLISH, 2.0)), "es", share, accented)
    assert (found.text, found.language, found.unsure) == ("mi homework", "es", False)


def test_where_no_reading_is_likely_that_is_said() -> None:
    def hopeless(sound: Samples, language: str) -> Words:
        return words("algo", language, DOUBTFUL - 0.1)

    assert read_both(said((SPANISH, 2.0), (ENGLISH, 2.0)), "es", share, hopeless).unsure


def test_single_words_of_english_are_no_clause() -> None:
    assert clauses([0.1, 0.9, 0.9, 0.2]) == []
    assert clauses([0.1, 0.9, 0.6, 0.9, 0.9, 0.2]) == [(1, 4)]
    assert clauses([0.9, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9]) == [(0, 2), (4, 6)]
    assert clauses([0.9]) == [(0, 0)]
    assert clauses([]) == []


def test_parts_cover_the_sound_whatever_the_model_says() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        sound = rng.uniform(-1, 1, int(rng.uniform(0, 8) * RATE_HZ)).astype(np.float32)
        found = parts(sound, lambda piece: float(rng.choice([0.0, 0.6, 1.0])))
        assert [part.start for part in found[1:]] == [part.end for part in found[:-1]]
        assert not found or (found[0].start, found[-1].end) == (0, len(sound))
        assert all(part.end > part.start for part in found)


def test_the_quietest_place_comes_first() -> None:
    sound = said((SPANISH, 1.0), (ENGLISH, 1.0))
    sound[RATE_HZ // 2 : RATE_HZ // 2 + RATE_HZ // 10] = 0.01
    places = quiet_places(sound, RATE_HZ // 4, int(1.5 * RATE_HZ))
    assert places[0] == pytest.approx(0.95 * RATE_HZ, abs=RATE_HZ // 16)
    assert any(abs(place - 0.55 * RATE_HZ) < RATE_HZ // 16 for place in places)
    assert quiet_places(sound, 100, 100) == []


def test_a_full_stop_where_the_sentence_goes_on_is_not_kept() -> None:
    parts = [
        words("vivía con mi tía.", "es", -0.1),
        words("we had no car.", "en", -0.1),
        words("Y ya.", "es", -0.1),
    ]
    assert joined(parts).text == "vivía con mi tía we had no car. Y ya."


# -- by the real recogniser ----------------------------------------------------------------------------------


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " '")


def clips(*numbers: int) -> list[dict[str, object]]:
    rows = json.loads((MIXED / "mixed.json").read_text(encoding="utf-8"))
    return [row for row in rows if int(Path(row["file"]).name[3:5]) in numbers]


def written(text: str, clip: dict[str, Any]) -> float:
    """Share of the English words that are there."""
    wanted = [word for clause in clip["english"] for word in plain(clause).split()]
    return sum(word in plain(text).split() for word in wanted) / len(wanted)


@pytest.mark.model
@pytest.mark.parametrize("clip", clips(4, 7, 9, 10, 11), ids=lambda clip: clip["file"])
def test_english_inside_spanish_is_written_rather_than_translated(
    recogniser: Recogniser, clip: dict[str, Any]
) -> None:
    pinned = recogniser.hear(MIXED / clip["file"], languages("es", "l2")).text
    assert written(pinned, clip) < 0.5, "or this tests nothing"
    heard = recogniser.hear(MIXED / clip["file"], languages("es", "heritage")).text
    assert written(heard, clip) >= 0.5, heard


@pytest.mark.model
@pytest.mark.parametrize("clip", clips(12, 17, 19, 22), ids=lambda clip: clip["file"])
def test_what_may_be_translated_is_said_to_be_unsure(recogniser: Recogniser, clip: dict[str, Any]) -> None:
    heard = recogniser.hear(MIXED / clip["file"], languages("es", "heritage"))
    assert written(heard.text, clip) == 1 or heard.confidence < UNSURE
