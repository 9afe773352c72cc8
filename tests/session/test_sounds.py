"""What a session says of how a sentence sounded: only in steps to be said aloud, and before anything is judged."""

from __future__ import annotations

from pathlib import Path

from lessons.schema import LessonSet, SpeakStep, SpokenItem
from tutor_app.errors import TutorError
from tutor_app.jsonl import as_json
from tutor_app.progress.store import Store
from tutor_app.session.events import Asked, Heard, Reply, Sounded, Spoke, StepShown, WordSound
from tutor_app.session.session import Session

WORD = WordSound("carro", "again", "caro", "rr is rolled.", "El caro es rojo.")
FILE = Path("answer.wav")


def speaking(spanish: LessonSet) -> tuple[str, SpokenItem]:
    """A lesson with a step to be said aloud, and its first item."""
    return next(
        (lesson.id, step.items[0])
        for lesson in spanish.lessons
        for step in lesson.steps
        if isinstance(step, SpeakStep)
    )


def at_speak_step(session: Session) -> None:
    """Skip to the first step that is to be said aloud."""
    shown = [event for event in session.start() if isinstance(event, StepShown)]
    while shown[-1].kind != "speak":
        shown += [event for event in session.submit(Asked("skip")) if isinstance(event, StepShown)]


def heard(path: Path, language: str) -> Heard:
    return Heard("algo", language, 0.9, 2.0)


def test_a_script_reads_all_that_is_needed_to_hear_the_word_beside_the_other() -> None:
    assert as_json(Sounded((WORD,))) == {
        "event": "sounded",
        "words": [
            {
                "word": "carro",
                "mark": "again",
                "other": "caro",
                "tip": "rr is rolled.",
                "other_sentence": "El caro es rojo.",
            }
        ],
    }


def test_a_sentence_said_aloud_is_compared_with_what_was_to_be_said(spanish: LessonSet, store: Store) -> None:
    lesson_id, item = speaking(spanish)
    asked: list[tuple[Path, str, str]] = []

    def pronounce(path: Path, text: str, language: str) -> tuple[WordSound, ...]:
        asked.append((path, text, language))
        return (WORD,)

    session = Session(spanish, lesson_id, store, None, hear=heard, pronounce=pronounce)
    at_speak_step(session)
    events = list(session.submit(Spoke(FILE)))
    assert asked == [(FILE, item.say, "es")]
    assert [type(event) for event in events[:2]] == [Heard, Sounded]
    assert any(isinstance(event, Reply) for event in events)


def test_an_answer_counts_when_nothing_can_be_said_of_its_sound(spanish: LessonSet, store: Store) -> None:
    def refuse(path: Path, text: str, language: str) -> tuple[WordSound, ...]:
        raise TutorError("no voice")

    session = Session(spanish, speaking(spanish)[0], store, None, hear=heard, pronounce=refuse)
    at_speak_step(session)
    events = list(session.submit(Spoke(FILE)))
    assert not any(isinstance(event, Sounded) for event in events)
    assert any(isinstance(event, Reply) for event in events)
