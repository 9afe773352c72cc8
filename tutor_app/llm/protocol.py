"""What the tutor needs from a language model: token ids in, fragments of text out.

An engine renders no prompts and knows no lessons. The in-process-looking one (`client.ChildEngine`) runs
llama.cpp in a child process; `fake.ScriptedEngine` plays it in tests; `remote.RemoteEngine` talks to a server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from tutor_app.errors import TutorError


class EngineError(TutorError):
    """The engine could not do what was asked; the learner's turn is safe."""


class ModelRefused(EngineError):
    """The file cannot be run: truncated, unknown, without a template of ours, or too large for memory."""


class PromptTooLong(EngineError):
    """The prompt leaves no room in the window. Drop whole old turns and ask again."""

    def __init__(self, message: str, *, tokens: int, n_ctx: int) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.n_ctx = n_ctx


class EngineStopped(EngineError):
    """`cancel` ended a request before it was done. (A reply does not raise it, but ends with `Done("cancelled")`.)"""


class EngineBusy(EngineError):
    """A second request came while one was running: close the reply's iterator first."""


class EngineDied(EngineError):
    """The child process ended. `out_of_memory` when it was killed for memory as far as can be told."""

    def __init__(self, message: str, *, exit_code: int | None, out_of_memory: bool = False) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.out_of_memory = out_of_memory


class EngineHung(EngineError):
    """Nothing came for longer than the time limit, so the child was ended."""


@dataclass(frozen=True)
class Adapter:
    """A LoRA applied at run time: logits are those of W + scale · B·A."""

    id: str
    path: Path
    sha256: str
    scale: float = 1.0


@dataclass(frozen=True)
class LoadSpec:
    """Which weights to run, and how."""

    model_id: str
    path: Path
    sha256: str
    n_ctx: int = 4096
    """Context window in tokens."""
    threads: int | None = None
    """None: chosen while running, beginning with physical cores - 1 (see `tuner`)."""
    adapters: tuple[Adapter, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """What came out of loading."""

    model_id: str
    sha256: str
    n_ctx: int
    n_vocab: int
    end_ids: tuple[int, ...]
    """Every id that llama.cpp treats as the end of generation."""
    load_ms: float
    adapters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. Every field is passed on: the library's defaults are never used."""

    temperature: float = 0.7
    """0 is greedy."""
    top_k: int = 40
    top_p: float = 0.9
    min_p: float = 0.05
    repeat_penalty: float = 1.1
    """Over the last `repeat_last_n` generated or prompt tokens; 1.0 is off."""
    repeat_last_n: int = 64
    seed: int = 0
    max_tokens: int = 160
    stop_ids: tuple[int, ...] = ()
    """Ids that end the reply, besides the model's own."""
    stop_texts: tuple[str, ...] = ()
    """Strings that end the reply; neither they nor anything after them is given out."""


@dataclass(frozen=True)
class Prefill:
    """Progress through the prompt, in tokens; `cached` of them cost nothing."""

    done: int
    total: int
    cached: int


@dataclass(frozen=True)
class Fragment:
    """Some more of the reply: whole characters only, never half a UTF-8 sequence."""

    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    """Natural log of each token's probability before sampling filters, in order."""


@dataclass(frozen=True)
class Done:
    """The reply is over."""

    reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    cached_tokens: int
    """Prompt tokens whose KV state was reused."""
    generated_tokens: int
    ttft_ms: float
    """From the call to the first fragment; equal to `total_ms` when there was none."""
    total_ms: float


GenerationEvent = Prefill | Fragment | Done


@dataclass(frozen=True)
class Warmed:
    """The prefix is in the context, and on disk when it was to be saved."""

    tokens: int
    restored: bool
    """True when the state came from disk (or was already in the context)."""
    ms: float


@dataclass(frozen=True)
class Held:
    """The beginning of a draft that stays when the model would leave out just that."""

    tokens: int
    """How many; at least one more follows them in the draft."""
    then: int
    """Id of the token that the model's own text begins with when it leaves them out."""


@dataclass(frozen=True)
class Revision:
    """What the model makes of a draft, and how likely it finds both. Likelihoods are in nats, end of turn included."""

    text: str
    """The likeliest continuation, token by token."""
    log_likelihood: float | None
    """None when the text was cut, by its length or by a stop text, so that it has no end to count."""
    draft_log_likelihood: float


Progress = Callable[[float], None]
"""Called with a fraction from 0 to 1."""


@dataclass(frozen=True)
class EngineStats:
    """For the gauge in the app and for `doctor`."""

    used_tokens: int = 0
    n_ctx: int = 0
    rss_bytes: int = 0
    extra: dict[str, float] = field(default_factory=dict)


class Engine(Protocol):
    """One model, one context, one caller at a time (`cancel` and `close` may come from any thread).

    After `EngineDied` or `EngineHung` the engine may be loaded again with `load`.
    """

    @property
    def loaded(self) -> Loaded | None:
        """What runs, or None."""

    @property
    def private(self) -> bool:
        """Whether nobody else waits for it, so that what may never be asked for can be computed ahead."""

    def load(self, spec: LoadSpec, on_progress: Progress | None = None) -> Loaded:
        """Run `spec`. Raises ModelRefused, EngineDied, EngineHung."""

    def set_adapters(self, adapters: Sequence[Adapter]) -> None:
        """Replace the run-time adapters without reloading the base; forgets the context."""

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Ids of `text`. Control tokens are recognised only when `special`, so learner text cannot forge one.

        No BOS is added.
        """

    def warm(self, ids: Sequence[int], *, save: bool = True, on_progress: Progress | None = None) -> Warmed:
        """Make `ids` the reusable beginning of what follows, from disk when it was saved before."""

    def prefill(self, ids: Sequence[int]) -> None:
        """Read `ids` in, so that the next request that begins like them comes sooner. Raises EngineStopped."""

    def generate(self, ids: Sequence[int], sampling: Sampling) -> Iterator[GenerationEvent]:
        """Continue `ids`. Closing the iterator early cancels. Ends with exactly one `Done`.

        The same requests in the same order give the same replies. (llama.cpp's quantised arithmetic rounds by
        batch size, so a prompt of which another part was cached may differ in a later word.)
        """

    def score(self, ids: Sequence[int], continuation: Sequence[int]) -> list[float]:
        """Natural log-probability of each token of `continuation` after `ids`; shape [len(continuation)]."""

    def revise(
        self,
        ids: Sequence[int],
        draft: Sequence[int],
        *,
        max_tokens: int,
        stop_texts: Sequence[str] = (),
        held: Held | None = None,
    ) -> Revision:
        """The greedy continuation of `ids`, of which `draft` is a guess that ends with the end-of-turn token.

        The draft saves time and changes nothing: where the model agrees with it, its tokens are evaluated together.
        `held` saves the time of a change that nobody would act on; an engine may pass over it.
        """

    def cancel(self) -> None:
        """Stop what runs now within half a second, prefill included. No effect when idle."""

    def stats(self) -> EngineStats:
        """Cheap; never waits for the child."""

    def close(self) -> None:
        """End the child. Idempotent, under a second."""
