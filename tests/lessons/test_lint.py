"""Each didactic mistake is found, at its line, and a good lesson has none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lessons.lint import Finding, lint
from lessons.problems import ReadError
from tests.lessons.sample import Data, dump, errors, hints, info, item, lesson, write_set

Spoil = Callable[[Data], Any]


def step(data: Data, kind: str) -> Data:
    found: Data = next(step for step in data["steps"] if step["kind"] == kind)
    return found


def first(data: Data, kind: str) -> Data:
    found: Data = step(data, kind)["items"][0]
    return found


def found_in(tmp_path: Path, spoil: Spoil, **set_changes: Any) -> list[Finding]:
    data = lesson()
    spoil(data)
    return lint(write_set(tmp_path / "set", data, set_info=info(**set_changes)))


def put(target: Data, **changes: Any) -> None:
    target.update(changes)


def test_the_sample_has_nothing_to_fix(sample: Path) -> None:
    assert lint(sample) == []


def test_the_example_that_instructors_start_from_lacks_only_quantity(tmp_path: Path) -> None:
    from lessons.skeleton import new_set

    new_set(tmp_path / "s", set_id="s", title="S", language="es", track="l2", level="A1", author="A")
    assert {finding.rule for finding in lint(tmp_path / "s")} == {"plan-items", "plan-words", "plan-kinds"}


CASES: list[tuple[str, Spoil]] = [
    # the answer gives itself away
    ("leak-prompt", lambda d: put(first(d, "translate"), prompt="Write: soy de Lima.")),
    ("leak-gloss", lambda d: put(first(d, "translate"), gloss="I am from Lima (soy de Lima).")),
    ("leak-hint", lambda d: first(d, "translate")["hints"].__setitem__(1, "¿Soy de Lima?")),
    ("leak-hint", lambda d: first(d, "cloze")["hints"].__setitem__(2, 'o "es" o "está"?')),
    ("leak-hint", lambda d: first(d, "translate")["errors"][0].update(hints=["¿Soy de Lima?", "¿a?", "¿b o c?", "Soy de Lima. ¿Y tú?"])),
    # the ladder
    ("hint-model", lambda d: first(d, "translate")["hints"].__setitem__(3, "¿Y ahora?")),
    ("hint-order", lambda d: put(first(d, "translate"), hints=["¿Con s__ o con est__?", "¿Quién?", "¿Dónde vive?", "Soy de Lima. ¿Y tú?"])),
    ("hint-choice", lambda d: first(d, "translate")["hints"].__setitem__(2, "¿Empieza con s__?")),
    ("hint-twice", lambda d: first(d, "translate")["hints"].__setitem__(1, "¿de quién habla la frase?")),
    ("hint-asks", lambda d: first(d, "translate")["hints"].__setitem__(0, "Mira el lugar.")),
    ("hint-model", lambda d: put(first(d, "match"), hints=hints("nada"))),
    # answers
    ("choice-answer", lambda d: put(first(d, "choice"), accept=["somos"], hints=hints("somos"))),
    ("choice-all", lambda d: put(first(d, "choice"), choices=["soy", "Soy."])),
    ("choice-twice", lambda d: put(first(d, "choice"), choices=["soy", "estoy", "Estoy", "eres"])),
    ("order-answer", lambda d: put(first(d, "order"), tokens=["Soy", "Lima."])),
    ("cloze-gap", lambda d: put(first(d, "cloze"), prompt="Ana es de Lima.")),
    ("cloze-gap", lambda d: put(first(d, "cloze"), prompt="___ es de ___.")),
    ("cloze-gap", lambda d: put(first(d, "cloze"), prompt="Ana ____ de Lima.")),
    ("dictation-answer", lambda d: put(first(d, "dictation"), say="Somos de Lima.")),
    ("match-twice", lambda d: first(d, "match")["pairs"].append(["la casa", "home"])),
    ("answer-twice", lambda d: put(first(d, "translate"), accept=["Soy de Lima", "¡soy de lima!"])),
    ("answer-empty", lambda d: first(d, "translate")["accept"].append("…")),
    ("audio-missing", lambda d: put(first(d, "listen"), audio="lima.ogg")),
    ("audio-unheard", lambda d: put(first(d, "cloze"), audio="lima.ogg")),
    # error patterns
    ("errors-few", lambda d: put(first(d, "translate"), errors=errors("estoy *"))),
    ("pattern-broken", lambda d: put(first(d, "translate"), errors=errors("/(/", "estoy *"))),
    ("pattern-accepts", lambda d: put(first(d, "translate"), errors=errors("* de lima", "estoy *"))),
    ("pattern-accepts", lambda d: put(first(d, "match"), errors=errors("la casa = house", "la casa = hand"))),
    ("match-pattern", lambda d: put(first(d, "match"), errors=errors("la casa = dog", "la casa = hand"))),
    ("pattern-shadowed", lambda d: put(first(d, "translate"), errors=errors("estoy *", "estoy aquí"))),
    ("pattern-idle", lambda d: put(first(d, "choice"), errors=errors("estoy", "somos"))),
    ("tag-spelling", lambda d: put(first(d, "cloze")["errors"][0], tag="ser-estra")),
    # recast and question
    ("recast-marked", lambda d: put(first(d, "cloze")["errors"][0], recast="¡Ah, es de Lima!")),
    ("recast-error", lambda d: put(first(d, "cloze")["errors"][0], recast="¡Ah, *está*!")),
    ("question-asks", lambda d: put(first(d, "cloze")["errors"][0], question="Dime más.")),
    ("question-twice", lambda d: put(first(d, "cloze")["errors"][0], recast="¿*Es* de ahí?", question="¿*Es* de ahí?")),
    # what is named exists
    ("form-unknown", lambda d: put(first(d, "cloze"), forms=["ser-orgin"])),
    ("form-unknown", lambda d: put(step(d, "talk"), forms=["nothing"])),
    ("form-unused", lambda d: d["forms"].append({**d["forms"][0], "id": "unused"})),
    ("form-twice", lambda d: d["forms"].append(d["forms"][0])),
    ("word-unknown", lambda d: put(first(d, "cloze"), words=["la cuidad"])),
    ("word-twice", lambda d: d["vocabulary"].append(d["vocabulary"][0])),
    ("culture-unknown", lambda d: put(step(d, "talk"), culture="tres")),
    ("culture-unused", lambda d: put(step(d, "choice"), culture=None)),
    ("dialect-unknown", lambda d: put(first(d, "cloze"), accept=["es", {"text": "e", "dialect": "es-XX"}])),
    ("dialect-unknown", lambda d: put(d["vocabulary"][0], variants={"es-XX": "x"})),
    ("prerequisite-unknown", lambda d: put(d, prerequisites=["nothing"])),
    ("prerequisite-circle", lambda d: put(d, prerequisites=["uno"])),
    # a whole sitting
    ("plan-items", lambda d: d["steps"].pop(0)),
    ("plan-kinds", lambda d: put(d, steps=[{**step(d, "translate"), "items": [item(f"i{n}", "Say it.", [f"frase {n}"], ("uno", "dos")) for n in range(12)]}])),
    ("plan-talk", lambda d: d["steps"].remove(step(d, "talk"))),
    ("plan-reflect", lambda d: d["steps"].remove(step(d, "reflect"))),
    ("plan-words", lambda d: put(d, vocabulary=d["vocabulary"][1:])),
    ("plan-forms", lambda d: put(d, forms=[{**d["forms"][0], "id": name} for name in ("ser-origin", "b", "c")])),
    ("plan-culture", lambda d: (put(d, culture=[]), put(step(d, "choice"), culture=None))),
    ("plan-minutes", lambda d: put(d, minutes=50)),
    ("plan-mastery", lambda d: put(d, mastery={"correct": 0.8, "items": 40})),
    ("plan-level", lambda d: put(d, level="B1")),
    ("talk-questions", lambda d: put(step(d, "talk"), questions=["¿A?"] * 5, simpler=["¿B?"] * 5)),
    ("talk-simpler", lambda d: step(d, "talk")["simpler"].pop()),
    ("talk-turns", lambda d: put(step(d, "talk"), turns=12)),
    ("write-model", lambda d: put(step(d, "write"), min_words=50)),
    ("write-include", lambda d: put(step(d, "write"), include=["fuimos|fueron"])),
    # tone and length
    ("talk-asks", lambda d: put(step(d, "talk"), opening="Hola.")),
    ("talk-asks", lambda d: step(d, "talk")["questions"].__setitem__(2, "Dime más.")),
    ("talk-asks", lambda d: put(step(d, "reflect"), follow_up="Think of it.")),
    ("length", lambda d: put(step(d, "talk"), closing="palabra " * 40 + "¿sí?")),
    ("length", lambda d: put(first(d, "cloze")["errors"][0], recast="*Es* " + "de " * 30)),
    ("level-word", lambda d: put(step(d, "read"), text="Ana es una esternocleidomastoidea.")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "spoil"), CASES, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(CASES)])
def test_each_mistake_is_found(tmp_path: Path, rule: str, spoil: Spoil) -> None:
    found = found_in(tmp_path, spoil)
    assert rule in {finding.rule for finding in found}
    assert all(finding.line > 0 and finding.fix for finding in found)


def test_a_finding_names_file_line_what_and_how(tmp_path: Path) -> None:
    found = found_in(tmp_path, lambda data: put(first(data, "cloze"), words=["La Ciudad"]))
    text = (tmp_path / "set/lessons/01-uno.yaml").read_text(encoding="utf-8")
    line = text[: text.index("- La Ciudad")].count("\n") + 1
    assert [str(finding) for finding in found] == [
        f"{tmp_path}/set/lessons/01-uno.yaml:{line}: 'La Ciudad' is not in the vocabulary — spell it 'la ciudad' [word-unknown]"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "That is wrong, what else?",
        "An error: can you see it?",
        "Remember the rule?",
        "Eso no se dice. ¿Qué más?",
        "Está mal, ¿verdad?",
        "C'est faux, non?",
        "Ce n'est pas correct, et toi?",
        "错了，再说一次？",
        "这样说不对，你说呢？",
        "هذا خَطَأ، ما رأيك؟",
    ],
)
def test_no_line_may_correct_the_learner(tmp_path: Path, line: str) -> None:
    language = (
        "zh"
        if any(ord(letter) > 0x4E00 for letter in line)
        else "ar"
        if "خ" in line
        else "fr"
        if "C'" in line or "Ce " in line
        else "es"
    )
    found = found_in(tmp_path, lambda data: put(step(data, "talk"), opening=line), language=language)
    assert "tone-correction" in {finding.rule for finding in found}


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("What do you remember of your first day?", "es"),
        ("不错！你喜欢什么？", "zh"),
        ("你是学生，对不对？", "zh"),
        ("我错过了地铁，你呢？", "zh"),
        ("Un faux ami: lequel?", "fr"),
    ],
)
def test_kind_lines_with_the_same_letters_are_left_alone(tmp_path: Path, line: str, language: str) -> None:
    found = found_in(tmp_path, lambda data: put(step(data, "talk"), opening=line), language=language)
    assert "tone-correction" not in {finding.rule for finding in found}


def test_chinese_words_need_pinyin_with_tone_marks(tmp_path: Path) -> None:
    def words(data: Data) -> None:
        for at, (word, reading) in enumerate(
            [("学校", ""), ("学校", "xue2xiao4"), ("学校", "xuexiao"), ("学校", "xuéxiào"), ("吗", "ma")]
        ):
            put(data["vocabulary"][at], word=f"{word}", reading=reading)

    found = [
        finding for finding in found_in(tmp_path, words, language="zh") if finding.rule.startswith("reading")
    ]
    assert [finding.rule for finding in found].count("reading-tones") == 2
    assert any("'学校' has no pinyin" in finding.message for finding in found)
    assert not any("xuéxiào" in finding.message or "'ma'" in finding.message for finding in found)


def test_arabic_needs_vowel_signs_and_transliteration_but_dialect_forms_do_not(tmp_path: Path) -> None:
    def words(data: Data) -> None:
        put(data["vocabulary"][0], word="كتاب", example="هٰذَا كِتَابٌ.", reading="kitāb")
        put(first(data, "translate"), accept=["أَنَا مِنْ لِيمَا", {"text": "انا من ليما", "dialect": "ar-EG"}])

    found = found_in(tmp_path, words, language="ar", dialects=[{"id": "ar-EG", "name": "Egyptian"}])
    bare = [finding.message for finding in found if finding.rule == "tashkeel-missing"]
    assert bare == ["without tashkeel: كتاب"]
    assert sum(finding.rule == "reading-missing" for finding in found) == 7


def test_traditional_characters_need_no_declaration(tmp_path: Path) -> None:
    found = found_in(
        tmp_path, lambda data: put(data["vocabulary"][0], variants={"zh-Hant": "學"}), language="zh"
    )
    assert "dialect-unknown" not in {finding.rule for finding in found}


def test_prerequisites_in_a_circle_are_told_once(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path,
        lesson(id="a", prerequisites=["b"]),
        lesson(id="b", prerequisites=["c"]),
        lesson(id="c", prerequisites=["a"]),
    )
    assert [finding.message for finding in lint(folder)] == ["prerequisites go in a circle: a → b → c → a"]


def test_one_form_has_one_name_in_a_set(tmp_path: Path) -> None:
    other = lesson(id="dos")
    other["forms"][0]["name"] = "ser and origin"
    assert [finding.rule for finding in lint(write_set(tmp_path, lesson(), other))] == ["form-name"]


def test_two_lessons_of_one_id_are_found(tmp_path: Path) -> None:
    folder = write_set(tmp_path, lesson())
    (folder / "lessons" / "02-uno.yaml").write_text(dump(lesson()), encoding="utf-8")
    assert "id-twice" in {finding.rule for finding in lint(folder)}


def test_words_of_earlier_lessons_are_not_above_the_level(tmp_path: Path) -> None:
    rare = {"word": "el zapallito", "gloss": "squash", "example": "El zapallito es verde."}
    one, two = lesson(), lesson(id="dos")
    one["vocabulary"][0] = rare
    first(one, "cloze")["words"] = []
    step(two, "read")["text"] = "Ana come zapallito."
    assert lint(write_set(tmp_path / "a", one, two)) == []
    assert [finding.rule for finding in lint(write_set(tmp_path / "b", two))] == ["level-word"]


def test_broken_files_are_findings_and_the_others_are_still_checked(tmp_path: Path) -> None:
    bad = lesson(id="dos", prerequisites=["tres"])
    folder = write_set(tmp_path, lesson(), bad)
    (folder / "lessons" / "03-tres.yaml").write_text("a: [", encoding="utf-8")
    found = lint(folder)
    assert [(finding.file.name, finding.rule) for finding in found] == [
        ("02-dos.yaml", "prerequisite-unknown"),
        ("03-tres.yaml", "schema"),
    ]


def test_a_file_a_set_and_a_folder_of_sets_can_be_checked(tmp_path: Path) -> None:
    write_set(tmp_path / "one", lesson(minutes=50))
    write_set(tmp_path / "two", lesson(minutes=50), set_info=info(id="two"))
    assert len(lint(tmp_path)) == 2
    assert len(lint(tmp_path / "one")) == 1
    assert len(lint(tmp_path / "one" / "lessons" / "01-uno.yaml")) == 1
    assert lint(tmp_path / "one" / "set.yaml") == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="neither a lesson file nor a set"):
        lint(tmp_path / "empty")


def test_a_lesson_outside_a_set_is_checked_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(dump(lesson(minutes=50)), encoding="utf-8")
    assert {finding.rule for finding in lint(path)} == {"set-missing", "plan-minutes"}


def test_a_set_without_description_or_lessons_is_told_so(tmp_path: Path) -> None:
    folder = write_set(tmp_path)
    (folder / "set.yaml").unlink()
    assert "set-missing" in {finding.rule for finding in lint(folder)}
    folder = write_set(tmp_path / "other")
    (folder / "lessons" / "01-uno.yaml").unlink()
    assert [finding.rule for finding in lint(folder)] == ["set-empty"]


odd_texts = st.text(max_size=12) | st.sampled_from(
    ["/(a+)+$/", "*", "/[/", "___", "¿?", "a = b", "=", "了", "كتاب"]
)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_texts_in_a_lesson_are_checked_without_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    """Every leaf text may become something odd; lint answers with findings, whatever it is."""

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner) for inner in value]
        return data.draw(odd_texts) if isinstance(value, str) and data.draw(st.integers(0, 9)) == 0 else value

    made = spoil(lesson())
    language = data.draw(st.sampled_from(["es", "zh", "ar", "fr"]))
    for finding in lint(write_set(tmp_path / "set", {**made, "id": "uno"}, set_info=info(language=language))):
        assert str(finding)


def test_the_cheap_search_for_corrections_misses_none_that_the_patterns_find() -> None:
    """Every alternative of every pattern, spelled out, has a beginning that is looked for."""
    from lessons.checks import tone

    spelled = {
        "en": "wrong|incorrect|mistakes|errors|the rule|rule is|rules says|Remember",
        "es": "incorrecta|equivocados|te equivocas|te equivocaste|no se dice|está mal|esta mal|la regla|fallaste|"
        "recuerda que|acuérdate de que|acuerdate de que|tu error|un error|el error|errores",
        "fr": "c'est faux|incorrectes|n'est pas correct|pas correct|la règle|une erreur|ton erreur|l'erreur|"
        "ne se dit pas|on ne dit pas|rappelle-toi que|n'oublie pas la|faux",
        "zh": "错|錯|不对|不對|不正确|不正確|规则是|規則是",
        "ar": "خطأ|أخطأت|خاطئ|غلط|غير صحيح|ليس صحيحا|القاعدة هي|تذكر أن",
    }
    for language, words in spelled.items():
        for word in words.split("|"):
            assert tone._COMPILED[language].search(word), word
            assert any(beginning in word.lower() for beginning in tone._BEGINNINGS[language]), word


def test_two_processes_find_what_one_does_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("c", "a", "b"):
        write_set(tmp_path / name, lesson(minutes=50), set_info=info(id=name))
    alone = lint(tmp_path)
    monkeypatch.setattr("lessons.lint.WORTH_A_PROCESS", 1)
    assert lint(tmp_path) == alone
    assert len(alone) == 3


def test_every_rule_that_the_guide_names_exists() -> None:
    """The guide and the checks agree, so that an instructor who looks a rule up finds it."""
    root = Path(__file__).parents[2] / "lessons"
    guide = (
        (root / "README.md")
        .read_text(encoding="utf-8")
        .partition("## What lint looks for")[2]
        .partition("##")[0]
    )
    code = "".join(
        path.read_text(encoding="utf-8") for path in [root / "lint.py", *(root / "checks").glob("*.py")]
    )
    named = {rule for rule in re.findall(r"`([a-z]+-[a-z]+)`", guide) if rule != "level-word"} | {
        "level-word"
    }
    assert len(named) > 25
    assert [
        rule
        for rule in sorted(named)
        if f'"{rule}"' not in code and rule not in ("leak-prompt", "leak-gloss")
    ] == []


@pytest.mark.parametrize(
    ("language", "word", "frequent"),
    [
        ("es", "desayunamos", True),
        ("es", "esternocleidomastoidea", False),
        ("ar", "وأشرب", True),
        ("ar", "خالته", True),
        ("ar", "قسطنطينية", False),
        ("zh", "学校", True),
        ("zh", "饕餮", False),
    ],
)
def test_inflected_and_compound_forms_of_frequent_words_are_within_the_level(
    language: str, word: str, frequent: bool
) -> None:
    from lessons.checks.level import _is_frequent

    assert _is_frequent(word, language, "A1") is frequent


def check_lesson(which: str, prompts: list[str]) -> Data:
    """A check of gaps, as data."""
    data = lesson()
    items = [item(f"{which}-{number}", prompt, ["soy"], ()) for number, prompt in enumerate(prompts)]
    return {
        **{key: data[key] for key in ("title", "level", "objectives", "forms")},
        "id": f"{which}-check",
        "check": which,
        "minutes": 5,
        "vocabulary": [],
        "forms": data["forms"][:1],
        "steps": [{"id": f"{which}-huecos", "kind": "cloze", "prompt": "Completa la frase.", "items": items}],
    }


PROMPTS = [f"Yo ___ de la casa {number}." for number in range(8)]


def checks_found(tmp_path: Path, *checks: Data) -> set[str]:
    folder = write_set(tmp_path / "set", lesson())
    for data in checks:
        (folder / "lessons" / f"{data['id']}.yaml").write_text(dump(data), encoding="utf-8")
    return {finding.rule for finding in lint(folder) if finding.rule.startswith("check-")}


def test_two_parallel_checks_lint_clean(tmp_path: Path) -> None:
    after = [prompt.replace("casa", "calle") for prompt in PROMPTS]
    assert checks_found(tmp_path, check_lesson("pre", PROMPTS), check_lesson("post", after)) == set()


def test_a_check_without_its_twin_or_with_the_same_tasks_is_found(tmp_path: Path) -> None:
    assert checks_found(tmp_path / "alone", check_lesson("pre", PROMPTS)) == {"check-alone"}
    same = check_lesson("post", PROMPTS)
    assert checks_found(tmp_path / "same", check_lesson("pre", PROMPTS), same) == {"check-same"}
    fewer = check_lesson("post", [prompt.replace("casa", "calle") for prompt in PROMPTS[:7]])
    found = checks_found(tmp_path / "fewer", check_lesson("pre", PROMPTS), fewer)
    assert found == {"check-items", "check-parallel"}


@pytest.mark.parametrize("change", [{"id": "otra"}, {"check": None}])
def test_the_ids_of_checks_belong_to_them(tmp_path: Path, change: Data) -> None:
    folder = write_set(tmp_path / "set", lesson())
    data = {**check_lesson("pre", PROMPTS), **change}
    (folder / "lessons" / "99.yaml").write_text(
        dump({key: value for key, value in data.items() if value is not None}), encoding="utf-8"
    )
    assert any(finding.rule == "schema" for finding in lint(folder))


def test_a_recording_of_a_kind_that_cannot_be_played_is_told(tmp_path: Path) -> None:
    data = lesson()
    put(first(data, "listen"), audio="lima.m4a")
    folder = write_set(tmp_path / "set", data)
    (folder / "media").mkdir(exist_ok=True)
    (folder / "media" / "lima.m4a").write_bytes(b"")
    assert "audio-kind" in {finding.rule for finding in lint(folder)}
    (folder / "media" / "lima.m4a").rename(folder / "media" / "lima.ogg")
    put(first(data, "listen"), audio="lima.ogg")
    assert not {finding.rule for finding in lint(write_set(folder, data))} & {"audio-kind", "audio-missing"}
