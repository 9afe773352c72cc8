"""The line-by-line form, for somebody new: who they are, where they begin, what they hand in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lessons.schema import LessonSet
from tests.session.test_talk import GOOD, Hosted, scripted
from tutor_app import jsonl, plain, plain_path
from tutor_app.errors import TutorError
from tutor_app.llm.fake import Line
from tutor_app.llm.protocol import ModelRefused
from tutor_app.progress.handin import hand_in, read_hand_in
from tutor_app.progress.store import Store
from tutor_app.session.host import ModelHost
from tutor_app.session.service import TutorService
from tutor_app.session.session import Session


class Person:
    """Answers in order, and what they were told."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)

    def ask(self, question: str) -> str:
        self.heard.append(question)
        found = next(self._answers, None)
        if found is None:
            raise plain.Ended
        return found

    @property
    def all(self) -> str:
        return "\n".join(self.heard)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[TutorService]:
    made = TutorService(tmp_path, with_model=False)
    yield made
    made.close()


def meet(service: TutorService, *answers: str) -> Person:
    person = Person(*answers)
    plain_path.choose_learner(service, None, person.say, person.ask)
    return person


def test_somebody_who_grew_up_with_the_language_is_led_to_the_heritage_path(service: TutorService) -> None:
    person = meet(service, "Luz", "1", "1", "1", "2", "3", "")
    assert "You grew up with Spanish" in person.all
    assert service.settings()["track"] == "heritage"
    assert service.settings()["background.home"] == "everyone"
    assert service.sets()[0].id == "es-heritage"


def test_somebody_who_learns_it_is_led_to_the_other_and_may_choose_otherwise(service: TutorService) -> None:
    person = meet(service, "Wei", "1", "4", "4", "4", "4", "2")
    assert "learning Spanish from English" in person.all
    assert service.settings()["track"] == "heritage"


def test_every_question_can_be_left_out(service: TutorService) -> None:
    meet(service, "Wei", "1", "", "", "", "", "")
    assert service.settings() == {"language": "es", "track": "l2"}


def test_the_level_is_found_kept_and_decides_what_is_recommended(service: TutorService) -> None:
    meet(service, "Wei", "1", "", "", "", "", "")
    person = Person("/level", "/stop", "3", "0")
    assert plain.choose_lesson(service, person.say, person.ask) is None
    assert service.settings()["start_level.es-l2"] == "B1"
    assert "You begin at B1" in person.all
    chosen = service.sets()[0]
    assert (chosen.start_level, chosen.next_lesson) == ("B1", "pre-check")


def test_a_whole_placement_is_short_and_its_result_explained(service: TutorService) -> None:
    meet(service, "Wei", "1", "", "", "", "", "")
    person = Person(*[""] * 40)
    plain_path.place(service, service.sets()[0], person.say, person.ask, lambda step: None)
    asked = person.heard.count(">")
    assert 8 <= asked <= 24
    assert "new to you" in person.all
    assert service.settings()["start_level.es-l2"] == "A1"


def test_a_pin_is_wanted_at_the_next_start(service: TutorService, tmp_path: Path) -> None:
    meet(service, "Wei", "1", "", "", "", "", "")
    person = Person("/pin", "2468", "2468", "/daily 5", "0")
    plain.choose_lesson(service, person.say, person.ask)
    assert "does not encrypt" in person.all
    assert service.settings()["daily_reviews"] == 5
    later = TutorService(tmp_path, with_model=False)
    again = Person("1", "1111", "2468")
    plain_path.choose_learner(later, None, again.say, again.ask)
    assert "does not fit" in again.all
    assert later.learner() is not None
    later.close()
    with pytest.raises(TutorError, match="does not fit"):
        meet(TutorService(tmp_path, with_model=False), "1", "1", "2", "3")


def test_a_hand_in_contains_what_was_agreed_to(service: TutorService, tmp_path: Path) -> None:
    meet(service, "Wei", "1", "", "", "", "", "")
    target = tmp_path / "wei.handin"
    nothing = Person(f"/handin {target}", "0")
    plain.choose_lesson(service, nothing.say, nothing.ask)
    assert not target.exists()
    lesson = Person("hola", "/keep hola", "/quit")
    plain.hold(service.start_lesson("es-l2", "hola"), lesson.say, lesson.ask)
    person = Person(f"/handin {target}", "1", "W. C.", "", "0")
    plain.choose_lesson(service, person.say, person.ask)
    handed = read_hand_in(target)
    assert (handed.name, handed.share, handed.set_ids) == ("W. C.", "results", ("es-l2",))
    assert [row["text"] for row in handed.tables["turns"]] == [""] * len(handed.tables["turns"])


def test_a_word_of_the_tutors_line_is_kept_with_the_line(service: TutorService) -> None:
    meet(service, "Wei", "1", "", "", "", "", "")
    person = Person("/keep hola", "/quit")
    plain.hold(service.start_lesson("es-l2", "hola"), person.say, person.ask)
    (card,) = service._opened().cards(2e9)
    assert (card.key, card.gloss) == ("hola", "hello, hi")
    assert "Soy Inés" in card.sentence
    assert service.sets()[0].review_items == 1


