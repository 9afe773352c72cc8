from __future__ import annotations

from typing import Any

import pytest

from lessons.schema import ChoiceItem, Item, MatchItem, OrderItem
from tutor_app.pedagogy.assess import answers, assess, present, reveals

HINTS = ["¿a?", "¿b?", "¿c?", "¿d?"]


def item(**more: Any) -> Item:
    data: dict[str, Any] = {"id": "x", "prompt": "p", "hints": HINTS, "accept": ["hablo español"]}
    return Item.model_validate(data | more)


def judged(given: str, track: str = "l2", language: str = "es", **more: Any) -> Any:
    return assess(present(item(**more), 0), given, language, track)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given", ["hablo español", "  Hablo   ESPAÑOL. ", "¡Hablo español!", "hablo espan\u0303ol"]
)
def test_case_spaces_punctuation_and_unicode_form_do_not_matter(given: str) -> None:
    assert judged(given).correct


def test_a_missing_accent_is_right_for_l2_and_a_near_miss_for_heritage() -> None:
    l2 = judged("esta aqui", accept=["está aquí"])
    heritage = judged("esta aqui", "heritage", accept=["está aquí"])
    assert (l2.correct, l2.near_miss) == (True, "accent")
    assert (heritage.correct, heritage.near_miss, heritage.tags) == (False, "accent", ("accent",))


def test_an_accent_that_the_item_is_about_is_no_slip_for_anybody() -> None:
    error = {"pattern": "tenia", "tag": "accent", "recast": "*tenía*", "question": "¿Dónde suena?"}
    result = judged("tenia", accept=["tenía"], errors=[error])
    assert not result.correct
    assert result.error is not None


def test_the_letter_n_with_a_tilde_is_a_letter_of_its_own() -> None:
    assert not judged("tengo veinte anos", accept=["tengo veinte años"]).correct


def test_one_wrong_letter_in_a_long_word_is_a_typo() -> None:
    result = judged("la bibliotexa", accept=["la biblioteca"])
    assert (result.correct, result.near_miss, result.tags) == (False, "typo", ("spelling",))


def test_another_form_of_the_word_is_not_a_typo() -> None:
    assert judged("ellos hablas mucho", accept=["ellos hablan mucho"]).near_miss is None


def test_the_instructors_pattern_names_the_error() -> None:
    error = {"pattern": "/hablas/", "tag": "person", "recast": "*hablo*", "question": "¿Y tú?"}
    assert judged("hablas español", errors=[error]).tags == ("person",)


def test_a_dialect_form_is_right_and_named() -> None:
    result = judged("vos hablás", accept=["tú hablas", {"text": "vos hablás", "dialect": "es-AR"}])
    assert result.correct
    assert result.accepted.dialect == "es-AR"


def test_arabic_is_right_with_and_without_signs() -> None:
    assert judged("كتاب", language="ar", accept=["كِتَابٌ"]).correct
    assert judged("كِتَاب", language="ar", accept=["كتاب"]).correct


@pytest.mark.parametrize("given", ["هذا مدينة", "هٰذا مَدينة", "هَذَا مَدِينَةٌ"])
def test_an_arabic_error_is_recognised_however_it_is_vowelled(given: str) -> None:
    error = {"pattern": "هذا مدينة", "tag": "gender", "recast": "*هٰذِهِ مَدينة*", "question": "وأنت؟"}
    assert judged(given, language="ar", accept=["هٰذِهِ مَدينة"], errors=[error]).tags == ("gender",)


def test_an_arabic_slip_of_one_letter_is_a_typo() -> None:
    assert judged("المكتبهة", language="ar", accept=["المَكتَبة"]).near_miss == "typo"


def test_chinese_is_right_with_spaces_and_full_width_marks() -> None:
    assert judged("我 有 一本书。", language="zh", accept=["我有一本书"]).correct


def choice() -> ChoiceItem:
    return ChoiceItem.model_validate(
        {"id": "c", "prompt": "p", "hints": HINTS, "accept": ["soy"], "choices": ["soy", "estoy", "es"]}
    )


def test_a_choice_may_be_named_by_number_letter_or_words() -> None:
    shown = present(choice(), 7)
    place = shown.choices.index("soy")
    for given in (str(place + 1), "abc"[place], f"{'ABC'[place]})", "Soy."):
        assert assess(shown, given, "es", "l2").correct
    assert not assess(shown, str((place + 1) % 3 + 1), "es", "l2").correct


def test_the_same_seed_shuffles_the_same_way_and_another_differently_somewhere() -> None:
    assert present(choice(), 1) == present(choice(), 1)
    assert len({present(choice(), seed).choices for seed in range(20)}) > 1


def test_pieces_are_never_shown_in_their_order_and_may_be_answered_by_number() -> None:
    order = OrderItem.model_validate(
        {
            "id": "o",
            "prompt": "p",
            "hints": HINTS,
            "accept": ["yo no soy de aquí"],
            "tokens": ["yo", "no", "soy", "de", "aquí"],
        }
    )
    for seed in range(20):
        shown = present(order, seed)
        assert list(shown.choices) != order.tokens
        numbers = " ".join(str(shown.choices.index(token) + 1) for token in order.tokens)
        assert assess(shown, numbers, "es", "l2").correct


def match() -> MatchItem:
    return MatchItem.model_validate(
        {
            "id": "m",
            "prompt": "p",
            "hints": HINTS,
            "pairs": [["uno", "one"], ["dos", "two"], ["tres", "three"]],
        }
    )


def test_pairs_may_be_written_as_numbers_and_letters_or_in_words() -> None:
    shown = present(match(), 3)
    right = " ".join(f"{i + 1}{'abc'[shown.order.index(i)]}" for i in range(3))
    assert assess(shown, right, "es", "l2").correct
    assert assess(shown, "uno = one; dos = two; tres = three", "es", "l2").correct
    assert assess(shown, right[:5], "es", "l2").wrong_pairs == ("tres",)


@pytest.mark.parametrize("given", ["", "9z", "1a", "xyz", "1b 1b 1b", "0a -1b"])
def test_any_answer_to_a_match_is_judged_without_error(given: str) -> None:
    assert not assess(present(match(), 3), given, "es", "l2").correct


def test_every_shown_answer_is_right() -> None:
    shown = item(accept=["a b", {"text": "c d", "dialect": "es-MX"}])
    assert all(assess(present(shown, 0), text, "es", "l2").correct for text in answers(shown))


def test_a_line_with_an_answer_reveals_it() -> None:
    assert reveals("Di: hablo español.", item(), "es")
    assert not reveals("¿Hablas español?", item(), "es")
    assert reveals("uno es one", match(), "es")
