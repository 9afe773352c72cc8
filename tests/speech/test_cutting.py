"""Where speech is cut so that its beginning can be transcribed early."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tutor_app.speech.cutting import LONGEST, PAD_WINDOWS, TRY_WINDOWS, Cutter, Piece

SECOND = 31
"""Windows."""


def spoken(*lengths: int) -> tuple[Cutter, list[Piece]]:
    """Speech and pauses in turn, in windows, speech first."""
    cutter, cuts = Cutter(), []
    for number, length in enumerate(lengths):
        for _ in range(length):
            if (cut := cutter.push(0.05 if number % 2 else 0.95)) is not None:
                cuts.append(cut)
    return cutter, cuts


def test_a_short_answer_stays_whole_whatever_its_pauses() -> None:
    cutter, cuts = spoken(SECOND, SECOND, SECOND)
    assert cuts == []
    piece = cutter.pending()
    assert piece is not None
    assert (piece.start, piece.end) == (0, 3 * SECOND)


def test_after_four_seconds_a_pause_cuts_as_soon_as_it_is_worth_a_try() -> None:
    assert spoken(4 * SECOND, TRY_WINDOWS - 1, SECOND)[1] == []
    for pause in (TRY_WINDOWS, 30):
        _, cuts = spoken(4 * SECOND, pause, SECOND)
        assert len(cuts) == 1
        assert 4 * SECOND <= cuts[0].end <= 4 * SECOND + pause, "the cut lies in the pause"


def test_the_longer_somebody_speaks_the_shorter_a_pause_will_do() -> None:
    assert len(spoken(11 * SECOND, 3, SECOND)[1]) == 1
    assert spoken(9 * SECOND, 3, SECOND)[1] == []


def test_speech_without_any_pause_is_cut_where_the_voice_is_weakest() -> None:
    cutter, cuts = Cutter(), []
    for at in range(LONGEST + 20):
        if (cut := cutter.push(0.6 if at == LONGEST - 50 else 0.95)) is not None:
            cuts.append(cut)
    assert [cut.end for cut in cuts] == [LONGEST - 50]


def test_silence_before_and_after_is_not_transcribed() -> None:
    cutter = Cutter()
    for _ in range(100):
        cutter.push(0.01)
    assert not cutter.heard
    assert cutter.pending() is None
    for probability in [0.9] * 20 + [0.01] * 100:
        cutter.push(probability)
    piece = cutter.pending()
    assert piece is not None
    assert (piece.start, piece.end) == (100 - PAD_WINDOWS, 120 + PAD_WINDOWS)
    assert cutter.pause == 100


def test_a_voice_that_fades_goes_on_and_noise_of_the_same_certainty_does_not_begin_one() -> None:
    cutter = Cutter()
    for _ in range(20):
        cutter.push(0.4)
    assert not cutter.heard
    cutter.push(0.9)
    for _ in range(20):
        cutter.push(0.4)
    assert cutter.pause == 0


@given(st.lists(st.floats(0, 1), max_size=3000))
def test_pieces_never_overlap_nor_lose_a_spoken_window(probabilities: list[float]) -> None:
    cutter, pieces = Cutter(), []
    for probability in probabilities:
        if (cut := cutter.push(probability)) is not None:
            pieces.append(cut)
    if (last := cutter.pending()) is not None:
        pieces.append(last)
    for before, after in itertools.pairwise(pieces):
        assert before.end <= after.start
    for piece in pieces:
        assert all(piece.start <= at < piece.end for at in piece.voiced)
        assert piece.end - piece.start <= LONGEST + 2 * PAD_WINDOWS
    certain = {at for at, probability in enumerate(probabilities) if probability >= 0.5}
    assert certain <= {at for piece in pieces for at in piece.voiced}
