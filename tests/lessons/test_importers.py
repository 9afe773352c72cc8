"""Other programs' material becomes a set that can be studied, and what was lost is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lessons.exchange import ExchangeError, Outcome
from lessons.exporters.gift import export_gift
from lessons.importers.csv_words import import_csv
from lessons.importers.draft import About, hints, item, slug
from lessons.importers.gift import import_gift
from lessons.importers.librelingo import import_librelingo
from lessons.lint import lint
from lessons.load import load_set
from lessons.patterns import contains, without_punctuation
from lessons.problems import LessonError
from lessons.schema import ChoiceItem, Lesson, LessonSet, MatchItem, OrderItem, items_of
from tests.lessons.sample import lesson, write_set

ABOUT = About("imported", "Imported", "es")
TO_WRITE = {"errors-few", "plan-culture", "plan-items", "plan-kinds", "plan-talk", "plan-words", "level-word"}
"""What an import cannot know: errors, culture, a talk; and quantity."""


def only_lesson(folder: Path) -> Lesson:
    (found,) = load_set(folder).lessons
    return found


def items_in(found: LessonSet) -> dict[str, list[Any]]:
    kinds: dict[str, list[Any]] = {}
    for one in found.lessons:
        for step in one.steps:
            kinds.setdefault(step.kind, []).extend(items_of(step))
    return kinds


def lost(outcome: Outcome) -> str:
    return "\n".join(outcome.lines())


@pytest.mark.parametrize(
    "data",
    [
        "word,gloss\nla casa,house\nla mano,hand\nel día,day\n",
        "la casa,house\nla mano,hand\nel día,day\n",
        "\ufeffGloss;Palabra\nhouse;la casa\nhand;la mano\nday;el día\n",
        'Front\tBack\n"la casa"\thouse\nla mano\thand\nel di\u0301a\tday\n\n',
    ],
)
def test_word_lists_are_read_with_and_without_headings(tmp_path: Path, data: str) -> None:
    (tmp_path / "w.csv").write_text(data, encoding="utf-8")
    import_csv(tmp_path / "w.csv", tmp_path / "set", ABOUT)
    found = load_set(tmp_path / "set")
    assert [(word.word, word.gloss) for word in found.lessons[0].vocabulary] == [
        ("la casa", "house"),
        ("la mano", "hand"),
        ("el día", "day"),
    ]
    kinds = items_in(found)
    assert kinds["match"][0].pairs == [["la casa", "house"], ["la mano", "hand"], ["el día", "day"]]
    assert [(one.prompt, one.accept[0].text) for one in kinds["translate"]] == [
        ("house", "la casa"),
        ("hand", "la mano"),
        ("day", "el día"),
    ]


def test_excels_unicode_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_bytes("单词\tgloss\tpinyin\n学校\tschool\txuéxiào\n".encode("utf-16"))
    import_csv(tmp_path / "w.csv", tmp_path / "set", About("zh-words", "Words", "zh"))
    (word,) = only_lesson(tmp_path / "set").vocabulary
    assert (word.word, word.gloss, word.reading) == ("学校", "school", "xuéxiào")


def test_long_lists_become_lessons_of_twelve_words(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("".join(f"palabra {n},word {n}\n" for n in range(30)), encoding="utf-8")
    assert import_csv(tmp_path / "w.csv", tmp_path / "set", ABOUT).written == 3
    assert [len(one.vocabulary) for one in load_set(tmp_path / "set").lessons] == [12, 12, 6]


def test_rows_and_columns_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(
        "word,gloss,colour\nuno,one,red\ndos,,blue\nuno,first,red\n", encoding="utf-8"
    )
    said = lost(import_csv(tmp_path / "w.csv", tmp_path / "set", ABOUT))
    assert "1 × column (colour)" in said
    assert "1 × row without a word or a meaning (row 2)" in said
    assert "1 × word that is there twice (uno)" in said


@pytest.mark.parametrize("data", [b"", b"\n\n", b"one\n", b"\xff\xfe\xff", b"a\xe1,b\n", b'"' * 200_000])
def test_files_that_are_no_word_list_are_refused_and_leave_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w.csv").write_bytes(data)
    with pytest.raises(ExchangeError):
        import_csv(tmp_path / "w.csv", tmp_path / "set", ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["w.csv"]


def test_a_folder_with_something_in_it_is_never_overwritten(tmp_path: Path) -> None:
    write_set(tmp_path / "set")
    (tmp_path / "w.csv").write_text("uno,one\n", encoding="utf-8")
    with pytest.raises(ExchangeError, match="is not empty"):
        import_csv(tmp_path / "w.csv", tmp_path / "set", ABOUT)


def test_what_is_imported_lacks_only_what_an_import_cannot_know(tmp_path: Path) -> None:
    rows = "".join(
        f"{word},{gloss}\n"
        for word, gloss in zip(
            ("la casa", "la mano", "el día", "el sol"), ("house", "hand", "day", "sun"), strict=True
        )
    )
    (tmp_path / "w.csv").write_text(rows, encoding="utf-8")
    import_csv(tmp_path / "w.csv", tmp_path / "set", ABOUT)
    assert {finding.rule for finding in lint(tmp_path / "set")} <= TO_WRITE


@given(
    st.text(min_size=1, max_size=30).filter(
        lambda text: any(map(str.isalnum, without_punctuation(text, "es")))
    )
)
@settings(max_examples=200, deadline=None)
def test_made_hints_lead_to_the_answer_without_giving_it_away(answer: str) -> None:
    ladder = hints(answer)
    assert len(ladder) == 4
    assert all("?" in hint for hint in ladder)
    assert contains(ladder[3], answer, "es")


def test_ids_are_the_same_at_every_import() -> None:
    assert slug("¿Dónde está?", "say") == "say-donde-esta"
    assert slug("学校", "say") == slug("学校", "say") != slug("老师", "say")
    assert item("x", "house", ["la casa"])["id"] == "x-house-la-casa"


GIFT = r"""// a comment
$CATEGORY: $course$/Unit 1

