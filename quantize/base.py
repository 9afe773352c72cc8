"""A base model, from safetensors or from a GGUF, seen the same way: GGUF's names and row order, values as float32."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf.constants import Keys
from numpy.typing import NDArray

from quantize.architectures import Architecture, NameMap, by_gguf_name, rope_order, tensor_names
from quantize.errors import Unreadable, Unsupported
from quantize.files import sha256_file
from quantize.gguf_file import Field, GgufFile
from quantize.hparams import Hparams, fields, read_hparams, rope_factors
from quantize.mapped import Float32, Rows, StoredTensor, row_layout
from quantize.shards import read_checkpoint, shard_paths
from quantize.template import Template
from quantize.vocabulary import end_of_turn_id, read_vocabulary

IGNORED_ENDINGS = (".rotary_emb.inv_freq",)
"""Tensors that old checkpoints carry and no program reads."""


@dataclass(frozen=True)
class Base:
    """A model that adapters can be merged into."""

    path: Path
    architecture: Architecture
    tensors: tuple[Rows, ...]
    """In file order, under GGUF's names."""
    names: NameMap
    n_heads: int
    n_kv_heads: int
    tied: bool
    """Whether the output layer is the embedding."""
    keys: Callable[[Template | None], dict[str, Field]]
    """Hyperparameters and vocabulary, with what a template adds to them."""
    template: str | None
    """The chat template that came with it."""
    tokenizer_sha256: str | None
    """Of tokenizer.json or tokenizer.model; none when the base is a GGUF, whose own hash covers it."""
    config_sha256: str | None
    """Of config.json, likewise."""

    def row_order(self, name: str, n_rows: int) -> NDArray[np.int64] | None:
        """How rows of transformers are reordered in this tensor; None when they are not."""
        if not self.architecture.interleaves_rope:
            return None
        if ".attn_q." in name:
            return rope_order(n_rows, self.n_heads)
        if ".attn_k." in name:
            return rope_order(n_rows, self.n_kv_heads)
        return None


