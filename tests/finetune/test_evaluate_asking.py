"""Asking models and keeping what they say: through the app's engine, in torch, and out of the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from finetune.errors import FinetuneError
from finetune.evaluate.answers import Answers
from finetune.evaluate.asking import Answer, Ask, cut, longest_version
from finetune.evaluate.config import Model
from finetune.evaluate.engine_speaker import EngineSpeaker, chosen, fingerprint
from tests.quantize.tiny import peft_logits, random_model, save_adapter, save_model
from tutor_app.llm.fake import SCRIPTED, ScriptedEngine
from tutor_app.llm.protocol import Adapter, LoadSpec
from tutor_app.pedagogy.templates import Message

SAID = (Message("user", "Hola."),)


def ask(text: str, **fields: object) -> Ask:
    return Ask(text, "reply", (Message("user", text),), max_tokens=20, **fields)  # type: ignore[arg-type]


class Echo:
    """Says back what it is asked, and counts."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.closed = False

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        for one in asks:
            self.heard.append(one.messages[-1].content)
            yield Answer(one.messages[-1].content)

    def close(self) -> None:
        self.closed = True


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    echo = Echo()
    first = Answers(tmp_path / "a.jsonl", "weights", lambda: echo)
    assert [one.text for one in first.of([ask("uno"), ask("dos"), ask("uno")])] == ["uno", "dos", "uno"]
    again = Answers(tmp_path / "a.jsonl", "weights", lambda: echo)
    assert [one.text for one in again.of([ask("dos"), ask("tres")])] == ["dos", "tres"]
    assert echo.heard == ["uno", "dos", "tres"]
    assert again.asked == 1


def test_a_model_is_not_loaded_for_what_is_known(tmp_path: Path) -> None:
    Answers(tmp_path / "a.jsonl", "weights", Echo).of([ask("uno")])

    def never() -> Echo:
        raise AssertionError("loaded")

    again = Answers(tmp_path / "a.jsonl", "weights", never)
    assert again.of([ask("uno")])[0].text == "uno"
    again.close()


def test_other_weights_or_another_seed_are_asked_anew(tmp_path: Path) -> None:
    echo = Echo()
    Answers(tmp_path / "a.jsonl", "weights", lambda: echo).of([ask("uno")])
    Answers(tmp_path / "a.jsonl", "other weights", lambda: echo).of([ask("uno")])
    Answers(tmp_path / "a.jsonl", "weights", lambda: echo).of([ask("uno", seed=1)])
    assert len(echo.heard) == 3


def test_a_run_killed_in_the_middle_of_a_line_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Answers(path, "weights", Echo).of([ask("uno"), ask("dos")])
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:-30], encoding="utf-8")
    echo = Echo()
    again = Answers(path, "weights", lambda: echo)
    assert [one.text for one in again.of([ask("uno"), ask("dos")])] == ["uno", "dos"]
    assert echo.heard == ["dos"]
    last = path.read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["answer"]["text"] == "dos"


def test_progress_hears_of_every_answer(tmp_path: Path) -> None:
    heard: list[bool] = []
    Answers(tmp_path / "a.jsonl", "weights", Echo, heard.append).of([ask("uno")])
    Answers(tmp_path / "a.jsonl", "weights", Echo, heard.append).of([ask("uno"), ask("dos")])
    assert heard == [False, True, False]


@pytest.mark.parametrize(
    ("text", "expected"), [("Hola. ¿Y tú?\n[ask]", ("Hola. ¿Y tú?", True)), ("Hola [ask]", ("Hola", True)), ("Hola", ("Hola", False))]
)  # fmt: skip
def test_a_reply_is_cut_where_the_app_cuts_it(text: str, expected: tuple[str, bool]) -> None:
    assert cut(text) == expected


def test_a_native_version_may_be_twice_as_long_and_a_little() -> None:
    assert longest_version(10, 90) == 28
    assert longest_version(80, 90) == 90


# -- the app's engine ------------------------------------------------------------------------------------------


def speaker(*script: str) -> tuple[EngineSpeaker, ScriptedEngine]:
    engine = ScriptedEngine(list(script))
    engine.load()
    return EngineSpeaker(engine, "chatml"), engine


def test_the_engine_tells_how_a_reply_ended() -> None:
    one, _ = speaker("Bien. ¿Y tú?", "Bien. ¿Y tú?\n[ask] Más", "palabra " * 40)
    ended = [
        answer.ended for answer in one.answers([Ask(str(i), "reply", SAID, max_tokens=20) for i in range(3)])
    ]
    assert ended == ["model", "line", "length"]


def test_the_engine_goes_on_from_the_words_a_reply_begins_with() -> None:
    one, engine = speaker(" ¿Y tú?")
    answer = next(
        iter(
            one.answers(
                [Ask("a", "reply", SAID, before="«Está en casa».", max_tokens=20, temperature=0.7, seed=9)]
            )
        )
    )
    assert answer.text == "«Está en casa». ¿Y tú?"
    assert engine.text(engine.prompts[0]).endswith("<|im_start|>assistant\n«Está en casa».")
    assert (engine.samplings[0].seed, engine.samplings[0].temperature) == (9, 0.7)


def test_a_revision_comes_with_the_likelihood_of_both() -> None:
    one, engine = speaker("Mi hermana está en casa.")
    engine.score_of = lambda before, tokens: [-0.5 if "está" in engine.text(tokens) else -2.0] * len(tokens)
    draft = "Mi hermana es en casa."
    answer = next(iter(one.answers([Ask("a", "revise", SAID, text=draft, max_tokens=90)])))
    assert (answer.text, answer.ended) == ("Mi hermana está en casa.", "model")
    assert answer.nats == pytest.approx(-0.5 * 7)  # six words and marks, and the end
    assert answer.draft_nats == pytest.approx(-2.0 * 7)


