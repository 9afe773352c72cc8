"""Conversations to check a template and stopping with: the trainer's own, or a few short ones in each language."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quantize.errors import Unreadable
from quantize.files import read_text


@dataclass(frozen=True)
class Dialogue:
    """Messages, and the token ids that training saw for them when it kept them."""

    messages: tuple[dict[str, str], ...]
    ids: tuple[int, ...] | None = None
    """Ids of the whole conversation, without a generation prompt."""
    language: str | None = None


def read_dialogues(path: Path) -> list[Dialogue]:
    """One JSON object a line: {"messages": [{"role", "content"}], "ids": [...]?, "language": "es"?}, as
    `tutor-finetune synthesize` writes them. Raises `Unreadable` with the line.
    """
    found: list[Dialogue] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            messages = tuple(
                {"role": str(m["role"]), "content": str(m["content"])} for m in entry["messages"]
            )
            ids = entry.get("ids")
            language = entry.get("language")
            found.append(
                Dialogue(
                    messages,
                    None if ids is None else tuple(int(token) for token in ids),
                    None if language is None else str(language).split("-")[0],
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(
                f'{path}:{number}: not a conversation; each line is {{"messages": [...]}}'
            ) from error
    if not found:
        raise Unreadable(f"{path} holds no conversations")
    return found


def _tutor(language: str, *turns: str) -> Dialogue:
    system = f"You are a patient tutor of {language}. You never correct; you recast and ask."
    roles = ["user", "assistant"] * len(turns)
    spoken = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=False)]
    return Dialogue(({"role": "system", "content": system}, *spoken))


BUILT_IN: Sequence[Dialogue] = (
    _tutor(
        "Spanish", "Hola, ayer yo voy a la tienda.", "¡Qué bien! Ayer fuiste a la tienda. ¿Qué compraste?"
    ),
    _tutor(
        "Spanish",
        "Compré pan y, este, milk.",
        "Pan y leche, ¡rico! ¿Para quién los compraste?",
        "Para mi abuela.",
    ),
    _tutor("Chinese", "我昨天去了商店。", "你昨天去了商店！你买了什么？", "我买两本书了。"),
    _tutor("Arabic", "ذهبت إلى السوق أمس.", "جميل! ماذا اشتريت من السوق؟"),
    _tutor("French", "Je suis allé à le marché.", "Tu es allé au marché ! Qu'est-ce que tu as acheté ?"),
    _tutor(
        "English",
        "He go to school every day.",
        "He goes every day — and what does he like there?",
        "Lunch :)",
    ),
)
"""What is taken when no file is given: accents, three scripts, mixing, emphasis and punctuation."""
