"""A whole talk on a scripted engine that has one thing to say: the learner is not asked it over and over."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.schema import LessonSet, TalkStep
from tests.session.test_talk import Hosted, scripted, talk
from tutor_app.pedagogy.language import language
from tutor_app.pedagogy.policy import Decision
from tutor_app.pedagogy.repetition import LAST_REPLIES
from tutor_app.progress.records import DueItem
from tutor_app.progress.store import Store
from tutor_app.session import journal
from tutor_app.session.choices import Choices
from tutor_app.session.drafts import Draft
from tutor_app.session.events import Asked, Event, Reply, Said, StepShown
from tutor_app.session.session import Session

STUCK = {
    "es-l2": "Qué bien. ¿Y qué más haces allí?",
    "fr-l2": "Je vois. Tu aimes quoi aussi ?",
    "zh-heritage": "真好。你还喜欢做什么？",
    "ar-l2": "جميل. مَاذَا تُحِبُّ أَيْضًا؟",
}
"""What the model answers to everything."""
LEARNER = {
    "es-l2": ["Vivo en Queens", "Mi mamá cocina arroz", "Estudio arte", "Tengo dos gatos", "Leo libros", "Nado los lunes", "Mi tío es alto", "Canto bien", "Hoy llueve", "Voy al parque", "Bailo mucho", "Trabajo aquí"],
    "fr-l2": ["J'habite à Lyon", "Ma mère cuisine", "J'étudie l'art", "J'ai deux chats", "Je lis un livre", "Je nage le lundi", "Mon oncle est grand", "Je chante bien", "Il pleut ici", "Je vais au parc", "Je danse souvent", "Je travaille ici"],
    "zh-heritage": ["我住在纽约", "我妈妈做饭", "我学画画", "我有两只猫", "我看书", "我星期一游泳", "我舅舅很高", "我唱歌", "今天下雨", "我去公园", "我跳舞", "我在这里工作"],
    "ar-l2": ["أسكن في نيويورك", "أمي تطبخ الأرز", "أدرس الفن", "عندي قطتان", "أقرأ كتابا", "أسبح يوم الاثنين", "خالي طويل", "أغني كثيرا", "اليوم مطر", "أذهب إلى الحديقة", "أرقص كثيرا", "أعمل هنا"],
}  # fmt: skip
SETS = sorted(STUCK)
LOST = "No entiendo."


def replies(events: Sequence[Event]) -> list[Reply]:
    return [event for event in events if isinstance(event, Reply)]


def question(line: str) -> str:
    """The last question as letters only, told apart without the rule's own help; asides in English are left out."""
    before = re.sub(r" ?\(.*?\)", "", line).rstrip("?？؟ »”")
    start = max(before.rfind(mark) for mark in ".!?。！？؟¿:：")
    return "".join(letter for letter in before[start + 1 :].casefold() if letter.isalpha())


def never_again(lines: Sequence[str], back: int = LAST_REPLIES) -> None:
    """No question is that of one of the lines just before it."""
    asked = [question(line) for line in lines]
    for number, one in enumerate(asked):
        assert one, lines[number]
        assert one not in asked[max(0, number - back) : number], lines[max(0, number - back) : number + 1]


def said_in(session: Session, *turns: str | Asked) -> list[Reply]:
    found = []
    for turn in turns:
        found += replies(list(session.submit(Said(turn, 6.0) if isinstance(turn, str) else turn)))
    return found


@pytest.mark.parametrize("name", SETS)
def test_nobody_is_asked_the_same_twice_in_five_lines_of_a_free_talk(
    name: str, store: Store, hosted: Hosted
) -> None:
    lessons = load_set(builtin_sets_dir() / name)
    session = Session(lessons, None, store, hosted(scripted([STUCK[name]] * 99)), level="B1", seed=2)
    opening = list(session.start())[-1]
    assert isinstance(opening, StepShown)
    said = said_in(session, *LEARNER[name])
    never_again([opening.prompt, *(one.text for one in said)])
    own = [number for number, one in enumerate(said) if question(one.text) == question(STUCK[name])]
    assert own == [0, 5, 10], "the model's question is asked again as soon as it may be"
    assert all(said[number].source == "model" for number in own)
    begins = STUCK[name].split(".")[0].split("。")[0]
    assert all(one.text.startswith(begins) for one in said), "its other words stay"


