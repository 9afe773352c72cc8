"""What a result is compared with, as a GGUF that llama.cpp can run."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from gguf.constants import Keys

from quantize.build import Recipe, build
from quantize.errors import QuantizeError
from quantize.gguf_file import GgufFile


@contextlib.contextmanager
def as_gguf(source: Path, adapters: Sequence[Path], result: Path) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    """(GGUF file, GGUF adapters to apply at run time) for a source that may be a folder with PEFT adapters.

    A GGUF with GGUF adapters is taken as it is. Otherwise an F16 file is made beside `result` and removed afterwards.
    The weights are not checked against the adapters' manifests again: `build` did that when it made the result.
    """
    folders = [adapter for adapter in adapters if adapter.is_dir()]
    if folders and len(folders) < len(adapters):
        raise QuantizeError("give the source's adapters all as PEFT folders or all as GGUF files, not both")
    if source.is_file() and not folders:
        yield source, tuple(adapters)
        return
    if adapters and not folders:
        raise QuantizeError("GGUF adapters go on a GGUF source; for a model folder give the PEFT folders")
    text = str(GgufFile(result).get(Keys.Tokenizer.CHAT_TEMPLATE, ""))
    try:
        scratch = tempfile.TemporaryDirectory(dir=result.parent, prefix=".verify-")
    except OSError as error:
        raise QuantizeError(
            f"cannot write to {result.parent}, where the source is exported for the comparison ({error.strerror}); "
            "pass a 16-bit GGUF as --source instead"
        ) from error
    with scratch as folder:
        template, f16 = Path(folder) / "template.jinja", Path(folder) / "source.gguf"
        template.write_bytes(text.encode("utf-8"))
        build(Recipe(source, tuple(folders), f16, type="F16", template=template, allow_unknown_base=True))
        yield f16, ()
