"""`/hear` line by line: what a step lets be heard, and what is shown when nothing can be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.schema import LessonSet, SpokenItem, items_of
from tests.session.test_plain_pairs import Person
from tutor_app import plain
from tutor_app.progress.store import Store
from tutor_app.session.events import Asked, StepShown
from tutor_app.session.plan import masked
from tutor_app.session.service import TutorService
from tutor_app.session.session import Session


def dictated(lessons: LessonSet) -> tuple[str, SpokenItem]:
    """A lesson with a dictation, and its first item."""
    for lesson in lessons.lessons:
        for step in lesson.steps:
            if step.kind == "dictation":
                item = items_of(step)[0]
                assert isinstance(item, SpokenItem)
                return lesson.id, item
    raise AssertionError("no lesson has a dictation")


def to_the_dictation(session: Session) -> StepShown:
    events = list(session.start())
    while True:
        shown = next(event for event in reversed(events) if isinstance(event, StepShown))
        if shown.kind == "dictation":
            return shown
        events = list(session.submit(Asked("skip")))


@pytest.mark.parametrize("heard", [True, False])
def test_a_dictation_is_heard_or_shown_so_that_it_can_be_done(
    heard: bool, spanish: LessonSet, store: Store
) -> None:
    lesson_id, item = dictated(spanish)
    before = Session(spanish, lesson_id, store, None, voice=True)
    to_the_dictation(before)
    before.close()
    asked: list[str] = []

    def hear(text: str) -> bool:
        asked.append(text)
        return heard

    person = Person("/hear", "/hint", "/hear", "/quit")
    plain.hold(Session(spanish, lesson_id, store, None, voice=True), person.say, person.ask, hear=hear)
    assert asked == [item.say] * 2  # also after the tutor said something
    assert item.say not in person.heard
    assert (masked(item.say) in person.heard) is not heard


def test_an_instructors_recording_is_what_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TUTOR_LAB", "TEXTUAL_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUTOR_LOUDSPEAKER", "none")
    folder = tmp_path / "lessons" / "es-l2"
    shutil.copytree(builtin_sets_dir() / "es-l2", folder)
    text = (folder / "set.yaml").read_text(encoding="utf-8")
    version = load_set(folder).info.version
    (folder / "set.yaml").write_text(text.replace(f"version: {version}", "version: 99.0.0"), encoding="utf-8")
    lesson_id, item = dictated(load_set(folder))
    (folder / "media").mkdir(exist_ok=True)
    shutil.copy(Path(__file__).parents[1] / "speech" / "audio" / "es-coffee.ogg", folder / "media")
    for file in (folder / "lessons").glob("*.yaml"):
        said = f"say: {item.say}\n"
        lesson = file.read_text(encoding="utf-8").replace(said, f"{said}        audio: es-coffee.ogg\n")
        file.write_text(lesson, encoding="utf-8")
    service = TutorService(tmp_path, with_model=False, aloud=True)
    try:
        service.create_learner("Ana", {"language": "es", "track": "l2"})
        assert service.reader("gone") is None
        reader = service.reader("es-l2")
        assert reader is not None
        assert reader.recordings == {item.say: (folder / "media" / "es-coffee.ogg").resolve()}
        assert reader.say(item.say)
        assert to_the_dictation(service.start_lesson("es-l2", lesson_id)).say == item.say
    finally:
        service.close()