def out_of_memory(hosted: Hosted, smaller: Callable[[str], str | None]) -> ModelHost:
    host = hosted(scripted([Line("Muy bien, ¿y tú?", dies_after=1, out_of_memory=True), GOOD]))
    host._smaller = smaller
    return host


def test_the_smaller_model_is_offered_when_memory_runs_out(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    used: list[str] = []
    session = Session(
        spanish, None, store, out_of_memory(hosted, {"scripted": "gemma3-270m"}.get), level="A2", seed=1
    )
    person = Person("Hoy trabajo en casa.", "/smaller", "/quit")
    plain.hold(session, person.say, person.ask, use_model=used.append)
    assert "gemma3-270m needs less" in person.all
    assert used == ["gemma3-270m"]


def test_the_offer_stands_in_the_reply_of_the_json_lines(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    session = Session(
        spanish, None, store, out_of_memory(hosted, {"scripted": "gemma3-270m"}.get), level="A2", seed=1
    )
    out = io.StringIO()
    jsonl.run_jsonl(session, io.BytesIO(b'{"text": "Hoy trabajo en casa."}\n'), out)
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    (reply,) = [event for event in events if event["event"] == "reply"]
    assert reply["model_lost"]["offer"] == "gemma3-270m"
    assert reply["source"] == "authored"


def test_a_talk_that_is_taken_up_is_read_out_from_where_it_was(spanish: LessonSet, store: Store) -> None:
    first = Person("Vivo en Queens con mi familia.")
    with pytest.raises(plain.Ended):
        plain.hold(Session(spanish, None, store, None, level="A2", seed=1), first.say, first.ask)
    opening, last = [line for line in first.heard if line.startswith("Tutor: ")]
    again = Person("/quit")
    plain.hold(Session(spanish, None, store, None, level="A2", seed=1), again.say, again.ask)
    assert "You: Vivo en Queens con mi familia." in again.heard
    assert again.heard.count(last) == 1
    assert opening not in again.heard
    assert "You can continue another time" not in again.all, "a talk that was left is over"
    assert "Saved." in again.all


def test_a_model_that_cannot_be_loaded_is_mentioned(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = scripted([])
    engine.load_error = ModelRefused("The model cannot be run: it is truncated.")
    person = Person("Hoy trabajo en casa.", "Mi hermana estudia arte.", "/quit")
    plain.hold(Session(spanish, None, store, hosted(engine), level="A2", seed=1), person.say, person.ask)
    assert person.all.count("it is truncated") == 1


def test_without_a_model_the_json_lines_name_what_was_lost_once(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([])
    engine.load_error = ModelRefused("The model cannot be run: it is truncated.")
    out = io.StringIO()
    lines = b'{"text": "Hoy trabajo en casa."}\n{"text": "Mi hermana estudia arte."}\n'
    jsonl.run_jsonl(Session(spanish, None, store, hosted(engine), level="A2", seed=1), io.BytesIO(lines), out)
    first, second = (
        event for line in out.getvalue().splitlines() if (event := json.loads(line))["event"] == "reply"
    )
    assert first["model_lost"]["message"] == "The model cannot be run: it is truncated."
    assert "model_lost" not in second


@pytest.mark.parametrize(
    "written", ["~nobody-of-this-name/x.handin", "/etc/passwd/x.handin", f"/tmp/{'x' * 300}", "a\0b"]
)
def test_a_hand_in_where_no_file_can_be_is_refused_in_a_sentence(service: TutorService, written: str) -> None:
    meet(service, "Wei", "1", "", "", "", "", "")
    person = Person(f"/handin {written}", "0")
    assert plain.choose_lesson(service, person.say, person.ask) is None
    assert written in person.all


def test_a_hand_in_whose_name_leaves_no_room_is_refused_in_a_sentence(store: Store, tmp_path: Path) -> None:
    with pytest.raises(TutorError, match="could not be written"):
        hand_in(store, tmp_path / ("x" * 253), set_ids=("es-l2",), share="results", now=0.0)


def in_plain(monkeypatch: pytest.MonkeyPatch, service: TutorService, tmp_path: Path, *answers: str) -> Person:
    """The whole of `tutor --plain` on this service."""
    person = Person(*answers)
    monkeypatch.setattr(plain, "TutorService", lambda *_, **__: service)
    monkeypatch.setattr(plain, "write", person.say)
    monkeypatch.setattr(plain, "read", person.ask)
    assert plain.run_plain(tmp_path, "Ana") == 0
    return person


def test_a_lesson_that_was_left_is_closed_before_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    closed: list[Session] = []
    monkeypatch.setattr(Session, "close", lambda session: closed.append(session))
    service = TutorService(tmp_path, with_model=False)
    service.create_learner("Ana", {"language": "es", "track": "l2"})
    in_plain(monkeypatch, service, tmp_path, "1", "/quit", "0")
    assert len(closed) == 1


def test_that_there_is_no_model_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tutor_app.session.models.models.Models.default", lambda _: "none-such")
    service = TutorService(tmp_path)
    service.create_learner("Ana", {"language": "es", "track": "l2"})
    assert "no language model" in in_plain(monkeypatch, service, tmp_path, "0").all
