"""Sounds line by line: remarks after a sentence said aloud, and `/pair`."""

from __future__ import annotations

from typing import cast

from lessons.schema import LessonSet
from tests.session.test_plain_path import Person
from tests.session.test_sounds import WORD, at_speak_step, speaking
from tests.ui.test_reading_aloud import ScriptedReader
from tutor_app import plain, plain_pairs
from tutor_app.plain_pairs import PlainSounds
from tutor_app.plain_speech import Spoken
from tutor_app.progress.store import Store
from tutor_app.session.events import WordSound
from tutor_app.session.session import Session
from tutor_app.speech.errors import SpeechError
from tutor_app.speech.pairs import order, pair_of
from tutor_app.speech.reader import Reader

SENTENCE = "El carro es rojo."
PCM = b"\x01\x00" * 800


def sounds(reader: ScriptedReader | None, person: Person, tried: bytes | None = None) -> PlainSounds:
    return PlainSounds(lambda: cast("Reader | None", reader), lambda: tried, person.say, person.ask)


def first_order() -> tuple[int, ...]:
    pair = pair_of((WORD,), SENTENCE)
    assert pair is not None
    return order(f"1 {pair.sentences}")


def test_a_pair_is_heard_and_then_said_without_being_sent() -> None:
    one, two = first_order()
    person = Person(str(one + 1), "r", str(2 - two), "/say")
    reader = ScriptedReader(words=(WORD,))
    asked = sounds(reader, person, PCM)
    asked.remarks(PCM, SENTENCE)
    both = (SENTENCE, WORD.other_sentence)
    reader.words = (WordSound("carro", "clear", "caro", ""),)
    assert [word.mark for word in asked.practise()] == ["clear"]
    assert reader.said == [
        (both[one], False), (both[two], False), (both[two], True), (both[0], False), (both[1], False)
    ]  # fmt: skip
    assert "rr is rolled." in person.all
    assert "Listen to both" in person.all
    assert "wrong" not in person.all
    assert asked.offer == "", "it was clear now"


def test_without_an_offer_or_a_voice_pair_says_so() -> None:
    person = Person()
    assert sounds(ScriptedReader(), person).practise() == ()
    silent = sounds(None, person)
    assert silent.remarks(PCM, SENTENCE) == ()
    assert silent.practise() == ()
    assert person.heard == [plain_pairs.NONE] * 2


def test_a_voice_that_fails_is_told_in_its_own_words() -> None:
    person = Person()
    reader = ScriptedReader(words=(WORD,))
    asked = sounds(reader, person)
    asked.remarks(PCM, SENTENCE)
    reader.trouble = SpeechError("No loudspeaker was found.")
    asked.practise()
    assert person.heard[-1] == "No loudspeaker was found."


def test_a_lesson_remarks_on_what_was_said_and_offers_the_pair(spanish: LessonSet, store: Store) -> None:
    lesson_id, item = speaking(spanish)
    before = Session(spanish, lesson_id, store, None)
    at_speak_step(before)
    before.close()
    person = Person("/say", "/quit")
    reader = ScriptedReader(words=(WORD,))
    asked = sounds(reader, person)
    session = Session(spanish, lesson_id, store, None)
    plain.hold(session, person.say, person.ask, speak=lambda: Spoken(item.say, PCM), sounds=asked)
    assert "carro: listen again, beside caro. (rr is rolled.)" in person.heard
    assert plain_pairs.OFFER.format(words=("carro", "caro")) in person.heard
