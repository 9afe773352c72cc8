"""In a pause the session reads along with what is being written, and a key or Enter always comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from textual.message import Message

from tests.ui.conftest import driven
from tests.ui.fake_service import FakeSession
from tutor_app.session.events import Asked, Said
from tutor_app.ui.draft import DEAR_S, PAUSE_S, REST_S, Draft, Reading
from tutor_app.ui.messages import TurnOver
from tutor_app.ui.runner import SessionRunner


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_sentence_is_read_at_its_full_stop_and_taken_for_whole_after_a_pause() -> None:
    clock = Clock()
    draft = Draft(clock)
    assert draft.wait_s() is None
    draft.change("Vivo en Queens.")
    assert draft.take() == Reading(Said("Vivo en Queens."), whole=False)
    assert draft.take() is None
    assert draft.wait_s() == pytest.approx(PAUSE_S)
    clock.now += PAUSE_S
    assert draft.take() == Reading(Said("Vivo en Queens."), whole=True)
    assert (draft.take(), draft.wait_s()) == (None, None)


def test_without_one_it_is_read_in_after_a_pause_and_taken_for_whole_after_a_rest() -> None:
    clock = Clock()
    draft = Draft(clock)
    draft.change("Vivo en")
    clock.now += PAUSE_S
    assert draft.take() == Reading(Said("Vivo en"), whole=False)
    assert draft.wait_s() == pytest.approx(REST_S - PAUSE_S)
    clock.now += REST_S - PAUSE_S
    assert draft.take() == Reading(Said("Vivo en"), whole=True)


def test_a_word_is_read_in_when_it_is_finished_unless_that_takes_long() -> None:
    clock = Clock()
    draft = Draft(clock)
    word = Reading(Said("Vivo "), whole=False)
    draft.change("Vivo ")
    assert draft.take() == word
    draft.took(word, DEAR_S / 2)
    draft.took(Reading(Said("Vivo."), whole=False), DEAR_S * 2)  # a sentence is more than its last word
    draft.took(Reading(Said("Vivo "), whole=True), DEAR_S * 2)
    draft.took(Reading(Said(""), whole=False), DEAR_S * 2)
    draft.change("Vivo en ")
    assert draft.take() == Reading(Said("Vivo en "), whole=False)
    draft.took(word, DEAR_S * 2)
    draft.change("Vivo en Queens ")
    assert draft.take() is None
    assert draft.wait_s() == pytest.approx(PAUSE_S)
    draft.change("Vivo en Queens.")
    assert draft.wait_s() == pytest.approx(PAUSE_S)


def test_what_is_read_serves_the_text_that_goes_on_after_it() -> None:
    part, all_of_it = (Reading(Said("Vivo en "), whole=whole) for whole in (False, True))
    assert part.serves("Vivo en ")
    assert part.serves("Vivo en")
    assert part.serves("Vivo en Queens.")
    assert not part.serves("Vivo e")
    assert all_of_it.serves("Vivo en ")
    assert all_of_it.serves("Vivo en")
    assert not all_of_it.serves("Vivo en Queens.")


def test_what_was_said_so_far_is_needed_whatever_is_written() -> None:
    assert Reading(Said(""), whole=False).serves("V")


def test_a_sentence_that_turns_out_not_to_have_ended_is_not_looked_at_any_more() -> None:
    sentence = Reading(Said("Trabajo en EEUU."), whole=False)
    assert sentence.serves("Trabajo en EEUU. Y")
    assert not sentence.serves("Trabajo en EEUU.com")
    assert not sentence.serves("Trabajo en EEUU..")
    assert Reading(Said("我住在皇后区。"), whole=False).serves("我住在皇后区。我")


@pytest.mark.parametrize("text", ["Pago casi 2.", "El Sr.", "Pues...", "Pues…", "Sí."])
def test_a_dot_that_may_end_nothing_is_waited_for(text: str) -> None:
    draft = Draft(Clock())
    draft.change(text)
    assert draft.wait_s() == pytest.approx(PAUSE_S)


@pytest.mark.parametrize("text", ["¿Y tú?", "¡Sí!", "我住在皇后区。", "Vivo aquí."])
def test_a_sure_end_is_not(text: str) -> None:
    draft = Draft(Clock())
    draft.change(text)
    assert draft.take() == Reading(Said(text), whole=False)


def test_a_space_after_the_full_stop_changes_nothing() -> None:
    clock = Clock()
    draft = Draft(clock)
    draft.change("Vivo en Queens.")
    assert draft.take() == Reading(Said("Vivo en Queens."), whole=False)
    clock.now += PAUSE_S / 2
    draft.change("Vivo en Queens. ")
    assert draft.wait_s() == pytest.approx(PAUSE_S / 2)
    clock.now += PAUSE_S
    assert draft.take() == Reading(Said("Vivo en Queens. "), whole=True)
    assert draft.wait_s() is None


def test_every_key_begins_the_pause_anew_and_an_empty_box_is_not_read() -> None:
    clock = Clock()
    draft = Draft(clock)
    for text in ("Vivo e", "Vivo en"):
        draft.change(text)
        clock.now += PAUSE_S / 2
    draft.change("Vivo en")  # no change: a message that came late
    assert draft.take() is None
    clock.now += PAUSE_S / 2
    assert draft.take() == Reading(Said("Vivo en"), whole=False)
    draft.change("")
    clock.now += REST_S
    assert draft.take() is None


def test_what_is_read_knows_how_long_the_learner_has_taken() -> None:
    clock = Clock()
    draft = Draft(clock)
    draft.change("Vivo en Queens.", 4.0)
    clock.now += 2.0
    assert draft.take() == Reading(Said("Vivo en Queens.", 6.0), whole=False)
    assert draft.take() == Reading(Said("Vivo en Queens.", 6.0), whole=True)


@dataclass
class SlowReader(FakeSession):
    """Reads until it is stopped, or let go on."""

    reading: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    wanted: Callable[[], bool] = lambda: True
    quick_with_parts: bool = False

    def read_along(self, draft: Said, *, whole: bool, wanted: Callable[[], bool]) -> None:
        super().read_along(draft, whole=whole, wanted=wanted)
        if not draft.text or (self.quick_with_parts and not whole):
            return
        self.wanted = wanted
        self.stopped.clear()
        self.reading.set()
        while not self.go_on.wait(0.005) and not self.stopped.is_set():
            pass

    def stop_reading(self) -> None:
        self.stopped.set()


@pytest.fixture
def reader() -> SlowReader:
    return SlowReader(())


@pytest.fixture
def turns() -> list[int]:
    return []


@pytest.fixture
def runner(reader: SlowReader, turns: list[int]) -> Iterator[SessionRunner]:
    def post(message: Message) -> None:
        if isinstance(message, TurnOver):
            turns.append(message.turn)

    made = SessionRunner(lambda: reader, post)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.end()
    thread.join(5.0)
    assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come to that")


def test_writing_on_ends_the_reading_of_the_whole(runner: SessionRunner, reader: SlowReader) -> None:
    reader.quick_with_parts = True
    runner.write("Vivo en Queens.")
    assert reader.reading.wait(10.0)
    runner.write("Vivo en Queens. Y")
    assert reader.stopped.wait(10.0)
    assert not reader.wanted()
    until(lambda: len(reader.read) == 3)
    assert reader.read == [
        ("Vivo en Queens.", False),
        ("Vivo en Queens.", True),
        ("Vivo en Queens. Y", False),
    ]


def test_writing_on_lets_the_sentence_before_it_be_looked_at(
    runner: SessionRunner, reader: SlowReader
) -> None:
    runner.write("Vivo en Queens.")
    assert reader.reading.wait(10.0)
    runner.write("Vivo en Queens. Y")
    assert reader.wanted()
    assert not reader.stopped.is_set()
    reader.go_on.set()
    until(lambda: len(reader.read) == 2)
    assert reader.read == [("Vivo en Queens.", False), ("Vivo en Queens. Y", False)]


def test_what_is_read_of_the_text_that_is_sent_goes_on_whatever_is_written_next(
    runner: SessionRunner, reader: SlowReader, turns: list[int]
) -> None:
    runner.write("Vivo en Queens.")
    assert reader.reading.wait(10.0)
    runner.write("")  # the box is emptied before the turn is handed over
    assert not reader.stopped.is_set()
    runner.submit(Said("Vivo en Queens."))
    runner.write("Y")
    until(lambda: 1 in turns)
    assert reader.turns == [Said("Vivo en Queens.")]
    assert not reader.stopped.is_set()
    assert not reader.wanted()  # the rest of it is the turn's own
    reader.go_on.set()


def test_writing_on_lets_what_was_begun_of_it_go_on(runner: SessionRunner, reader: SlowReader) -> None:
    runner.write("Vivo en ")
    assert reader.reading.wait(10.0)
    runner.write("Vivo en Q")
    assert reader.wanted()
    assert not reader.stopped.is_set()
    runner.write("Vivo a")
    assert reader.stopped.wait(10.0)


def test_after_each_turn_what_was_said_is_read_in_unless_something_is_written_already(
    runner: SessionRunner, reader: SlowReader, turns: list[int]
) -> None:
    until(lambda: reader.settled == 1)
    runner.submit(Said("Vivo en Bronx."))
    until(lambda: reader.settled == 2)
    reader.go_on.set()
    runner.write("Y mi")
    runner.submit(Said("Vivo en Queens."))
    until(lambda: 2 in turns and ("Y mi", False) in reader.read)
    assert reader.settled == 2


@pytest.mark.parametrize("turn", [Said("Vivo en Bronx."), Asked("hint")])
def test_another_turn_does_not_wait_for_it(
    runner: SessionRunner, reader: SlowReader, turns: list[int], turn: Said | Asked
) -> None:
    runner.write("Vivo en Queens.")
    assert reader.reading.wait(10.0)
    runner.submit(turn)
    until(lambda: 1 in turns)
    assert reader.turns == [turn]


def test_leaving_does_not_wait_for_it(runner: SessionRunner, reader: SlowReader) -> None:
    runner.write("Vivo en Queens.")
    assert reader.reading.wait(10.0)
    runner.end()
    assert reader.closed.wait(10.0)


async def test_the_writing_box_tells_what_is_in_it() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.pilot.press(*"Hola", "full_stop")
        for _ in range(200):
            if ("Hola.", True) in ui.session.read:
                break
            await ui.pilot.pause(0.02)
        assert ui.session.read[-2:] == [("Hola.", False), ("Hola.", True)]
        await ui.press("enter")
        assert [turn.text for turn in ui.session.turns if isinstance(turn, Said)] == ["Hola."]


async def test_the_writing_box_tells_when_a_word_is_finished() -> None:
    async with driven() as ui:
        await ui.open_lesson()
        await ui.pilot.press(*"Vivo", "space")
        for _ in range(200):
            if ("Vivo ", False) in ui.session.read:
                break
            await ui.pilot.pause(0.02)
        assert ("Vivo ", False) in ui.session.read
