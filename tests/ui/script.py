"""A Spanish lesson as a script: deterministic, and close enough to a real one to look at."""

from __future__ import annotations

from tests.ui.fake_service import FakeService, FakeSession, Scripted
from tutor_app.llm.protocol import EngineStats
from tutor_app.progress.records import Learner
from tutor_app.session.events import (
    Attempt,
    ItemOver,
    ModelState,
    Reply,
    ReplyFragment,
    ReplyStarted,
    SessionStarted,
    StepShown,
    Summary,
)
from tutor_app.ui.service import LessonOverview, ModelOverview, SetOverview, WordEntry

ANA = Learner("ana", "Ana", 1_760_000_000.0, {"language": "es", "track": "l2"})
BEN = Learner("ben", "Ben", 1_750_000_000.0, {"language": "zh", "track": "heritage"})

WORDS = (
    WordEntry("la hermana", "sister"),
    WordEntry("la maleta", "suitcase"),
    WordEntry("estar cansada", "to be tired"),
    WordEntry("el éxito", "success"),
    WordEntry("asistir a", "to attend"),
)
LESSONS = (
    LessonOverview(
        "01-saludos", "Hola, ¿qué tal?", "A1", 18, ("Greet people and say how you are",),
        items_total=12, items_seen=12, items_correct=10, finished=True, last_at=1.0, words=WORDS,
    ),
    LessonOverview(
        "02-de-donde", "¿De dónde eres y cómo estás?", "A1", 20,
        ("Say where you are from", "Say how you feel today", "Tell who somebody is from how they are"),
        items_total=14, items_seen=5, items_correct=4, open_session=True, last_at=2.0, words=WORDS, due=3,
    ),
    LessonOverview(
        "03-familia", "Una foto de mi familia", "A1", 20, ("Describe the people in a photo",),
        missing=("¿De dónde eres y cómo estás?",), items_total=13, words=WORDS,
    ),
    LessonOverview("04-ayer", "Ayer y de niño", "A2", 25, ("Tell what happened",), items_total=15, words=WORDS),
)  # fmt: skip
SPANISH = SetOverview(
    "es-l2",
    "Spanish from English",
    "Six lessons for a first year.",
    "es",
    "Spanish",
    "l2",
    ("A1", "A2"),
    LESSONS,
    due=3,
    forms={"ser-estar": "ser and estar", "gender": "el and la"},
)
MODELS = (
    ModelOverview(
        "qwen2.5-1.5b", 1_120_000_000, "Good Spanish, fair Chinese and French, weak Arabic.", True, True
    ),
    ModelOverview(
        "gemma3-270m", 253_000_000, "The light one: Spanish, Chinese, Arabic, French.", True, False
    ),
    ModelOverview(
        "qwen3-8b", 5_000_000_000, "The best one.", False, False, "needs about 7 GB of memory, 3.1 free"
    ),
)

