"""Synthesized dialogues: what the app would have asked for, answered as it may be answered."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finetune.cli import cli
from finetune.near import Seen, sketch
from finetune.records import Tally
from finetune.sources import examples
from finetune.synthesize.config import SynthesizeConfig
from finetune.synthesize.run import synthesize
from lessons.load import builtin_sets_dir, load_set
from lessons.patterns import contains
from lessons.schema import LessonSet, items_of
from tests.finetune.test_data import small_tokenizer, write
from tutor_app.pedagogy import prompts
from tutor_app.pedagogy.assess import answers
from tutor_app.pedagogy.language import language, length, words
from tutor_app.pedagogy.policy import RETURNING
from tutor_app.pedagogy.validator import MAX_WORDS, Situation, validate
from tutor_app.session.plan import all_words

__all__ = ["small_tokenizer"]

KEPT_LESSONS = 3
SAME = ("pequeña", "blanca", "bonita", "nueva")
TALKS: dict[Any, Any] = {
    "es": {"l2": 14, "heritage": 14}, "zh": {"heritage": 10}, "ar": {"l2": 10}, "fr": {"l2": 10}, "en": {"l2": 6},
}  # fmt: skip


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in sets with their first lessons only: the rest would only take time."""
    root = tmp_path_factory.mktemp("sets")
    for folder in sorted(builtin_sets_dir().iterdir()):
        if (folder / "set.yaml").is_file():
            (root / folder.name / "lessons").mkdir(parents=True)
            shutil.copy(folder / "set.yaml", root / folder.name)
            for lesson in sorted((folder / "lessons").glob("*.yaml"))[:KEPT_LESSONS]:
                shutil.copy(lesson, root / folder.name / "lessons")
    return root


def learner_row(number: int, learner: str, corrected: str, **more: Any) -> dict[str, Any]:
    row = {
        "learner": learner,
        "corrected": corrected,
        "writer": str(number),
        "group": "L2",
        "course": "SPA 2",
    }
    return row | {"prompt": "yourself", "errors": [1] if learner != corrected else []} | more


@pytest.fixture(scope="module")
def essays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten writers' essays, two of them heritage."""
    rows = []
    for number in range(10):
        group = {"group": "heritage" if number < 4 else "L2"}
        rows += [
            learner_row(number, "Mi hermana es en casa con mi mamá.", "Mi hermana está en casa con mi mamá.", **group),
            learner_row(number, "Me gusta mucho cocinar con mi abuela.", "Me gusta mucho cocinar con mi abuela.", **group),
            learner_row(number, "La problema es que trabajo los sábados.", "El problema es que trabajo los sábados.", **group),
            learner_row(number, f"Escritor {number} dice algo de su casa.", f"Escritor {number} dice algo de su casa.", **group),
        ]  # fmt: skip
    return write(tmp_path_factory.mktemp("corpus") / "sentences.jsonl", rows)