def test_plain_text_is_scored_after_the_token_that_begins_a_document() -> None:
    one, engine = speaker()
    seen: list[str] = []

    def remember(before: list[int], tokens: list[int]) -> list[float]:
        seen.append(engine.text(before))
        return [-1.0] * len(tokens)

    engine.score_of = remember
    answer = next(iter(one.answers([Ask("a", "score", before="Para abrir", text=" la puerta")])))
    assert seen == ["<|endoftext|>Para abrir"]
    assert (answer.nats, answer.tokens) == (-2.0, 2)


def test_an_adapter_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FinetuneError, match=r"(?s)no adapter 'linguist-nine' for these weights"):
        chosen(Model(model="smollm2-135m", adapters=["linguist-nine"]), tmp_path)
    with pytest.raises(FinetuneError, match=r"There is no model 'none'"):
        chosen(Model(model="none"), tmp_path)


def test_adapters_and_their_scale_make_another_fingerprint() -> None:
    with_adapter = LoadSpec("a", Path("a"), "0" * 64, adapters=(Adapter("x", Path("x"), "1" * 64),))
    weaker = LoadSpec("a", Path("a"), "0" * 64, adapters=(Adapter("x", Path("x"), "1" * 64, 0.5),))
    marks = {fingerprint(one, "chatml") for one in (SCRIPTED, with_adapter, weaker)}
    assert len(marks | {fingerprint(SCRIPTED, "gemma")}) == 4


# -- torch -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(random_model("qwen3"), tmp_path_factory.mktemp("tiny") / "model", "qwen3")


def torch_model(folder: Path, batch: int, *adapters: Path) -> Model:
    return Model(
        kind="hf", model=str(folder), family="chatml", batch=batch, adapters=[str(one) for one in adapters]
    )


ASKS = [
    Ask("a", "reply", (Message("user", "Hoy comí arroz."),), max_tokens=12),
    Ask("b", "reply", (Message("user", "Sí."),), before="Hoy ", max_tokens=6, temperature=0.7, seed=4),
    Ask("c", "revise", SAID, text="Hoy comí arroz", max_tokens=30),
    Ask("d", "score", before="Hoy", text=" comí arroz"),
]


def test_a_batch_says_what_each_prompt_says_alone(folder: Path) -> None:
    from finetune.evaluate.torch_speaker import TorchSpeaker

    together = list(TorchSpeaker(torch_model(folder, 4)).answers(ASKS))
    alone = list(TorchSpeaker(torch_model(folder, 1)).answers(ASKS))
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.draft_nats == pytest.approx(other.draft_nats, abs=1e-3)
    assert together[0].tokens == 12
    assert together[1].text.startswith("Hoy ")


def test_torch_scores_are_sums_of_log_probabilities(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from finetune.evaluate.torch_speaker import TorchSpeaker

    answer = next(iter(TorchSpeaker(torch_model(folder, 1)).answers([ASKS[3]])))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    before = [0, *tokenizer("Hoy", add_special_tokens=False).input_ids]
    after = tokenizer(" comí arroz", add_special_tokens=False).input_ids
    total = 0.0
    for i, token in enumerate(after):
        logits = net(torch.tensor([before + after[:i]])).logits[0, -1]
        total += float(logits.log_softmax(-1)[token].detach())
    assert answer.nats == pytest.approx(total, abs=1e-3)
    assert answer.tokens == len(after)


def test_a_learner_cannot_forge_a_turn_in_torch(folder: Path) -> None:
    from finetune.evaluate.torch_speaker import TorchSpeaker

    one = TorchSpeaker(torch_model(folder, 1))
    assert 2 in one._ids("<|im_end|>", True)
    assert 2 not in one._ids("<|im_end|>", False)


def test_an_adapter_changes_what_torch_says_and_the_fingerprint(folder: Path, tmp_path: Path) -> None:
    from finetune.evaluate.torch_speaker import TorchSpeaker, fingerprint

    save_adapter(random_model("qwen3"), tmp_path / "adapter")
    plain, adapted = torch_model(folder, 1), torch_model(folder, 1, tmp_path / "adapter")
    assert fingerprint(plain) != fingerprint(adapted)
    scores = [next(iter(TorchSpeaker(one).answers([ASKS[3]]))).nats for one in (plain, adapted)]
    assert scores[0] != pytest.approx(scores[1], abs=1e-3)


def test_adapters_add_up_beside_the_weights_and_not_in_them(folder: Path, tmp_path: Path) -> None:
    import torch

    from finetune.evaluate.torch_speaker import TorchSpeaker

    model = random_model("qwen3")
    adapters = [
        save_adapter(model, tmp_path / "one"),
        save_adapter(model, tmp_path / "two", seed=2, r=2, use_rslora=True),
    ]
    speaker = TorchSpeaker(torch_model(folder, 1, *adapters))
    ids = [5, 6, 7, 8, 9, 10]
    with torch.no_grad():
        said = speaker._net(torch.tensor([ids])).logits[0]
    assert torch.allclose(said, peft_logits(model, adapters, ids), atol=1e-4)
    # A merge into weights of sixteen bits would lose most of what the adapters learnt.
    kept = {name.replace(".base_layer", ""): weight for name, weight in speaker._net.state_dict().items()}
    assert all(torch.equal(kept[name], weight) for name, weight in model.state_dict().items())


def test_an_empty_model_folder_is_named(tmp_path: Path) -> None:
    from finetune.evaluate.torch_speaker import fingerprint

    with pytest.raises(FinetuneError, match="has no weights in it"):
        fingerprint(torch_model(tmp_path, 1))
