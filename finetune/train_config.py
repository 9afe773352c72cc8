"""What a trainer writes in YAML for `tutor-finetune train`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from finetune.config import Settings, read
from finetune.errors import FinetuneError

Module = Literal["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""Linear layers whose LoRA a GGUF adapter can carry. Norms, embeddings and the output head are none of them: llama.cpp
ignores or refuses those, so they cannot be asked for."""
ALL_LINEAR: tuple[Module, ...] = (
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
)  # fmt: skip


class Lora(Settings):
    """The adapter: plain LoRA, the one kind that runs beside its base without a merge."""

    rank: int = Field(default=16, ge=1, le=256)
    """Width of the bottleneck."""
    alpha: int = Field(default=32, ge=1)
    """Its product is scaled by alpha / rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Of the adapter's input."""
    modules: list[Module] = Field(default=list(ALL_LINEAR), min_length=1)
    """Which linear layers get one."""
    first_layer: int = Field(default=0, ge=0)
    """Layers below this one are left alone, and no gradient is computed for them: half the layers, a quarter less work."""


class TrainConfig(Settings):
    """`tutor-finetune train`: one stage on one base."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    """The adapter's id, as manifests and the app will name it."""
    inherits: list[Path] = Field(default=[])
    """Finished adapters that this one stands on, the first stage first. Base, family and licence come from the last."""
    base: Path | None = None
    """Model folder, or GGUF file. Left out, it is where the last of `inherits` found it."""
    base_id: str | None = None
    """The base's name in manifests; needed without `inherits`."""
    family: str | None = None
    """Its prompt template: a name in assets/templates; needed without `inherits`."""
    licence: str | None = None
    """Of the base, and so of the adapter."""
    languages: list[str] = Field(min_length=1)
    """BCP 47 tags that it serves."""
    track: Literal["heritage", "l2"] | None = None
    """Whom it serves; none for both."""
    data: Path
    """Folder from `tutor-finetune data`."""
    lora: Lora = Lora()
    steps: int = Field(default=800, ge=1)
    """Updates of the weights."""
    minutes: float | None = Field(default=None, gt=0)
    """Time after which training ends, the learning rate having come down by then; losses then depend on the machine."""
    batch: int = Field(default=16, ge=1)
    """Sequences an update, all processes together."""
    sequence_tokens: int = Field(default=2048, ge=16)
    """Longest sequence; longer conversations are cut after a tutor's turn."""
    packing: bool = True
    """Whether conversations with the same beginning share one sequence, each seeing only that and itself."""
    learning_rate: float = Field(default=2e-4, gt=0)
    """At its height; it falls linearly to zero."""
    warmup_steps: int = Field(default=20, ge=0)
    """Updates until the height is reached."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Longer gradients are cut to this length."""
    weight_decay: float = Field(default=0.0, ge=0)
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Of the base's weights; the adapter's are float32. A CPU without bfloat16 arithmetic is five times faster in float32."""
    save_dtype: Literal["float32", "float16"] = "float16"
    """Of the finished adapter. Float16 is half the file, and rounds (0.02 %) far less than any way of shipping it does."""
    gradient_checkpointing: bool = True
    """Saves memory (about 40 %) for time (about 20 %)."""
    accept_untrained_end: bool = False
    """Train although the base never learnt the token that ends a turn."""
    held_out: int = Field(default=64, ge=0)
    """Conversations kept back to measure the loss on."""
    evaluate_every: int = Field(default=50, ge=1)
    """Updates between two measurements on them."""
    save_every: int = Field(default=50, ge=1)
    """Updates between two checkpoints."""
    keep: int = Field(default=2, ge=1)
    """Checkpoints kept."""
    threads: int | None = Field(default=None, ge=1)
    """Processor threads; none for the library's choice."""
    seed: int = 0

    @model_validator(mode="after")
    def _knows_its_base(self) -> Self:
        missing = [key for key in ("base", "base_id", "family") if getattr(self, key) is None]
        if missing and not self.inherits:
            raise ValueError(f"needs {', '.join(missing)}, or inherits an adapter that knows them")
        return self


def load(path: Path, overrides: tuple[str, ...] = ()) -> TrainConfig:
    """The training config in `path`, its paths made relative to the file. Raises FinetuneError naming what is wrong."""
    config = read(TrainConfig, path, overrides)
    config.data = path.parent / config.data
    config.inherits = [path.parent / one for one in config.inherits]
    if config.base is not None:
        config.base = path.parent / config.base
        if not config.base.exists():
            raise FinetuneError(f"{path}: base: there is no {config.base}.")
    return config