@pytest.mark.parametrize("name", SETS)
def test_a_lesson_goes_on_to_its_end_with_questions_that_were_not_just_asked(
    name: str, store: Store, hosted: Hosted
) -> None:
    """The model asks the lesson's own second question at every turn, also before its time."""
    lessons = load_set(builtin_sets_dir() / name)
    talks = [(one, step) for one in lessons.lessons for step in one.steps if isinstance(step, TalkStep)]
    lesson, step = next((one, step) for one, step in talks if step.turns > LAST_REPLIES)
    host = hosted(scripted([step.questions[1].replace("*", "")] * 99))
    session = Session(lessons, lesson.id, store, host, seed=2)
    shown = to_the_talk(session, step.id)
    lines = [shown.prompt]
    for text in LEARNER[name]:
        events = list(session.submit(Said(text, 6.0)))
        lines += [one.text for one in replies(events)]
        if any(isinstance(event, StepShown) for event in events) or session.over:
            break
    assert len(lines) > step.turns
    never_again(lines)


def to_the_talk(session: Session, step: str) -> StepShown:
    """Skip on to this talk of the lesson."""
    shown = list(session.start())[-1]
    assert isinstance(shown, StepShown)
    while shown.id != step:
        shown = next(event for event in session.submit(Asked("skip")) if isinstance(event, StepShown))
    return shown


