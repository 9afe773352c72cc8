"""YAML is plain data with line numbers, or is refused."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.problems import ReadError
from lessons.yaml_source import MAX_BYTES, MAX_DEPTH, Value, parse_source

FILE = Path("x.yaml")


def value(text: str | bytes) -> Value:
    return parse_source(text.encode("utf-8") if isinstance(text, str) else text, FILE).value


def refusal(text: str | bytes) -> str:
    with pytest.raises(ReadError) as caught:
        value(text)
    return str(caught.value)


def outcome(data: bytes) -> str:
    """What is said about `data`, or only the file's name when it is read."""
    try:
        parse_source(data, FILE)
    except ReadError as error:
        return str(error)
    return str(FILE)


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "No",
        "yes",
        "on",
        "off",
        "sí",
        "y",
        "n",
        "12:30",
        "1e3",
        "1_000",
        "0x1F",
        "0o17",
        "007",
        "2026-01-02",
        "=",
        "<<",
        ".5",
        "+",
    ],
)
def test_words_that_yaml_1_1_changes_stay_texts(word: str) -> None:
    assert value(f"a: {word}") == {"a": word}


def test_only_plain_numbers_booleans_and_null_are_not_texts() -> None:
    text = "a: 12\nb: -3\nc: 0.8\nd: true\ne: FALSE\nf: null\ng: ~\nh:\ni: 'true'\nj: '12'"
    assert value(text) == {
        "a": 12, "b": -3, "c": 0.8, "d": True, "e": False, "f": None, "g": None, "h": None, "i": "true", "j": "12"
    }  # fmt: skip


def test_decomposed_letters_become_composed_even_when_escaped() -> None:
    assert value('a: n\u0303o\nb: "e\\u0301"') == {"a": "ño", "b": "é"}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert value(b"\xef\xbb\xbfa: b") == {"a": "b"}


def test_a_repeated_key_is_refused_with_its_line() -> None:
    assert refusal("a: 1\nb: 2\na: 3").startswith("x.yaml:3: has the key 'a' twice")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x", "x.yaml:1: is used again through an alias"),
        ("a: &x hola\nb: *x", "through an alias"),
        ("&a [*a]", "through an alias"),
        ("a: *ser", "undefined alias"),
        ("a: !!python/object/apply:os.system [x]", "has the tag"),
        ("a: !!str 12", "has the tag"),
        ("!lesson {a: b}", "has the tag"),
        ("? [a]\n: b", "as a key"),
        ("a: b: c", 'put quotes round a text that holds ": "'),
        ("a:\tb\n\tc", "not YAML"),
        ("a\n---\nb", "another document"),
        ("", "is empty"),
        ('a: "\\e[31m"', "invisible character U+001B"),
        ('a: "\\u202e"', "invisible character U+202E"),
        ("a: \x00", "control characters"),
        (b"a: \xff", "x.yaml:1: is not UTF-8"),
        ("a: ñ".encode("utf-16"), "is not UTF-8"),
        (b"a: 1\nb: \xe1\n", "x.yaml:2: is not UTF-8"),
    ],
)
def test_what_is_more_than_plain_data_is_refused(text: str | bytes, said: str) -> None:
    assert said in refusal(text)


def test_a_billion_laughs_are_refused_at_the_first() -> None:
    laughs = "a: &a [ha, ha]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "through an alias" in refusal(laughs)


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "[{", "{a: "])
def test_a_megabyte_of_brackets_is_refused_and_does_not_end_the_process(opening: str) -> None:
    said = refusal(opening * 300_000)
    assert "is not YAML" in said or "is nested more than" in said


def test_nesting_is_allowed_up_to_the_limit() -> None:
    inner = MAX_DEPTH - 1
    assert value("[" * inner + "]" * inner)
    assert "nested more than" in refusal("[" * MAX_DEPTH + "a" + "]" * MAX_DEPTH)


def test_a_file_that_is_too_large_is_refused_before_it_is_read_as_yaml() -> None:
    assert "MiB" in refusal(b"a: " + b"x" * MAX_BYTES)


def test_a_list_that_is_too_long_is_refused() -> None:
    assert "entries" in refusal("[" + "a," * 300_000 + "]")


def test_lines_lead_to_keys_list_entries_and_what_should_hold_a_missing_key() -> None:
    source = parse_source(b"a: 1\nb:\n  - c: 2\n    d: 3\n  - e\n", FILE)
    assert source.line("a") == 1
    assert source.line("b", 0, "d") == 4
    assert source.line("b", 1) == 5
    assert source.line("b", 0, "missing") == 3
    assert source.line("b", 0, "choice", "d") == 4


plain_text = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"],
        exclude_characters="\u2028\u2029\ufeff\u202a\u202b\u202c\u202d\u202e\ufffe\uffff",
    )
).map(lambda text: unicodedata.normalize("NFC", text))
plain_values = st.recursive(
    plain_text | st.integers(-(10**9), 10**9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=20,
)


@given(plain_values.filter(lambda data: data is not None))
@settings(max_examples=200, deadline=None)
def test_plain_data_comes_back_as_it_was_written(data: Value) -> None:
    assert value(
        yaml.dump({"data": data}, allow_unicode=True, default_style='"' if isinstance(data, str) else None)
    ) == {"data": data}


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused_with_one_kind_of_error(data: bytes) -> None:
    assert outcome(data).startswith("x.yaml")


@given(st.text("[]{}&*!?:-#|>'\"%@`, \n\tab01~<=\\", max_size=80))
@settings(max_examples=500, deadline=None)
def test_any_mixture_of_yaml_signs_is_read_or_refused_with_one_kind_of_error(text: str) -> None:
    assert outcome(text.encode()).startswith("x.yaml")
