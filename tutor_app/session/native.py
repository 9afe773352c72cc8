"""The hidden reformulation: what a native speaker of the learner's own variety would have said differently.

The model is asked for the sentence as a native speaker would say it; how much likelier it finds what it wrote than what
the learner wrote tells how sure it is (DESIGN section 7). Nothing of this is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tutor_app.llm.protocol import Engine, EngineStopped, Held
from tutor_app.pedagogy import prompts, reformulation
from tutor_app.pedagogy.clean import clean
from tutor_app.pedagogy.language import language
from tutor_app.pedagogy.reformulation import Finding
from tutor_app.session.dialogue import Dialogue

NATIVE_TOKENS = 90
ROOM_TOKENS = 8
"""A native version is at most this many tokens longer than twice the learner's own sentence."""
MARGIN_NATS = {"l2": 1.0, "heritage": 2.5}
"""How much likelier than the learner's own sentence the model must find its native version (natural log of the
ratio) before anything is believed. Chosen for untrained weights on COWS-L2H sentences: see tests/benchmarks/talk.py.
Trained weights bring their own: `Ready.margin_nats`."""
SENTENCES_KEPT = 32
"""Reformulated sentences that are remembered: more than a text of a learner's has."""


class NativeVersions:
    """Looks at sentences, each of them once."""

    def __init__(
        self,
        engine: Engine,
        dialogue: Dialogue,
        brief: prompts.Brief,
        margin_nats: Mapping[str, float],
        go_on: Callable[[], None],
    ) -> None:
        """`margin_nats` a track, of the model's own; `go_on` is asked before each request, and raises EngineStopped."""
        self._engine = engine
        self._dialogue = dialogue
        self._language, self._track = brief.language, brief.track
        self._needed_nats = margin_nats.get(brief.track, MARGIN_NATS[brief.track])
        self._go_on = go_on
        self._found: dict[str, Finding] = {}
        """Sentence → what was found; the last few."""

    def of_turn(self, text: str, most: int) -> Finding:
        """Of several sentences (the longest `most`), the first one with something to recast."""
        for sentence in reformulation.sentences_to_check(text, self._language, most):
            try:
                finding = self.of_sentence(sentence)
            except EngineStopped:
                break
            if finding.kept:
                return finding
        return reformulation.NOTHING

    def of_sentence(self, text: str) -> Finding:
        """Raises EngineStopped. What was found while a sentence was being written is known when it is sent."""
        if text not in self._found:
            found = self._find(text)
            if len(self._found) >= SENTENCES_KEPT:
                del self._found[next(iter(self._found))]
            self._found[text] = found
        return self._found[text]

    def _find(self, text: str) -> Finding:
        ids = self._dialogue.native_request(text)
        own = self._dialogue.tokens(prompts.one_line(text))
        end = self._dialogue.end_of_turn()
        held = self._held(prompts.one_line(text), own)
        self._go_on()
        revision = self._engine.revise(
            ids,
            [*own, *end],
            max_tokens=min(NATIVE_TOKENS, 2 * len(own) + ROOM_TOKENS),
            stop_texts=("\n", "[", " ¿" if "?" not in text else "\n"),
            held=held,
        )
        native = reformulation.only_the_sentence(clean(revision.text, self._language), text)
        finding = reformulation.find(text, native, self._language, self._track)
        if not finding.kept:
            return reformulation.NOTHING
        likely = revision.log_likelihood
        # What is not acted on, such as a dropped pronoun, must lend no weight to what is.
        if likely is None or finding.native != revision.text.strip():
            written = self._dialogue.tokens(finding.native)
            self._go_on()
            likely = sum(self._engine.score(ids, [*written, *end]))
        margin = likely - revision.draft_log_likelihood
        return (
            finding if reformulation.believed(finding, margin, self._needed_nats) else reformulation.NOTHING
        )

    def _held(self, text: str, own: Sequence[int]) -> Held | None:
        """A subject pronoun at the beginning ("Yo vivo …"): a native speaker may drop it, and no tutor would say so."""
        first, _, rest = text.partition(" ")
        if not rest or first.casefold() not in language(self._language).classes.get("subject-pronoun", ()):
            return None
        held = self._dialogue.tokens(first)
        without = self._dialogue.tokens(rest[:1].upper() + rest[1:] if first[:1].isupper() else rest)
        return Held(len(held), without[0]) if list(own[: len(held)]) == held and without else None
