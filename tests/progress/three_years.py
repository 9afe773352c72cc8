"""A learner's file after three years of daily use, made in a few seconds by writing the rows directly."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.progress.making import DAY, NOON
from tutor_app.progress.counts import recount
from tutor_app.progress.store import Store, create_learner
from tutor_app.progress.text import folded

FORMS = [f"form-{number}" for number in range(40)]
WORDS = [f"palabra {number}" for number in range(3000)]
TAGS = ["ser-estar", "gender", "tense", "accent", "article"]
SENTENCE = "Ayer fui al mercado con mi abuela y compramos fruta para la cena, "


def make(data_dir: Path, *, days: int = 1095, turns_a_day: int = 40) -> tuple[str, float]:
    """Id of the learner, and the time of the last row."""
    chance = random.Random(1)
    learner = create_learner(data_dir, "Ana", now=NOON)
    sessions, turns, attempts, attempt_forms, tags, replies, reviews = [], [], [], [], [], [], []
    tally = {form: [0, 0] for form in FORMS}
    now = NOON
    for day in range(days):
        now = NOON + day * DAY
        session_id = day + 1
        lesson = f"lesson-{day % 40}"
        sessions.append(
            (
                session_id,
                "es-l2",
                "1.0.0",
                lesson,
                "lesson",
                "es",
                "[]",
                1,
                now,
                now + 900,
                now + 900,
                900.0,
                1,
                "h:1:1",
            )
        )
        for number in range(turns_a_day):
            now += 20
            turn_id = len(turns) + 1
            text = f"{SENTENCE}{turn_id} {chance.choice(WORDS)}"
            turns.append(
                (turn_id, session_id, text, folded(text), len(text), 8.0, f"i{number}", number % 15 == 0, now)
            )
            replies.append(
                (
                    turn_id,
                    turn_id,
                    "recast",
                    text,
                    folded(text),
                    "final",
                    "[]",
                    "model",
                    0,
                    1,
                    chance.random() < 0.5,
                    now,
                    now,
                )
            )
            if number % 4 == 3:
                continue
            right = chance.random() < 0.8
            form = chance.choice(FORMS)
            attempt_id = len(attempts) + 1
            words = json.dumps([chance.choice(WORDS)])
            attempts.append(
                (
                    attempt_id,
                    turn_id,
                    session_id,
                    "es-l2",
                    lesson,
                    "s",
                    f"i{number}",
                    "cloze",
                    words,
                    right,
                    right,
                    text,
                    0,
                    1,
                    now,
                )
            )
            attempt_forms.append((attempt_id, "es-l2", form, 0.7))
            tally[form][0] += 1
            tally[form][1] += right
            if not right:
                tags.append((attempt_id, chance.choice(TAGS)))
            for card in {chance.randrange(len(WORDS)) + 1, chance.randrange(len(WORDS)) + 1}:
                reviews.append((card, attempt_id, 3 if right else 1, 12.0, 0.8, now))
    reviewed = {row[0] for row in reviews}
    cards = [
        (
            place,
            "word",
            "es",
            word,
            "es",
            "es-l2",
            30.0,
            5.0,
            now + chance.uniform(-30, 60) * DAY,
            now - 5 * DAY,
            NOON,
        )
        if place in reviewed
        else (place, "word", "es", word, "es", "es-l2", None, None, now, None, NOON)
        for place, word in enumerate(WORDS, 1)
    ]
    with Store.open(data_dir, learner.id) as store, store.transaction() as connection:
        inserts: dict[str, list[tuple[object, ...]]] = {
            "sessions (id, set_id, set_version, lesson_id, mode, language, adapters, seed, started_at, last_at, ended_at,"
            " active_s, finished, owner)": list(sessions),
            "turns (id, session_id, text, folded, characters, elapsed_s, item_id, asked, at)": list(turns),
            "attempts (id, turn_id, session_id, set_id, lesson_id, step_id, item_id, kind, words, correct, clean, given,"
            " hint_level, attempt_number, at)": list(attempts),
            "attempt_forms (attempt_id, set_id, form_id, predicted)": list(attempt_forms),
            "attempt_tags (attempt_id, tag)": list(tags),
            "replies (id, turn_id, move, text, folded, status, signals, source, hint_level, uptake, repair, started_at,"
            " finished_at)": list(replies),
            "cards (id, kind, scope, key, language, set_id, stability, difficulty, due_at, last_at, created_at)": list(
                cards
            ),
            "reviews (card_id, attempt_id, rating, elapsed_days, predicted, at)": list(reviews),
            "forms (set_id, form_id, tried, right, recent_right, recent_wrong, last_at)": [
                ("es-l2", form, tried, right, 8.0, 2.0, now)
                for form, (tried, right) in tally.items()
                if tried
            ],
        }
        for target, rows in inserts.items():
            places = ", ".join("?" * (target.count(",") + 1))
            connection.executemany(f"INSERT INTO {target} VALUES ({places})", rows)
        recount(connection)
    return learner.id, now
