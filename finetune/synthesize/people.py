"""Simulated learners: what they say next, to which question, and how often they are lost, slow or off the task."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ConfigDict, Field

from finetune.synthesize.bank import bank
from finetune.synthesize.compose import about
from finetune.synthesize.learners import Essay, Said, sayable
from finetune.synthesize.talk import Learner
from lessons.schema import Level, Track

SLOW_S = 240.0
"""Longer than any learner's own pace allows for."""
FOLLOWS = 0.8
"""How often a learner answers what was asked, when a sentence on that topic is known."""
DRAWS = 60
"""Sentences looked at for one that fits the level and was not said yet."""


class Situations(BaseModel):
    """How often a turn is of this kind; what remains is a plain answer, right or wrong as its writer wrote it."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    confused: float = Field(default=0.08, ge=0, le=1)
    """The learner is lost: the question is said more simply."""
    slow: float = Field(default=0.04, ge=0, le=1)
    """The learner took very long: a way to begin is offered."""
    off_task: float = Field(default=0.03, ge=0, le=1)
    """Mashed keys, or another script."""
    mixed: float = Field(default=0.15, ge=0, le=1)
    """Heritage: two languages in one turn, met in kind."""
    other_register: float = Field(default=0.05, ge=0, le=1)
    """Heritage, B1: the same thing said to somebody else."""
    error: float = Field(default=0.45, ge=0, le=1)
    """A mistake that lessons foresee, where the learner's sentences do not come from an essay."""


@dataclass
class Pool:
    """Everything that learners of one language and track say."""

    tag: str
    track: Track
    essays: list[Essay] = field(default_factory=list)
    right: dict[str | None, list[Said]] = field(default_factory=dict)
    """Topic → good sentences; None: of no known topic."""
    wrong: dict[str | None, list[Said]] = field(default_factory=dict)

    def add(self, sentences: Iterable[Said]) -> None:
        """Sort sentences by topic and by whether something is to be recast."""
        for said in sentences:
            shelf = self.right if said.text == said.native else self.wrong
            shelf.setdefault(about(said.text, self.tag).topic, []).append(said)

    def learner(
        self, level: Level, turns: int, situations: Situations, rng: random.Random, *, essay: Essay | None = None,
        own: Sequence[Said] = (),
    ) -> Learner:  # fmt: skip
        """A learner with `turns` turns. `essay`: they tell this, in order; `own`: sentences of the lesson."""
        data = bank(self.tag)
        rest = [said for said in essay.sentences if sayable(said, self.tag, level)] if essay else []
        if len(rest) > turns:
            first = rng.randrange(len(rest) - turns + 1)
            rest = rest[first : first + turns]
        told: set[str] = set()
        last = ""
        left = turns

        def special() -> Said | None:
            draw = rng.random()
            chances: list[tuple[str, float]] = [
                ("confused", situations.confused), ("off_task", situations.off_task), ("slow", situations.slow),
            ]  # fmt: skip
            if self.track == "heritage":
                chances.append(("mixed", situations.mixed if data.mixed else 0.0))
                if level == "B1" and data.register_shift:
                    chances.append(("register", situations.other_register))
            for kind, chance in chances:
                if draw < chance:
                    return _special(kind)
                draw -= chance
            return None

        def _special(kind: str) -> Said | None:
            if kind == "slow":
                said = plain()
                return replace(said, elapsed_s=SLOW_S) if said is not None else None
            if kind in ("confused", "off_task"):
                text = rng.choice(data.confused if kind == "confused" else data.off_task)
                return Said(text, text, "bank", kind=kind)
            one = rng.choice(data.mixed if kind == "mixed" else data.register_shift)
            return Said(one.say, one.say, "bank", replies=tuple(one.reply), kind=kind)

        def plain() -> Said | None:
            if essay is not None:
                return rest.pop(0) if rest else None
            topic = about(last, self.tag).topic if rng.random() < FOLLOWS else None
            shelf = self.wrong if rng.random() < situations.error else self.right
            mine = [said for said in own if (said.text != said.native) is (shelf is self.wrong)]
            known = shelf.get(topic, []) if topic is not None else []
            every = mine if mine and rng.random() < 0.35 else known or _any(shelf)
            return _one(every) or _one(_any(shelf))

        def _one(every: Sequence[Said]) -> Said | None:
            """One that this learner would say; drawn, because looking through thousands at each turn is slow."""
            for _ in range(DRAWS if every else 0):
                said = rng.choice(every)
                if said.text not in told and sayable(said, self.tag, level):
                    return said
            return None

        def _any(shelf: dict[str | None, list[Said]]) -> list[Said]:
            return [said for sentences in shelf.values() for said in sentences]

        def say(previous: str) -> Said | None:
            nonlocal last, left
            if left <= 0:
                return None
            left -= 1
            last = previous
            said = special() or plain()
            if said is None or said.text in told:
                return None
            told.add(said.text)
            return said

        return say