@pytest.fixture(scope="module")
def made(
    sets: Path, essays: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any], Path]:
    """(rows of each task, the report, the folder)."""
    out = tmp_path_factory.mktemp("dialogues")
    config = SynthesizeConfig(talks=TALKS, sets=sets, cowsl2h=essays, item_share=0.3)
    report = synthesize(config, out)
    tasks = {
        task: [json.loads(line) for line in (out / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()]
        for task in ("talk", "item", "native")
    }
    return tasks, report, out


Made = tuple[dict[str, list[dict[str, Any]]], dict[str, Any], Path]


def lesson_sets(sets: Path) -> dict[str, LessonSet]:
    every = [load_set(folder) for folder in sorted(sets.iterdir())]
    return {f"{one.info.language.split('-')[0]}-{one.info.track}": one for one in every}


def turns(row: dict[str, Any]) -> list[tuple[int, str, str, str, str]]:
    """(index, learner, direction, reply, the reply before) of every turn after the opening."""
    messages = row["messages"]
    found = []
    for index in range(4, len(messages), 2):
        said, direction = messages[index - 1]["content"].rsplit("\n[", 1)
        before = messages[index - 2]["content"]
        found.append((index, said, direction.rstrip("]"), messages[index]["content"], before))
    return found


def test_every_reply_that_is_trained_passes_the_apps_validator(made: Made, sets: Path) -> None:
    known, checked = lesson_sets(sets), 0
    for task in ("talk", "item"):
        for row in made[0][task]:
            lessons = known.get(f"{row['language'].split('-')[0]}-{row['track']}")
            lesson = lessons.lesson(row["lesson"]) if lessons and row["lesson"] else None
            own = all_words([lesson], row["language"]) if lesson else frozenset()
            for index, said, direction, reply, _ in turns(row):
                if index in row["untrained"]:
                    continue
                move, _, target = direction.partition(": ")
                before = tuple(one["content"] for one in row["messages"][2:index:2])
                situation = Situation(
                    row["language"], row["track"], row["level"], previous=before, learner=said,
                    returns=task == "item" or move in RETURNING,
                    allowed_words=own | {*words(said, row["language"]), *words(target, row["language"])},
                )  # fmt: skip
                assert validate(reply, situation) == [], (row["id"], reply)
                checked += 1
    assert checked > 150


def test_the_prompt_is_the_one_that_the_app_sends_to_a_trained_model(made: Made, sets: Path) -> None:
    known = lesson_sets(sets)
    in_lessons = 0
    for row in [*made[0]["talk"], *made[0]["item"]]:
        system, ask, opening = row["messages"][:3]
        assert ask == {"role": "user", "content": "[ask]"}
        assert 2 in row["untrained"]
        assert opening["role"] == "assistant"
        if row["lesson"]:
            one = known[f"{row['language'].split('-')[0]}-{row['track']}"]
            brief = prompts.brief_of(one.info, one.lesson(row["lesson"]), row["level"], trained=True)
            assert system["content"] == prompts.system_text(brief)
            in_lessons += 1
    assert in_lessons > 10


def test_a_recast_begins_as_the_app_begins_it_and_asks(made: Made) -> None:
    recasts = 0
    for row in [*made[0]["talk"], *made[0]["item"]]:
        for index, _, direction, reply, _ in turns(row):
            if index not in row["untrained"] and direction.startswith("recast: "):
                form = direction.removeprefix("recast: ")
                openings = [one.format(form=form) for one in language(row["language"]).phrases["echo"]]
                assert any(reply.startswith(one) for one in openings), reply
                assert reply.rstrip("»」\"')")[-1] in "?？؟"
                recasts += 1
    assert recasts > 20


def test_the_instructors_question_is_asked_as_it_stands(made: Made) -> None:
    asked = 0
    for row in made[0]["talk"]:
        for index, _, direction, reply, _ in turns(row):
            if index not in row["untrained"] and direction.startswith("ask: "):
                assert reply.endswith(direction.removeprefix("ask: "))
                asked += 1
    assert asked > 20


def test_no_answer_is_said_before_the_fourth_rung(made: Made, sets: Path) -> None:
    known = lesson_sets(sets)
    rungs = 0
    for row in made[0]["item"]:
        lesson = known[f"{row['language'].split('-')[0]}-{row['track']}"].lesson(row["lesson"])
        assert lesson is not None
        prompt = row["messages"][2]["content"].replace("*", "")
        item = next(
            item for step in lesson.steps for item in items_of(step) if item.prompt.replace("*", "") == prompt
        )
        hints = [turn for turn in turns(row) if turn[2].startswith("hint: ")]
        for number, (_, said, direction, reply, _) in enumerate(hints, 1):
            if number < 4:
                for answer in answers(item):
                    told = contains(said, answer, row["language"])
                    assert told or not contains(f"{direction} {reply}", answer, row["language"]), row["id"]
                rungs += 1
    assert rungs > 10


def test_replies_are_as_long_as_their_level_allows_and_short_in_the_middle(made: Made) -> None:
    sizes: dict[str, list[float]] = {"A1": [], "A2": [], "B1": []}
    for row in made[0]["talk"]:
        sizes[row["level"]] += [length(reply, row["language"]) for _, _, _, reply, _ in turns(row)]
    assert sorted(sizes["A1"])[len(sizes["A1"]) // 2] <= 20
    for level, found in sizes.items():
        assert max(found) <= MAX_WORDS[level]  # type: ignore[index]


def test_no_two_conversations_are_alike(made: Made) -> None:
    seen = Seen(0.6, 5000)
    for row in made[0]["talk"]:
        assert not seen.add(
            sketch(" ".join(m["content"] for m in row["messages"] if m["role"] == "assistant"))
        )


def test_mixing_is_met_in_kind_and_only_heritage_learners_mix(made: Made) -> None:
    from finetune.synthesize.bank import bank

    mixed = {one.say for one in bank("es").mixed}
    met = {
        row["track"]
        for row in made[0]["talk"]
        for _, said, _, _, _ in turns(row)
        if row["language"].startswith("es") and said in mixed
    }
    assert met == {"heritage"}


def test_dialect_and_mixed_sentences_stay_as_they_are(made: Made) -> None:
    from finetune.synthesize.bank import bank

    kept = 0
    for row in made[0]["native"]:
        data = bank(row["language"])
        own = {*data.dialect, *(one.say for one in data.mixed)}
        said, native = row["messages"][-2]["content"], row["messages"][-1]["content"]
        if said.removeprefix("[native] ") in own:
            assert native == said.removeprefix("[native] ")
            kept += 1
    assert kept > 20


def test_two_in_five_sentences_are_fine_as_they_are(made: Made) -> None:
    counts = made[1]["native"]
    for name in ("es-l2", "fr-l2"):
        changed, same = counts[f"{name} changed"], counts[f"{name} unchanged"]
        assert abs(same / (changed + same) - 0.4) < 0.02


def test_writers_kept_for_evaluation_say_nothing(made: Made) -> None:
    from finetune.sources.learner import is_held_back

    every = json.dumps(made[0], ensure_ascii=False)
    said = {number for number in range(10) if f"Escritor {number} dice" in every}
    assert said
    assert not {number for number in said if is_held_back(str(number))}
    assert any(is_held_back(str(number)) for number in range(10))


def test_the_report_counts_moves_and_what_is_different(made: Made) -> None:
    group = made[1]["groups"]["es-l2"]
    trained = sum(
        index not in row["untrained"]
        for task in ("talk", "item")
        for row in made[0][task]
        if row["language"] == "es" and row["track"] == "l2"
        for index, *_ in turns(row)
    )
    assert sum(group["moves"].values()) == group["trained"] == trained
    assert {"ask", "recast", "simplify", "hint"} <= set(group["moves"])
    assert 0 < group["distinct_2"] <= 1


def test_what_the_app_says_by_itself_gets_no_loss(made: Made, small_tokenizer: Path) -> None:
    from finetune.tokens import rendered, tokenizer
    from tutor_app.pedagogy.templates import encode, pieces

    tokenize = tokenizer(small_tokenizer)
    for example in list(examples("dialogues", [made[2] / "talk.jsonl"], Tally(), {"languages": ["es"]}))[:10]:
        assert example.untrained
        every = encode(pieces("chatml", example.messages, reply=False), tokenize)
        masked = rendered(example, "chatml", tokenize)
        left = sum(len(example.messages[index].content) + 1 for index in example.untrained)
        assert sum(every.trained) - sum(masked.trained) == left


@pytest.mark.parametrize(
    ("options", "kept"), [({}, 2), ({"languages": ["es"]}, 1), ({"tracks": ["l2"]}, 1), ({"tasks": ["native"]}, 0)]
)  # fmt: skip
def test_a_source_takes_the_languages_tracks_and_tasks_asked_for(
    options: dict[str, Any], kept: int, tmp_path: Path
) -> None:
    messages = [{"role": "user", "content": "[ask]"}, {"role": "assistant", "content": "¿Qué tal?"}]
    rows = [
        {"id": "1", "task": "talk", "language": "es", "track": "l2", "messages": messages, "untrained": []},
        {"id": "2", "task": "talk", "language": "fr", "track": "heritage", "messages": messages},
    ]
    found = list(examples("dialogues", [write(tmp_path / "a.jsonl", rows)], Tally(), options))
    assert len(found) == kept


@pytest.mark.parametrize(
    ("learner", "native", "expected"),
    [
        ("Yo vivo en una casa pequeño.", "vivo en una casa pequeña.", "Vivo en una casa pequeña."),
        ("Me gusta mucho la película nueva.", "Me encanta mucho la película nueva.", "Me encanta mucho la película nueva."),
        ("Mi vacación perfecto es en casa.", "Mis vacaciones perfectas son en casa.", None),
        ("Mi clases de espanol son buenas.", "Mis clases de espanol son buenas.", None),
        ("El día ayer yo fue con ella a ver mar.", "Ayer salimos a caminar por la playa todos.", None),
        ("Vivo en una casa pequeña.", "Vivo en una casa pequeña.", "Vivo en una casa pequeña."),
    ],
    ids=["a dropped pronoun", "another word", "dialect", "a slip left standing", "written anew", "nothing wrong"],
)  # fmt: skip
def test_a_teachers_correction_is_taken_whole_or_not_at_all(
    learner: str, native: str, expected: str | None
) -> None:
    from finetune.synthesize.learners import Said
    from finetune.synthesize.native import corrected

    info = load_set(builtin_sets_dir() / "es-l2").info
    assert corrected(Said(learner, native, "cowsl2h"), info) == expected


def test_what_is_more_than_asked_for_is_counted_over_all_languages() -> None:
    from finetune.synthesize.learners import Said
    from finetune.synthesize.native import rows

    one = load_set(builtin_sets_dir() / "es-l2")
    said = [Said(f"Vivo en una casa {word}.", f"Vivo en una casa {word}.", "bank") for word in SAME]
    tally = Tally()
    for _ in range(2):
        made = rows(
            said, one.info, [one], unchanged_share=0.5, longest=20, most=8, rng=random.Random(0), tally=tally
        )
        assert list(made) == []  # nothing changed, so none unchanged is wanted either
    assert tally.dropped == {"more unchanged sentences than asked for": 8}


def test_two_parts_of_a_file_have_no_row_in_common_and_leave_none_out(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "[ask]"}, {"role": "assistant", "content": "¿Qué tal?"}]
    path = write(tmp_path / "a.jsonl", [{"id": f"row-{n}", "messages": messages} for n in range(50)])

    def ids(part: list[float]) -> list[str]:
        return [one.id for one in examples("dialogues", [path], Tally(), {"part": part})]

    first, second = ids([0, 0.6]), ids([0.6, 1])
    assert 20 < len(first) < 40
    assert sorted(first + second) == sorted(ids([0, 1]))
    assert len({*first, *second}) == 50
    assert ids([0, 1]) != sorted(ids([0, 1]), key=lambda name: int(name[4:]))


def test_the_same_seed_gives_the_same_bytes_and_another_other_talks(sets: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps({"sets": str(sets), "talks": {"fr": {"l2": 5}}}), encoding="utf-8")
    for name, more in (("a", []), ("b", []), ("c", ["--set", "seed=1"])):
        result = CliRunner().invoke(cli, ["synthesize", str(path), "--out", str(tmp_path / name), *more])
        assert result.exit_code == 0, result.output
    a, b, c = (
        {task: (tmp_path / name / f"{task}.jsonl").read_bytes() for task in ("talk", "item", "native")}
        for name in "abc"
    )
    assert a == b
    assert a["talk"] != c["talk"]


def test_chinese_sentences_are_either_trained_on_or_measured_on(tmp_path: Path) -> None:
    from finetune.evaluate.learners import held_back
    from finetune.synthesize.learners import mucgec

    path = tmp_path / "sentences.tsv.gz"
    rows = [
        f"{number}\t我昨天去了{number}个学校学习\t我昨天去了{number}所学校学习。\t昨天我学习了。"
        for number in range(60)
    ]
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    trained = {said.text for said in mucgec(path)}
    held = held_back([path])
    measured = held.sample(99, "heritage", wrong=True, words=(3, 18), language="zh", seed=0)
    assert trained
    assert measured
    assert not trained & {one.learner for one in measured}
    assert len(trained) + len(measured) == 60
    assert all(
        "所" in one.corrected and "所" in "".join(one.rights) for one in measured
    )  # the nearer of the two
    right = held.sample(99, "l2", wrong=False, words=(3, 18), language="zh", seed=0)
    assert {one.learner for one in right} == {one.corrected for one in measured}
    assert not held.sample(99, "l2", wrong=True, words=(1, 2), language="zh", seed=0)  # counted as Chinese is
