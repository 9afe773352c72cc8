"""Characters whole, stop texts never seen."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor_app.llm.text_stream import TextStream


def stream(pieces: list[bytes], stops: tuple[str, ...] = ()) -> list[str]:
    text = TextStream(stops)
    return [*(text.push(piece) for piece in pieces), text.finish()]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def test_a_character_split_over_tokens_comes_whole() -> None:
    data = "ñ漢🙂".encode()
    assert stream([data[i : i + 1] for i in range(len(data))]) == [
        "",
        "ñ",
        "",
        "",
        "漢",
        "",
        "",
        "",
        "🙂",
        "",
    ]


def test_half_a_character_at_the_end_is_shown_as_a_replacement() -> None:
    assert stream([b"a", "漢".encode()[:2]])[-1] == "�"


def test_text_after_a_stop_text_is_dropped() -> None:
    text = TextStream(("<end>",))
    assert text.push(b"Hola<en") == "Hola"
    assert text.push(b"d>adios") == ""
    assert text.push(b"more") + text.finish() == ""


def test_a_beginning_that_is_no_stop_text_after_all_is_given_back() -> None:
    assert "".join(stream([b"1 < 2 <e", b"q"], ("<end>",))) == "1 < 2 <eq"


def test_the_earliest_of_several_stop_texts_counts() -> None:
    assert "".join(stream([b"a###b\n\nc"], ("\n\n", "###"))) == "a"


@given(st.text(), st.lists(st.integers(0, 10_000)))
def test_any_cut_gives_the_same_text(text: str, places: list[int]) -> None:
    data = text.encode("utf-8", errors="surrogatepass").decode("utf-8", errors="replace").encode()
    assert "".join(stream(cut(data, places))) == data.decode()


@given(
    st.text(alphabet="ab<>ñ", max_size=30),
    st.lists(st.integers(0, 100), max_size=8),
    st.lists(st.text(alphabet="ab<>ñ", min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_output_is_exactly_what_precedes_the_first_stop_text(
    text: str, places: list[int], stops: list[str]
) -> None:
    # Pieces are whole characters here, so that each push can be compared; bytes are cut in the test above.
    pieces = [piece.encode() for piece in text]
    found = TextStream(tuple(stops))
    out = ""
    for piece in pieces:
        out += found.push(piece)
        assert not any(stop in out for stop in stops)
    out += found.finish()
    # The first stop text that is complete while reading decides, as it does for a reader of a stream.
    expected = text
    for end in range(1, len(text) + 1):
        hits = [at for stop in stops if (at := text[:end].find(stop)) >= 0]
        if hits:
            expected = text[: min(hits)]
            break
    assert out == expected


@pytest.mark.parametrize("stops", [(), ("",)])
def test_without_stop_texts_nothing_waits(stops: tuple[str, ...]) -> None:
    assert TextStream(stops).push(b"<|im_") == "<|im_"
