"""Pairs of words to be listened to: which word is taken, what is said for it, and in which order."""

from __future__ import annotations

from tutor_app.session.events import WordSound
from tutor_app.speech.pairs import ROUNDS, order, pair_of

CLEAR = WordSound("rojo", "clear", "rocho", "j is h.", "El carro es rocho.")
AGAIN = WordSound("carro", "again", "caro", "rr is rolled.", "El caro es rojo.")
SENTENCE = "El carro es rojo."


def test_the_first_word_to_be_heard_again_makes_the_pair() -> None:
    pair = pair_of((CLEAR, AGAIN), SENTENCE)
    assert pair is not None
    assert pair.words == ("carro", "caro")
    assert pair.sentences == (SENTENCE, "El caro es rojo.")
    assert pair.tip == "rr is rolled."


def test_what_was_clear_is_not_offered() -> None:
    assert pair_of((CLEAR,), SENTENCE) is None
    assert pair_of((), SENTENCE) is None


def test_the_words_alone_are_said_where_there_is_no_other_sentence() -> None:
    pair = pair_of((WordSound("carro", "again", "caro", ""),), SENTENCE)
    assert pair is not None
    assert pair.sentences == ("carro", "caro")


def test_the_order_is_the_seeds_and_every_order_comes() -> None:
    assert order("a") == order("a")
    assert len(order("a")) == ROUNDS
    assert {order(seed) for seed in range(40)} == {(0, 0), (0, 1), (1, 0), (1, 1)}
