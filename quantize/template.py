"""The chat template: found, hashed, rendered, and asked which token ends a turn."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quantize.errors import QuantizeError, Unsupported
from quantize.files import read_text, sha256_bytes

Message = Mapping[str, str]
MARK = "\u2402reply\u2402"
"""Stands for an assistant's words while looking for what follows them."""


OPEN, CLOSE = "\ue000", "\ue001"
"""Private-use characters around the number of a message, which no text contains."""
STAND_IN = re.compile(f"{OPEN}(\\d+){CLOSE}")


@dataclass(frozen=True)
class Template:
    """A template as it is written into files."""

    text: str
    sha256: str
    source: str
    """Where it came from, for the summary."""


def read_template(path: Path) -> Template:
    """The template in a file, byte for byte."""
    text = read_text(path)
    return Template(text, sha256_bytes(text.encode("utf-8")), str(path))


def known_templates(folders: Iterable[Path]) -> dict[str, Path]:
    """sha256 → file, of every `*.jinja` in `folders` and among the ones that are shipped with the app."""
    places = list(folders)
    spec = importlib.util.find_spec("tutor_app")
    for root in list(spec.submodule_search_locations or []) if spec else []:
        places += [Path(root) / "assets" / "templates", Path(root).parent / "assets" / "templates"]
    found: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.glob("*.jinja")) if place.is_dir() else []:
            found.setdefault(read_template(path).sha256, path)
    return found


def choose_template(
    given: Path | None, wanted: Sequence[str], folders: Sequence[Path], base_text: str | None
) -> Template:
    """The template to write: the file given, else the one the adapters were trained with, else the base's own.

    `wanted` are the sha256 of the adapters' manifests. Raises `QuantizeError` when they differ from each other or
    from the file given, and when there is none at all: llama.cpp's Python package would silently use Llama 2's.
    """
    hashes = sorted(set(wanted))
    if len(hashes) > 1:
        raise QuantizeError(
            "the adapters were trained with different chat templates; they cannot share one file"
        )
    if given is not None:
        template = read_template(given)
        if hashes and template.sha256 != hashes[0]:
            raise QuantizeError(
                f"{given} is not the template the adapters were trained with "
                f"(sha256 {template.sha256[:12]}…, trained with {hashes[0][:12]}…)"
            )
        return template
    if hashes:
        path = known_templates(folders).get(hashes[0])
        if path is None:
            raise QuantizeError(
                f"the adapters were trained with a template (sha256 {hashes[0][:12]}…) that is not here; "
                "pass it with --template FILE"
            )
        return read_template(path)
    if base_text:
        return Template(base_text, sha256_bytes(base_text.encode("utf-8")), "the base model's own")
    raise QuantizeError("neither the base nor an adapter has a chat template; pass one with --template FILE")


def render(
    template: str, messages: Sequence[Message], *, add_generation_prompt: bool, tokens: Mapping[str, str]
) -> str:
    """The prompt for a conversation, as transformers renders it. `tokens`: bos_token and eos_token as text."""
    # Late: inspecting a file or making an adapter needs no template engine.
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> str:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    # transformers marks the assistant's words with a block of its own; outside training it is transparent.
    source = re.sub(r"\{%(-?)\s*generation\s*(-?)%\}", r"{%\1 if true \2%}", template)
    source = re.sub(r"\{%(-?)\s*endgeneration\s*(-?)%\}", r"{%\1 endif \2%}", source)
    try:
        return environment.from_string(source).render(
            messages=[dict(message) for message in messages],
            add_generation_prompt=add_generation_prompt,
            **tokens,
        )
    except (TemplateError, TypeError, ValueError) as error:
        raise Unsupported(f"the chat template cannot be rendered: {error}") from error


def pieces(
    template: str, messages: Sequence[Message], *, add_generation_prompt: bool, tokens: Mapping[str, str]
) -> list[tuple[str, bool]]:
    """The prompt in pieces: (text, whether the template wrote it). They are tokenised one by one.

    Control tokens are recognised only in what the template wrote, so that nobody can forge a turn by typing
    <|im_end|>. Training and the app do the same, so their ids can be compared with these.
    """
    stand_ins = [{**message, "content": f"{OPEN}{number}{CLOSE}"} for number, message in enumerate(messages)]
    text = render(template, stand_ins, add_generation_prompt=add_generation_prompt, tokens=tokens)
    found: list[tuple[str, bool]] = []
    for index, part in enumerate(STAND_IN.split(text)):
        found.append((part, True) if index % 2 == 0 else (messages[int(part)]["content"], False))
    return [(part, special) for part, special in found if part]


def end_of_turn(template: str, special: Sequence[str], tokens: Mapping[str, str]) -> str | None:
    """The special token that the template puts right after an assistant's words; None when there is none."""
    conversation = [{"role": "user", "content": "?"}, {"role": "assistant", "content": MARK}]
    text = render(template, conversation, add_generation_prompt=False, tokens=tokens)
    _, found, after = text.partition(MARK)
    if not found:
        raise Unsupported("the chat template leaves out the assistant's words")
    after = after.lstrip()
    matches = [token for token in special if token and after.startswith(token)]
    return max(matches, key=len, default=None)
