"""The figures of an evaluation against cases counted by hand, and against slow loops."""

from __future__ import annotations

import hashlib
import math
import random
import re

import numpy as np
import pytest

from finetune.evaluate import bootstrap, moves
from finetune.evaluate.authored import Authored, authored
from finetune.evaluate.bootstrap import estimate, f_half, precision, quantile, ratio, recall, wilson
from finetune.evaluate.figures import Figure, Sheet, difference
from finetune.evaluate.questions import distinct, is_open
from finetune.evaluate.readability import counts, gutierrez_de_polini, readability, syllables, szigriszt_pazos
from finetune.evaluate.tasks.drift import Turn, gap, measure, slope
from finetune.evaluate.tasks.reformulation import counted
from tutor_app.pedagogy.clean import questions


def test_f_half_counts_precision_double() -> None:
    sums = np.array([6.0, 2.0, 6.0])  # tp, fp, fn: P 6/8, R 6/12
    assert precision(sums) == 0.75
    assert recall(sums) == 0.5
    assert f_half(sums) == pytest.approx(1.25 * 0.75 * 0.5 / (0.25 * 0.75 + 0.5))


def test_nothing_to_count_is_no_figure() -> None:
    assert estimate([], [], ratio, resamples=100, seed=0) is None
    assert estimate(["a"], [(0.0, 0.0)], ratio, resamples=100, seed=0) is None
    assert math.isnan(float(f_half(np.zeros(3))))


def test_resampling_in_one_product_equals_resampling_writer_by_writer() -> None:
    rng = random.Random(3)
    cases = [(f"w{rng.randrange(7)}", float(rng.random() < 0.4)) for _ in range(60)]
    clusters = [writer for writer, _ in cases]
    found = estimate(clusters, [(hit, 1.0) for _, hit in cases], ratio, resamples=200, seed=5)
    assert found is not None
    names = sorted(set(clusters))
    slow = []
    for row in bootstrap.draws(tuple(names), 200, 5):
        drawn = [
            hit
            for name, times in zip(names, row, strict=True)
            for _ in range(int(times))
            for writer, hit in cases
            if writer == name
        ]
        slow.append(sum(drawn) / len(drawn))
    assert np.allclose(found[1], slow)
    assert found[0].value == pytest.approx(sum(hit for _, hit in cases) / 60)
    assert (found[0].n, found[0].clusters) == (60, 7)


