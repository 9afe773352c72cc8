"""From a config to files: `talk.jsonl`, `item.jsonl`, `native.jsonl`, and `report.json` written last."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from finetune.near import Seen, sketch
from finetune.records import Tally
from finetune.synthesize import items, native
from finetune.synthesize.bank import bank, framed
from finetune.synthesize.compose import about
from finetune.synthesize.config import SynthesizeConfig
from finetune.synthesize.learners import Essay, Said, accepted, essays, foreseen, mucgec, sayable, whole
from finetune.synthesize.people import Pool
from finetune.synthesize.report import summary
from finetune.synthesize.talk import Dialogue, Place, led, words_of
from lessons.load import builtin_sets_dir, find_sets, load_set
from lessons.schema import Lesson, LessonSet, SetInfo, TalkStep, Track

TRIES = 4
"""Conversations begun for one that is kept, at most."""


@dataclass
class World:
    """One language and track: its sets, and who speaks."""

    info: SetInfo
    sets: list[LessonSet]
    pool: Pool
    sentences: list[Said] = field(default_factory=list)
    """For the reformulation task."""
    by_lesson: dict[tuple[str, str], list[Said]] = field(default_factory=dict)
    """(set, lesson) → what is said in it, right and wrong."""


def synthesize(
    config: SynthesizeConfig, out: Path, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, Any]:
    """Write every file; the report, which is returned as well, comes last."""
    out.mkdir(parents=True, exist_ok=True)
    tally, report = Tally(), {}
    every = worlds(config)
    dialogues: list[Dialogue] = []
    for task, made in (("talk", _talks), ("item", items.ladders)):
        seen = Seen(config.similarity, sum(count for _, count in every) * TRIES)
        kept: list[Dialogue] = []
        for world, count in every:
            wanted = count if task == "talk" else round(count * config.item_share)
            rng = random.Random(f"{config.seed}/{task}/{world.info.id}")
            kept += _distinct(made(world, config, rng, tally), wanted, seen, tally, progress)
        _write(out / f"{task}.jsonl", (_row(one, task) for one in kept))
        dialogues += kept
    counts: Counter[str] = Counter()
    _write(out / "native.jsonl", _natives(every, config, tally, counts))
    report = summary(dialogues, tally, counts, config)
    _replace(out / "report.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return report


def worlds(config: SynthesizeConfig) -> list[tuple[World, int]]:
    """Who speaks, and how many conversations are wanted of them."""
    sets = [
        load_set(found.folder)
        for found in find_sets([config.sets or builtin_sets_dir()])
        if not found.problem
    ]
    written = essays(config.cowsl2h) if config.cowsl2h is not None else []
    chinese = mucgec(config.mucgec) if config.mucgec is not None else []
    found = []
    for language, tracks in sorted(config.talks.items()):
        for track, count in sorted(tracks.items()):
            own = [one for one in sets if one.info.language.split("-")[0] == language]
            info = next((one.info for one in own if one.info.track == track), None) or _info(language, track)
            real: list[Essay] = [one for one in written if one.group == track] if language == "es" else []
            found.append((_world(info, own, real, chinese if language == "zh" else []), count))
    return found


def _world(info: SetInfo, sets: list[LessonSet], real: list[Essay], corpus: list[Said]) -> World:
    tag, data = info.language, bank(info.language)
    pool = Pool(tag, info.track, essays=real)
    own = [Said(line, line, "bank") for topic in data.topics.values() for line in topic.say]
    own += [
        Said(wrong, right, "bank")
        for wrong, right in (*data.errors, *framed(data))
        if whole(wrong, right, info)
    ]
    own += [Said(line, line, "bank", kind="dialect") for line in data.dialect]
    by_lesson = {
        (one.info.id, lesson.id): [*foreseen(one, lesson), *accepted(one, lesson)]
        for one in sets
        for lesson in one.lessons
    }
    from_lessons = [said for sentences in by_lesson.values() for said in sentences]
    short = [
        replace(s, topic=None)
        for essay in real
        for s in essay.sentences
        if s.topic in ("self", "travel", "person")
    ]
    pool.add(said for said in own if info.track == "heritage" or said.kind != "dialect")
    pool.add(said for said in from_lessons if said.text != said.native)
    pool.add(said for said in short if sayable(said, tag, "A2"))
    # Sentences of essays are no answers in a talk, except short ones on something that one talks about.
    short_ones = (s for s in corpus if s.text != s.native and sayable(s, tag, "A1"))
    pool.add(said for said in short_ones if about(said.text, tag).topic is not None)
    sentences = [*own, *from_lessons, *corpus, *(s for essay in real for s in essay.sentences)]
    sentences += [Said(one.say, one.say, "bank", kind="mixed") for one in data.mixed]
    mine = [one for one in sets if one.info.track == info.track]
    return World(info, mine, pool, sentences, by_lesson)


def _info(language: str, track: Track) -> SetInfo:
    """A set that is only talk, for a language and track without one."""
    return SetInfo(
        id=f"{language}-{track}", version="1.0.0", title="free talk", language=language, track=track,
        levels=["A1", "A2", "B1"], authors=["Linguist"], licence="Apache-2.0",
    )  # fmt: skip


def _talks(world: World, config: SynthesizeConfig, rng: random.Random, tally: Tally) -> Iterator[Dialogue]:
    number = 0
    by_level = {
        level: [one for one in world.pool.essays if one.level == level] for level in ("A1", "A2", "B1")
    }
    lessons: list[tuple[LessonSet, Lesson, TalkStep]] = [
        (one, lesson, step) for one in world.sets for lesson in one.lessons for step in lesson.steps if isinstance(step, TalkStep)
    ]  # fmt: skip
    own_words = {lesson.id: words_of(lesson, world.info.language) for _, lesson, _ in lessons}
    while True:
        number += 1
        turns = rng.randint(*config.turns)
        own: list[Said] = []
        essay: Essay | None = None
        if lessons and rng.random() < config.lesson_share:
            one, lesson, step = rng.choice(lessons)
            place = Place(one.info, lesson, step, lesson.level, own_words[lesson.id])
            own = world.by_lesson[one.info.id, lesson.id]
        else:
            level = rng.choice(world.info.levels)
            place = Place(world.info, None, None, level)
            if by_level[level] and rng.random() < 0.8:
                essay = rng.choice(by_level[level])
        speaker = world.pool.learner(place.level, turns, config.situations, rng, essay=essay, own=own)
        name = f"{world.info.language}-{world.info.track}-talk-{number}"
        made = led(name, place, speaker, rng, tally)
        if made is not None:
            yield made


def _distinct(
    made: Iterator[Dialogue], wanted: int, seen: Seen, tally: Tally, progress: Callable[[str, int, int], None] | None
) -> list[Dialogue]:  # fmt: skip
    """The first `wanted` that are not like one before."""
    kept: list[Dialogue] = []
    for tried, one in enumerate(made):
        if len(kept) >= wanted or tried >= wanted * TRIES:
            break
        tally.read += 1
        text = " ".join(message.content for message in one.messages if message.role == "assistant")
        if seen.add(sketch(text)):
            tally.drop("like another conversation")
            continue
        kept.append(one)
        tally.kept += 1
        if progress is not None:
            progress(f"{one.language} {one.track}", len(kept), wanted)
    return kept


def _row(one: Dialogue, task: str) -> dict[str, Any]:
    return {
        "id": one.id, "task": task, "language": one.language, "track": one.track, "level": one.level, "lesson": one.lesson,
        "origins": sorted(set(one.origins)),
        "messages": [{"role": message.role, "content": message.content} for message in one.messages],
        "untrained": one.untrained,
    }  # fmt: skip


def _natives(
    every: list[tuple[World, int]], config: SynthesizeConfig, tally: Tally, counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    for world, _ in every:
        rng = random.Random(f"{config.seed}/native/{world.info.id}")
        made = native.rows(
            world.sentences, world.info, world.sets, unchanged_share=config.native.unchanged_share,
            longest=config.native.longest, most=config.native.most, rng=rng, tally=tally,
        )  # fmt: skip
        name = f"{world.info.language}-{world.info.track}"
        for number, (said, messages, changed) in enumerate(made, 1):
            counts[f"{name} {'changed' if changed else 'unchanged'}"] += 1
            yield {
                "id": f"{name}-native-{number}", "task": "native", "language": world.info.language, "track": world.info.track,
                "origins": [said.origin], "messages": [{"role": m.role, "content": m.content} for m in messages], "untrained": [],
            }  # fmt: skip


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.replace(part, path)


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
