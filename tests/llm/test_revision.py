"""Revising a draft: the same words as without the draft, sooner; and where the draft is taken up again."""

from __future__ import annotations

import pytest

from tutor_app.llm.client import ChildEngine
from tutor_app.llm.fake import ScriptedEngine
from tutor_app.llm.protocol import Fragment, Held, Sampling
from tutor_app.llm.revision import AT_ONCE, GAMBLE, DraftReader, revise_in_steps

PROMPT = "Learner: yo es estudiante\nNative: yo soy estudiante\nLearner: la casa es blanco\nNative:"
LEAVES_OUT = "Learner: ella el perro come\nNative: el perro come\nLearner: ella la casa es blanco\nNative:"
"""A prompt after which the model says " el perro come"."""
LINES = [
    " la casa es blanca",
    " la casa es blanco",
    " el perro come mucho pan",
    " una casa muy blanca y grande en la playa de mi pueblo",
    " x",
]


def prompt_ids(engine: ChildEngine, text: str = PROMPT) -> list[int]:
    """With the token that every text begins with: without it this model says nothing sensible, or nothing."""
    return [*engine.tokenize("<bos>", special=True), *engine.tokenize(text, special=False)]


def greedy(engine: ChildEngine, ids: list[int], end: int) -> str:
    """What the model says by itself, up to a line's end."""
    sampling = Sampling(
        temperature=0.0, repeat_penalty=1.0, max_tokens=24, stop_ids=(end,), stop_texts=("\n",)
    )
    return "".join(event.text for event in engine.generate(ids, sampling) if isinstance(event, Fragment))


@pytest.mark.parametrize("draft", LINES)
def test_a_draft_right_or_wrong_does_not_change_what_the_model_says(engine: ChildEngine, draft: str) -> None:
    ids = prompt_ids(engine)
    end = engine.tokenize("\n", special=False)[0]
    wanted = greedy(engine, ids, end)
    assert wanted == " la casa es blanca"
    found = engine.revise(
        ids, [*engine.tokenize(draft, special=False), end], max_tokens=24, stop_texts=("\n",)
    )
    assert found.text == wanted


def test_likelihoods_are_those_that_scoring_gives(engine: ChildEngine) -> None:
    ids = prompt_ids(engine)
    end = engine.tokenize("\n", special=False)[0]
    draft = [*engine.tokenize(" la casa es blanco", special=False), end]
    found = engine.revise(ids, draft, max_tokens=24)
    assert found.draft_log_likelihood == pytest.approx(sum(engine.score(ids, draft)), abs=0.02)
    said = [*engine.tokenize(found.text, special=False), end]
    assert found.log_likelihood == pytest.approx(sum(engine.score(ids, said)), abs=0.02)
    assert found.log_likelihood is not None
    assert found.log_likelihood >= found.draft_log_likelihood


def test_a_beginning_that_is_held_stays_when_the_model_would_leave_out_just_that(engine: ChildEngine) -> None:
    """As if the model had been asked for what follows it, likelihoods included."""
    ids = prompt_ids(engine, LEAVES_OUT)
    end = engine.tokenize("\n", special=False)[0]
    draft = [*engine.tokenize(" ella el perro come pan", special=False), end]
    own = engine.revise(ids, draft, max_tokens=24, stop_texts=("\n",))
    begins = engine.tokenize(own.text, special=False)[0]
    assert begins != draft[0]
    after = engine.revise([*ids, draft[0]], draft[1:], max_tokens=24, stop_texts=("\n",))
    pronoun = engine.score(ids, draft[:1])[0]
    held = engine.revise(ids, draft, max_tokens=24, stop_texts=("\n",), held=Held(1, begins))
    assert held.text == " ella" + after.text
    # Another part of the prompt was cached, so batches and their rounding differ.
    assert held.draft_log_likelihood == pytest.approx(own.draft_log_likelihood, abs=0.4)
    assert held.log_likelihood is not None
    assert after.log_likelihood is not None
    assert held.log_likelihood == pytest.approx(pronoun + after.log_likelihood, abs=0.4)
    other = engine.revise(ids, draft, max_tokens=24, stop_texts=("\n",), held=Held(1, begins + 1))
    assert other.text == own.text, "it would say something else in its place"


def test_a_text_that_was_cut_has_no_likelihood(engine: ChildEngine) -> None:
    ids = prompt_ids(engine)
    end = engine.tokenize("<end_of_turn>", special=True)[0]
    draft = [*engine.tokenize(" la casa es blanco", special=False), end]
    cut = engine.revise(ids, draft, max_tokens=2)
    assert len(engine.tokenize(cut.text, special=False)) <= 2
    assert cut.log_likelihood is None


def test_after_revising_the_next_reply_is_what_it_would_have_been(engine: ChildEngine) -> None:
    ids = prompt_ids(engine)
    end = engine.tokenize("\n", special=False)[0]
    before = greedy(engine, ids, end)
    engine.revise(ids, [*engine.tokenize(" otra cosa", special=False), end], max_tokens=8)
    assert greedy(engine, ids, end) == before


@pytest.mark.parametrize(
    ("said", "goes_on_with"),
    [
        (13, [14, 15]),  # the model leaves 12 out
        (99, [13, 14, 15]),  # it says something else for 12
        (12, [13, 14, 15]),  # it was there already
        (11, [12, 13, 14, 15]),  # it says a token again
    ],
)
def test_the_reader_finds_its_place_behind_what_was_said(said: int, goes_on_with: list[int]) -> None:
    reader = DraftReader([10, 11, 12, 13, 14, 15])
    reader.agreed(2)
    assert reader.said(said) == goes_on_with


def test_the_reader_comes_back_after_words_that_were_put_in() -> None:
    reader = DraftReader([10, 11, 12, 13, 14, 15])
    reader.agreed(2)
    assert reader.said(70) == [13, 14, 15]
    assert reader.said(71) == [14, 15]
    assert reader.said(12) == [13, 14, 15]


def test_guesses_are_short_until_the_place_is_sure() -> None:
    reader = DraftReader(range(100))
    assert len(reader.said(500)) == GAMBLE
    assert len(reader.said(3)) == AT_ONCE


def test_an_engine_that_cannot_revise_generates_and_scores() -> None:
    engine = ScriptedEngine(["la casa es blanca"])
    engine.load()
    ids = engine.tokenize("casa", special=False)
    end = engine.tokenize("<|im_end|>", special=True)
    draft = [*engine.tokenize("la casa es blanco", special=False), *end]
    engine.score_of = lambda _, tokens: [-2.0 if tokens == draft else -1.0] * len(tokens)
    found = revise_in_steps(engine, ids, draft, max_tokens=20, stop_texts=())
    assert found.text == "la casa es blanca"
    assert found.draft_log_likelihood == -2.0 * len(draft)
    assert found.log_likelihood == -1.0 * len(draft)
