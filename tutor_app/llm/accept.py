"""Whether a model file may be run here, and with which prompt template."""

from __future__ import annotations

from dataclasses import dataclass

from tutor_app.llm import catalogue
from tutor_app.llm.gguf_header import ARCHITECTURES, Header
from tutor_app.llm.machine import refuse_too_large
from tutor_app.llm.manifest import Manifest, Weights
from tutor_app.llm.protocol import ModelRefused
from tutor_app.pedagogy.templates import END_OF_TURN, family_of

TEMPLATE_KEY = "tutor.template_sha256"
TURN_TOKENS = {"chatml": ("<|im_start|>", "<|im_end|>"), "gemma": ("<start_of_turn>", "<end_of_turn>")}
"""Control tokens that a family's template writes. A vocabulary without them cannot be talked to in that way."""

assert TURN_TOKENS.keys() == END_OF_TURN.keys()


@dataclass(frozen=True)
class Accepted:
    """A file that may be run."""

    family: str
    how: str
    """What the family was known by: `lineage`, `catalogue` or `vocabulary`."""


def refuse_unrunnable(header: Header) -> None:
    """Raise ModelRefused when it is no model, unknown to llama.cpp, or too large for this machine."""
    name = header.path.name
    kind = header.text("general.type")
    if kind not in (None, "model"):
        raise ModelRefused(f"{name} is of the kind {kind!r}, not a model that can be run by itself.")
    if not header.architecture:
        raise ModelRefused(f"{name} does not say what architecture it is.")
    if header.architecture not in ARCHITECTURES:
        raise ModelRefused(
            f"{name} has the architecture {header.architecture!r}, which llama.cpp does not know."
        )
    if not header.tensors:
        raise ModelRefused(f"{name} holds no weights.")
    refuse_too_large(name, header.memory_bytes())


def lineage(header: Header, name: str) -> Manifest:
    """What the keys that `tutor-quantize` writes say, for a file whose manifest was left behind."""

    def texts(key: str) -> list[str]:
        value = header.keys.get(f"tutor.{key}")
        return [str(item) for item in value] if isinstance(value, list) else []

    stages = zip(texts("stages"), texts("stages_sha256"), strict=False)
    return Manifest(
        name=header.text("tutor.name") or name,
        stages=[Weights(id=stage, sha256=sha256) for stage, sha256 in stages],
        template_sha256=header.text(TEMPLATE_KEY),
        languages=texts("languages"),
        track=header.text("tutor.track"),
        quantisation=header.text("tutor.quantisation"),
        licence=header.text("tutor.licence"),
    )


def accept(header: Header, sha256: str, template_sha256: str | None = None) -> Accepted:
    """The prompt family of a model. `template_sha256` is what its manifest says, if it has one.

    Raises ModelRefused when it cannot be run, or was made for a template that is not here: nothing is guessed
    from looks.
    """
    refuse_unrunnable(header)
    written = {text for text in (template_sha256, header.text(TEMPLATE_KEY)) if text}
    if len(written) > 1:
        raise ModelRefused(f"{header.path.name} and its manifest name different prompt templates.")
    for sha in written:
        family = family_of(sha)
        if family is None:
            raise ModelRefused(
                f"{header.path.name} was trained with a prompt template that this version does not have. "
                "Update the program, or use the version the model was made with."
            )
        return Accepted(family, "lineage")
    entry = catalogue.find_by_sha256(sha256)
    if entry is not None:
        return Accepted(entry.family, "catalogue")
    control = header.control_tokens()
    for family, tokens in TURN_TOKENS.items():
        if control.issuperset(tokens):
            return Accepted(family, "vocabulary")
    raise ModelRefused(
        f"{header.path.name} has no prompt template of ours: neither its lineage nor its vocabulary fits one."
    )
