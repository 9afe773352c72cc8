"""A model that runs in the app's own engine, exactly as a learner's app would run it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import platformdirs

from finetune.errors import FinetuneError
from finetune.evaluate.asking import Answer, Ask, Ended, cut, longest_version, version_ends
from finetune.evaluate.config import Model
from tutor_app.errors import TutorError
from tutor_app.llm import adapters as shipped
from tutor_app.llm.files import sha256_file
from tutor_app.llm.models import Models, resolve
from tutor_app.llm.protocol import Adapter, Done, Engine, Fragment, GenerationEvent, LoadSpec, Sampling
from tutor_app.pedagogy import templates
from tutor_app.pedagogy.templates import Message

BEGIN = {"chatml": "<|endoftext|>", "gemma": "<bos>"}
"""What stands before a text that begins: the token that separated documents in pretraining."""
REPEAT_PENALTY = 1.05
"""As the app samples its replies."""
WINDOW = 4096


def data_dir() -> Path:
    """Where the app keeps its models."""
    given = os.environ.get("TUTOR_HOME")
    return Path(given).expanduser().absolute() if given else platformdirs.user_data_path("linguist-tutor")


def chosen(model: Model, folder: Path) -> tuple[LoadSpec, str]:
    """What to load, and its template family. Raises FinetuneError when a file or adapter is not there."""
    try:
        models = Models(folder)
        if model.model.endswith(".gguf"):
            installed = models.import_file(Path(model.model), in_place=True)
        else:
            installed = models.ensure(model.model)
        found = shipped.find(shipped.folders(folder), installed.id, installed.sha256, installed.family)
        chain: list[Adapter] = []
        for name in model.adapters:
            for adapter in _adapter(name, found, installed.id):
                if adapter not in chain:
                    chain.append(adapter)
        made = resolve(folder, installed.id, adapter_paths=chain, n_ctx=WINDOW)
    except TutorError as error:
        raise FinetuneError(str(error)) from error
    spec = made.spec
    return LoadSpec(
        spec.model_id, spec.path, spec.sha256, spec.n_ctx, model.threads, spec.adapters
    ), made.family


def _adapter(name: str, found: Sequence[shipped.Found], model_id: str) -> list[Adapter]:
    """The adapter of this name, after those it was trained on top of and that are not in its file."""
    if name.endswith(".gguf"):
        path = Path(name)
        if not path.is_file():
            raise FinetuneError(
                f"The adapter {path} is not there. Train it first, or take the model out of the config."
            )
        return [Adapter(path.stem, path, sha256_file(path))]
    item = next((one for one in found if one.path.stem == name), None)
    if item is None:
        known = ", ".join(one.path.stem for one in found) or "none"
        raise FinetuneError(
            f"There is no adapter {name!r} for these weights of {model_id}; there are: {known}. "
            "Train it first, or take the model out of the config."
        )
    stages = {stage.sha256 for stage in item.manifest.stages} - set(item.own_stages)
    below = [one for one in found if one is not item and one.own_stages and set(one.own_stages) <= stages]
    return [Adapter(one.path.stem, one.path, sha256_file(one.path)) for one in (*below, item)]


def fingerprint(spec: LoadSpec, family: str) -> str:
    """Names the weights and the template: another adapter, another fingerprint."""
    parts = [
        spec.sha256,
        *(f"{one.sha256}*{one.scale}" for one in spec.adapters),
        templates.template_sha256(family),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class EngineSpeaker:
    """Asks the engine one thing after another, so that what two prompts share is read once."""

    def __init__(self, engine: Engine, family: str) -> None:
        """`engine` is loaded."""
        self._engine = engine
        self._family = family
        self._ids: dict[tuple[str, bool], list[int]] = {}

    def close(self) -> None:
        """End the engine's process."""
        self._engine.close()

    def answers(self, asks: Sequence[Ask]) -> Iterator[Answer]:
        """One each, in order."""
        for ask in asks:
            match ask.kind:
                case "reply":
                    yield self._reply(ask)
                case "revise":
                    yield self._revise(ask)
                case "score":
                    yield self._score(ask)

    def _reply(self, ask: Ask) -> Answer:
        began = time.monotonic()
        ids = [*self._prompt(ask.messages), *self._tokens(ask.before, False)]
        sampling = Sampling(temperature=ask.temperature, repeat_penalty=REPEAT_PENALTY, seed=ask.seed, max_tokens=ask.max_tokens)  # fmt: skip
        text, tokens, ended = ask.before, 0, "length"
        with closing(_generator(self._engine.generate(ids, sampling))) as events:
            for event in events:
                if isinstance(event, Fragment):
                    text += event.text
                    tokens += len(event.token_ids)
                    text, was_cut = cut(text)
                    if was_cut:
                        ended = "line"
                        break
                elif isinstance(event, Done):
                    ended = "model" if event.reason == "stop" else "length"
        return Answer(text, _ended(ended), tokens=tokens, seconds=round(time.monotonic() - began, 3))

    def _revise(self, ask: Ask) -> Answer:
        began = time.monotonic()
        end = self._tokens(templates.END_OF_TURN[self._family], True)
        own = self._tokens(ask.text, False)
        made = self._engine.revise(
            self._prompt(ask.messages),
            [*own, *end],
            max_tokens=longest_version(len(own), ask.max_tokens),
            stop_texts=version_ends(ask.text),
        )
        return Answer(
            made.text, "model" if made.log_likelihood is not None else "length", made.log_likelihood, made.draft_log_likelihood,
            len(self._tokens(made.text, False)), round(time.monotonic() - began, 3),
        )  # fmt: skip

    def _score(self, ask: Ask) -> Answer:
        began = time.monotonic()
        text = self._tokens(ask.text, False)
        if ask.messages:
            ids, text = (
                self._prompt(ask.messages),
                [*text, *self._tokens(templates.END_OF_TURN[self._family], True)],
            )
        else:
            ids = [*self._tokens(BEGIN[self._family], True), *self._tokens(ask.before, False)]
        nats = sum(self._engine.score(ids, text))
        return Answer(ask.text, nats=nats, tokens=len(text), seconds=round(time.monotonic() - began, 3))

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        return templates.encode(templates.pieces(self._family, messages, reply=True), self._tokens).ids

    def _tokens(self, text: str, special: bool) -> list[int]:
        known = self._ids.get((text, special))
        if known is None:
            known = self._ids[text, special] = self._engine.tokenize(text, special=special) if text else []
        return known


def _ended(reason: str) -> Ended:
    return "model" if reason == "model" else "line" if reason == "line" else "length"


def _generator(events: Iterator[GenerationEvent]) -> Generator[GenerationEvent, None, None]:
    """An engine's iterator as something that can be closed early (which cancels it)."""
    yield from events
