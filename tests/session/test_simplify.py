"""Who does not understand a free talk's question hears that question in easier words, whoever finds them."""

from __future__ import annotations

import pytest

from lessons.load import builtin_sets_dir, load_set
from lessons.schema import LessonSet
from tests.session.test_repetition import LOST, SETS, Hosted, said_in
from tests.session.test_talk import scripted, talk
from tutor_app.llm.fake import ScriptedEngine
from tutor_app.pedagogy.language import language
from tutor_app.pedagogy.repetition import without_lead_in
from tutor_app.progress.store import Store
from tutor_app.session.session import Session

ASKED = "Ya veo. ¿Qué cocinas con tu abuela los domingos?"
CONFUSED = {"es-l2": LOST, "fr-l2": "Je ne comprends pas.", "zh-heritage": "我不懂。", "ar-l2": "لا أفهم."}


def directions(engine: ScriptedEngine) -> list[str]:
    """What the model was asked to do, turn by turn."""
    prompts = [engine.text(ids) for ids in engine.prompts]
    last = [one.rsplit("<|im_start|>user\n", 1)[-1].split("<|im_end|>")[0] for one in prompts]
    return [one.rsplit("\n", 1)[-1] for one in last if not one.startswith("[native]")]


def test_the_model_is_asked_for_easier_words_of_what_it_just_asked(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    simpler = "Con calma: ¿cocinas con tu abuela?"
    engine = scripted([ASKED, simpler])
    _, second = said_in(talk(spanish, store, hosted(engine)), "Vivo en Queens", LOST)
    assert (second.move, second.source, second.text) == ("simplify", "model", simpler)
    assert directions(engine)[-1] == "[simplify: ¿Qué cocinas con tu abuela los domingos?]"


def test_the_model_is_told_once_that_the_same_words_are_no_help(
    spanish: LessonSet, store: Store, hosted: Hosted
) -> None:
    engine = scripted([ASKED, "Claro. ¿Qué cocinas con tu abuela los domingos?", "Claro. ¿Cocina tu abuela?"])
    _, second = said_in(talk(spanish, store, hosted(engine)), "Vivo en Queens", LOST)
    assert (second.source, second.text) == ("repaired", "Claro. ¿Cocina tu abuela?")
    assert "easier words" in directions(engine)[-1]


def test_the_same_words_again_are_no_help(spanish: LessonSet, store: Store, hosted: Hosted) -> None:
    engine = scripted([ASKED, *["Claro, más fácil: ¿Qué cocinas con tu abuela los domingos?"] * 3])
    _, second = said_in(talk(spanish, store, hosted(engine)), "Vivo en Queens", LOST)
    assert second.source != "model"
    easier = [form for forms in language("es").simpler.values() for form in forms]
    assert without_lead_in(second.text) in easier, (
        "nobody wrote easier words for this one, so another is asked"
    )


@pytest.mark.parametrize("name", SETS)
def test_without_a_model_each_topics_question_has_easier_words(name: str, store: Store) -> None:
    lessons = load_set(builtin_sets_dir() / name)
    tag = lessons.info.language
    session = Session(lessons, None, store, None, level="A2", seed=3, fresh=True)
    list(session.start())
    first, second = said_in(session, "OK", CONFUSED.get(name, LOST))
    topic = next(one for one in language(tag).phrases["topics"] if one in first.text)
    assert second.move == "simplify"
    assert without_lead_in(second.text) in language(tag).simpler[topic]