STARTED = SessionStarted(
    "es-l2", "Spanish from English", "02-de-donde", "¿De dónde eres y cómo estás?", "es", "l2", "A1",
    "qwen2.5-1.5b", "cc32", (), "ana",
)  # fmt: skip
TALK = StepShown(
    "charla", "charla", "talk", "¡Hola! Soy Lucía, del hostal. ¿Cómo estás después del viaje?",
    task="Habla con Lucía.", support="Talk with Lucía.", number=1, of=14,
    scenario="You have just arrived at a small hostel in Oaxaca. Lucía works at the desk and likes to chat.",
    goal="Say how you are, where you are from, and ask Lucía one thing back.",
)  # fmt: skip
CLOZE = StepShown(
    "c1", "huecos", "cloze", "Lucía ___ de Oaxaca.", task="Completa la frase.", support="Fill the gap.",
    gloss="Lucía is from Oaxaca.", number=2, of=14,
)  # fmt: skip
CHOICE = StepShown(
    "e1", "elige", "choice", "Hoy mi hermana ___ cansada.", task="Elige la forma.", support="Choose the form.",
    gloss="My sister is tired today.", choices=("es", "está", "eres"), number=3, of=14,
)  # fmt: skip
ORDER = StepShown(
    "o1", "orden", "order", "Ordena la frase.", task="Pon las palabras en orden.", support="Put in order.",
    gloss="We are students from Chicago.", choices=("estudiantes", "somos", "Chicago", "de"), number=4, of=14,
)  # fmt: skip
MATCH = StepShown(
    "m1", "parejas", "match", "¿Qué va con qué?", task="Une las parejas.", support="Match the pairs.",
    left=("el éxito", "asistir", "embarazada"), choices=("to attend", "pregnant", "success"), number=5, of=14,
)  # fmt: skip
READ = StepShown(
    "r1", "lectura", "read", "¿Cómo está Lucía hoy?", task="Lee y contesta.", support="Read and answer.",
    text="Hoy es domingo. Lucía está en casa con su familia. Está contenta porque su hermano está de visita.",
    number=6, of=14,
)  # fmt: skip
SUMMARY = Summary(
    items_seen=14, items_correct=11, moves={"recast": 3, "ask": 6}, due_reviews=5, minutes=19.4, finished=True,
    forms={"ser-estar": (7, 9), "gender": (3, 4)}, words=("la hermana", "la maleta", "el éxito"),
    uptake=(2, 3), repair=(2, 3),
)  # fmt: skip

RECAST = Reply(
    "¡Qué viaje! Entonces estás cansada, claro. ¿Y de dónde eres tú?", "recast", ("error:ser-estar",), "model",
    recast="estás cansada", ttft_ms=400, total_ms=900,
)  # fmt: skip
HINT = Reply("¿Es algo de siempre, o solo de hoy?", "hint", ("ok",), "authored", hint_level=1)
EXPLAIN = Reply(
    "Origin goes with ser: soy, eres, es. ¿Y tu familia, de dónde es?", "explore", ("ok",), "authored"
)


def affirm(text: str) -> Reply:
    return Reply(text, "affirm", ("ok",), "model")


def streamed(reply: Reply) -> list[Scripted]:
    """A reply in fragments, then whole."""
    words = reply.text.split(" ")
    return [ReplyStarted(reply.move), *(ReplyFragment(f"{word} ") for word in words), reply]


def lesson_session() -> FakeSession:
    """Six steps, each answered once; the gap twice."""
    return FakeSession(
        opening=[STARTED, TALK],
        answers=[
            streamed(RECAST),
            [*streamed(affirm("¡Chicago! ¿Y cómo es tu familia?")), CLOZE],
            [Attempt("c1", False, ("ser-estar",), "está"), *streamed(RECAST)],
            [
                Attempt("c1", True, (), "es", expected_hidden=False, expected=("es",)),
                *streamed(affirm("Sí, Lucía es de Oaxaca. ¿Seguimos?")),
                ItemOver("c1", ("es",)),
                CHOICE,
            ],
            [Attempt("e1", True, (), "está"), *streamed(affirm("Claro, está cansada. ¿Y tú?")), ItemOver("e1", ("está",)), ORDER],
            [Attempt("o1", True, (), ""), *streamed(affirm("¡Somos de Chicago! ¿Y el éxito?")), MATCH],
            [Attempt("m1", True, (), ""), *streamed(affirm("Muy bien unidas. ¿Leemos?")), READ],
            [
                Attempt("r1", True, (), "contenta", near_miss="typo"),
                *streamed(affirm("Sí, está contenta. ¿Y tú hoy?")),
                SUMMARY,
            ],
        ],
        commands={"hint": streamed(HINT), "explain": streamed(EXPLAIN), "skip": [CHOICE]},
        summary=SUMMARY,
    )  # fmt: skip


def service(**changes: object) -> FakeService:
    """Ana, her Spanish set, and the lesson above."""
    fields: dict[str, object] = {
        "people": [ANA],
        "lesson_sets": [SPANISH],
        "make_session": lesson_session,
        "catalogue": MODELS,
        "states": (ModelState("loading", 0.4), ModelState("ready")),
        "stats": EngineStats(used_tokens=1229, n_ctx=4096),
    }
    return FakeService(**{**fields, **changes})  # type: ignore[arg-type]
