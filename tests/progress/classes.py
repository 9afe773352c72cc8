"""A class of simulated learners in one lesson set, through the store's own interface."""

from __future__ import annotations

import random
from pathlib import Path

from tests.progress.making import DAY, NOON, attempt, begin, reply, turn
from tutor_app.progress.store import Store, create_learner

FORMS = ("ser-estar", "gender", "preterite-imperfect", "gustar")
WORDS = ("la casa", "la mano", "el problema", "embarazada", "el éxito")
ERRORS = {"ser-estar": "ser-estar", "gender": "gender", "preterite-imperfect": "tense", "gustar": "agreement"}
NAMES = ("Ana", "Ben", "Chen", "Dalia", "Émile", "فاطمة", "王小明", "<b>Bobby</b>", "=cmd()", "Zoë")


def learner_with_history(data_dir: Path, name: str, seed: int, *, lessons: int = 3, items: int = 8) -> str:
    """Id of a learner who has gone through some lessons, well or badly; the same for the same seed."""
    chance = random.Random(seed)
    skill = {form: chance.uniform(0.35, 0.95) for form in FORMS}
    learner = create_learner(data_dir, name, now=NOON)
    with Store.open(data_dir, learner.id) as store:
        for number in range(lessons):
            lesson_id = ["pre-check", "where-from", "post-check"][number % 3]
            now = NOON + number * 2 * DAY
            with store.transaction():  # one transaction a lesson: a test writes thousands of rows
                session = begin(store, lesson_id, now=now)
                for item in range(items):
                    now += 30
                    form = FORMS[item % len(FORMS)]
                    right = chance.random() < min(0.98, skill[form] + 0.1 * number)
                    said = "¿Por qué?" if chance.random() < 0.1 else f"respuesta {name} {item}"
                    turn_id = turn(store, session, said, item_id=f"i{item}", now=now)
                    attempt(
                        store,
                        turn_id,
                        session,
                        lesson_id=lesson_id,
                        item_id=f"i{item}",
                        forms=(form,),
                        words=(WORDS[item % len(WORDS)],),
                        correct=right,
                        error_tags=() if right else (ERRORS[form],),
                        given=said,
                        now=now,
                    )
                    answer = reply(store, turn_id, f"Ah, {said}.", recast=None if right else "estoy", now=now)
                    if not right:
                        store.set_uptake(answer, uptake=True, repair=chance.random() < 0.5, now=now)
                store.end_session(session, {"finished": True}, now)
    return learner.id
