"""A tokenizer folder as the keys that llama.cpp reads, taken from the files themselves and never re-saved."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gguf.constants import GGUFValueType, Keys, TokenType
from gguf.vocab import SpecialVocab

from quantize.errors import Unreadable, Unsupported
from quantize.files import read_text, sha256_file
from quantize.gguf_file import Field
from quantize.sentencepiece_model import read_pieces
from quantize.template import Template, end_of_turn

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN2.replace(r"|\p{N}| ?", r"|\p{N}{1,3}| ?")
PRE_TOKENIZERS = {
    ("Split " + QWEN2, "ByteLevel"): "qwen2",
    ("Split " + LLAMA3, "ByteLevel"): "llama-bpe",
    ("Digits", "ByteLevel regex"): "smollm",
    ("ByteLevel regex",): "gpt-2",
}
"""What tokenizer.json says about splitting text → the name of the same rule in llama.cpp.

llama.cpp's converter instead hashes the ids of one sample text, which a re-saved or extended tokenizer changes
(llama.cpp#22700, #8649).
"""
SPECIAL_KEYS = {
    "bos": Keys.Tokenizer.BOS_ID,
    "eos": Keys.Tokenizer.EOS_ID,
    "eot": Keys.Tokenizer.EOT_ID,
    "unk": Keys.Tokenizer.UNK_ID,
    "sep": Keys.Tokenizer.SEP_ID,
    "pad": Keys.Tokenizer.PAD_ID,
    "mask": Keys.Tokenizer.MASK_ID,
}
ADD_KEYS = {"bos": Keys.Tokenizer.ADD_BOS, "eos": Keys.Tokenizer.ADD_EOS, "sep": Keys.Tokenizer.ADD_SEP}
UNUSED_SCORE, ADDED_SCORE = -10000.0, -1000.0


@dataclass(frozen=True)
class Vocabulary:
    """What goes into the file about tokens."""

    fields: dict[str, Field]
    sha256: str
    """Of tokenizer.json or tokenizer.model."""
    special: dict[str, int]
    """bos, eos, eot, pad … → id."""
    template: str | None
    """The chat template among the tokenizer's files."""


def _array(values: list[Any], item: GGUFValueType) -> Field:
    return Field(values, GGUFValueType.ARRAY, item)


def _text(value: str) -> Field:
    return Field(value, GGUFValueType.STRING)


def read_vocabulary(
    folder: Path, vocab_size: int, architecture: str, template: Template | None
) -> Vocabulary:
    """The vocabulary of the model in `folder`, padded to `vocab_size` rows.

    Raises `Unsupported` when the tokenizer has more tokens than the model has rows, or splits text in a way whose
    name in llama.cpp is not known here.
    """
    pieces, tokenizer = folder / "tokenizer.model", folder / "tokenizer.json"
    if pieces.is_file():
        source, fields = pieces, _sentencepiece(folder, vocab_size)
        if architecture == "gemma3":
            fields["tokenizer.ggml.add_space_prefix"] = Field(False, GGUFValueType.BOOL)
    elif architecture == "gemma3":
        raise Unsupported(
            f"{folder} has no tokenizer.model, which Gemma 3 needs in llama.cpp; download it too"
        )
    elif tokenizer.is_file():
        source, fields = tokenizer, _byte_level(tokenizer, vocab_size)
        # Nothing said means no start token in tokenizers, but depends on the rule's name in llama.cpp: say it.
        fields[Keys.Tokenizer.ADD_BOS] = Field(False, GGUFValueType.BOOL)
    else:
        raise Unreadable(f"{folder} has neither tokenizer.json nor tokenizer.model; download them too")
    found = SpecialVocab(folder, n_vocab=vocab_size)
    special = _special(folder, found, vocab_size, fields)
    if template is not None:
        fields[Keys.Tokenizer.CHAT_TEMPLATE] = _text(template.text)
        if (eot := end_of_turn_id(fields, special, template.text)) is not None:
            special["eot"] = eot
    for name, token_id in special.items():
        if name in SPECIAL_KEYS:
            fields[SPECIAL_KEYS[name]] = Field(token_id, GGUFValueType.UINT32)
    own = found.chat_template if isinstance(found.chat_template, str) else None
    return Vocabulary(fields, sha256_file(source), special, own)


def end_of_turn_id(fields: dict[str, Field], special: dict[str, int], template: str) -> int | None:
    """The id that ends the assistant's turn in this template, looked up in the vocabulary in `fields`."""
    texts = [
        token if isinstance(token, bytes) else token.encode() for token in fields[Keys.Tokenizer.LIST].value
    ]
    kinds = fields[Keys.Tokenizer.TOKEN_TYPE].value
    marked = {
        text.decode("utf-8", "replace"): token_id
        for token_id, (text, kind) in enumerate(zip(texts, kinds, strict=True))
        if kind in (TokenType.CONTROL, TokenType.USER_DEFINED)
    }

    def token_text(name: str) -> str:
        return texts[special[name]].decode("utf-8", "replace") if name in special else ""

    tokens = {"bos_token": token_text("bos"), "eos_token": token_text("eos")}
    ending = end_of_turn(template, list(marked), tokens)
    return None if ending is None else marked[ending]


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(read_text(path))
    except ValueError as error:
        raise Unreadable(f"{path} is not valid JSON; download it again") from error
    if not isinstance(loaded, dict):
        raise Unreadable(f"{path} is not a JSON object; download it again")
    return loaded


def pre_tokenizer_name(tokenizer: dict[str, Any]) -> str:
    """llama.cpp's name for the way this tokenizer.json splits text. Raises `Unsupported` when it is another way."""
    rule = tokenizer.get("pre_tokenizer") or {}
    steps = tuple(_step(step) for step in rule.get("pretokenizers", [rule]))
    if steps not in PRE_TOKENIZERS:
        raise Unsupported(
            f"tokenizer.json splits text in a way that is not known here: {' + '.join(steps)[:120]}"
        )
    return PRE_TOKENIZERS[steps]


def _step(step: dict[str, Any]) -> str:
    kind = str(step.get("type"))
    if kind == "Split" and step.get("behavior") == "Isolated" and not step.get("invert"):
        return "Split " + str(step["pattern"].get("Regex"))
    if kind == "ByteLevel" and not step.get("add_prefix_space"):
        return "ByteLevel regex" if step.get("use_regex", True) else "ByteLevel"
    if kind == "Digits" and step.get("individual_digits"):
        return "Digits"
    return f"{kind} {json.dumps(step, sort_keys=True)}"


def _looks_special(token: str) -> bool:
    """Tokens that act as control tokens though their tokenizer does not mark them; llama.cpp's own rule."""
    brackets = (("<|", "|>"), ("<｜", "｜>"), ("<unused", ">"))
    return token in ("<pad>", "<mask>", "<2mass>", "[@BOS@]") or any(
        token.startswith(first) and token.endswith(last) for first, last in brackets
    )


def _byte_level(path: Path, vocab_size: int) -> dict[str, Field]:
    tokenizer = _load(path)
    model = tokenizer.get("model") or {}
    if model.get("type") != "BPE" or not model.get("merges"):
        raise Unsupported(f"{path} is a {model.get('type')} tokenizer; byte-level BPE is supported")
    added = {int(token["id"]): token for token in tokenizer.get("added_tokens", [])}
    by_id = {int(token_id): token for token, token_id in model["vocab"].items()}
    by_id |= {token_id: str(token["content"]) for token_id, token in added.items()}
    if (highest := max(by_id)) >= vocab_size:
        raise Unsupported(
            f"the tokenizer has {highest + 1} tokens but the model {vocab_size} rows: tokens were added without "
            "training rows for them; use the base's own tokenizer"
        )
    texts: list[bytes] = []
    kinds: list[int] = []
    for token_id in range(vocab_size):
        text, kind = by_id.get(token_id), TokenType.NORMAL
        if text is None:
            text, kind = f"[PAD{token_id}]", TokenType.UNUSED
        elif token_id in added:
            control = added[token_id].get("special") or _looks_special(text)
            kind = TokenType.CONTROL if control else TokenType.USER_DEFINED
            text = text if control else text.replace("▁", " ")
        texts.append(text.encode("utf-8"))
        kinds.append(int(kind))
    return {
        Keys.Tokenizer.MODEL: _text("gpt2"),
        Keys.Tokenizer.PRE: _text(pre_tokenizer_name(tokenizer)),
        Keys.Tokenizer.LIST: _array(texts, GGUFValueType.STRING),
        Keys.Tokenizer.TOKEN_TYPE: _array(kinds, GGUFValueType.INT32),
        Keys.Tokenizer.MERGES: _array(_merges(model["merges"]), GGUFValueType.STRING),
    }


def _merges(merges: list[Any]) -> list[bytes]:
    """Both ways of writing a merge, "a b" and ["a", "b"]; a space inside a part is written as byte-level BPE does."""
    lines = (
        merge
        if isinstance(merge, str)
        else " ".join(part.replace(" ", chr(ord(" ") + 256)) for part in merge)
        for merge in merges
    )
    return [line.encode("utf-8") for line in lines]


def _sentencepiece(folder: Path, vocab_size: int) -> dict[str, Field]:
    pieces = read_pieces(folder / "tokenizer.model")
    texts = [f"[PAD{token_id}]".encode() for token_id in range(vocab_size)]
    scores = [UNUSED_SCORE] * vocab_size
    kinds = [int(TokenType.UNUSED)] * vocab_size
    for token_id, piece in enumerate(pieces[:vocab_size]):
        # The numbers of sentencepiece's types and of llama.cpp's are the same.
        texts[token_id], scores[token_id], kinds[token_id] = piece.text, piece.score, piece.kind
    for token_id, (content, marked) in _added_to_sentencepiece(folder).items():
        if token_id >= vocab_size:
            raise Unsupported(f"the token {content} has id {token_id} but the model {vocab_size} rows")
        control = marked or _looks_special(content)
        text = content if control else content.replace("▁", " ")
        kind = TokenType.CONTROL if control else TokenType.USER_DEFINED
        texts[token_id], scores[token_id], kinds[token_id] = text.encode("utf-8"), ADDED_SCORE, int(kind)
    return {
        Keys.Tokenizer.MODEL: _text("llama"),
        Keys.Tokenizer.PRE: _text("default"),
        Keys.Tokenizer.LIST: _array(texts, GGUFValueType.STRING),
        Keys.Tokenizer.SCORES: _array(scores, GGUFValueType.FLOAT32),
        Keys.Tokenizer.TOKEN_TYPE: _array(kinds, GGUFValueType.INT32),
    }


def _added_to_sentencepiece(folder: Path) -> dict[int, tuple[str, bool]]:
    added: dict[int, tuple[str, bool]] = {}
    if (folder / "added_tokens.json").is_file():
        added |= {
            int(token_id): (text, False) for text, token_id in _load(folder / "added_tokens.json").items()
        }
    config = _load(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    for token_id, token in config.get("added_tokens_decoder", {}).items():
        added[int(token_id)] = (str(token["content"]), bool(token.get("special")))
    return added


def _special(folder: Path, found: SpecialVocab, vocab_size: int, fields: dict[str, Field]) -> dict[str, int]:
    """Special ids from the tokenizer's files, completed from generation_config.json, which `SpecialVocab` ignores."""
    special = {name: int(token_id) for name, token_id in found.special_token_ids.items()}
    path = folder / "generation_config.json"
    generation = _load(path) if path.is_file() else {}
    for name in ("bos", "eos", "pad"):
        given = generation.get(f"{name}_token_id")
        first = given[0] if isinstance(given, list) and given else given
        if name not in special and isinstance(first, int) and first < vocab_size:
            special[name] = first
    for name, value in found.add_special_token.items():
        if name in ADD_KEYS:
            fields[ADD_KEYS[name]] = Field(bool(value), GGUFValueType.BOOL)
    if "eos" not in special:
        raise Unsupported(
            f"no end token is named in the tokenizer files of {folder}; add eos_token to tokenizer_config.json"
        )
    return special
