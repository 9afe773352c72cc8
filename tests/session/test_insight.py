"""What the service tells the screens about the learner: names from the installed sets, and only of who is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.progress.making import attempt, begin, turn
from tutor_app.errors import TutorError
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.events import Said
from tutor_app.session.overview import SetOverview
from tutor_app.session.service import TutorService


@pytest.fixture
def service(tmp_path: Path) -> Iterator[TutorService]:
    made = TutorService(tmp_path, with_model=False)
    yield made
    made.close()


def practised(data_dir: Path, set_id: str, word: str) -> str:
    """Id of a learner with one attempt in a set."""
    learner = create_learner(data_dir, "Ana")
    with Store.open(data_dir, learner.id) as store:
        session = begin(store, "hola", set_id=set_id)
        attempt(store, turn(store, session), session, set_id=set_id, lesson_id="hola", words=(word,))
    return learner.id


def test_forms_lessons_and_words_have_the_names_of_their_set(service: TutorService, tmp_path: Path) -> None:
    spanish = next(overview for overview in _sets(service) if overview.id == "es-l2")
    lesson = next(each for each in spanish.lessons if each.id == "hola")
    service.open_learner(practised(tmp_path, "es-l2", lesson.words[0].word))
    insight = service.insight()
    assert insight.set_name("es-l2").title == spanish.title
    assert insight.set_name("es-l2").language_name == "Spanish"
    assert insight.form_name("es-l2", "ser-estar") == spanish.forms["ser-estar"]
    assert insight.lesson_name("es-l2", "hola") == lesson.title
    word = next(card for card in insight.remembered().cards if card.kind == "word")
    assert insight.meaning(word) == lesson.words[0].gloss
    insight.correct_card(word.id, gloss="mine", sentence="")
    word = next(card for card in insight.remembered().cards if card.kind == "word")
    assert insight.meaning(word) == "mine", "the learner's own wording goes first"


def _sets(service: TutorService) -> list[SetOverview]:
    service.create_learner("Reader", {"language": "es", "track": "l2"})
    return list(service.sets())


def test_what_is_not_installed_any_more_keeps_its_ids(service: TutorService, tmp_path: Path) -> None:
    service.open_learner(practised(tmp_path, "gone-set", "la casa"))
    insight = service.insight()
    assert insight.set_name("gone-set").title == "gone-set"
    assert insight.form_name("gone-set", "ser-estar") == "ser-estar"
    assert insight.lesson_name("gone-set", "hola") == "hola"
    assert insight.lesson_name("gone-set", None) == ""
    assert [line.lesson_id for line in insight.progress("gone-set").lessons] == ["hola"]


def test_it_is_of_the_learner_who_is_open(service: TutorService, tmp_path: Path) -> None:
    with pytest.raises(TutorError, match="choose a name"):
        service.insight()
    service.open_learner(practised(tmp_path, "es-l2", "la casa"))
    assert service.insight().set_ids() == ["es-l2"]
    service.create_learner("Ben", {})
    assert service.insight().set_ids() == []


def test_a_session_that_was_deleted_is_said_to_be_gone(service: TutorService, tmp_path: Path) -> None:
    service.open_learner(practised(tmp_path, "es-l2", "la casa"))
    insight = service.insight()
    session = insight.latest_sessions()[0]
    assert insight.transcript(session.id).session == session
    insight.delete_session(session.id)
    with pytest.raises(TutorError, match="no longer there"):
        insight.transcript(session.id)


def test_a_session_that_is_deleted_takes_the_examples_and_recordings_made_in_it(
    service: TutorService, tmp_path: Path
) -> None:
    service.create_learner("Ana", {"language": "es", "track": "l2"})
    session = service.start_lesson("es-l2", "hola")
    list(session.start())
    list(session.submit(Said("Hola", 2.0)))
    session.save_word("de nada", "Una frase privada")
    service.keep_recording(b"\x01\x00" * 800)
    assert len(list(tmp_path.rglob("*.wav"))) == 1
    service.insight().delete_session(session.id)
    assert [card.sentence for card in service.insight().remembered().cards if card.key == "de nada"] == [""]
    assert list(tmp_path.rglob("*.wav")) == []
