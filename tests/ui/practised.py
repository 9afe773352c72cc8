"""A learner with a history to look at: ten weeks of Spanish, a little Arabic and Chinese, real ids, same every time."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from tests.progress.making import DAY, NOON, attempt, begin, reply, turn
from tutor_app.progress.store import Store, create_learner
from tutor_app.session.insight import Insight, SetNames

DAYS = 70
NOW = NOON + DAYS * DAY
NAMES: Mapping[str, SetNames] = {
    "es-l2": SetNames(
        "Spanish from English",
        "Spanish",
        {
            "ser-estar": "ser and estar (two ways to be)",
            "gender-agreement": "words that travel together (el, la and endings)",
            "gustar": "gustar (what is pleasing to me)",
            "preterite-imperfect": "what happened and how it was",
        },
        {
            "hola": "Hola, ¿de dónde eres? – Hello, where are you from?",
            "mi-gente": "Mi gente – My people",
            "me-gusta": "Me gusta, me encanta – What I like",
            "ayer-y-antes": "Ayer y antes – Yesterday and back then",
        },
        {
            "estar cansada": "to be tired",
            "la mano": "hand",
            "me encanta": "I love it",
            "de niño": "as a child",
        },
    ),
    "ar-l2": SetNames(
        "Arabic from English",
        "Arabic",
        {"gender": "the ending -a for a woman"},
        {"man-anta": "مَنْ أَنْتَ؟ – Who are you?"},
    ),
}
LESSONS = (
    ("hola", "ser-estar"),
    ("mi-gente", "gender-agreement"),
    ("me-gusta", "gustar"),
    ("ayer-y-antes", "preterite-imperfect"),
)
WORDS = {
    "ser-estar": "estar cansada", "gender-agreement": "la mano", "gustar": "me encanta",
    "preterite-imperfect": "de niño",
}  # fmt: skip
EARLY = {
    "ser-estar": "Yo soy muy cansada hoy", "gender-agreement": "Mi familia es grande y simpático",
    "gustar": "Yo gusto la música", "preterite-imperfect": "Cuando era niña, yo fui a la playa todos los días",
}  # fmt: skip
LATE = {
    "ser-estar": "Hoy estoy cansada, pero soy feliz", "gender-agreement": "Mi familia es pequeña y muy simpática",
    "gustar": "Me gustan las canciones de mi abuela", "preterite-imperfect": "De niña iba a la playa y un día vi un delfín",
}  # fmt: skip
TAGS = {
    "ser-estar": "ser-estar",
    "gender-agreement": "gender",
    "gustar": "verb-form",
    "preterite-imperfect": "tense",
}


def make(data_dir: Path, name: str = "Ana") -> str:
    """Id of the learner."""
    chance = random.Random(7)
    learner = create_learner(data_dir, name, {"language": "es", "track": "l2"}, now=NOON)
    with Store.open(data_dir, learner.id) as store:
        for day in range(DAYS):
            rested = chance.random() < 0.45 or 28 <= day < 37
            if rested and day != DAYS - 1:
                continue
            with store.transaction():
                _spanish(store, day, chance)
        with store.transaction():
            _arabic(store, NOON + 66 * DAY + 7200)
            _chinese(store, NOON + 67 * DAY + 7200)
        store.save_word("الجامعة", "university", "أَنَا طَالِبَة فِي الجَامِعَة", "ar", "tutor", NOW)
        store.save_word("喜欢", "to like", "我喜欢猫", "zh", "tutor", NOW)
    return learner.id


def _spanish(store: Store, day: int, chance: random.Random) -> None:
    now = NOON + day * DAY
    lesson, form = LESSONS[
        day * len(LESSONS) // DAYS if chance.random() < 0.7 else chance.randrange(len(LESSONS))
    ]
    session = begin(store, lesson, now=now)
    for number in range(chance.randrange(4, 16)):
        now += chance.randrange(25, 90)
        right = chance.random() < 0.45 + 0.5 * day / DAYS
        given = (LATE if right else EARLY)[form]
        said = "¿Por qué se dice así?" if number % 9 == 7 else given
        turn_id = turn(store, session, said, now=now, item_id=f"i{number}")
        attempt(
            store, turn_id, session, lesson_id=lesson, item_id=f"i{number}", forms=(form,),
            words=(WORDS[form],), correct=right, error_tags=() if right else (TAGS[form],), given=given,
            hint_level=chance.choice((0, 0, 0, 1, 2)), now=now,
        )  # fmt: skip
        move = "ask" if right else chance.choice(("recast", "recast", "question", "hint"))
        said_back = "¡Qué bien! ¿Y qué más?" if right else f"Ah, {LATE[form].lower()}. ¿Y ayer?"
        answer = reply(
            store, turn_id, said_back, move=move, recast=None if right else LATE[form].split(",")[0], now=now
        )
        if not right:
            store.set_uptake(answer, uptake=chance.random() < 0.8, repair=chance.random() < 0.5, now=now)
    store.end_session(session, {"finished": True}, now + 20)


def _arabic(store: Store, now: float) -> None:
    session = begin(store, "man-anta", now=now, set_id="ar-l2", language="ar")
    turn_id = turn(store, session, "أَنَا طَالِب فِي الجَامِعَة", now=now + 30)
    attempt(
        store, turn_id, session, set_id="ar-l2", lesson_id="man-anta", forms=("gender",), words=("طَالِبَة",),
        correct=False, error_tags=("gender",), given="أَنَا طَالِب فِي الجَامِعَة", now=now + 30,
    )  # fmt: skip
    reply(store, turn_id, "أَهْلًا! أَنْتِ طَالِبَة. وَمَاذَا تَدْرُسِينَ؟", recast="طَالِبَة", now=now + 35)
    store.end_session(session, {"finished": True}, now + 60)


def _chinese(store: Store, now: float) -> None:
    session = begin(store, None, now=now, set_id="zh-heritage", language="zh")
    reply(
        store,
        turn(store, session, "我家有一只猫，我很喜欢她。", now=now + 30),
        "一只猫！她叫什么名字？",
        move="ask",
        now=now + 33,
    )
    store.end_session(session, {}, now + 60)


def insight(data_dir: Path, learner_id: str) -> Insight:
    """What the screens ask, with the clock standing still."""
    return Insight(Store.open(data_dir, learner_id), NAMES, clock=lambda: NOW)