::Q1::[html]<p>Yo {~estoy#Look again =soy ~es} de Lima.</p>

::Q2:: How do you say "hello"? {=hola =buenas ####Both are fine.}

::Q3:: Ana ___ de Lima. {=es}

Madrid is the capital of Spain.{T}

::Q5:: Match. {
  =uno -> one
  =dos -> two
  =tres -> three
}

$CATEGORY: $course$/Unit 2

::Q6:: Braces \{x\} and 10\:30 {=a\=b =c\~d}

::Q7:: Which two? {~%50%uno ~%50%dos ~%-100%casa}

::Q8:: How many days has a week? {#7}

::Q9:: When did it begin? {#1492..1500}

Write about your family. {}

This is only a description.

::Q12:: Match two. {=a -> b =c -> d}

::Q13:: LONG {=x}
""".replace("LONG", "word " * 400)


def test_questions_of_every_kind_come_from_gift(tmp_path: Path) -> None:
    (tmp_path / "q.gift").write_text(GIFT, encoding="utf-8")
    outcome = import_gift(tmp_path / "q.gift", tmp_path / "set", ABOUT)
    found = load_set(tmp_path / "set")
    assert [one.title for one in found.lessons] == ["Unit 1", "Unit 2"]
    kinds = items_in(found)
    choices = {one.prompt: one for one in kinds["choice"]}
    first = choices["Yo ___ de Lima."]
    assert isinstance(first, ChoiceItem)
    assert (first.choices, [answer.text for answer in first.accept]) == (["estoy", "soy", "es"], ["soy"])
    assert choices["Madrid is the capital of Spain."].accept[0].text == "True"
    assert [answer.text for answer in choices["Which two?"].accept] == ["uno", "dos"]
    short = {one.prompt: one for one in kinds["translate"]}
    assert [answer.text for answer in short['How do you say "hello"?'].accept] == ["hola", "buenas"]
    assert short['How do you say "hello"?'].explain == "Both are fine."
    assert [answer.text for answer in short["Braces {x} and 10:30"].accept] == ["a=b", "c~d"]
    assert short["How many days has a week?"].accept[0].text == "7"
    assert kinds["cloze"][0].prompt == "Ana ___ de Lima."
    assert isinstance(kinds["match"][0], MatchItem)
    assert kinds["match"][0].pairs == [["uno", "one"], ["dos", "two"], ["tres", "three"]]
    said = lost(outcome)
    for what in (
        "feedback to an answer",
        "essay question",
        "description",
        "within a range",
        "fewer than 3 pairs",
    ):
        assert what in said


def test_our_own_gift_comes_back_with_the_same_answers(tmp_path: Path) -> None:
    data = lesson()
    odd = ["a=b", "{x}", "c#d", "e~f", "10:30", "back\\slash", "new->line"]
    data["steps"][4]["items"][0].update(accept=odd, prompt="Say: {odd} #1 = ~ \\ 10:30.")
    ours = load_set(write_set(tmp_path / "ours", data))
    export_gift(ours, tmp_path / "x.gift")
    import_gift(tmp_path / "x.gift", tmp_path / "back", ABOUT)
    before, after = items_in(ours), items_in(load_set(tmp_path / "back"))
    for kind in ("choice", "cloze", "match"):
        assert [one.prompt for one in after[kind]] == [one.prompt for one in before[kind]]
    assert after["match"][0].pairs == before["match"][0].pairs
    assert after["choice"][0].choices == before["choice"][0].choices
    answers = {one.prompt: [answer.text for answer in one.accept] for one in after["translate"]}
    assert answers["Say: {odd} #1 = ~ \\ 10:30."] == odd


@given(st.text("ab{}=~#:\\%->T \n$/[]", max_size=120))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_as_gift_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("gift")
    (folder / "x.gift").write_text(text, encoding="utf-8", newline="")
    refused = False
    try:
        import_gift(folder / "x.gift", folder / "set", ABOUT)
    except ExchangeError:
        refused = True
    assert (folder / "set").exists() is not refused
    if not refused:
        assert load_set(folder / "set").lessons


COURSE = {
    "course.yaml": """
Course:
  Language: {Name: Spanish, IETF BCP 47: es}
  For speakers of: {Name: English, IETF BCP 47: en}
  License: {Name: CC BY-SA, Short name: CC-BY-SA-4.0, Link: https://example.org}
Modules:
  - basics/
""",
    "basics/module.yaml": "Module:\n  Name: Basics\nSkills:\n  - hello.yaml\n",
    "basics/skills/hello.yaml": """
Skill:
  Id: 1
  Name: Hello
  Thumbnails: [man1]
New words:
  - Word: el hombre
    Synonyms: [el señor]
    Translation: the man
    Images: [man1]
  - Word: la mujer
    Translation: the woman
  - Word: no
    Translation: no
Phrases:
  - Phrase: El hombre dice hola.
    Alternative versions: [El señor dice hola.]
    Translation: The man says hello.
    Alternative translations: [The man says hi.]
Mini-dictionary:
  Spanish:
    - hombre: man
  English:
    - man: hombre
""",
    "basics/skills/hello.md": "Men and women. *Nouns have gender.*\n",
}


def course(folder: Path, **changes: str) -> Path:
    for name, text in {**COURSE, **changes}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_librelingo_course_becomes_a_lesson_for_each_skill(tmp_path: Path) -> None:
    outcome = import_librelingo(course(tmp_path / "course"), tmp_path / "set", About("ll", "LL", "xx"))
    found = load_set(tmp_path / "set")
    assert (found.info.language, found.info.licence) == ("es", "CC-BY-SA-4.0")
    (one,) = found.lessons
    assert [(word.word, word.gloss) for word in one.vocabulary] == [
        ("el hombre", "the man"),
        ("la mujer", "the woman"),
        ("no", "no"),
    ]
    assert "Nouns have gender" in one.forms[0].explain
    kinds = items_in(found)
    phrase = next(made for made in kinds["translate"] if made.prompt == "The man says hello.")
    assert [answer.text for answer in phrase.accept] == ["El hombre dice hola.", "El señor dice hola."]
    assert isinstance(kinds["order"][0], OrderItem)
    assert kinds["order"][0].tokens == ["El", "hombre", "dice", "hola."]
    said = lost(outcome)
    for what in ("picture", "mini-dictionary", "synonyms of a word", "other translations", "introduction"):
        assert what in said


@pytest.mark.parametrize("name", ["../../outside", "/etc"])
def test_a_course_cannot_name_files_outside_its_folder(tmp_path: Path, name: str) -> None:
    folder = course(tmp_path / "deep" / "course", **{"course.yaml": f"Modules: ['{name}']"})
    (tmp_path / "outside").mkdir()
    with pytest.raises(ExchangeError, match="outside its folder"):
        import_librelingo(folder, tmp_path / "set", ABOUT)


@pytest.mark.parametrize(
    "changes",
    [
        {"course.yaml": "- a list"},
        {"course.yaml": "Modules: 3"},
        {"course.yaml": "Modules: [nothing/]"},
        {"basics/module.yaml": "Skills: [nothing.yaml]"},
        {"basics/skills/hello.yaml": "New words: 3\nPhrases: [1, {Phrase: 2}]"},
        {"basics/skills/hello.yaml": "a: &a [*a]"},
    ],
)
def test_broken_courses_are_refused_and_leave_nothing(tmp_path: Path, changes: dict[str, str]) -> None:
    folder = course(tmp_path / "course", **changes)
    with pytest.raises(LessonError):
        import_librelingo(folder, tmp_path / "set", ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["course"]


def test_words_of_one_meaning_are_all_right(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("word,gloss\ncamión,bus\nguagua,Bus\nel tren,train\n", encoding="utf-8")
    import_csv(tmp_path / "w.csv", tmp_path / "set", ABOUT)
    asked = [[one.text for one in item.accept] for item in items_in(load_set(tmp_path / "set"))["translate"]]
    assert asked == [["camión", "guagua"], ["guagua", "camión"], ["el tren"]]