@dataclass(frozen=True)
class Converted:
    """A tensor of transformers as llama.cpp has it: renamed, rows reordered, norms shifted."""

    name: str
    source: StoredTensor
    order: NDArray[np.int64] | None = None
    offset: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Unchanged by any of that."""
        return self.source.shape

    def rows(self, start: int, stop: int) -> Float32:
        """See `mapped.Rows.rows`."""
        values = (
            self.source.rows(start, stop)
            if self.order is None
            else self.source.rows_at(self.order[start:stop])
        )
        if self.offset:
            values += np.float32(self.offset)
        return values


@dataclass(frozen=True)
class Computed:
    """A small tensor that no file holds."""

    name: str
    values: Float32

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""
        return self.values.shape

    def rows(self, start: int, stop: int) -> Float32:
        """See `mapped.Rows.rows`."""
        _, length = row_layout(self.shape)
        return self.values.reshape(-1, length)[start:stop].copy()


def base_sha256(path: Path) -> str:
    """The content hash by which adapters name their base.

    A file: its sha256. A folder with one weight file: that file's. With several shards: the sha256 of lines
    `<sha256>  <file name>\\n` sorted by name, which is what `sha256sum *.safetensors | sha256sum` prints.
    """
    if path.is_file():
        return sha256_file(path)
    shards = shard_paths(path)
    if len(shards) == 1:
        return sha256_file(shards[0])
    lines = "".join(f"{sha256_file(shard)}  {shard.name}\n" for shard in shards)
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


def open_base(path: Path) -> Base:
    """The base in a GGUF file or a model folder. Raises `Unreadable` and `Unsupported`."""
    if path.is_dir():
        return _open_folder(path)
    if path.is_file():
        return _open_gguf(path)
    raise Unreadable(f"there is no {path}; give a model folder or a GGUF file")


def _open_folder(folder: Path) -> Base:
    hparams = read_hparams(folder)
    names = NameMap(hparams.architecture, hparams.n_layers)
    # The vocabulary is read twice, here without a template: a tokenizer that cannot be carried is refused early.
    vocabulary = read_vocabulary(folder, hparams.vocab_size, hparams.architecture.name, None)

    def keys(template: Template | None) -> dict[str, Field]:
        again = read_vocabulary(folder, hparams.vocab_size, hparams.architecture.name, template)
        return fields(hparams) | again.fields

    base = Base(
        path=folder,
        architecture=hparams.architecture,
        tensors=(),
        names=names,
        n_heads=hparams.n_heads,
        n_kv_heads=hparams.n_kv_heads,
        tied=hparams.tied,
        keys=keys,
        template=vocabulary.template,
        tokenizer_sha256=vocabulary.sha256,
        config_sha256=sha256_file(folder / "config.json"),
    )
    return dataclasses.replace(base, tensors=_convert(base, hparams, read_checkpoint(folder)))


def _convert(base: Base, hparams: Hparams, stored: dict[str, StoredTensor]) -> tuple[Rows, ...]:
    """Every stored tensor, used exactly once. Raises `Unsupported` or `Unreadable` naming the odd one."""
    found: list[Rows] = []
    if (factors := rope_factors(hparams)) is not None:
        found.append(Computed("rope_freqs.weight", factors))
    used: set[str] = set()
    for name, needed in tensor_names(hparams.architecture, hparams.n_layers, hparams.tied):
        tensor, renamed = stored.get(name), base.names.tensor(name)
        if tensor is None and not needed:
            continue
        if tensor is None or renamed is None:
            raise Unreadable(f"{base.path} lacks the tensor {name}; download the model again")
        used.add(name)
        offset = hparams.architecture.norm_offset if name.endswith("norm.weight") else 0.0
        found.append(Converted(renamed, tensor, base.row_order(renamed, tensor.shape[0]), offset))
    for name in stored:
        repeats_embedding = hparams.tied and name == "lm_head.weight"
        if name not in used and not repeats_embedding and not name.endswith(IGNORED_ENDINGS):
            raise Unsupported(
                f"{base.path}: the tensor {name} has no place in a {hparams.architecture.hf_class}"
            )
    rows = stored["model.embed_tokens.weight"].shape[0]
    if rows != hparams.vocab_size:
        raise Unsupported(
            f"{base.path}: the embedding has {rows} rows but config.json says {hparams.vocab_size}: the vocabulary was "
            "resized; use the original model, since llama.cpp refuses such a file"
        )
    return tuple(found)


def _open_gguf(path: Path) -> Base:
    file = GgufFile(path)
    if file.get(Keys.General.TYPE, "model") != "model":
        raise Unsupported(f"{path} is a GGUF of type {file.get(Keys.General.TYPE)}, not a model")
    if int(file.get(Keys.Split.LLM_KV_SPLIT_COUNT, 1)) > 1:
        raise Unsupported(
            f"{path} is one part of a split GGUF; join the parts first (llama-gguf-split --merge)"
        )
    architecture = by_gguf_name(str(file.require(Keys.General.ARCHITECTURE)))
    prefix = architecture.name
    n_layers = int(file.require(f"{prefix}.block_count"))
    n_heads = int(file.require(f"{prefix}.attention.head_count"))
    n_tokens = len(file.require(Keys.Tokenizer.LIST))
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None or embedding.shape[0] != n_tokens:
        raise Unsupported(f"{path}: {n_tokens} tokens do not fit its embedding; the vocabulary was resized")
    dropped = (Keys.General.ARCHITECTURE, Keys.General.FILE_TYPE, Keys.General.QUANTIZATION_VERSION)

    def keys(template: Template | None) -> dict[str, Field]:
        kept = {
            key: field
            for key, field in file.fields.items()
            if key not in dropped and not key.startswith("tutor.")
        }
        return kept | (_gguf_template(file, template) if template is not None else {})

    return Base(
        path=path,
        architecture=architecture,
        tensors=tuple(file.tensors.values()),
        names=NameMap(architecture, n_layers),
        n_heads=n_heads,
        n_kv_heads=int(file.get(f"{prefix}.attention.head_count_kv", n_heads)),
        tied="output.weight" not in file.tensors,
        keys=keys,
        template=file.get(Keys.Tokenizer.CHAT_TEMPLATE),
        tokenizer_sha256=None,
        config_sha256=None,
    )


def _gguf_template(file: GgufFile, template: Template) -> dict[str, Field]:
    """The template's keys for a vocabulary that is in a GGUF already."""
    string = file.fields[Keys.General.ARCHITECTURE].type
    added = {Keys.Tokenizer.CHAT_TEMPLATE: Field(template.text, string)}
    if Keys.Tokenizer.TOKEN_TYPE not in file.fields:
        return added
    special = {
        name: int(file.require(key))
        for name, key in (("bos", Keys.Tokenizer.BOS_ID), ("eos", Keys.Tokenizer.EOS_ID))
        if key in file.fields
    }
    eot = end_of_turn_id(file.fields, special, template.text)
    if eot is not None:
        added[Keys.Tokenizer.EOT_ID] = Field(eot, file.fields[Keys.Tokenizer.EOS_ID].type)
    return added
