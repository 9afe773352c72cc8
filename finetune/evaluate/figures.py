"""The figures of one model: each with what it rests on, and what is aimed for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from finetune.evaluate import bootstrap
from finetune.evaluate.bootstrap import Estimate, Floats

Unit = Literal["share", "number"]
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Kind:
    """What a figure means."""

    label: str
    help: str
    unit: Unit = "share"
    better: Better | None = "higher"
    target: float | None = None


KINDS: dict[str, Kind] = {
    "f05": Kind("Reformulation F0.5", "Word edits of the model's version against those of a teacher; precision counts double.", "number", target=0.70),
    "f05_plain": Kind("… accents aside", "The same without edits that only change an accent, which teachers mended in some essays and not in others.", "number"),
    "precision": Kind("… precision", "Of the model's edits, those the teacher made too.", "number"),
    "recall": Kind("… recall", "Of the teacher's edits, those the model made too.", "number"),
    "exact": Kind("… whole sentence right", "Sentences given back word for word as the teacher has them."),
    "changed": Kind("Correct sentences changed", "Nothing was wrong, and the model's version has another word.", better="lower", target=0.02),
    "changed_plain": Kind("… in more than accents", "The same, where more than an accent is changed.", better="lower"),
    "changed_clean": Kind("… of those really correct", "Only sentences without a slip that word frequencies give away (\"anos\", \"espanol\", \"aggresivo\") or a reader found, which the corpus often leaves unmarked.", better="lower", target=0.02),
    "acted": Kind("Errors acted on", "Sentences with errors in which the app would recast something, after its own threshold."),
    "acted_right": Kind("… rightly", "Of those, the form recast is the teacher's."),
    "false_flags": Kind("False flags", "Nothing was marked as wrong, and the app would still recast something.", better="lower"),
    "flags_clean": Kind("… of those really correct", "The same among those really correct.", better="lower", target=0.01),
    "f05_calm": Kind("F0.5 where 2 % are changed", "With the threshold at which at most 2 % of correct sentences (really correct, see above) change, found on the other half of the writers.", "number", target=0.70),
    "changed_calm": Kind("… correct sentences changed", "With that threshold.", better="lower", target=0.02),
    "acted_calm": Kind("Errors acted on, 1 % false flags", "With the threshold at which the app takes at most 1 % of them for wrong, found on the other half of the writers."),
    "flags_calm": Kind("… false flags", "With that threshold.", better="lower", target=0.01),
    "holds_form": Kind("Reply holds the corrected form", "One of the teacher's corrected stretches stands in the reply.", target=0.60),
    "holds_phrase": Kind("… with its neighbours", "So does the stretch together with the words beside it: never by chance."),
    "one_step_form": Kind("… without the reformulation", "The reply alone, not told what to recast."),
    "recast": Kind("Recasts", "The corrected form is in the reply, and nothing in it corrects or judges."),
    "elicits": Kind("Elicits", "The reply asks something open, or lets the learner choose between forms."),
    "recast_elicits": Kind("Recasts, then elicits", "Both in one reply."),
    "correction": Kind("Explicit correction", "The reply says that something was wrong (validator rule 1).", better="lower", target=0.005),
    "asks": Kind("Asks", "There is a question in the reply (validator rule 3).", target=0.95),
    "valid": Kind("Passes every rule", "The app would show the reply as it stands."),
    "rule_reveal": Kind("Rule: keeps the answer", "Validator rule 2."),
    "rule_length": Kind("Rule: length", "Validator rule 4."),
    "rule_language": Kind("Rule: language", "Validator rule 5: the language taught, with the English that track and level allow."),
    "rule_vocabulary": Kind("Rule: vocabulary", "Validator rule 6."),
    "rule_form": Kind("Rule: plain form", "Validator rule 7."),
    "rule_unsafe": Kind("Rule: safe", "Validator rule 8."),
    "words": Kind("Words a reply, median", "As the app counts them.", "number", "lower", 20),
    "words_p90": Kind("Words a reply, longest tenth", "Nine of ten replies are no longer.", "number", "lower", 35),
    "open": Kind("Open questions", "Of the questions, those with a question word: yes or no will not do."),
    "distinct1": Kind("Different words in questions", "Distinct-1: different words over all words. Only between equal samples.", "number"),
    "distinct2": Kind("Different pairs in questions", "Distinct-2, the same for pairs of words.", "number"),
    "structure": Kind("Explicit structure offered", "A form between quotation marks, or two forms to choose from.", better=None),
    "mixes": Kind("Mixes back", "The reply to a sentence in mixed language has English in it too.", better=None),
    "met": Kind("Code-switch met", "The reply to mixed language neither corrects nor breaks a rule, and the sentence is left as it is."),
    "reveal": Kind("Answer revealed", "Asked for a hint, the model says the answer (validator rule 2).", better="lower", target=0.02),
    "shorter": Kind("Sentences no longer", "Words a sentence after \"I don't understand\", against the question before."),
    "easier": Kind("Rarest word no rarer", "The rarest word after it, against the rarest before (wordfreq)."),
    "readability_gain": Kind("Readability gained", "Points of Fernández Huerta (French: Kandel & Moles) after, less before.", "number"),
    "again": Kind("Says the same again", "The question comes back nearly word for word.", better="lower"),
    "readability": Kind("Readability", "Mean over all turns; higher is easier.", "number", None),
    "slope": Kind("Readability a turn", "How much it changes from one turn to the next.", "number", None),
    "gap_first": Kind("Gap of levels, first third", "Readability at the lowest level less that at the highest, in the first turns.", "number"),
    "gap_last": Kind("Gap of levels, last third", "The same in the last turns.", "number"),
    "gap_kept": Kind("Gap kept", "Last over first: 100 % is no drift. Only where the first gap is clear of zero; without one there is nothing to keep.", target=0.90),
    "perplexity": Kind("Perplexity", "Of our own texts; only between models with the same tokenizer.", "number", "lower"),
    "bits": Kind("Bits a byte", "The same, whatever the tokenizer.", "number", "lower"),
    "endings": Kind("Sensible endings", "Of two endings of a sentence, the sensible one is the likelier."),
    "stop": Kind("Stops by itself", "Ends its turn with the end-of-turn token, neither cut at a line break nor at the longest allowed.", target=0.99),
}  # fmt: skip


BEGINNERS_ONLY = frozenset({"words", "words_p90"})
OTHER_LEVELS = frozenset({"talk A2", "talk B1", "talk C1"})
"""Replies may grow with the level; the aims for their length are those of A1."""
PAIRED_CLUSTERS = 5
"""Fewer writers than this, and a difference between two models has no interval worth the name."""


@dataclass(frozen=True)
class Figure:
    """One number of one model."""

    kind: str
    group: str
    """Whom it is about: l2, heritage, dialect, A1, es …"""
    estimate: Estimate

    @property
    def id(self) -> str:
        return f"{self.kind}@{self.group}"

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        about = KINDS[self.kind]
        if about.target is None or (self.kind in BEGINNERS_ONLY and self.group in OTHER_LEVELS):
            return None
        return (
            self.estimate.value >= about.target
            if about.better == "higher"
            else self.estimate.value <= about.target
        )


@dataclass
class Sheet:
    """Everything counted for one model."""

    resamples: int
    seed: int
    figures: dict[str, Figure] = field(default_factory=dict)
    drawn: dict[str, tuple[tuple[str, ...], Floats]] = field(default_factory=dict)
    """Figure → its clusters and its value in every resample, for differences between models."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What the page draws: curves, turns, examples."""

    def of(self, kind: str, group: str, clusters: Sequence[str], columns: Sequence[Sequence[float]],
           statistic: Callable[[Floats], Floats]) -> None:  # fmt: skip
        """A statistic of sums; nothing is added without cases."""
        found = bootstrap.estimate(clusters, columns, statistic, resamples=self.resamples, seed=self.seed)
        if found is None:
            return
        made, drawn = found
        self._add(Figure(kind, group, made))
        self.drawn[f"{kind}@{group}"] = (tuple(sorted(set(clusters))), drawn)

    def share(self, kind: str, group: str, clusters: Sequence[str], hits: Sequence[bool]) -> None:
        """The share of cases that hit. One that is none or all of them gets Wilson's interval."""
        self.of(kind, group, clusters, [(float(hit), 1.0) for hit in hits], bootstrap.ratio)
        made = self.figures.get(f"{kind}@{group}")
        if made is not None and len(set(hits)) == 1:
            low, high = bootstrap.wilson(sum(hits), len(hits))
            self._add(replace(made, estimate=replace(made.estimate, low=low, high=high)))

    def mean(self, kind: str, group: str, clusters: Sequence[str], values: Sequence[float]) -> None:
        """The mean of the cases."""
        self.of(kind, group, clusters, [(value, 1.0) for value in values], bootstrap.ratio)

    def quantile(
        self, kind: str, group: str, clusters: Sequence[str], values: Sequence[float], share: float
    ) -> None:
        """The value below which `share` of the cases lie."""
        made = bootstrap.quantile(clusters, values, share, resamples=self.resamples, seed=self.seed)
        if made is not None:
            self._add(Figure(kind, group, made))

    def plain(self, kind: str, group: str, value: float | None, n: int) -> None:
        """A number without an interval."""
        if value is not None:
            self._add(Figure(kind, group, Estimate(value, value, value, n, n)))

    def _add(self, figure: Figure) -> None:
        self.figures[figure.id] = figure


def difference(one: Sheet, other: Sheet, id: str) -> tuple[float, float, float] | None:
    """How much higher `one` is than `other`, with its interval, when both were asked about the same writers.

    The same resamples are compared pair by pair, which is much sharper than comparing two intervals by eye.
    """
    mine, theirs = one.drawn.get(id), other.drawn.get(id)
    if mine is None or theirs is None or mine[0] != theirs[0] or len(mine[0]) < PAIRED_CLUSTERS:
        return None
    apart = mine[1] - theirs[1]
    apart = apart[~np.isnan(apart)]
    if not len(apart):
        return None
    low, high = np.quantile(apart, (0.025, 0.975))
    return one.figures[id].estimate.value - other.figures[id].estimate.value, float(low), float(high)
