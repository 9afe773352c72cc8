"""Every lesson that ships is played to its end, without a model, by a learner who does everything."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.patterns import is_regex
from lessons.schema import MatchItem, items_of
from tutor_app.pedagogy.assess import reveals
from tutor_app.pedagogy.language import primary
from tutor_app.pedagogy.validator import Situation, validate
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.events import Asked, Attempt, Event, Reply, Said, StepShown, Summary
from tutor_app.session.plan import all_words
from tutor_app.session.session import Session

LOST = {"es": "No entiendo.", "fr": "Je ne comprends pas.", "zh": "我不懂。", "ar": "لا أفهم."}
OPEN = {
    "es": "Vivo en Nueva York con mi familia y me gusta mucho la música de mi barrio porque es alegre.",
    "fr": "J'habite à New York avec ma famille et j'aime beaucoup la musique de mon quartier.",
    "zh": "我住在纽约，我很喜欢我家旁边的公园，我常常跟朋友去那里玩，我觉得很有意思。",
    "ar": "أنا أسكن في نيويورك مع عائلتي وأحب الموسيقى كثيرا لأنها جميلة.",
}
PATIENCE = 400
"""Turns after which a lesson counts as endless; the longest takes about 150."""

SETS = sorted(path.parent for path in builtin_sets_dir().glob("*/set.yaml"))
LESSONS = [(folder, path) for folder in SETS for path in sorted((folder / "lessons").glob("*.yaml"))]


load = cache(load_set)


def doing_everything(item: object, shown: StepShown, language: str) -> Iterator[Said | Asked]:
    """Lost, slow and wrong, hints up to the third, then right in the last accepted form (often a dialect's).

    A check takes the first answer, so there it is the right one, after a hint was asked for.
    """
    if shown.check:
        yield Asked("hint")
        yield Said(item.accept[-1].text, 4.0)  # type: ignore[attr-defined]
        return
    yield Said(LOST[language], 4.0)
    wrong = [
        error.pattern for error in item.errors if not is_regex(error.pattern) and "*" not in error.pattern
    ]  # type: ignore[attr-defined]
    if isinstance(item, MatchItem):
        yield Said("1a 2a 3a", 90.0)
    else:
        for pattern in wrong[:2]:
            yield Said(pattern, 90.0)
    for _ in range(4):
        yield Asked("hint")
    if isinstance(item, MatchItem):
        partner = {pair[0]: pair[1] for pair in item.pairs}
        yield Said(
            " ".join(
                f"{i}{'abcdefgh'[shown.choices.index(partner[left])]}" for i, left in enumerate(shown.left, 1)
            )
        )
    else:
        yield Said(item.accept[-1].text, 4.0)  # type: ignore[attr-defined]
    yield Asked("skip")


@pytest.mark.parametrize(
    ("folder", "path"), LESSONS, ids=[f"{folder.name}/{path.stem}" for folder, path in LESSONS]
)
def test_it_ends_hints_do_not_leak_and_every_reply_is_valid(folder: Path, path: Path, tmp_path: Path) -> None:
    lessons = load(folder)
    lesson = lessons.lessons[sorted((folder / "lessons").glob("*.yaml")).index(path)]
    tag, language = lessons.info.language, primary(lessons.info.language)
    items = {item.id: item for step in lesson.steps for item in items_of(step)}
    own = all_words([lesson], tag)
    with Store.open(tmp_path, create_learner(tmp_path, "Lee").id) as store:
        session = Session(lessons, lesson.id, store, None, seed=1)
        step = shown_in(session.start())
        script = iter(())  # type: ignore[var-annotated]
        solved: set[str] = set()
        turns = 0
        while not session.over:
            turns += 1
            assert turns < PATIENCE, f"{step.id} does not end"
            item = items.get(step.id)
            turn = next(script, None)
            if turn is None:
                script = (
                    iter((Said(LOST[language]), Said(OPEN[language]), Said(OPEN[language])))
                    if item is None
                    else doing_everything(item, step, language)
                )
                turn = next(script)
            events = list(session.submit(turn))
            for event in events:
                if isinstance(event, Reply):
                    situation = Situation(tag, lessons.info.track, lesson.level, allowed_words=own)
                    assert validate(event.text, situation) == [], f"{step.id} {event.move}: {event.text}"
                    if event.move == "hint" and event.hint_level < 4 and item is not None:
                        assert not reveals(event.text, item, tag), (
                            f"{step.id} hint {event.hint_level}: {event.text}"
                        )
                if isinstance(event, Attempt) and event.correct:
                    solved.add(event.item)
            following = shown_in(iter(events))
            if following is not None and following.id != step.id:
                step, script = following, iter(())
        assert any(isinstance(event, Summary) and event.finished for event in events)
        assert solved == set(items), f"not accepted: {sorted(set(items) - solved)}"


def shown_in(events: Iterator[Event]) -> StepShown | None:
    found = None
    for event in events:
        if isinstance(event, StepShown):
            found = event
    return found