def test_who_is_lost_comes_back_to_the_question_and_then_goes_on(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    simpler = "Claro, más fácil: ¿te gusta la salsa?"
    engine = scripted(["Ya veo. ¿Qué música te gusta?", simpler, "Qué bien. ¿Qué música te gusta?"])
    session = talk(spanish, store, hosted(engine))
    first, second, third = said_in(session, "Vivo en Queens", LOST, "La salsa y el merengue")
    assert (second.move, second.text, second.source) == ("simplify", simpler, "model")
    assert question(third.text) != question(first.text)


@pytest.mark.parametrize("seed", range(4))
def test_a_talk_that_begins_with_being_lost_goes_on_with_another_question(
    seed: int, spanish: LessonSet, store: Store
) -> None:
    """Being lost costs no turn, so that the first topic is due once more."""
    session = Session(spanish, None, store, None, level="A2", seed=seed, fresh=True)
    list(session.start())
    never_again([one.text for one in said_in(session, LOST, "Bien, gracias", "Vivo en Queens")])


def test_the_talk_remembers_over_a_restart_what_it_asked(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    before = said_in(talk(spanish, store, hosted(scripted([STUCK["es-l2"]] * 9))), *LEARNER["es-l2"][:3])
    again = talk(spanish, store, hosted(scripted([STUCK["es-l2"]] * 9)))
    assert len(again.earlier) == 3
    after = said_in(again, *LEARNER["es-l2"][3:6])
    never_again([one.text for one in (*before, *after)])
    assert question(after[2].text) == question(before[0].text), "five lines on, it may be asked"


def test_a_restart_remembers_only_the_talk_that_it_is_in(spanish: LessonSet, store: Store) -> None:
    talks = [(one.id, step.id) for one in spanish.lessons for step in one.steps[1:] if step.kind == "talk"]
    lesson, step = talks[0]
    first = Session(spanish, lesson, store, None, seed=2)
    opening = to_the_talk(first, step).prompt
    (said,) = said_in(first, "Soy de Queens")
    again = Session(spanish, lesson, store, None, seed=2)
    assert to_the_talk(again, step).prompt == said.text, "it goes on from the last line"
    assert len(again.earlier) > 2, "the lines of the tasks before the talk are there too"
    assert again._previous == (opening, said.text)


@pytest.mark.parametrize("seed", range(4))
def test_going_on_in_a_talk_is_said_another_way_each_time(
    seed: int, spanish: LessonSet, store: Store
) -> None:
    session = Session(spanish, None, store, None, level="A2", seed=seed, fresh=True)
    list(session.start())
    never_again([one.text for one in said_in(session, *[Asked("skip")] * 4)], back=1)


@pytest.mark.parametrize("seed", range(6))
def test_hints_in_a_talk_take_turns(seed: int, spanish: LessonSet, store: Store) -> None:
    session = Session(spanish, None, store, None, level="A2", seed=seed, fresh=True)
    list(session.start())
    hints = said_in(session, *[Asked("hint")] * 4, Asked("explain"))
    never_again([one.text for one in hints], back=1)
    assert len({one.text for one in hints}) == len(language("es").phrases["listen"])


ERROR, NATIVE = "Mi hermana es en casa", "Mi hermana está en casa"


@pytest.mark.parametrize("seed", range(4))
def test_forms_that_are_heard_beside_each_other_are_asked_about_in_turns(
    seed: int, spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    host = hosted(scripted([" ¿Y tu mamá?", " ¿Y quién más vive allí?"], native=NATIVE))
    session = Session(spanish, None, store, host, level="A2", seed=seed, fresh=True)
    list(session.start())
    said = said_in(session, *[ERROR] * 4)
    assert [one.move for one in said] == ["recast", "question"] * 2
    never_again([said[1].text, said[3].text])


@pytest.mark.parametrize("seed", range(4))
def test_a_form_that_passed_by_is_asked_for_in_turns(
    seed: int, spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    host = hosted(scripted([" ¿Y tu mamá?", " ¿Y quién más vive allí?"], native=NATIVE))
    session = Session(
        spanish, None, store, host, level="A2", seed=seed, fresh=True, choices=Choices(feedback="more")
    )
    list(session.start())
    said = said_in(session, ERROR, "Mi mamá trabaja mucho", ERROR, "Trabaja en un hospital")
    assert [one.move for one in said] == ["recast", "question"] * 2
    never_again([said[1].text, said[3].text])


@pytest.mark.parametrize("seed", range(4))
def test_due_words_are_brought_up_in_turns(seed: int, spanish: LessonSet, store: Store) -> None:
    due = [
        DueItem(number, "word", word, "es", None, "", "", 0.0, 0.5)
        for number, word in enumerate(("pan", "sol", "mar"))
    ]
    session = Session(spanish, None, store, None, level="A2", seed=seed, fresh=True, due=due)
    list(session.start())
    asked = [one.text for one in said_in(session, *LEARNER["es-l2"]) if "«" in one.text]
    assert len(asked) == 3
    never_again(asked[1:])  # three turns lie between these, and more before them


@pytest.mark.parametrize("seed", range(4))
def test_what_ended_is_explained_in_turns(seed: int, spanish: LessonSet, store: Store) -> None:
    talks = [(one.id, step.id) for one in spanish.lessons for step in one.steps[1:] if step.kind == "talk"]
    session = Session(spanish, talks[0][0], store, None, seed=seed, fresh=True)
    to_the_talk(session, talks[0][1])
    never_again([one.text for one in said_in(session, Asked("explain"), Asked("explain"))])


def test_what_stands_in_for_a_line_that_may_not_be_said_takes_turns(spanish: LessonSet, store: Store) -> None:
    at = talk(spanish, store, None)._at
    wrong = Draft("Eso está mal.", "authored")
    said: list[str] = []
    for _ in range(3):
        said.append(journal.presentable(wrong, None, Decision("ask"), at, tuple(said)).text)
    assert len(set(said)) == 3
    assert set(said) <= set(language("es").phrases["ask"])  # nothing was tried that could be tried again
