"""A text of the learner's own, with and without a model that reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lessons.schema import LessonSet, WriteStep
from tests.session.test_talk import replied, scripted
from tutor_app.llm.fake import ScriptedEngine
from tutor_app.progress.store import Store
from tutor_app.session.choices import Choices
from tutor_app.session.events import Event, Problem, Said
from tutor_app.session.host import ModelHost
from tutor_app.session.session import Session

Hosted = Callable[[ScriptedEngine], ModelHost]
TEXT = "Mi abuela está muy divertida. Vive en Santiago con mi tío y mis primas. Me gusta mucho hablar con ella de todo."
NATIVE = "Mi abuela es muy divertida."


def writing(
    spanish: LessonSet, store: Store, host: ModelHost | None, choices: Choices | None = None
) -> Session:
    """A sitting whose only step is a writing task."""
    lesson = next(one for one in spanish.lessons if any(isinstance(step, WriteStep) for step in one.steps))
    steps = [step for step in lesson.steps if isinstance(step, WriteStep)]
    only = lesson.model_copy(update={"steps": steps, "culture": []})
    set_of_one = LessonSet(info=spanish.info, lessons=[only])
    session = Session(set_of_one, only.id, store, host, seed=1, choices=choices)
    list(session.start())
    return session


def write(session: Session, text: str) -> Sequence[Event]:
    return list(session.submit(Said(text, 60.0)))


def test_a_form_of_the_text_is_recast_and_the_instructor_s_question_follows(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    session = writing(spanish, store, hosted(scripted([], native=NATIVE)))
    reply = replied(write(session, TEXT))
    assert reply.move == "recast"
    assert reply.recast is not None
    assert "es muy" in reply.recast
    assert reply.recast in reply.text
    assert reply.text.endswith("?")
    assert any(signal.startswith("error:") for signal in reply.signals)


def test_a_text_with_nothing_to_recast_gets_the_question_alone(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    reply = replied(write(writing(spanish, store, hosted(scripted([]))), TEXT))
    assert reply.move == "question"
    assert reply.recast is None


def test_who_wants_less_feedback_is_only_asked(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    session = writing(spanish, store, hosted(scripted([], native=NATIVE)), Choices(feedback="less"))
    reply = replied(write(session, TEXT))
    assert reply.recast is None
    assert any(signal.startswith("error:") for signal in reply.signals)


def test_without_a_model_the_task_is_the_same_without_recasts(spanish: LessonSet, store: Store) -> None:
    session = writing(spanish, store, None)
    assert replied(write(session, TEXT)).move == "question"
    events = write(session, TEXT + " Es alta.")
    assert replied(events).move == "affirm"
    assert not any(isinstance(event, Problem) for event in events)
