"""The banks: every line can be said, and learners' sentences are what they are said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.errors import FinetuneError
from finetune.synthesize import bank as banks
from finetune.synthesize.bank import BANKS, LEVELS, bank, framed
from finetune.synthesize.compose import about
from finetune.synthesize.learners import misspelt, whole
from finetune.synthesize.run import _info
from tutor_app.pedagogy import signals
from tutor_app.pedagogy.language import language
from tutor_app.pedagogy.validator import Situation, validate

CODES = sorted(path.stem for path in BANKS.glob("*.yaml"))
EVER = {"correction", "form", "unsafe", "reveal"}
"""Rules that no line may break, whatever stands beside it."""


def said(code: str) -> list[str]:
    data = bank(code)
    lines = [*data.warm, *data.sad, *data.sad_ask, *data.check, *data.back]
    lines += [line for level in LEVELS for line in (*getattr(data.neutral, level), *getattr(data.ask, level))]
    lines += [line for one in data.elicit for line in one.ask]
    lines += [line for wordings in language(code).simpler.values() for line in wordings]
    lines += [line for one in (*data.mixed, *data.register_shift) for line in one.reply]
    for topic in data.topics.values():
        for line in (
            *topic.react,
            *topic.more,
            *(line for level in LEVELS for line in getattr(topic.ask, level)),
        ):
            things = list(topic.fill) if "{n}" in line or "{N}" in line else [""]
            lines += [line.replace("{n}", thing).replace("{N}", thing) for thing in things]
    return lines


@pytest.mark.parametrize("code", CODES)
def test_no_line_of_a_bank_breaks_a_rule_that_always_holds(code: str) -> None:
    situation = Situation(code, "heritage", "B1")
    for line in said(code):
        broken = {violation.rule for violation in validate(line, situation)} & EVER
        assert not broken, (line, broken)


@pytest.mark.parametrize("code", CODES)
def test_every_question_asks_and_every_reaction_does_not(code: str) -> None:
    data = bank(code)
    asks = lambda line: any(mark in line for mark in "?？؟")  # noqa: E731
    questions = [*data.sad_ask, *data.check, *(line for one in data.elicit for line in one.ask)]
    for topic in data.topics.values():
        questions += [line for level in LEVELS for line in getattr(topic.ask, level)]
        assert not [line for line in (*topic.react, *topic.more) if asks(line)]
    assert not [line for line in questions if not asks(line)]
    assert not [line for line in (*data.warm, *data.sad, *data.back) if asks(line)]


@pytest.mark.parametrize("code", CODES)
def test_the_correction_of_every_wrong_sentence_is_one_that_the_app_believes(code: str) -> None:
    info = _info(code, "l2")  # type: ignore[arg-type]
    for wrong, right in (*bank(code).errors, *framed(bank(code))):
        assert whole(wrong, right, info), (wrong, right)


@pytest.mark.parametrize("code", CODES)
def test_every_question_of_a_free_talk_can_be_put_more_simply(code: str) -> None:
    assert set(language(code).phrases["topics"]) == set(language(code).simpler)


@pytest.mark.parametrize("code", CODES)
def test_who_is_lost_sounds_lost_and_who_is_not_does_not(code: str) -> None:
    data = bank(code)
    assert not [line for line in data.confused if not signals.confused(line, code)]
    assert not [line for topic in data.topics.values() for line in topic.say if signals.confused(line, code)]


@pytest.mark.parametrize("code", CODES)
def test_a_thing_belongs_to_one_topic_and_is_found_where_it_is_said(code: str) -> None:
    things = [thing for topic in bank(code).topics.values() for thing in topic.fill]
    assert len(things) == len(set(things))


def test_a_learners_sister_is_asked_about_and_a_sister_in_a_story_is_not() -> None:
    assert about("Mi hermana vive en Queens.", "es").thing == "tu hermana"
    assert about("Ella tiene una hermana.", "es").thing is None
    assert about("Mi hermana vive en Queens.", "es", "story") == about("Él corre.", "es", "story")


def test_a_slip_that_nobody_marked_is_no_example_of_a_good_sentence() -> None:
    assert misspelt("Estudio espanol en casa.")
    assert misspelt("Yo tenia un perro.")
    assert not misspelt("Estudio español en casa con Sami.")


def test_a_bank_with_a_mistake_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xx.yaml").write_text("neutral: {A1: [x]}\n", encoding="utf-8")
    monkeypatch.setattr(banks, "BANKS", tmp_path)
    with pytest.raises(FinetuneError, match=r"xx\.yaml"):
        banks.bank("xx")
    with pytest.raises(FinetuneError, match=r"yy\.yaml is missing"):
        banks.bank("yy")
