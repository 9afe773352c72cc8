"""A small set that lints clean, as data, so that each test can spoil one thing in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

Data = dict[str, Any]


def info(**changes: Any) -> Data:
    """`set.yaml` of the sample."""
    return {
        "format": 1,
        "id": "muestra",
        "version": "1.0.0",
        "title": "Muestra – Sample",
        "language": "es",
        "track": "l2",
        "levels": ["A1"],
        "authors": ["Ana Prueba"],
        "licence": "CC0-1.0",
        "dialects": [{"id": "es-MX", "name": "Mexican Spanish"}],
        **changes,
    }


def hints(answer: str) -> list[str]:
    return [
        "¿De quién habla la frase?",
        "Mira el lugar. ¿Qué dice de la persona?",
        "¿Empieza con s__ o con est__?",
        f"Se puede decir: *{answer}*. ¿Cómo lo dices tú?",
    ]


def errors(*patterns: str) -> list[Data]:
    return [
        {
            "pattern": pattern,
            "tag": tag,
            "recast": "¡Ah, *de verdad*! Qué bien.",
            "question": "¿Y tu familia, de dónde es?",
        }
        for pattern, tag in zip(patterns, ("ser-estar", "person", "gender"), strict=False)
    ]


def item(name: str, prompt: str, accept: list[Any], patterns: tuple[str, ...], **more: Any) -> Data:
    first = accept[0]["text"] if isinstance(accept[0], dict) else accept[0]
    return {
        "id": name,
        "prompt": prompt,
        "accept": accept,
        "errors": errors(*patterns),
        "hints": hints(first),
        "forms": ["ser-origin"],
        **more,
    }


def lesson(**changes: Any) -> Data:
    """A lesson with every kind of step."""
    return {
        "id": "uno",
        "title": "Uno – One",
        "level": "A1",
        "minutes": 20,
        "objectives": ["Say where people are from."],
        "prerequisites": [],
        "vocabulary": [
            {"word": word, "gloss": gloss, "example": example}
            for word, gloss, example in (
                ("la ciudad", "the city", "La ciudad es grande."),
                ("la casa", "the house", "La casa es grande."),
                ("el amigo", "the friend", "El amigo es de Lima."),
                ("la familia", "the family", "La familia es grande."),
                ("el país", "the country", "El país es grande."),
                ("el nombre", "the name", "El nombre es Ana."),
                ("la mano", "the hand", "La mano es grande."),
                ("el día", "the day", "El día es largo."),
            )
        ],
        "forms": [
            {
                "id": "ser-origin",
                "name": "ser for origin",
                "explain": "Soy de Lima, eres de Quito. Which word changes with the person?",
                "examples": ["Soy de Lima.", "Eres de Quito."],
                "surface": ["soy", "eres"],
            }
        ],
        "culture": [
            {
                "id": "dos",
                "title": "Two",
                "text": "Many people name two places.",
                "ask": "¿De dónde es tu familia?",
            }
        ],
        "steps": steps(),
        **changes,
    }


def steps() -> list[Data]:
    def step(kind: str, items: list[Data], **more: Any) -> Data:
        return {"kind": kind, "id": f"step-{kind}", "prompt": "Vamos a ver.", "items": items, **more}

    return [
        step(
            "choice",
            [
                item("c1", "Yo ___ de Lima.", ["soy"], ("estoy", "eres"), choices=["soy", "estoy", "eres"]),
                item("c2", "Tú ___ de Quito.", ["eres"], ("estás", "soy"), choices=["eres", "estás", "soy"]),
            ],
            culture="dos",
        ),
        step(
            "cloze",
            [
                item("z1", "Ana ___ de Lima.", ["es"], ("está", "soy"), words=["la ciudad"]),
                item("z2", "Nosotros ___ de Quito.", [{"text": "somos"}], ("estamos", "son")),
            ],
        ),
        step(
            "order",
            [
                item(
                    "o1",
                    "Ordena.",
                    ["Soy de Lima."],
                    ("de lima soy", "lima *"),
                    tokens=["Soy", "de", "Lima."],
                )
            ],
        ),
        step(
            "match",
            [
                {
                    "id": "m1",
                    "prompt": "Une.",
                    "pairs": [["la casa", "house"], ["la mano", "hand"], ["el día", "day"]],
                    "errors": errors("la casa = hand", "la mano = day"),
                    "hints": hints("la casa"),
                }
            ],
        ),
        step(
            "translate",
            [
                item("t1", "Say: I am from Lima.", ["Soy de Lima", "Yo soy de Lima"], ("estoy *", "es de *")),
                item(
                    "t2", "Say: She is from Quito.", ["Es de Quito", "Ella es de Quito"], ("está *", "/soy/")
                ),
            ],
        ),
        step(
            "conjugate",
            [
                item(
                    "k1",
                    "ser · nosotros",
                    ["somos"],
                    ("son", "estamos"),
                    lemma="ser",
                    person="nosotros",
                    tense="now",
                )
            ],
        ),
        step(
            "dictation", [item("d1", "Escribe.", ["Soy de Lima."], ("estoy *", "/soi/"), say="Soy de Lima.")]
        ),
        step(
            "listen", [item("l1", "¿De dónde es?", ["De Lima"], ("de quito", "lima"), say="Ana es de Lima.")]
        ),
        step(
            "read", [item("r1", "¿De dónde es?", ["De Lima"], ("de quito", "lima"))], text="Ana es de Lima."
        ),
        step("speak", [item("s1", "Di.", ["Soy de Lima."], ("estoy *", "/soi/"), say="Soy de Lima.")]),
        {
            "kind": "write",
            "id": "escribe",
            "prompt": "Escribe tu texto.",
            "goal": "Say where you are from.",
            "min_words": 5,
            "include": ["soy|es"],
            "questions": ["¿Quién eres?", "¿De dónde eres?"],
            "starters": ["Soy …"],
            "model": "Soy Ana y soy de Lima.",
        },
        {
            "kind": "talk",
            "id": "habla",
            "prompt": "Habla con Ana.",
            "scenario": "You meet Ana.",
            "goal": "You have said where you are from.",
            "opening": "¡Hola! ¿Quién eres?",
            "questions": [
                "¿De dónde eres?",
                "¿Y tu mamá?",
                "¿Y tu papá?",
                "¿Qué te gusta?",
                "¿Vives aquí?",
                "¿Y yo?",
            ],
            "simpler": ["¿Eres de aquí?", "¿Tu mamá?", "¿Tu papá?", "¿Te gusta?", "¿Aquí?", "¿Yo?"],
            "starters": ["Soy …", "Es …", "Y …"],
            "closing": "¡Qué bien! ¿A quién le vas a preguntar?",
        },
        {
            "kind": "reflect",
            "id": "piensa",
            "prompt": "Para terminar.",
            "question": "What could you say today?",
            "follow_up": "To whom will you say it?",
        },
    ]


def dump(data: Data) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    data = json.loads(json.dumps(data))  # no two places share a value, so that no aliases are written
    return str(yaml.dump(data, Dumper=dumper, allow_unicode=True, sort_keys=False))


def write_set(folder: Path, *lessons: Data, set_info: Data | None = None) -> Path:
    """The set in `folder`, with these lessons or the sample's one."""
    (folder / "lessons").mkdir(parents=True, exist_ok=True)
    (folder / "set.yaml").write_text(dump(set_info or info()), encoding="utf-8")
    for number, data in enumerate(lessons or (lesson(),), 1):
        path = folder / "lessons" / f"{number:02}-{data['id']}.yaml"
        path.write_text(dump(data), encoding="utf-8")
    return folder