def test_an_interval_over_writers_is_wider_than_one_over_sentences() -> None:
    """Ten writers who are all right or all wrong hold less than a hundred sentences seem to."""
    hits = [float(i // 10 % 2) for i in range(100)]
    by_writer = estimate(
        [str(i // 10) for i in range(100)], [(hit, 1.0) for hit in hits], ratio, resamples=500, seed=0
    )
    by_sentence = estimate(
        [str(i) for i in range(100)], [(hit, 1.0) for hit in hits], ratio, resamples=500, seed=0
    )
    assert by_writer is not None
    assert by_sentence is not None
    wide, narrow = by_writer[0], by_sentence[0]
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_quantiles_of_resamples_are_those_of_the_drawn_values() -> None:
    values = [3.0, 9.0, 4.0, 1.0, 7.0]
    clusters = ["a", "b", "a", "c", "b"]
    found = quantile(clusters, values, 0.5, resamples=50, seed=1)
    assert found is not None
    assert found.value == 4.0
    slow = []
    for row in bootstrap.draws(("a", "b", "c"), 50, 1):
        drawn = sorted(
            value
            for value, name in zip(values, clusters, strict=True)
            for _ in range(int(row["abc".index(name)]))
        )
        slow.append(drawn[math.ceil(0.5 * len(drawn)) - 1])
    assert found.low == pytest.approx(min(4.0, np.quantile(slow, 0.025)))
    assert found.high == pytest.approx(max(4.0, np.quantile(slow, 0.975)))


def test_no_failure_in_a_hundred_is_not_certainty() -> None:
    low, high = wilson(0, 100)
    assert low == 0.0
    assert high == pytest.approx(0.037, abs=0.001)
    sheet = Sheet(200, 0)
    sheet.share("correction", "l2", [str(i) for i in range(100)], [False] * 100)
    assert sheet.figures["correction@l2"].estimate.high == pytest.approx(high)


def test_models_asked_the_same_are_compared_pair_by_pair() -> None:
    clusters = [str(i) for i in range(40)]
    one, other = Sheet(500, 0), Sheet(500, 0)
    one.share("asks", "l2", clusters, [i % 4 != 0 for i in range(40)])
    other.share("asks", "l2", clusters, [i % 4 == 1 for i in range(40)])
    apart = difference(one, other, "asks@l2")
    assert apart is not None
    assert apart[0] == pytest.approx(0.5)
    assert apart[1] > 0.3
    third = Sheet(500, 0)
    third.share("asks", "l2", clusters[:20], [True, False] * 10)
    assert difference(third, other, "asks@l2") is None, "other writers cannot be compared pair by pair"


@pytest.mark.parametrize(
    ("kind", "value", "met"),
    [("f05", 0.71, True), ("f05", 0.69, False), ("changed", 0.02, True), ("changed", 0.03, False), ("elicits", 1.0, None)],
)  # fmt: skip
def test_a_target_is_reached_from_the_right_side(kind: str, value: float, met: bool | None) -> None:
    assert Figure(kind, "l2", bootstrap.Estimate(value, 0, 1, 10, 10)).met is met


def test_the_aim_for_length_is_for_beginners() -> None:
    short = bootstrap.Estimate(31, 30, 32, 10, 10)
    assert Figure("words", "talk A1", short).met is False
    assert Figure("words", "talk C1", short).met is None


def test_one_talk_alone_makes_no_difference() -> None:
    one, other = Sheet(100, 0), Sheet(100, 0)
    one.mean("readability", "A1", ["a"] * 9, [80.0] * 9)
    other.mean("readability", "A1", ["a"] * 9, [90.0] * 9)
    assert difference(one, other, "readability@A1") is None


def test_without_a_gap_there_is_none_to_keep() -> None:
    same = [
        Turn(f"{level}{talk}", level, number, "Sí. ¿Y tú?")
        for level in ("A1", "C1")
        for talk in range(3)
        for number in range(1, 10)
    ]
    sheet = Sheet(100, 0)
    measure(sheet, same, "es", ["A1", "C1"], 9)
    assert sheet.figures["gap_first@A1 to C1"].estimate.value == pytest.approx(0)
    assert "gap_kept@A1 to C1" not in sheet.figures


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("Mi hermana está en una casa.", (2, 0, 0)),
        ("Mi hermana está en un casa.", (1, 0, 1)),
        ("Mi hermana es en una casa.", (1, 0, 1)),
        ("Mi hermana es en un casa.", (0, 0, 2)),
        ("Mi prima está en una casa.", (2, 1, 0)),
        ("mi hermana está, en una casa", (2, 0, 0)),
        ("Mi hermana era en una casa.", (1, 1, 1)),
    ],
)
def test_word_edits_are_compared_by_place_and_word(native: str, expected: tuple[int, int, int]) -> None:
    assert counted("Mi hermana es en un casa.", native, "Mi hermana está en una casa.", "es") == expected


def test_accents_can_be_left_aside_on_both_sides() -> None:
    learner, native, corrected = (
        "Tambien quiero usar espanol",
        "También quiero usar español",
        "Tambien quiero usar el espanol",
    )
    assert counted(learner, native, corrected, "es") == (0, 2, 1)
    assert counted(learner, native, corrected, "es", accents=False) == (0, 1, 1)
    assert counted("El dia es bueno", "El día es bueno", "El día es bueno", "es", accents=False) == (0, 0, 0)


@pytest.mark.parametrize(
    ("word", "count"),
    [("casa", 2), ("día", 2), ("tierra", 2), ("poeta", 3), ("guitarra", 3), ("queso", 2), ("ciudad", 2), ("muy", 1), ("aéreo", 4), ("y", 1), ("pingüino", 3)],
)  # fmt: skip
def test_spanish_syllables(word: str, count: int) -> None:
    assert syllables(word, "es") == count


def test_readability_follows_the_published_formulas() -> None:
    text = "La casa es roja. El perro come mucho."  # 8 words, 2 sentences, 6 + 7 syllables, 28 letters
    assert counts(text, "es") == counts(text.upper(), "es")
    one = counts(text, "es")
    assert (one.words, one.sentences, one.syllables, one.letters) == (8, 2, 13, 28)
    assert readability(text, "es") == pytest.approx(206.84 - 60 * 13 / 8 - 1.02 * 4)
    assert szigriszt_pazos(text) == pytest.approx(206.835 - 62.3 * 13 / 8 - 4)
    assert gutierrez_de_polini(text) == pytest.approx(95.2 - 9.7 * 28 / 8 - 0.35 * 4)
    assert readability("我很好。", "zh") is None
    assert readability("", "es") is None


@pytest.mark.parametrize(
    ("text", "tag", "found"),
    [
        ("¡Qué bien! ¿Y qué comiste? ¿Te gustó?", "es", [True, False]),
        ("¿Vives en Queens o en el Bronx?", "es", [False]),
        ("Ah bon. Où habites-tu ? Est-ce que tu aimes ça ?", "fr", [True, False]),
        ("你喜欢吃什么？你饿吗？", "zh", [True, False]),
        ("ماذا أكلت اليوم؟ هل أنت بخير؟", "ar", [True, False]),
        ("Nada más.", "es", []),
    ],
)
def test_open_questions_have_a_question_word(text: str, tag: str, found: list[bool]) -> None:
    assert [is_open(question, tag) for question in questions(text)] == found


def test_distinct_words_of_questions() -> None:
    assert distinct(["¿Qué comes?", "¿Qué lees?"], 1, "es") == 3 / 4
    assert distinct(["¿Qué comes?", "¿Qué comes?"], 2, "es") == 1 / 2
    assert distinct([], 1, "es") is None


def test_slope_is_that_of_least_squares() -> None:
    xs, ys = [1, 2, 3, 5, 8], [90.0, 88.0, 91.0, 80.0, 70.0]
    sums = np.array([(1.0, x, y, x * x, x * y) for x, y in zip(xs, ys, strict=True)]).sum(axis=0)
    assert float(slope(sums)) == pytest.approx(np.polyfit(xs, ys, 1)[0])


def test_gap_is_the_lowest_level_less_the_highest() -> None:
    assert float(gap(np.array([180.0, 2.0, 60.0, 1.0]), 0)) == 30.0


def test_a_tutor_whose_levels_grow_together_has_drifted() -> None:
    easy, hard = (
        "Sí. ¿Y tú?",
        "La responsabilidad administrativa internacional necesita consideraciones extraordinarias.",
    )
    turns = [
        Turn(f"{level}{talk}", level, number, hard if level == "C1" and number <= 3 else easy)
        for level in ("A1", "C1") for talk in range(3) for number in range(1, 10)
    ]  # fmt: skip
    sheet = Sheet(200, 0)
    measure(sheet, turns, "es", ["A1", "C1"], 9)
    assert sheet.figures["gap_first@A1 to C1"].estimate.value > 100
    assert sheet.figures["gap_last@A1 to C1"].estimate.value == pytest.approx(0)
    assert sheet.figures["gap_kept@A1 to C1"].met is False
    assert sheet.figures["slope@C1"].estimate.value > 0
    assert sheet.figures["slope@A1"].estimate.value == pytest.approx(0)
    assert sheet.extra["turns"]["C1"][8]["readability"] == sheet.extra["turns"]["A1"][0]["readability"]


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("Correct!", {"confirmation"}),
        ("Do you know the word for blue?", {"question", "hint"}),
        ("Almost! Remember that adjectives follow the noun.", {"correction", "hint"}),
        ("No, that isn't quite correct. Can you try again?", {"correction", "question"}),
    ],
)
def test_moves_are_told_from_their_surface(reply: str, found: set[str]) -> None:
    assert moves.moves(reply) == found


def test_agreement_is_f1_by_label() -> None:
    rows = [
        ("1", "Correct!", frozenset({"confirmation"})),
        ("1", "Correct!", frozenset({"hint"})),
        ("2", "Where is it?", frozenset({"question", "confirmation"})),
        ("2", "borsa", frozenset({"hint"})),
    ]
    by_label = {one.label: one for one in moves.agreement(rows)}
    assert (by_label["confirmation"].precision, by_label["confirmation"].recall) == (0.5, 0.5)
    assert by_label["confirmation"].f1 == 0.5
    assert by_label["question"].f1 == 1.0
    assert by_label["hint"].f1 == 0.0
    assert by_label["question"].always == pytest.approx(2 * 0.25 / 1.25)


def test_a_sentence_that_a_reader_found_wrong_does_not_pass_for_correct() -> None:
    digits = hashlib.sha256("Por está razón voy.".encode()).hexdigest()[:16]
    data = Authored(dialect=[], code_switched=[], texts=[], endings=[], unmarked_errors=frozenset({digits}))
    assert data.passes_wrongly("Por está razón voy.")
    assert not data.passes_wrongly("Por esta razón voy.")
    assert all(re.fullmatch(r"[0-9a-f]{16}", one) for one in authored("es").unmarked_errors)
