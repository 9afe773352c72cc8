"""Dialogues told anew: the model's words where they keep the rules, the composed ones elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finetune.cli import cli
from finetune.evaluate import run
from finetune.evaluate.asking import Answer, Ask
from finetune.synthesize.retell import retold
from tutor_app.pedagogy.prompts import Brief, prefix, system_text

SYSTEM = system_text(Brief("es", "l2", "A2", "free talk", trained=True))


class Says:
    """A model that says one line to everything, and keeps what it was asked."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.asks: list[Ask] = []

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        for ask in asks:
            self.asks.append(ask)
            yield Answer(ask.before + self.line)

    def close(self) -> None:
        """Nothing to give back."""


def row(*turns: tuple[str, str], track: str = "l2") -> dict[str, Any]:
    said = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "[ask]"}, {"role": "assistant", "content": "¡Hola! ¿Cómo estás?"}]  # fmt: skip
    for learner, reply in turns:
        said += [{"role": "user", "content": learner}, {"role": "assistant", "content": reply}]
    return {"id": "t1", "task": "talk", "language": "es", "track": track, "level": "A2", "messages": said, "untrained": [2]}  # fmt: skip


def told(given: dict[str, Any], line: str) -> tuple[list[str], Says, Counter[str]]:
    """The tutor's lines after the opening, the model, and what became of each."""
    speaker, counts = Says(line), Counter[str]()
    made = list(retold([given], speaker, counts))
    (one,) = made or [given]
    return [m["content"] for m in one["messages"][4::2]], speaker, counts


def test_a_reaction_is_the_models_own_and_it_saw_the_examples() -> None:
    given = row(("Mi perro está enfermo.\n[ask]", "¡Qué bonito día! ¿Qué haces hoy?"))
    lines, speaker, counts = told(given, "Pobre perro. ¿Está mejor hoy?")
    assert lines == ["Pobre perro. ¿Está mejor hoy?"]
    assert counts == {"model": 1}
    shown = prefix(Brief("es", "l2", "A2", "free talk"))[1:]
    assert speaker.asks[0].messages[0].content == SYSTEM
    assert list(speaker.asks[0].messages[1 : len(shown) + 1]) == shown


def test_the_instructors_question_and_the_echo_stay() -> None:
    lines, _, _ = told(
        row(
            ("Tengo un perro.\n[ask: ¿Qué comes?]", "¡Ah, mira! ¿Qué comes?"),
            ("Mi casa es pequeño.\n[recast: es pequeña]", "¡Ah, «es pequeña»! ¿Y qué más?"),
        ),
        " Un perro en casa. ¿Y cómo es?",
    )
    assert lines[0] == "Un perro en casa. ¿Qué comes?"
    assert lines[1].startswith("¡Ah, «es pequeña»! Un perro en casa.")


def test_a_question_that_the_talk_asked_a_moment_ago_stays_composed() -> None:
    given = row(
        ("Tengo un gato negro.\n[ask]", "¡Qué bien! ¿Y qué come?"),
        ("Mi gato es muy grande.\n[ask]", "¡Un gato grande! ¿Dónde duerme?"),
    )
    lines, _, counts = told(given, "Me gustan los animales. ¿Cómo se llama?")
    assert lines == ["Me gustan los animales. ¿Cómo se llama?", "¡Un gato grande! ¿Dónde duerme?"]
    assert counts == {"model": 1, "breaks a rule: form": 1}


@pytest.mark.parametrize(
    ("learner", "line", "why"),
    [
        (
            "Mi perro es bueno.\n[ask]",
            "Eso está mal, no se dice así. ¿Otra vez?",
            "breaks a rule: correction",
        ),
        ("Mi perro es bueno.\n[ask]", "Qué bueno.", "breaks a rule: asks"),
        ("No entiendo.\n[simplify: ¿Qué comes?]", "¿Qué tal?", "says what it is given"),
        ("Mi perro and my cat are very good friends.\n[ask]", "¿Qué tal?", "met in kind already"),
        ("Mi casa es pequeño.\n[recast: es pequeña]", "¿Qué tal?", "no echo to begin with"),
    ],
)
def test_elsewhere_the_composed_reply_stays(learner: str, line: str, why: str) -> None:
    lines, _, counts = told(row((learner, "Ya veo. ¿Qué haces hoy?"), track="l2"), line)
    assert lines == ["Ya veo. ¿Qué haces hoy?"]
    assert counts == {why: 1}


def test_the_command_writes_what_was_told_anew_and_says_what_became_of_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = Says("Pobre perro. ¿Está mejor hoy?")
    monkeypatch.setattr(run, "opened", lambda model: ("mark", lambda: speaker))
    talks, out = tmp_path / "talk.jsonl", tmp_path / "retold.jsonl"
    rows = [row(("Mi perro está enfermo.\n[ask]", "¡Qué bonito día! ¿Y tú?")) | {"language": tag} for tag in ("es", "fr")]  # fmt: skip
    lesson = rows[0] | {"lesson": "01-hola"}
    talks.write_text("".join(json.dumps(one) + "\n" for one in (*rows, lesson)), encoding="utf-8")
    ran = CliRunner().invoke(
        cli, ["retell", str(talks), "--out", str(out), "--model", "m", "--language", "es", "--free-talk"]
    )
    assert ran.exit_code == 0, ran.output
    (made,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert made["retold"] == 1
    assert made["messages"][-1]["content"] == speaker.line
    assert ran.output == "1 model\n"
